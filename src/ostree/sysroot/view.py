"""What a sysroot holds: its repository, its deployments, which of them is booted."""

from __future__ import annotations

import os

from ostree.errors import ObjectNotFoundError, OSTreeError, SysrootError
from ostree.events import ignore
from ostree.sysroot import deployment_list
from ostree.sysroot.layout import read_bootversion, read_subbootversion
from ostree.sysroot.loading import (
    find_booted,
    load_deployments,
    load_entries,
    mark_soft_reboot,
    read_booted_facts,
)
from ostree.sysroot.settings import SysrootSettings
from ostree.sysroot.staged import load_staged
from ostree.sysroot.step import step
from ostree.system.closing import Closing, warn_unclosed
from ostree.system.files import describe, exists, open_directory, path_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from ostree.events import Listener
    from ostree.formats.boot_entry import BootEntry
    from ostree.repo.repository import Repo
    from ostree.sysroot.config_diff import ConfigConflicts
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.etc_diff import EtcChanges


class SysrootView(Closing):
    """An open sysroot as far as it is only read; a context manager.

    Attributes:
        path: Its absolute path.
        settings: How some steps are done.
    """

    def __init__(
        self, path: str, root_fd: int, settings: SysrootSettings, on_event: Listener
    ) -> None:
        self.path = path
        self.settings = settings
        self._root_fd = root_fd
        self._on_event = on_event
        self._repo: Repo | None = None
        self._loaded: int | None = None
        self._deployments: list[Deployment] = []
        self._booted: Deployment | None = None

    def __del__(self) -> None:
        if getattr(self, "_root_fd", -1) >= 0:
            warn_unclosed(self)
            self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path!r}>"

    # opening ----------------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] = "/",
        *,
        settings: SysrootSettings | None = None,
        on_event: Listener = ignore,
    ) -> Self:
        """Open a sysroot; its deployments are read when they are first asked for.

        Args:
            path: The physical root of a system, or ``/``.
            settings: How some steps are done.
            on_event: Is given a :class:`~ostree.events.Message` for each line users should see.

        Raises:
            SysrootError: there is no such directory.
        """
        absolute = os.path.abspath(path_text(path))
        try:
            root_fd = open_directory(absolute)
        except OSError as error:
            raise SysrootError(
                f"loading sysroot: Initializing sysroot: opendir({path_text(path)}): "
                f"{error.strerror}"
            ) from error
        return cls(absolute, root_fd, settings or SysrootSettings(), on_event)

    def close(self) -> None:
        """Give its descriptors back."""
        if self._repo is not None:
            self._repo.close()
            self._repo = None
        if self._root_fd >= 0:
            os.close(self._root_fd)
            self._root_fd = -1

    def _reopen(self) -> None:
        """Open everything again, for other mounts."""
        self.close()
        self._root_fd = open_directory(self.path)

    # reading ----------------------------------------------------------------------------------

    @property
    def root_fd(self) -> int:
        """A descriptor of its directory, for the rooms of this floor."""
        return self._root_fd

    @property
    def on_event(self) -> Listener:
        """Who is told what users want to know."""
        return self._on_event

    @property
    def repo(self) -> Repo:
        """The system's repository.

        Raises:
            SysrootError: it cannot be opened.
        """
        if self._repo is None:
            from ostree.repo.repository import Repo

            with step("Opening sysroot repo"):
                self._require_repository()
                self._repo = Repo.open(
                    os.path.join(self.path, "ostree/repo"),
                    remotes_directory=self.remotes_directory(),
                    sign_settings=self.settings.signing,
                    boot_id=self.settings.boot_id,
                )
            self._repo.fails_to_publish = self.settings.fails_to_publish
        return self._repo

    def _require_repository(self) -> None:
        """Name it as seen from here, where it is missing."""
        try:
            os.stat("ostree/repo", dir_fd=self._root_fd)
        except OSError as error:
            raise SysrootError(describe("opendir(ostree/repo)", error)) from error

    def remotes_directory(self) -> str | None:
        """Where remotes are kept in files of their own, unless this is a physical root."""
        try:
            booted = read_booted_facts(self._root_fd, self.settings.run_directory) is not None
        except (OSTreeError, OSError):
            booted = False
        if not booted and not exists("sysroot", self._root_fd):
            return None
        return os.path.join(self.path, "etc/ostree/remotes.d")

    def require_privileges(self) -> bool:
        """Make sure that the running system is left to root; others belong to who can write there.

        Returns:
            Whether this is the running system.

        Raises:
            SysrootError: it is, and we are not root, or root without the right to mount.
        """
        if read_booted_facts(self._root_fd, self.settings.run_directory) is None:
            return False
        from ostree.system.privilege import is_privileged

        if not is_privileged():
            raise SysrootError("You must be root to perform this command")
        return True

    def load(self, *, force: bool = False) -> None:
        """Read the deployment list, unless nothing changed since the last time.

        Args:
            force: Read it in any case.

        Raises:
            OSTreeError: naming what of the boot configuration is wrong.
        """
        with step("loading sysroot"):
            repo_device = os.fstat(self.repo.dir_fd).st_dev
            own_device = os.stat("ostree", dir_fd=self._root_fd).st_dev
            if repo_device != own_device:
                raise SysrootError(
                    f"Unexpected state: ostree/ on device {own_device} but "
                    f"ostree/repo on device {repo_device}"
                )
            self._refuse_vfat(own_device)
            stamp = os.stat("ostree/deploy", dir_fd=self._root_fd).st_mtime_ns
            if force or stamp != self._loaded:
                self._load()
                self._loaded = stamp

    def _refuse_vfat(self, own_device: int) -> None:
        """There are no symbolic links on it, and one of them selects the boot configuration."""
        try:
            device = os.stat("boot", dir_fd=self._root_fd).st_dev
        except FileNotFoundError:
            return
        if device == own_device:
            return
        from ostree.system.file_system_type import VFAT, file_system_type

        fd = open_directory("boot", dir_fd=self._root_fd)
        try:
            if file_system_type(fd) == VFAT:
                raise SysrootError("/boot cannot currently be a vfat filesystem")
        finally:
            os.close(fd)

    def _load(self) -> None:
        run_directory = self.settings.run_directory
        bootversion = read_bootversion(self._root_fd)
        # Only to be sure that a change of the list would find its way.
        read_subbootversion(self._root_fd, bootversion)
        deployments = load_deployments(self._root_fd, bootversion, run_directory)
        facts = read_booted_facts(self._root_fd, run_directory)
        self._booted = None
        if facts is not None:
            self._booted = find_booted(deployments, facts, self._root_fd)
            staged = load_staged(self._root_fd, run_directory, deployments)
            if staged is not None:
                deployments.insert(0, staged)
            mark_soft_reboot(deployments, run_directory, self._root_fd)
        for index, deployment in enumerate(deployments):
            deployment.index = index
        self._deployments = deployments

    def _ensure_loaded(self) -> None:
        if self._loaded is None:
            self.load()

    @property
    def deployments(self) -> list[Deployment]:
        """All deployments; the first is booted next."""
        self._ensure_loaded()
        return list(self._deployments)

    @property
    def booted(self) -> Deployment | None:
        """The deployment that is running, if it is one of this sysroot."""
        self._ensure_loaded()
        return self._booted

    @property
    def bootversion(self) -> int:
        """Which of the two boot configurations is active."""
        return read_bootversion(self._root_fd)

    def boot_entries(self, bootversion: int) -> list[BootEntry]:
        """The boot entries of a bootversion, active or not, the default one first.

        Raises:
            FormatError: one is no text.
        """
        return load_entries(self._root_fd, bootversion)

    @property
    def subbootversion(self) -> int:
        """Which of the two sets of bootlinks is active."""
        return read_subbootversion(self._root_fd, self.bootversion)

    def pending(self, stateroot: str | None = None) -> Deployment | None:
        """The deployment that waits for a reboot."""
        name = self._stateroot_or_booted(stateroot)
        return deployment_list.find_pending(self._deployments, self._booted, name)

    def rollback(self, stateroot: str | None = None) -> Deployment | None:
        """The deployment to fall back to."""
        name = self._stateroot_or_booted(stateroot)
        return deployment_list.find_rollback(self._deployments, self._booted, name)

    def merge_deployment(self, stateroot: str | None = None) -> Deployment | None:
        """The deployment that a new one takes over from."""
        name = self._stateroot_or_booted(stateroot)
        return deployment_list.find_merge(self._deployments, self._booted, name)

    def deployment_path(self, deployment: Deployment) -> str:
        """The absolute path of a deployment's directory."""
        return os.path.join(self.path, deployment.path)

    def _stateroot_or_booted(self, stateroot: str | None) -> str:
        self._ensure_loaded()
        if stateroot is not None:
            return stateroot
        if self._booted is None:
            raise SysrootError(
                "Looking for booted deployment: Not currently booted into an OSTree system "
                "and no --os= argument given"
            )
        return self._booted.stateroot

    def version_of(self, deployment: Deployment) -> str | None:
        """The ``version`` metadata of a deployment's commit; None also if the commit is gone."""
        try:
            commit = self.repo.load_commit(deployment.checksum)
        except ObjectNotFoundError:
            return None
        version = commit.metadata_value("version", "s")
        return version if isinstance(version, str) else None

    def read_command_line(self) -> str:
        """The arguments of the running kernel.

        Raises:
            SysrootError: they cannot be read.
        """
        path = f"{self.settings.proc_directory}/cmdline"
        with step("Reading kernel command line"), open(path, "rb") as file:
            return file.read(1 << 16).decode("utf-8", "surrogateescape")

    def diff_config(self, stateroot: str | None = None) -> EtcChanges:
        """What was changed in the ``/etc`` of a deployment.

        Args:
            stateroot: Whose merge deployment; None means the booted deployment.

        Raises:
            NotFoundError: there is no such deployment.
            SysrootError: it cannot be read, or None is given and nothing is booted.
        """
        from ostree.sysroot.config_diff import diff_config

        self.load()
        return diff_config(self, stateroot)

    def find_config_conflicts(self, stateroot: str | None = None) -> ConfigConflicts:
        """What of ``/etc`` was changed there and also by the vendor, from version to version.

        Up to the version to be booted next, if that is another one, else since the one before.

        Args:
            stateroot: Whose merge deployment; None means the booted deployment.

        Raises:
            NotFoundError: there is no such deployment.
            SysrootError: it cannot be read, or None is given and nothing is booted.
        """
        from ostree.sysroot.config_diff import find_config_conflicts

        self.load()
        return find_config_conflicts(self, stateroot)
