"""Changes of the boot configuration on their way to the disk (deployments §9.5).

A boot loader reads the file system of ``/boot`` as it lies on the disk, without replaying the
journal.  Hence the order that holds for every switch to another list:

1. all that is new is written and in its place on the disk (:meth:`BootDisk.full_sync`);
2. one directory block changes (:meth:`BootDisk.switch_link`), and reaches its place;
3. only then is anything removed that the former list needs (:meth:`BootDisk.remove`).
"""

from __future__ import annotations

import os

from ostree.errors import SysrootError
from ostree.events import Message
from ostree.sysroot.step import step
from ostree.system.exchange import exchange_or_rename
from ostree.system.files import (
    exists,
    open_directory,
    remove_tree,
    replace_file,
    sync_filesystem,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from ostree.events import Listener
    from ostree.sysroot.settings import SysrootSettings
    from ostree.system.checkpointing import Checkpointer


class BootDisk:
    """Keeps the order for as long as the sysroot's lock is held.

    Args:
        root_fd: The sysroot.
        repo_fd: The repository.
        settings: Whether to sync at all.
        sync_repo: Whether to sync the file system of the repository (``[core] fsync``).
        on_event: Is told of tests.
    """

    def __init__(
        self,
        root_fd: int,
        repo_fd: int,
        settings: SysrootSettings,
        *,
        sync_repo: bool,
        on_event: Listener,
    ) -> None:
        self._root_fd = root_fd
        self._repo_fd = repo_fd
        self._settings = settings
        self._sync_repo = sync_repo
        self._on_event = on_event
        self._checkpointer: Checkpointer | None = None
        # What another program left may be in the journal, or in memory, only.
        self._settled = False

    def close(self) -> None:
        """Let go of what is needed to reach the disk."""
        if self._checkpointer is not None:
            self._checkpointer.close()
            self._checkpointer = None

    def full_sync(self) -> None:
        """Bring everything that a new configuration refers to to its place on the disk.

        Raises:
            SysrootError: the disk fails.
        """
        if not (self._settings.sync or self._settings.test_freezing):
            return
        with step("Full sync"):
            # What is on the file system of /boot is synced there.
            if self._sync_repo and not self._is_on_boot(self._repo_fd):
                sync_filesystem(self._repo_fd)
            self._checkpoint()

    def reaches(self, fd: int) -> bool:
        """Whether :meth:`full_sync` syncs the file system that a file is on."""
        if not self._settings.sync:
            return False
        device = os.fstat(fd).st_dev
        is_with_repo = self._sync_repo and device == os.fstat(self._repo_fd).st_dev
        return is_with_repo or self._is_on_boot(fd)

    def settle(self) -> None:
        """Make sure that the list which is active is the one that a boot loader sees.

        Once is enough, unless another list has become active since.

        Raises:
            SysrootError: the disk fails.
        """
        if self._settled:
            return
        self.full_sync()
        self._settled = True

    def remove(self, path: str) -> bool:
        """Remove what the active list does not need; whether there was anything.

        Raises:
            SysrootError: the disk fails.
            OSError: it cannot be removed.
        """
        if not exists(path, self._root_fd):
            return False
        self.settle()
        return remove_tree(path, self._root_fd)

    def prepare_link(self, target: str, path: str) -> None:
        """Make the symbolic link that :meth:`switch_link` puts in place."""
        temporary = f"{path}.tmp"
        # After a power cut it may be the link that was in use before.
        self.remove(temporary)
        os.symlink(target, temporary, dir_fd=self._root_fd)

    def point_link(self, target: str, path: str) -> None:
        """Put a symbolic link in place that nothing is booted through."""
        self.prepare_link(target, path)
        temporary = f"{path}.tmp"
        os.rename(temporary, path, src_dir_fd=self._root_fd, dst_dir_fd=self._root_fd)

    def switch_link(self, path: str) -> None:
        """Put the prepared link in place: the point where the new list becomes active.

        Raises:
            OSError: it cannot be put there.
            SysrootError: the disk fails.
        """
        temporary = f"{path}.tmp"
        self._settled = False
        exchanged = exchange_or_rename(temporary, path, self._root_fd)
        if self._settings.sync:
            self._bring_to_disk(os.path.dirname(path))
        self._settled = True
        if exchanged:
            os.unlink(temporary, dir_fd=self._root_fd)

    def replace_files(self, files: Mapping[str, bytes]) -> None:
        """Give files of the active boot configuration other contents, each in one step.

        As with links, a former file goes only when nothing on the disk leads to it any more.

        Args:
            files: What they are to hold, by their paths; all in one directory.

        Raises:
            OSError: one cannot be written.
            SysrootError: the disk fails.
        """
        if not files:
            return
        temporary = {path: f"{path}.tmp" for path in files}
        for path, data in files.items():
            self.remove(temporary[path])
            replace_file(temporary[path], data, self._root_fd, sync=self._settings.sync)
        self.full_sync()
        former = [
            temporary[path]
            for path in files
            if exchange_or_rename(temporary[path], path, self._root_fd)
        ]
        if self._settings.sync:
            self._bring_to_disk(os.path.dirname(next(iter(files))))
        for path in former:
            os.unlink(path, dir_fd=self._root_fd)

    def _bring_to_disk(self, directory: str) -> None:
        """The entries of a directory; where a boot loader reads it, to their place."""
        fd = open_directory(directory, dir_fd=self._root_fd)
        try:
            os.fsync(fd)
            is_read_by_boot_loader = self._is_on_boot(fd)
        finally:
            os.close(fd)
        if is_read_by_boot_loader:
            self._checkpoint(synced=True)

    def _is_on_boot(self, fd: int) -> bool:
        """Whether a file is on the file system that holds ``/boot``."""
        try:
            boot = os.stat("boot", dir_fd=self._root_fd)
        except FileNotFoundError:
            return False
        return os.fstat(fd).st_dev == boot.st_dev

    def _checkpoint(self, *, synced: bool = False) -> None:
        """Empty the journal of the file system that holds ``/boot``, synced as it may be."""
        with step("During fsfreeze-thaw"):
            if self._checkpointer is None:
                self._open_checkpointer()
            if self._checkpointer is not None:
                self._checkpointer.checkpoint(synced=synced)

    def _open_checkpointer(self) -> None:
        from ostree.system.checkpointing import Checkpointer

        try:
            fd = open_directory("boot", dir_fd=self._root_fd)
        except FileNotFoundError:
            return
        try:
            if self._settings.test_freezing:
                self._try_watchdog(fd)
            self._checkpointer = Checkpointer(fd)
        finally:
            os.close(fd)

    def _try_watchdog(self, fd: int) -> NoReturn:
        """Do what a test of ``OSTREE_SYSROOT_DEBUG`` wants to see."""
        from ostree.system.freeze_watchdog import try_watchdog

        if try_watchdog(fd):
            self._on_event(Message("fifreeze watchdog was run", warning=True))
        raise SysrootError("aborting due to test-fifreeze")
