"""A system's root directory with its deployments: the public face of this floor."""

from __future__ import annotations

from ostree.formats.origin import new_origin
from ostree.sysroot import initializing
from ostree.sysroot.deployment_list import Retention
from ostree.sysroot.editing import EditableSysroot
from ostree.sysroot.kernel_argument_options import (
    KernelArgumentOptions,
    select_kernel_arguments,
)
from ostree.sysroot.writing import touch_deployments

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Unpack

    from ostree.formats.keyfile import KeyFile
    from ostree.sysroot.deploy_plan import DeployPlan
    from ostree.sysroot.deploying import DeployOptions, DeployRequest
    from ostree.sysroot.deployment import Deployment, UnlockedState
    from ostree.sysroot.upgrader import Puller, UpgradeResult


class Sysroot(EditableSysroot):
    """An open sysroot; a context manager.

    What changes it takes the sysroot's lock, reads the deployment list again if somebody changed
    it meanwhile, and leaves either the old list or the new one, whenever it is interrupted.
    """

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

    def init_stateroot(self, name: str) -> None:
        """Make a stateroot: a place for deployments with a ``/var`` of their own.

        Raises:
            SysrootError: it exists already, or its name is none.
        """
        self.ensure_initialized()
        with self.changing():
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
        lock_finalization: bool = False,
        overlay_initrds: Sequence[str | os.PathLike[str]] = (),
        lint: bool = True,
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
            stage: Whether to finish the deployment at shutdown, with ``/etc`` as it is then.
            lock_finalization: Whether to stage it and leave it at that until it is unlocked.
            overlay_initrds: Files that the boot loader appends to the initramfs, if there is one.
            lint: Whether to refuse, before anything is written, a tree that cannot boot or that
                there is no room for.

        Raises:
            OSTreeError: the list is as it was; what was made is removed by the next cleanup.
        """
        from ostree.sysroot.deploying import deploy
        from ostree.sysroot.overlay_initrds import stage_overlays

        options = kernel_arguments or KernelArgumentOptions()
        options.check(merging=merge)
        retention = retention or Retention()
        if stage or lock_finalization:
            retention.check_staging()
        with self.changing():
            request = self._deploy_request(
                rev,
                stateroot=stateroot,
                origin=origin,
                kernel_arguments=options,
                merge=merge,
                prune=prune,
                retention=retention,
                stage=stage,
                lock_finalization=lock_finalization,
                lint=lint,
            )
            request.overlay_initrds = tuple(
                stage_overlays(overlay_initrds, self.settings.run_directory)
            )
            return deploy(self, request)

    def plan_deploy(self, rev: str, **options: Unpack[DeployOptions]) -> DeployPlan:
        """What :meth:`deploy` would do with the same arguments; nothing is written.

        Raises:
            OSTreeError: as the deployment would, except for want of space, which the plan tells.
        """
        from ostree.sysroot.deploy_plan import plan_deploy
        from ostree.sysroot.overlay_initrds import hash_overlays

        arguments = options.get("kernel_arguments") or KernelArgumentOptions()
        arguments.check(merging=options.get("merge", True))
        if options.get("stage") or options.get("lock_finalization"):
            (options.get("retention") or Retention()).check_staging()
        request = self._deploy_request(rev, **options)
        request.overlay_initrds = tuple(hash_overlays(options.get("overlay_initrds", ())))
        return plan_deploy(self, request)

    def _deploy_request(self, rev: str, **given: Unpack[DeployOptions]) -> DeployRequest:
        """What :meth:`deploy` asks for, with everything decided; overlays are not looked at."""
        from ostree.sysroot.deploying import DeployRequest

        self.load()
        name = self._stateroot_or_booted(given.get("stateroot"))
        checksum = self.repo.resolve(rev)
        merge = self.merge_deployment(name) if given.get("merge", True) else None
        options = given.get("kernel_arguments") or KernelArgumentOptions()
        arguments = None
        if not options.inherit:
            arguments = select_kernel_arguments(
                options,
                merge=None if merge is None else merge.kernel_arguments,
                proc_cmdline=self.read_command_line() if options.running else "",
            )
        return DeployRequest(
            checksum,
            name,
            origin=given.get("origin") or new_origin(rev),
            merge=merge,
            arguments=arguments,
            retention=given.get("retention"),
            prune=given.get("prune", True),
            stage=given.get("stage", False) or given.get("lock_finalization", False),
            lock_finalization=given.get("lock_finalization", False),
            lint=given.get("lint", True),
            # Upstream does this here and not in upgrades: serial numbers depend on it.
            clean_first=True,
        )

    def switch(
        self,
        refspec: str,
        *,
        stateroot: str | None = None,
        puller: Puller | None = None,
        stage: bool = False,
        lint: bool = True,
    ) -> Deployment:
        """Follow another ref, fetch it and deploy it, be it older or the same commit.

        Args:
            refspec: ``REMOTE:REF``; or ``REMOTE:`` for the same ref; or ``REF`` of the same remote.
            stateroot: Of which; that of the booted deployment if None.
            puller: Fetches a ref; by default over the network, as the remote is configured.
            stage: Whether to finish the deployment at shutdown.
            lint: As for :meth:`deploy`.

        Raises:
            SysrootError: that is what is followed already.
            OSTreeError: as the pull and the deployment.
        """
        from ostree.sysroot.switching import switch
        from ostree.sysroot.upgrader import Upgrader

        with self.changing():
            self.load()
            upgrader = Upgrader(
                self, stateroot, puller=puller, stage=stage, lint=lint, ignore_unconfigured=True
            )
            return switch(upgrader, self, refspec)

    def prepare_kexec(self, deployment: Deployment) -> None:
        """Have the next reboot by kexec lead to a deployment; nothing is started here.

        Args:
            deployment: One of the list; not a staged one.

        Raises:
            OSTreeError: the kernel of this system cannot, or may not, do that.
        """
        from ostree.sysroot.kexec import load_kernel

        load_kernel(self, deployment)

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
        lint: bool = True,
    ) -> UpgradeResult:
        """Fetch what the merge deployment's origin follows, and deploy it if it is new.

        Args:
            stateroot: Of which; that of the booted deployment if None.
            puller: Fetches a ref; by default over the network, as the remote is configured.
            allow_downgrade: Whether the new commit may be older.
            override_commit: Use, and stay on, this commit instead of what the ref says.
            pull_only: Do not deploy.
            deploy_only: Do not fetch.
            stage: Whether to finish the deployment at shutdown.
            lint: As for :meth:`deploy`.

        Raises:
            TrustError: the new commit is older.
            OSTreeError: as the pull and the deployment.
        """
        from ostree.sysroot.upgrader import Upgrader, upgrade

        with self.changing():
            self.load()
            return upgrade(
                Upgrader(self, stateroot, puller=puller, stage=stage, lint=lint),
                self,
                allow_downgrade=allow_downgrade,
                override_commit=override_commit,
                pull_only=pull_only,
                deploy_only=deploy_only,
            )

    def unlock(self, state: UnlockedState | str) -> None:
        """Make ``/usr`` of the running system writable.

        Args:
            state: ``DEVELOPMENT`` or ``TRANSIENT`` until the next boot, ``HOTFIX`` until the next
                update; or the value of one of these.

        Raises:
            SysrootError: nothing is booted, it is unlocked already, or the kernel refuses.
            ValueError: there is no such state to bring it into.
        """
        from ostree.sysroot.deployment import UnlockedState
        from ostree.sysroot.unlocking import unlock

        unlock(self, UnlockedState(state))

    def finalize_staged(self) -> Deployment | None:
        """Do what the shutdown does: make the staged deployment the one to be booted next.

        Returns:
            The deployment; None if none is staged, or it is locked.

        Raises:
            OSTreeError: the list is as it was.
        """
        from ostree.sysroot.finalizing import finalize_staged

        return finalize_staged(self)

    def lock_finalization(self, *, locked: bool = True) -> bool:
        """Forbid the shutdown to finish the staged deployment, or allow it; whether that is new.

        Raises:
            SysrootError: nothing is staged.
        """
        from ostree.sysroot.staged import set_finalization_lock

        with self.changing():
            self.load()
            changed = set_finalization_lock(self.settings.run_directory, locked=locked)
            if changed:
                touch_deployments(self._root_fd)
                self.load(force=True)
            return changed
