"""Good objects taking the place of bad ones, in one step for each."""

from __future__ import annotations

import os

from ostree.repo.object_errors import write_error
from ostree.repo.space import space_budget
from ostree.store.layout import ObjectDirectory
from ostree.store.opening import open_store
from ostree.system import files
from ostree.system.anonymous import random_name
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo


class Replacement(Closing):
    """Objects that wait until all of them are there; a context manager.

    What is written to ``store`` is nowhere to be seen before :meth:`publish`.  Unlike those of a
    transaction, such objects replace what has their name.

    Args:
        repo: A writable repository.

    Attributes:
        store: Where to write them; it knows none of the repository's own.
    """

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._path = f"tmp/{random_name('repair-')}"
        os.mkdir(self._path, 0o775, dir_fd=repo.dir_fd)
        self._fd = files.open_subdirectory(repo.dir_fd, self._path)
        config = repo.config
        self.store = open_store(
            ObjectDirectory(self._fd, self._fd, sealing=repo.store.objects.sealing),
            config.mode,
            zlib_level=config.zlib_level,
            with_xattrs=not config.disable_xattrs,
        )
        #: Accounts for the content to be written.
        self.charge = space_budget(repo.dir_fd, config).charge

    def publish(self) -> None:
        """Put everything in place: synced as configured, and commits last.

        Raises:
            RepoError: if something cannot be replaced; what was before is in place then.
        """
        repo = self._repo
        objects = repo.store.objects
        paths = [
            f"{prefix}/{name}"
            for prefix in files.list_directory(".", self._fd)
            if len(prefix) == 2
            for name in files.list_directory(prefix, self._fd)
        ]
        paths.sort(key=lambda path: path.endswith(".commit"))
        if repo.config.fsync:
            files.sync_filesystem(repo.dir_fd)
        for path in paths:
            objects.make_prefix(path)
            try:
                os.rename(path, path, src_dir_fd=self._fd, dst_dir_fd=objects.fd)
            except OSError as error:
                raise write_error(f"Replacing object {path}", error) from error
        if repo.config.fsync:
            for prefix in {path[:2] for path in paths} | {"."}:
                fd = files.open_subdirectory(objects.fd, prefix)
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)

    def close(self) -> None:
        """Drop what was not published."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            files.remove_tree(self._path, self._repo.dir_fd)
