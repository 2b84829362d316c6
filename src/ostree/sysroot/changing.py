"""A sysroot as it is changed: its lock, and the acts that every change is made of."""

from __future__ import annotations

from contextlib import contextmanager

from ostree.errors import SysrootError
from ostree.formats.sysroot_config import parse_config
from ostree.sysroot import deployment_list
from ostree.sysroot.boot_disk import BootDisk
from ostree.sysroot.bootloaders.choice import choose_bootloader
from ostree.sysroot.cleanup import clean, clean_boot, remove_deployment
from ostree.sysroot.deployment_list import SwapKind
from ostree.sysroot.lock import SysrootLock
from ostree.sysroot.staged import forget_finished, set_aside
from ostree.sysroot.step import describe_error, step
from ostree.sysroot.view import SysrootView
from ostree.sysroot.writing import ListWriter, touch_deployments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.events import Listener
    from ostree.repo.prune import PruneResult
    from ostree.sysroot.bootloaders.bootloader import Bootloader
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.settings import SysrootSettings


class ChangeableSysroot(SysrootView):
    """What the verbs of :class:`~ostree.sysroot.sysroot.Sysroot` change a sysroot with.

    What changes it takes the sysroot's lock, reads the deployment list again if somebody changed
    it meanwhile, and leaves either the old list or the new one, whenever it is interrupted.
    """

    def __init__(
        self, path: str, root_fd: int, settings: SysrootSettings, on_event: Listener
    ) -> None:
        super().__init__(path, root_fd, settings, on_event)
        self._lock_depth = 0
        self._boot_disk: BootDisk | None = None
        self._has_own_mounts = False

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other programs from changing the sysroot for the length of a ``with`` block.

        May be nested.  On a booted system the mounts that deploying writes to are made writable,
        for this program only.

        Raises:
            SysrootError: the lock cannot be had, or we lack the rights.
        """
        if self._lock_depth == 0:
            self._prepare_mounts()
        lock = SysrootLock(self._root_fd, self._on_event)
        if self._lock_depth == 0:
            with step("Locking sysroot"):
                lock.acquire()
        self._lock_depth += 1
        try:
            yield
        finally:
            self._lock_depth -= 1
            if self._lock_depth == 0 and self._boot_disk is not None:
                self._boot_disk.close()
                self._boot_disk = None
            lock.release()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock; errors of the system come out as ours even where no step names them."""
        with self.lock():
            try:
                yield
            except OSError as error:
                raise SysrootError(describe_error(error)) from error

    @property
    def has_own_mounts(self) -> bool:
        """Whether read-only mounts of the system were made writable, for this process alone."""
        return self._has_own_mounts

    def _prepare_mounts(self) -> None:
        if not self.require_privileges():
            return
        from ostree.sysroot import mounts

        if not mounts.read_only_mounts():
            return
        if mounts.enter_private_namespace():
            self._has_own_mounts = True
        for path in mounts.read_only_mounts():
            mounts.remount_writable(path)
        self._reopen()

    def write_deployments(self, wanted: Sequence[Deployment]) -> None:
        """Make a list of deployments the one that is booted from.

        Args:
            wanted: Members of :attr:`deployments`, and new ones, in their new order.

        Raises:
            SysrootError: the booted deployment is missing; or naming the step that failed, in
                which case the old list is still the active one.
        """
        with self.changing():
            self._ensure_loaded()
            booted = self._booted
            if booted is not None and all(d.key != booted.key for d in wanted):
                raise SysrootError("Attempting to remove booted deployment")
            self._settle_soft_reboot(wanted)
            with self._settle_staged(wanted) as staged_changed:
                written = self._write(wanted)
            if not (written or staged_changed):
                return
            with step("Reloading deployments after commit"):
                touch_deployments(self._root_fd)
                self.load(force=True)

    def _write(self, wanted: Sequence[Deployment]) -> bool:
        """Make the list that of the boot loader; whether that took anything."""
        bootable = [d for d in wanted if not d.staged]
        if self._booted is not None and self.settings.early_prune:
            self._make_room_in_boot(bootable)
        return self._switch(bootable)

    def _make_room_in_boot(self, bootable: Sequence[Deployment]) -> None:
        """Drop kernels that the new list does not need, if its own ones would not fit beside."""
        from ostree.sysroot import early_prune

        root_fd = self._root_fd
        if not early_prune.is_apart(root_fd, self.repo.dir_fd):
            return
        with step("Cleaning bootfs"):
            clean_boot(root_fd, self.disk, self._deployments)
        with step("Installing kernel"):
            space = early_prune.read_boot_space(
                root_fd, bootable, device_trees=self.settings.device_trees
            )
            choice = early_prune.choose(space, lambda size: early_prune.fits_in_boot(root_fd, size))
        if choice is not early_prune.Choice.PRUNE:
            return
        current = [d for d in self._deployments if not d.staged]
        if not self._switch(early_prune.common_deployments(current, bootable)):
            return
        with step("Reloading deployments after commit"):
            touch_deployments(root_fd)
            self.load(force=True)
        with step("Cleaning bootfs"):
            clean_boot(root_fd, self.disk, self._deployments)

    def _switch(self, bootable: Sequence[Deployment]) -> bool:
        """Make a list, nothing of which is staged, the active one; whether that took anything."""
        current = [d for d in self._deployments if not d.staged]
        kind = deployment_list.plan_swap(current, bootable, version_of=self.version_of)
        if kind is SwapKind.NOTHING:
            return False
        if self._bootloader().counts_by_entry:
            kind = SwapKind.FULL
            # What an interrupted swap has left there refers to what is made anew now.
            self._finish_swap()
        self._writer().write(
            deployment_list.place(bootable),
            kind,
            bootversion=self.bootversion,
            old_count=len(current),
        )
        return True

    def _settle_soft_reboot(self, wanted: Sequence[Deployment]) -> None:
        """A soft reboot must not lead to what is not in the list."""
        keys = {d.key for d in wanted}
        if any(d.soft_reboot_target and d.key not in keys for d in self._deployments):
            from ostree.sysroot.soft_reboot import reset

            reset(self.settings.run_directory)

    @contextmanager
    def _settle_staged(self, wanted: Sequence[Deployment]) -> Iterator[bool]:
        """Write a list inside: what is staged is discarded unless it stays in front of it.

        Yields:
            Whether nothing is staged any more.
        """
        run_directory = self.settings.run_directory
        staged = next((d for d in self._deployments if d.staged), None)
        if staged is None or (wanted and wanted[0] is staged):
            yield False
        elif any(d.key == staged.key and not d.staged for d in wanted):
            # It is finished, and stays staged until it is in the list: there is no moment at
            # which it is neither.
            yield True
            forget_finished(run_directory)
        else:
            before = (self.bootversion, self.subbootversion)
            with set_aside(
                run_directory, lambda: (self.bootversion, self.subbootversion) != before
            ):
                yield True
            remove_deployment(staged.stateroot, staged.name, self._root_fd)

    @property
    def disk(self) -> BootDisk:
        """What is known, and to be done, about the disk while we hold the lock."""
        if self._boot_disk is None:
            repo = self.repo
            self._boot_disk = BootDisk(
                self._root_fd,
                repo.dir_fd,
                self.settings,
                sync_repo=repo.config.fsync,
                on_event=self._on_event,
            )
        return self._boot_disk

    def _writer(self) -> ListWriter:
        return ListWriter(
            self._root_fd,
            self.disk,
            parse_config(self.repo.config.keyfile),
            self.settings,
            version_of=self.version_of,
            on_event=self._on_event,
            # Required or not: /boot need not be a file system that can.
            seal=self.repo.config.verity != "no",
        )

    def _finish_swap(self) -> None:
        """Let the boot loader do what an interrupted swap left undone.

        Before that, what is no longer in the list may still be what it boots.
        """
        bootloader = self._bootloader()
        with step("Bootloader write config"):
            active = [d for d in self._deployments if not d.staged]
            bootloader.after_swap(self.bootversion, active)

    def _bootloader(self) -> Bootloader:
        config = parse_config(self.repo.config.keyfile)
        return choose_bootloader(config, self.settings, self._root_fd)

    def clean_up(self, *, prune: bool = True) -> PruneResult | None:
        """Remove what no deployment needs.

        Args:
            prune: Whether to remove objects from the repository as well; history goes with them.

        Raises:
            SysrootError: naming the step.
        """
        with self.changing():
            self._ensure_loaded()
            self._finish_swap()
            clean(self._root_fd, self.repo, self.disk, self._deployments)
            if not prune:
                return None
            from ostree.repo.prune import prune as prune_repo

            with step("Pruning system repository"):
                return prune_repo(
                    self.repo,
                    refs_only=True,
                    depth=0,
                    extra_roots=[d.checksum for d in self._deployments],
                )
