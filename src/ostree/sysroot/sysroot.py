"""A system's root directory with its deployments: the public face of this floor."""

from __future__ import annotations

import os
from contextlib import contextmanager

from ostree.errors import SysrootError
from ostree.events import Message
from ostree.formats.origin import new_origin
from ostree.formats.sysroot_config import parse_config
from ostree.sysroot import deployment_list, initializing
from ostree.sysroot.bootloaders.choice import choose_bootloader
from ostree.sysroot.cleanup import clean
from ostree.sysroot.creating import DeploymentMaker
from ostree.sysroot.deployment_list import Retention, SwapKind
from ostree.sysroot.kernel_argument_options import (
    KernelArgumentOptions,
    select_kernel_arguments,
)
from ostree.sysroot.loading import read_booted_facts
from ostree.sysroot.lock import SysrootLock
from ostree.sysroot.staged import forget_staged
from ostree.sysroot.step import describe_error, step
from ostree.sysroot.view import SysrootView
from ostree.sysroot.writing import ListWriter, touch_deployments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from ostree.events import Listener
    from ostree.formats.kernel_arguments import KernelArguments
    from ostree.formats.keyfile import KeyFile
    from ostree.repo.prune import PruneResult
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.upgrader import Puller, UpgradeResult
    from ostree.types import Checksum


class Sysroot(SysrootView):
    """An open sysroot; a context manager.

    What changes it takes the sysroot's lock, reads the deployment list again if somebody changed
    it meanwhile, and leaves either the old list or the new one, whenever it is interrupted.
    """

    def __init__(
        self, path: str, root_fd: int, settings: SysrootSettings, on_event: Listener
    ) -> None:
        super().__init__(path, root_fd, settings, on_event)
        self._lock_depth = 0

    @staticmethod
    def init_fs(path: str | os.PathLike[str], *, epoch: int = 0) -> None:
        """Give an existing directory what a physical root needs.

        Args:
            path: The directory.
            epoch: 0 also makes the usual empty directories; 2 hides ``ostree`` from other users.

        Raises:
            SysrootError: the directory does not exist or cannot be written to.
        """
        initializing.init_fs(path, epoch=epoch)

    # changing ---------------------------------------------------------------------------------

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
            lock.release()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock; errors of the system come out as ours even where no step names them."""
        with self.lock():
            try:
                yield
            except OSError as error:
                raise SysrootError(describe_error(error)) from error

    def _prepare_mounts(self) -> None:
        if read_booted_facts(self._root_fd, self.settings.run_directory) is None:
            return
        if os.geteuid() != 0:
            raise SysrootError("You must be root to perform this command")
        from ostree.sysroot import mounts

        if not mounts.read_only_mounts():
            return
        mounts.enter_private_namespace()
        for path in mounts.read_only_mounts():
            mounts.remount_writable(path)
        self._reopen()

    def init_stateroot(self, name: str) -> None:
        """Make a stateroot: a place for deployments with a ``/var`` of their own.

        Raises:
            SysrootError: it exists already, or its name is none.
        """
        self.ensure_initialized()
        with self._changing():
            initializing.init_stateroot(self._root_fd, name)
            touch_deployments(self._root_fd)

    def ensure_initialized(self) -> None:
        """Make ``ostree/repo`` and ``ostree/deploy`` where they are missing."""
        initializing.ensure_initialized(self._root_fd, self.path)

    def deploy(
        self,
        rev: str,
        *,
        stateroot: str | None = None,
        origin: KeyFile | None = None,
        kernel_arguments: KernelArgumentOptions | None = None,
        merge: bool = True,
        prune: bool = True,
        retention: Retention | None = None,
        stage: bool = False,
    ) -> Deployment:
        """Check out a commit and make it the deployment to be booted next.

        Args:
            rev: What to deploy; also what the origin says if none is given.
            stateroot: Where to; that of the booted deployment if None.
            origin: Where the deployment comes from.
            kernel_arguments: Changes of the kernel arguments.
            merge: Whether to take over ``/etc`` and kernel arguments of the merge deployment.
            prune: Whether to remove objects that nothing needs any more.
            retention: Which deployments stay, and whether the new one becomes the default.
            stage: Not supported yet.

        Raises:
            OSTreeError: the list is as it was; what was made is removed by the next cleanup.
        """
        if stage:
            self._refuse_staging()
        options = kernel_arguments or KernelArgumentOptions()
        options.check(merging=merge)
        with self._changing():
            self.load()
            name = self._stateroot_or_booted(stateroot)
            checksum = self.repo.resolve(rev)
            merge_deployment = self.merge_deployment(name) if merge else None
            arguments = select_kernel_arguments(
                options,
                merge=None if merge_deployment is None else merge_deployment.kernel_arguments,
                proc_cmdline=self._read_command_line() if options.running else "",
            )
            return self.deploy_commit(
                checksum,
                name,
                origin=origin or new_origin(rev),
                merge=merge_deployment,
                arguments=arguments,
                retention=retention or Retention(),
                prune=prune,
            )

    def deploy_commit(
        self,
        checksum: Checksum,
        stateroot: str,
        *,
        origin: KeyFile,
        merge: Deployment | None,
        arguments: KernelArguments | None,
        retention: Retention,
        prune: bool = True,
    ) -> Deployment:
        """As :meth:`deploy`, with everything decided by the caller.

        Args:
            checksum: The commit.
            stateroot: Where to.
            origin: Where the deployment comes from.
            merge: Whose ``/etc`` and, without ``arguments``, kernel arguments are taken over.
            arguments: The kernel arguments.
            retention: Which deployments stay.
            prune: Whether to remove objects that nothing needs any more.
        """
        with self._changing():
            self._ensure_loaded()
            # Fail before anything is made, not after.
            choose_bootloader(parse_config(self.repo.config.keyfile).bootloader, self._root_fd)
            self.clean_up(prune=False)
            maker = DeploymentMaker(
                self._root_fd,
                self.repo,
                self.settings,
                booted_stateroot=None if self._booted is None else self._booted.stateroot,
                on_event=self._on_event,
            )
            new = maker.make(checksum, stateroot, origin=origin, merge=merge, arguments=arguments)
            wanted = deployment_list.plan_list(
                self._deployments, new, booted=self._booted, merge=merge, retention=retention
            )
            self.write_deployments(wanted)
            self.clean_up(prune=prune)
            return next(d for d in self._deployments if d.key == new.key)

    def _read_command_line(self) -> str:
        path = f"{self.settings.proc_directory}/cmdline"
        with step("Reading kernel command line"), open(path, "rb") as file:
            return file.read(1 << 16).decode("utf-8", "surrogateescape")

    def undeploy(self, index: int) -> None:
        """Take a deployment out of the list and remove what only it needed.

        Raises:
            SysrootError: there is no such deployment, or it is running.
        """
        with self._changing():
            self.load()
            deployment_list.check_index(self._deployments, index)
            gone = self._deployments[index]
            if gone is self._booted:
                raise SysrootError(f"Cannot undeploy currently booted deployment {index}")
            self.write_deployments(deployment_list.remove_at(self._deployments, index))
            self.clean_up()
            self._on_event(Message(f"Deleted deployment {gone.name}"))

    def upgrade(
        self,
        *,
        stateroot: str | None = None,
        puller: Puller | None = None,
        allow_downgrade: bool = False,
        override_commit: str | None = None,
        pull_only: bool = False,
        deploy_only: bool = False,
        stage: bool = False,
    ) -> UpgradeResult:
        """Fetch what the merge deployment's origin follows, and deploy it if it is new.

        Args:
            stateroot: Of which; that of the booted deployment if None.
            puller: Fetches a ref; by default over the network, as the remote is configured.
            allow_downgrade: Whether the new commit may be older.
            override_commit: Use, and stay on, this commit instead of what the ref says.
            pull_only: Do not deploy.
            deploy_only: Do not fetch.
            stage: Not supported yet.

        Raises:
            TrustError: the new commit is older.
            OSTreeError: as the pull and the deployment.
        """
        from ostree.sysroot.upgrader import Upgrader

        if stage:
            self._refuse_staging()
        with self._changing():
            self.load()
            upgrader = Upgrader(self, stateroot, puller=puller, on_event=self._on_event)
            return upgrader.upgrade(
                allow_downgrade=allow_downgrade,
                override_commit=override_commit,
                pull_only=pull_only,
                deploy_only=deploy_only,
            )

    def write_deployments(self, wanted: Sequence[Deployment]) -> None:
        """Make a list of deployments the one that is booted from.

        Args:
            wanted: Members of :attr:`deployments`, and new ones, in their new order.

        Raises:
            SysrootError: the booted deployment is missing; or naming the step that failed, in
                which case the old list is still the active one.
        """
        with self._changing():
            self._ensure_loaded()
            if self._booted is not None and self._booted not in wanted:
                raise SysrootError("Attempting to remove booted deployment")
            staged_changed = self._settle_staged(wanted)
            current = [d for d in self._deployments if not d.staged]
            bootable = [d for d in wanted if not d.staged]
            kind = deployment_list.plan_swap(current, bootable, version_of=self.version_of)
            if kind is not SwapKind.NOTHING:
                self._writer().write(
                    deployment_list.place(bootable),
                    kind,
                    bootversion=self.bootversion,
                    old_count=len(current),
                )
            elif not staged_changed:
                return
            with step("Reloading deployments after commit"):
                touch_deployments(self._root_fd)
                self.load(force=True)

    def _refuse_staging(self) -> NoReturn:
        self.load()
        if self.booted is None:
            raise SysrootError(
                "Cannot stage deployment: Not currently booted into an OSTree system"
            )
        raise SysrootError("Staging deployments is not supported yet")

    def _settle_staged(self, wanted: Sequence[Deployment]) -> bool:
        """Discard the staged deployment unless it stays in front; whether there was one to."""
        staged = next((d for d in self._deployments if d.staged), None)
        if staged is None or (wanted and wanted[0] is staged):
            return False
        forget_staged(self.settings.run_directory)
        return True

    def _writer(self) -> ListWriter:
        repo = self.repo
        return ListWriter(
            self._root_fd,
            repo.dir_fd,
            parse_config(repo.config.keyfile),
            self.settings,
            sync=repo.config.fsync,
            version_of=self.version_of,
            on_event=self._on_event,
        )

    def clean_up(self, *, prune: bool = True) -> PruneResult | None:
        """Remove what no deployment needs.

        Args:
            prune: Whether to remove objects from the repository as well; history goes with them.

        Raises:
            SysrootError: naming the step.
        """
        with self._changing():
            self._ensure_loaded()
            clean(self._root_fd, self.repo, self._deployments)
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

    def cleanup(self) -> PruneResult | None:
        """What ``ostree admin cleanup`` does: :meth:`clean_up` after reading the list again."""
        with self._changing():
            self.load()
            return self.clean_up()
