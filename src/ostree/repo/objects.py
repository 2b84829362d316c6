"""Reading objects: here, or in the repository that is this one's parent."""

from __future__ import annotations

from ostree.errors import FormatError, ObjectNotFoundError
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.formats.commit import Commit
    from ostree.formats.dirtree import DirTree
    from ostree.formats.gvariant import Variant
    from ostree.store.content import LoadedContent
    from ostree.store.store import LooseStore
    from ostree.types import DirMeta, FileHeader


class ObjectSource:
    """Something that objects can be read from.

    Attributes:
        store: Its own objects.
        parent: What is asked for objects that are missing here, if anything is.
    """

    store: LooseStore
    parent: ObjectSource | None

    def has_object(self, checksum: str, type: ObjectType) -> bool:
        """Whether the object is here or in a parent."""
        if self.store.has(checksum, type):
            return True
        return self.parent is not None and self.parent.has_object(checksum, type)

    def load_metadata(self, checksum: str, type: ObjectType) -> bytes:
        """The bytes of a metadata object, not verified.

        Raises:
            ObjectNotFoundError: ``No such metadata object HEX.EXT``.
        """
        try:
            return self.store.read_metadata(checksum, type)
        except ObjectNotFoundError:
            if self.parent is None:
                raise
            return self.parent.load_metadata(checksum, type)

    def load_commit(self, checksum: str) -> Commit:
        """A commit.

        Raises:
            ObjectNotFoundError: if it is not there.
            FormatError: if it is damaged.
        """
        from ostree.formats import commit

        data = self.load_metadata(checksum, ObjectType.COMMIT)
        try:
            return commit.decode(data)
        except FormatError as error:
            error.add_prefix(f"Loading {checksum}.commit")
            raise

    def load_dirtree(self, checksum: str) -> DirTree:
        """The entries of a directory; errors as :meth:`load_commit`."""
        from ostree.formats import dirtree

        data = self.load_metadata(checksum, ObjectType.DIRTREE)
        try:
            return dirtree.decode(data)
        except FormatError as error:
            error.add_prefix(f"Loading {checksum}.dirtree")
            raise

    def load_dirmeta(self, checksum: str) -> DirMeta:
        """Owner, mode and attributes of a directory; errors as :meth:`load_commit`."""
        from ostree.formats import dirmeta

        data = self.load_metadata(checksum, ObjectType.DIRMETA)
        try:
            return dirmeta.decode(data)
        except FormatError as error:
            error.add_prefix(f"Loading {checksum}.dirmeta")
            raise

    def load_detached(self, checksum: str) -> list[tuple[str, Variant]] | None:
        """The detached metadata of a commit, or None if it has none."""
        from ostree.formats import commitmeta

        try:
            return commitmeta.decode(self.load_metadata(checksum, ObjectType.COMMITMETA))
        except ObjectNotFoundError:
            return None

    def load_content(self, checksum: Checksum) -> LoadedContent:
        """A file object's header, size and content.

        Raises:
            ObjectNotFoundError: ``Couldn't find file object 'HEX'``.
            CorruptionError: if it is damaged.
        """
        try:
            return self.store.load(checksum)
        except ObjectNotFoundError:
            if self.parent is None:
                raise
            return self.parent.load_content(checksum)

    def load_file_header(
        self, checksum: Checksum, *, with_xattrs: bool = True
    ) -> tuple[FileHeader, int]:
        """A file object's header and the size of its content in bytes (0 for links).

        Without ``with_xattrs`` attributes are left out where that is quicker.
        """
        try:
            return self.store.header(checksum, with_xattrs=with_xattrs)
        except ObjectNotFoundError:
            if self.parent is None:
                raise
            return self.parent.load_file_header(checksum, with_xattrs=with_xattrs)

    def stored_size(self, checksum: str, type: ObjectType) -> int:
        """The size of an object's file in bytes, which for content is not that of the content.

        Raises:
            ObjectNotFoundError: ``Querying object HEX.EXT: No such file or directory``.
        """
        try:
            return self.store.stored_size(checksum, type)
        except ObjectNotFoundError as error:
            if self.parent is not None:
                return self.parent.stored_size(checksum, type)
            name = f"{checksum}.{type.extension}"
            raise ObjectNotFoundError(
                f"Querying object {name}: No such file or directory"
            ) from error

    def commits(self) -> Iterator[Checksum]:
        """Every commit object here and in parents."""
        yield from self.store.objects_of(ObjectType.COMMIT)
        if self.parent is not None:
            yield from self.parent.commits()
