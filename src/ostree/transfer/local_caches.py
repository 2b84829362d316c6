"""Repositories on this machine that are asked for objects before the network is (§4.10)."""

from __future__ import annotations

from ostree.errors import OSTreeError
from ostree.repo.signing import find_detached
from ostree.system.closing import Closing
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.repo.repository import Repo
    from ostree.transfer.object_import import ObjectImporter
    from ostree.types import Checksum


class LocalCaches(Closing):
    """The repositories, in the order in which they are asked.

    Args:
        paths: Where they are.
        destination: Where objects go; a transaction is open.
        charge: Is told the plain size of content before it is written; may refuse.
        untrusted: Verify every object.
        bare_user_only: Refuse files that a bare-user-only repository could not hold.

    Raises:
        OSTreeError: if one of them cannot be opened.
    """

    def __init__(
        self,
        paths: Sequence[str],
        destination: Repo,
        charge: Callable[[int], None],
        *,
        untrusted: bool = False,
        bare_user_only: bool = False,
    ) -> None:
        self._caches: list[tuple[Repo, ObjectImporter]] = []
        if not paths:
            return
        from ostree.repo.repository import Repo
        from ostree.transfer.object_import import ObjectImporter

        try:
            for path in paths:
                repo = Repo.open(path)
                importer = ObjectImporter(
                    repo, destination, charge, untrusted=untrusted, bare_user_only=bare_user_only
                )
                self._caches.append((repo, importer))
        except OSTreeError:
            self.close()
            raise

    def __bool__(self) -> bool:
        return bool(self._caches)

    def close(self) -> None:
        """Close them."""
        for repo, _importer in self._caches:
            repo.close()
        self._caches.clear()

    def import_metadata(self, checksum: Checksum, type: ObjectType) -> bool | None:
        """Import a metadata object; whether it is new, None if no cache has it.

        Raises:
            OSTreeError: if it is there but cannot be imported.
        """
        for repo, importer in self._caches:
            if repo.has_object(checksum, type):
                return importer.metadata(checksum, type)
        return None

    def import_content(self, checksum: Checksum) -> tuple[bool, int] | None:
        """Import a file object; whether it was written anew and its size, None if no cache has it.

        Raises:
            OSTreeError: if it is there but cannot be imported.
        """
        for repo, importer in self._caches:
            if repo.has_object(checksum, ObjectType.FILE):
                return importer.content(checksum)
        return None

    def metadata(self, checksum: Checksum, type: ObjectType) -> bytes | None:
        """A metadata object, None if no cache has it; nothing is imported."""
        for repo, _importer in self._caches:
            if repo.has_object(checksum, type):
                return repo.load_metadata(checksum, type)
        return None

    def has_content(self, checksum: Checksum) -> bool:
        """Whether a cache has a file object."""
        return any(repo.has_object(checksum, ObjectType.FILE) for repo, _importer in self._caches)

    def commit(self, checksum: Checksum) -> tuple[bytes, bytes | None] | None:
        """A commit with its detached metadata, None if no cache has it; nothing is imported."""
        for repo, _importer in self._caches:
            if repo.has_object(checksum, ObjectType.COMMIT):
                data = repo.load_metadata(checksum, ObjectType.COMMIT)
                return data, find_detached(repo, checksum)
        return None
