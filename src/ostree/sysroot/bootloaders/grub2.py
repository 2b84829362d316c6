"""GRUB 2, whose ``grub.cfg`` a generator writes (boot §3.3)."""

from __future__ import annotations

import os

from ostree.errors import SysrootError
from ostree.sysroot.bootloaders.bootloader import Bootloader, ConfigFacts, ConfigFile
from ostree.sysroot.layout import MAX_TEXT, loader_directory
from ostree.system.copying import copy_content
from ostree.system.files import (
    FILE_FLAGS,
    exists,
    list_directory,
    open_directory,
    read_file,
    remove_tree,
    replace_file,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.bootloaders.mkconfig import Mkconfig
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.tree_files import TreeFiles

_CONFIGS = ("boot/grub/grub.cfg", "boot/grub2/grub.cfg")
_VENDORS = "boot/efi/EFI"
#: Above this, a ``grub.cfg`` is not what it claims to be.
_MOST = 1 << 24
_CURRENT, _NEW, _OLD = "grub.cfg", "grub.cfg.new", "grub.cfg.old"


class Grub2(Bootloader):
    """A ``grub.cfg`` in ``boot/loader.V``, or on the EFI system partition.

    The latter is made as ``grub.cfg.new`` before the swap and renamed after it: until then the
    old one refers to the old bootversion, and both are complete.
    """

    name = "grub2"

    def __init__(self, config: SysrootConfig, settings: SysrootSettings, root_fd: int) -> None:
        super().__init__(config, settings, root_fd)
        self._vendor_directory: str | None = None
        self._is_made = False

    @property
    def atomic(self) -> bool:
        """Whether ``grub.cfg`` is reached through ``boot/loader``."""
        return self._vendor_directory is None

    def is_active(self) -> bool:
        """Whether there is a ``grub.cfg`` and bootupd does not take care of it.

        That on an EFI system partition counts only if this has found it.
        """
        self._vendor_directory = None
        if self._is_static():
            return False
        if any(exists(path, self._root_fd) for path in _CONFIGS):
            return True
        for vendor in list_directory(_VENDORS, self._root_fd):
            directory = f"{_VENDORS}/{vendor}"
            if vendor != "BOOT" and os.access(
                f"{directory}/grub.cfg", os.F_OK, dir_fd=self._root_fd
            ):
                self._vendor_directory = directory
                return True
        return False

    def _is_static(self) -> bool:
        """Whether bootupd installed a ``grub.cfg`` that reads the boot entries by itself."""
        try:
            state = read_file("boot/bootupd-state.json", self._root_fd, limit=MAX_TEXT)
        except OSError:
            return False
        return b'"static-configs"' in state and b'"static-configs":null' not in state

    def read_facts(self, tree: TreeFiles | None) -> ConfigFacts:
        """Find the program that makes ``grub.cfg``; where there is none, we do."""
        generator = self._mkconfig.find(tree)
        return ConfigFacts(prefix=self._find_prefix(), generator=generator)

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """The one file; its content is known unless another program makes it."""
        if self._vendor_directory is not None:
            return [ConfigFile(f"{self._vendor_directory}/{_NEW}", None)]
        path = f"{loader_directory(bootversion)}/grub.cfg"
        if facts.generator is not None:
            return [ConfigFile(path, None)]
        from ostree.formats.grub import format_grub_config

        text = format_grub_config(entries, prefix=facts.prefix, tries=self._config.tries)
        return [ConfigFile(path, text.encode())]

    def write_config(self, bootversion: int, deployments: Sequence[Deployment]) -> None:
        """Make ``grub.cfg``, in place or to be put in place after the swap."""
        facts = self.read_facts_of(deployments)
        (file,) = self.config_files(facts, bootversion, [d.entry for d in deployments])
        if file.data is not None:
            replace_file(file.path, file.data, self._root_fd)
            return
        if facts.generator is None:
            # Ours would not do: there, GRUB's root is another partition than that of the kernels.
            raise SysrootError(
                "Neither grub2-mkconfig nor grub-mkconfig is installed",
                hint="a grub.cfg that reads boot entries itself takes [sysroot] bootloader=none",
            )
        efi = self._vendor_directory is not None
        if efi:
            remove_tree(file.path, self._root_fd)
        self._mkconfig.run(facts.generator, file.path, bootversion, deployments, efi=efi)
        self._is_made = True

    def after_swap(self, bootversion: int, deployments: Sequence[Deployment]) -> None:
        """Put the ``grub.cfg`` of an EFI system partition in place."""
        del deployments
        if self._vendor_directory is None:
            return
        directory_fd = open_directory(self._vendor_directory, dir_fd=self._root_fd)
        try:
            if not exists(_NEW, directory_fd):
                return
            if not (self._is_made or _is_made_for(bootversion, directory_fd)):
                # Of a swap that did not come to its end, and perhaps not complete.
                os.unlink(_NEW, dir_fd=directory_fd)
                return
            _keep_old(directory_fd)
            os.rename(_NEW, _CURRENT, src_dir_fd=directory_fd, dst_dir_fd=directory_fd)
            os.fsync(directory_fd)
        finally:
            os.close(directory_fd)

    @property
    def _mkconfig(self) -> Mkconfig:
        from ostree.sysroot.bootloaders.mkconfig import Mkconfig

        return Mkconfig(self._settings, self._root_fd)

    def _find_prefix(self) -> str:
        """What GRUB's paths have in front of those of boot entries, if we make ``grub.cfg``."""
        given = self._settings.environ.get("OSTREE_BOOT_PARTITION")
        if given is not None:
            return given
        try:
            boot = os.stat("boot/ostree", dir_fd=self._root_fd)
            repo = os.stat("ostree/repo", dir_fd=self._root_fd)
        except OSError:
            return ""
        return "/boot" if boot.st_dev == repo.st_dev and not self._config.bootprefix else ""


def _is_made_for(bootversion: int, directory_fd: int) -> bool:
    """Whether ``grub.cfg.new`` refers to the active bootversion.

    Then it is complete: the swap comes after it.
    """
    text = read_file(_NEW, directory_fd, limit=_MOST)
    return f"ostree=/ostree/boot.{bootversion}/".encode() in text


def _keep_old(directory_fd: int) -> None:
    """Copy ``grub.cfg`` to ``grub.cfg.old``."""
    remove_tree(_OLD, directory_fd)
    try:
        source = os.open(_CURRENT, FILE_FLAGS, dir_fd=directory_fd)
    except FileNotFoundError:
        return
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        target = os.open(_OLD, flags, 0o644, dir_fd=directory_fd)
        try:
            copy_content(source, target)
        finally:
            os.close(target)
    finally:
        os.close(source)
