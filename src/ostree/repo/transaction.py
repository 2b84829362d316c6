"""Writing to a repository: everything or nothing becomes visible (repository format §4.8)."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress

from ostree.errors import RepoError, SpaceError
from ostree.repo import staging
from ostree.repo.object_errors import write_error
from ostree.repo.space import space_budget
from ostree.repo.tree_writer import TreeWriter
from ostree.store.layout import ObjectDirectory
from ostree.system import files
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ostree.repo.repository import Repo

_NOT_LISTED = ".commitmeta"


class Transaction(TreeWriter):
    """A set of new objects and ref changes.

    Use as a context manager: leaving it normally publishes everything, objects first and refs
    last; leaving it by an error publishes nothing, and keeps what was written for the next
    transaction of this boot to take up.

    Attributes:
        stats: What was written so far.
        resumed: Whether objects of an interrupted transaction were found.
    """

    def __init__(
        self,
        repo: Repo,
        *,
        fsync: bool | None = None,
        per_object_fsync: bool = False,
        exact_sizes: bool = False,
    ) -> None:
        super().__init__(repo)
        self._exact_sizes = exact_sizes
        self._sync = repo.config.fsync if fsync is None else fsync and repo.config.fsync
        self._per_object = per_object_fsync or repo.config.per_object_fsync
        self._stack = ExitStack()
        self._staging: staging.StagingDirectory | None = None
        self._ref_changes: dict[str, Checksum | None] = {}
        self._mirror_changes: dict[tuple[str, str], Checksum | None] = {}
        self._tmp_fd = -1
        self._is_used = False
        self._is_withheld = False
        self.resumed = False

    # life -------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._is_used:
            raise RepoError("A transaction cannot be used a second time")
        self._is_used = True
        self._repo.require_writable()
        try:
            self._begin()
        except OSError as error:
            self._stack.close()
            raise write_error("Starting transaction", error) from error
        except BaseException:
            self._stack.close()
            raise
        self._is_open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None and not self._is_withheld:
                self._publish()
        except OSError as failure:
            explained = write_error("Committing transaction", failure)
            self._abandon(explained)
            raise explained from failure
        except BaseException as failure:
            self._abandon(failure)
            raise
        else:
            if error is not None or self._is_withheld:
                self._abandon(error)
        finally:
            self._is_open = False
            self._repo.store.staging = None
            self._repo.store.exact_sizes = False
            self._stack.close()

    def _begin(self) -> None:
        repo = self._repo
        self._stack.enter_context(repo.lock.hold(exclusive=False))
        self._tmp_fd = files.open_directory("tmp", dir_fd=repo.dir_fd)
        self._stack.callback(os.close, self._tmp_fd)
        store = repo.store
        store.exact_sizes = self._exact_sizes
        if self._sync and not self._per_object:
            self._staging = staging.acquire(self._tmp_fd, repo.boot_id)
            self.resumed = self._staging.resumed
            fd = self._staging.fd
            store.staging = ObjectDirectory(fd, fd, sealing=store.objects.sealing)
        else:
            store.objects.sync_files = self._sync
        self._space = space_budget(repo.dir_fd, repo.config)

    def _publish(self) -> None:
        repo = self._repo
        if repo.fails_to_publish:
            raise RepoError("OSTREE_REPO_TEST_ERROR_PRE_COMMIT specified")
        staged = self._staged()
        # Who publishes nothing has nothing to sync.
        if self._sync and (staged or self._ref_changes or self._mirror_changes):
            files.sync_filesystem(repo.dir_fd)
        if self._staging is not None and staged:
            self._move_staged(self._staging.fd, staged)
        repo.store.staging = None
        if self._staging is not None:
            self._staging.release(remove=True)
            self._staging = None
        staging.clean(self._tmp_fd, repo.boot_id, repo.config.temporary_expiry)
        self._write_refs()
        files.remove_tree("transaction", repo.dir_fd)
        for action in self._afterwards:
            action()

    def _staged(self) -> list[str]:
        """The directories with new objects; all of the repository where nothing is staged."""
        if self._staging is None:
            return ["."]
        return [name for name in files.list_directory(".", self._staging.fd) if len(name) == 2]

    def _move_staged(self, fd: int, prefixes: list[str]) -> None:
        """Give every staged object its name in the repository, and make that durable.

        Commits come last, so that whatever ends this halfway leaves no commit without its objects.
        """
        objects = self._repo.store.objects
        commits = []
        for prefix in prefixes:
            names = os.listdir(f"/proc/self/fd/{fd}/{prefix}")
            if self._move_whole(prefix, names, fd):
                continue
            objects.make_prefix(prefix)
            for name in names:
                if name.endswith(".commit"):
                    commits.append(f"{prefix}/{name}")
                elif not name.startswith("."):  # half of a replacement that was cut short
                    self._move(f"{prefix}/{name}", fd)
        if self._sync:
            # The journal is written once; a sync of each directory would be a write and a flush each.
            files.sync_filesystem(objects.fd)
        for path in commits:
            self._move(path, fd)
            objects.remove(path.removesuffix("commit") + "tombstone-commit")
        for prefix in {path[:2] for path in commits}:
            self._sync_directory(prefix)

    def _move_whole(self, prefix: str, names: list[str], fd: int) -> bool:
        """Rename a directory of objects with all that is in it, if the repository has none such."""
        if any(name.startswith(".") or name.endswith(".commit") for name in names):
            return False
        try:
            os.rename(prefix, prefix, src_dir_fd=fd, dst_dir_fd=self._repo.store.objects.fd)
        except OSError:
            return False  # there is one with objects in it, or the directory is not ours to move
        return True

    def _move(self, path: str, fd: int) -> None:
        objects = self._repo.store.objects
        # What exists is linked into checkouts, perhaps: keep it.
        if not path.endswith(_NOT_LISTED) and objects.has(path):
            os.unlink(path, dir_fd=fd)
        else:
            os.rename(path, path, src_dir_fd=fd, dst_dir_fd=objects.fd)

    def _sync_directory(self, name: str) -> None:
        if self._sync:
            fd = files.open_subdirectory(self._repo.store.objects.fd, name)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def _write_refs(self) -> None:
        repo = self._repo
        for refspec, checksum in self._ref_changes.items():
            repo.refs.set(refspec, checksum)
        for (collection, name), checksum in self._mirror_changes.items():
            repo.refs.set_mirrored(collection, name, checksum)
        if self._ref_changes or self._mirror_changes:
            repo.refs_changed()

    def withhold(self) -> None:
        """Publish nothing in the end, not even what an earlier transaction has left behind."""
        self._is_withheld = True

    def _abandon(self, error: BaseException | None) -> None:
        """Leave staged objects for the next transaction, unless space is what was missing."""
        if self._staging is not None:
            is_empty = self._is_withheld and not self.resumed
            self._staging.release(remove=is_empty or isinstance(error, SpaceError))
            self._staging = None
        with suppress(OSError):
            staging.clean(self._tmp_fd, self._repo.boot_id, self._repo.config.temporary_expiry)

    # refs and marks ---------------------------------------------------------------------------

    def set_ref(self, refspec: str, checksum: Checksum | None) -> None:
        """Point a ref at a commit, or delete it, when the transaction ends.

        Raises:
            FormatError: if the name is not one for a ref.
        """
        from ostree.formats.refspec import check_new_ref_name, parse_refspec

        self.require_open()
        _, name = parse_refspec(refspec)
        if checksum is not None:
            check_new_ref_name(name)
            checksum = Checksum(checksum)
        self._ref_changes[refspec] = checksum

    def set_mirrored_ref(self, collection: str, name: str, checksum: Checksum | None) -> None:
        """The same for a ref of a collection other than the repository's own."""
        if collection == self._repo.config.collection_id:
            self.set_ref(name, checksum)
        else:
            self.require_open()
            self._mirror_changes[(collection, name)] = checksum

    def mark_partial(self, commit: Checksum) -> None:
        """Note that objects of a commit may be missing; takes effect at once."""
        files.make_directory("state", self._repo.dir_fd, 0o775)
        path = f"state/{commit}.commitpartial"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644, dir_fd=self._repo.dir_fd)
        os.close(fd)

    def unmark_partial(self, commit: Checksum) -> None:
        """Note that a commit is complete; for use after the transaction has ended."""
        files.remove_tree(f"state/{commit}.commitpartial", self._repo.dir_fd)
