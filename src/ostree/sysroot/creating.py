"""A new deployment: the tree, its ``/etc``, ``/var`` and origin (deployments §7)."""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import SysrootError
from ostree.formats.boot_link import check_stateroot
from ostree.formats.deployment_name import next_serial
from ostree.repo.checkout_labels import Labels
from ostree.repo.checkout_options import CheckoutOptions
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.etc_merge import merge_etc
from ostree.sysroot.immutable import set_immutable
from ostree.sysroot.journal import tell_var_relabeled
from ostree.sysroot.kernel import boot_checksum, find_kernel
from ostree.sysroot.labelling import label_file, read_policy, relabel_tree
from ostree.sysroot.layout import deployments_directory, stateroot_directory
from ostree.sysroot.policy_refresh import refresh_policy
from ostree.sysroot.step import step
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.sysroot.var_seeding import VarSeeder
from ostree.system.files import (
    exists,
    make_directories,
    make_directory,
    open_subdirectory,
    remove_tree,
    replace_file,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.events import Listener
    from ostree.formats.kernel_arguments import KernelArguments
    from ostree.formats.keyfile import KeyFile
    from ostree.repo.repository import Repo
    from ostree.sysroot.settings import SysrootSettings
    from ostree.system.selinux import Policy
    from ostree.types import Checksum

_STAMP = ".ostree-selabeled"
#: Origin files are labelled as this one would be.
_ORIGIN_LIKE = "/etc/ostree/remotes.d/dummy.conf"


class DeploymentMaker:
    """Makes deployments in one sysroot; nothing it makes is bootable before the list names it.

    Args:
        root_fd: The sysroot.
        repo: Its repository.
        settings: How to do it.
        booted_stateroot: The stateroot whose ``/var`` is mounted, if one is booted.
        on_event: Is told what users want to know.
        sync_files: Whether what is written is synced, file by file: not where the whole file
            system is, before the list names the deployment.
    """

    def __init__(
        self,
        root_fd: int,
        repo: Repo,
        settings: SysrootSettings,
        *,
        booted_stateroot: str | None,
        on_event: Listener,
        sync_files: bool = True,
    ) -> None:
        self._root_fd = root_fd
        self._repo = repo
        self._settings = settings
        self._booted_stateroot = booted_stateroot
        self._on_event = on_event
        self._sync_files = sync_files

    def make(
        self,
        checksum: Checksum,
        stateroot: str,
        *,
        origin: KeyFile,
        merge: Deployment | None,
        arguments: KernelArguments | None,
        overlay_initrds: Sequence[str] = (),
    ) -> Deployment:
        """Check out a commit and make it ready to be booted.

        Args:
            checksum: The commit.
            stateroot: Where to.
            origin: Goes into the origin file.
            merge: Whose local configuration and, without ``arguments``, kernel arguments it takes.
            arguments: The kernel arguments.
            overlay_initrds: As the boot entry is to name them.

        Raises:
            SysrootError: naming the step; what was made so far is for the next cleanup.
        """
        with step("Deploying tree"):
            with step("Initializing deployment"):
                deployment = self.initialize(checksum, stateroot)
            deployment.origin = origin
            deployment.entry.overlay_initrds = list(overlay_initrds)
            if arguments is None and merge is not None:
                arguments = merge.kernel_arguments
            if arguments is not None:
                arguments.check()
                deployment.entry.set("options", str(arguments))
            with step("Finalizing deployment"):
                self.finalize(deployment, merge)
        return deployment

    # the tree ---------------------------------------------------------------------------------

    def initialize(self, checksum: Checksum, stateroot: str) -> Deployment:
        """Check out a commit, with an ``/etc`` of its own: what can be done long before a boot.

        Returns:
            The deployment; it has no origin, no kernel arguments and no local configuration.

        Raises:
            OSTreeError: what was made so far is for the next cleanup.
        """
        check_stateroot(stateroot)
        if not exists(stateroot_directory(stateroot), self._root_fd):
            raise SysrootError(f"No such stateroot: {stateroot}")
        _make_private(f"{stateroot_directory(stateroot)}/backing", self._root_fd)
        deployments = deployments_directory(stateroot)
        make_directories(deployments, self._root_fd, 0o775)
        serial = next_serial(directory_names(deployments, self._root_fd), checksum)
        deployment = Deployment(stateroot=stateroot, checksum=checksum, serial=serial, bootcsum="")
        with step("Checking out deployment tree"):
            remove_tree(deployment.path, self._root_fd)
            self._repo.checkout(
                checksum,
                deployment.path,
                options=CheckoutOptions(passthrough_whiteouts=True),
                dir_fd=self._root_fd,
            )
        fd = open_subdirectory(self._root_fd, deployment.path)
        try:
            files = DirectoryFiles(fd)
            kernel = find_kernel(files, device_trees=self._settings.device_trees)
            deployment.bootcsum = boot_checksum(files, kernel)
            with step("Preparing /etc"):
                self._prepare_etc(deployment, fd)
            with step("Preparing deployment /var"):
                self._prepare_var(deployment, fd)
        finally:
            os.close(fd)
        return deployment

    def _prepare_etc(self, deployment: Deployment, fd: int) -> None:
        """Give the deployment an ``/etc`` of its own, a copy of ``/usr/etc`` (§7.1)."""
        has_default = exists("usr/etc", fd)
        if exists("etc", fd):
            if not has_default:
                raise SysrootError("No such file or directory: /usr/etc")
            try:
                os.rmdir("etc", dir_fd=fd)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.ENOTDIR, errno.EEXIST}:
                    raise
                raise SysrootError("Tree contains both /etc and /usr/etc") from error
        if has_default:
            policy = read_policy(fd)
            labels = None if policy is None else Labels(policy, "/etc")
            # Copies: what is edited here must not be edited in the repository.
            self._repo.checkout(
                deployment.checksum,
                "etc",
                options=CheckoutOptions(force_copy=True, labels=labels),
                subpath="/usr/etc",
                dir_fd=fd,
            )

    def _prepare_var(self, deployment: Deployment, fd: int) -> None:
        """Fill an empty stateroot's ``/var`` from the commit (§7.4)."""
        stateroot_fd = open_subdirectory(self._root_fd, stateroot_directory(deployment.stateroot))
        try:
            make_directory("var", stateroot_fd)
            if exists("var", fd):
                standard = not exists("usr/lib/tmpfiles.d", fd)
                seeder = VarSeeder(self._repo, deployment.checksum, stateroot_fd, standard=standard)
                seeder.seed(in_use=deployment.stateroot == self._booted_stateroot)
        finally:
            os.close(stateroot_fd)

    # what comes last --------------------------------------------------------------------------

    def renew_etc(self, deployment: Deployment) -> None:
        """Give an initialized deployment its default ``/etc`` again, whatever it has now.

        Raises:
            OSTreeError: it may have none then; this can be repeated.
        """
        set_immutable(deployment.path, self._root_fd, on=False)
        fd = open_subdirectory(self._root_fd, deployment.path)
        try:
            with step("Preparing /etc"):
                remove_tree("etc", fd)
                self._prepare_etc(deployment, fd)
        finally:
            os.close(fd)

    def finalize(self, deployment: Deployment, merge: Deployment | None) -> None:
        """Make an initialized deployment ready to be booted: the rest of :meth:`make`.

        May be repeated if it was interrupted.

        Args:
            deployment: Which one; its origin is written.
            merge: Whose local configuration it takes.

        Raises:
            OSTreeError: naming the step.
        """
        fd = open_subdirectory(self._root_fd, deployment.path)
        try:
            if merge is not None:
                self._merge_etc(merge, fd)
                refresh_policy(fd, self._settings.environ)
            self._request_update_units(deployment, fd)
            with step("Relabeling /var"):
                policy = read_policy(fd)
                self._label_var(deployment, policy)
            with step("Preparing deployment backing dir"):
                self._make_backing(deployment, fd, policy)
        finally:
            os.close(fd)
        with step("Writing out origin file"):
            write_origin(deployment, self._root_fd, sync=self._sync_files)
            if policy is not None and deployment.origin is not None:
                label_file(policy, f"{deployment.path}.origin", self._root_fd, _ORIGIN_LIKE)
        if self._settings.immutable:
            set_immutable(deployment.path, self._root_fd, on=True)

    def _merge_etc(self, merge: Deployment, fd: int) -> None:
        merge_fd = open_subdirectory(self._root_fd, merge.path)
        try:
            if not (exists("etc", merge_fd) or exists("usr/etc", merge_fd)):
                # Nothing to take over; the reference can never upgrade such a tree.
                return
            merge_etc(merge_fd, fd, copy_xattrs=self._settings.xattrs, on_event=self._on_event)
        finally:
            os.close(merge_fd)

    def _request_update_units(self, deployment: Deployment, fd: int) -> None:
        """Make ``ConditionNeedsUpdate=`` of systemd true for ``/etc`` and ``/var``."""
        _unlink_if_there("etc/.updated", fd)
        if deployment.stateroot == self._booted_stateroot:
            _unlink_if_there("/var/.updated", fd)
        else:
            var = f"{stateroot_directory(deployment.stateroot)}/var"
            _unlink_if_there(f"{var}/.updated", self._root_fd)

    def _label_var(self, deployment: Deployment, policy: Policy | None) -> None:
        """Label ``/var``, once for each stateroot; it is said without any policy, too (§7.5)."""
        var = f"{stateroot_directory(deployment.stateroot)}/var"
        stamp = f"{var}/{_STAMP}"
        if exists(stamp, self._root_fd):
            return
        tell_var_relabeled(self._on_event, f"var/{_STAMP}")
        if policy is not None:
            fd = open_subdirectory(self._root_fd, var)
            try:
                relabel_tree(policy, fd, "/var", keep=False)
            finally:
                os.close(fd)
        replace_file(stamp, b"", self._root_fd, sync=self._sync_files)

    def _make_backing(self, deployment: Deployment, fd: int, policy: Policy | None) -> None:
        """The directories for an overlay over the root (§1.2)."""
        backing = backing_directory(deployment)
        remove_tree(backing, self._root_fd)
        overlay = f"{backing}/root-transient"
        # What another release has staged lacks the directory above, too.
        parent = os.path.dirname(backing)
        for path in (parent, backing, overlay, f"{overlay}/work", f"{overlay}/upper"):
            _make_private(path, self._root_fd)
        upper_fd = open_subdirectory(self._root_fd, f"{overlay}/upper")
        try:
            os.fchmod(upper_fd, stat.S_IMODE(os.fstat(fd).st_mode))
            if policy is not None:
                label_file(policy, f"{overlay}/upper", self._root_fd, "/")
        finally:
            os.close(upper_fd)


def backing_directory(deployment: Deployment) -> str:
    """Where the overlays of a deployment are."""
    return f"{stateroot_directory(deployment.stateroot)}/backing/{deployment.name}"


def write_origin(deployment: Deployment, root_fd: int, *, sync: bool = True) -> None:
    """Replace the origin file of a deployment; without an origin there is none."""
    path = f"{deployment.path}.origin"
    if deployment.origin is None:
        _unlink_if_there(path, root_fd)
    else:
        replace_file(path, deployment.origin.to_bytes(), root_fd, sync=sync)


def directory_names(path: str, dir_fd: int) -> list[str]:
    """The names of directories (not of other things) in a directory; empty if there is none."""
    try:
        fd = open_subdirectory(dir_fd, path)
    except FileNotFoundError:
        return []
    try:
        with os.scandir(fd) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    finally:
        os.close(fd)


def _make_private(path: str, dir_fd: int) -> None:
    make_directory(path, dir_fd, 0o700)


def _unlink_if_there(path: str, dir_fd: int) -> None:
    try:
        os.unlink(path, dir_fd=dir_fd)
    except (FileNotFoundError, NotADirectoryError):
        return
