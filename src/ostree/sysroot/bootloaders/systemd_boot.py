"""systemd-boot, which reads boot entries and kernels from the EFI system partition only.

That is FAT, on which ``/boot`` with its links cannot be.  So kernels are copied there before the
swap, and the boot entries after it: until then the old ones refer to the old bootversion, and both
are complete.  Nothing of this is upstream's; it takes ``[sysroot] bootloader=systemd-boot``.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from ostree.errors import FormatError, SysrootError
from ostree.formats.boot_entry import BootEntry, entry_file_name, kernel_path
from ostree.formats.mirrored_entry import MirroredEntry, is_mirrored_name, plan_mirroring
from ostree.sysroot.bootloaders.bootloader import Bootloader, ConfigFile
from ostree.sysroot.loading import read_text
from ostree.system.copying import copy_content
from ostree.system.fat_files import replace_fat_file
from ostree.system.files import (
    FILE_FLAGS,
    exists,
    list_directory,
    make_directories,
    open_directory,
    remove_tree,
    write_all,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ostree.sysroot.bootloaders.bootloader import ConfigFacts
    from ostree.sysroot.deployment import Deployment

#: Where the partition is mounted; this is how one that is mounted is known.
_PLACES = ("boot/efi", "efi")
_SIGN = "loader/loader.conf"

_ENTRIES = "loader/entries"
_KERNELS = "ostree"


class SystemdBoot(Bootloader):
    """Copies of kernels and boot entries on the EFI system partition."""

    name = "systemd-boot"
    counts_by_entry = True

    @property
    def atomic(self) -> bool:
        """No: it takes effect after the rename of ``boot/loader``."""
        return False

    def is_active(self) -> bool:
        """Whether the partition is mounted, and somebody installed systemd-boot there."""
        return self._find() is not None

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """None in ``/boot``."""
        del facts, bootversion, entries
        return []

    def write_config(self, bootversion: int, deployments: Sequence[Deployment]) -> None:
        """Copy the kernels that are not there yet; entries refer to them only after the swap."""
        del bootversion
        with self._partition() as partition:
            wanted = _files_of(_without_prefix(d.entry) for d in deployments)
            partition.remove_unused(wanted)
            for path in wanted:
                partition.copy(path, self._root_fd)

    def after_swap(self, bootversion: int, deployments: Sequence[Deployment]) -> None:
        """Make the entries there those of the active list, then remove what nothing refers to."""
        del bootversion
        entries = [_without_prefix(deployment.entry) for deployment in deployments]
        with self._partition() as partition:
            plan = plan_mirroring(partition.read_entries(), self._named(entries))
            if plan.new:
                for path in _files_of(entries):
                    partition.copy(path, self._root_fd)
            for entry in plan.new:
                partition.write_entry(entry)
            if plan.new or plan.obsolete:
                partition.remove_entries(plan.obsolete)
                partition.remove_unused(())

    def _named(self, entries: Sequence[BootEntry]) -> list[MirroredEntry]:
        """The entries as files, in their order, with the tries that they are granted."""
        count, tries = len(entries), self._config.tries
        return [
            MirroredEntry(
                entry_file_name(count - index, tries=tries, counters=entry.counters),
                entry.to_text(),
            )
            for index, entry in enumerate(entries)
        ]

    def _find(self) -> str | None:
        return next((p for p in _PLACES if exists(f"{p}/{_SIGN}", self._root_fd)), None)

    @contextmanager
    def _partition(self) -> Iterator[_Partition]:
        place = self._find()
        if place is None:
            raise SysrootError(
                f"There is no {_SIGN} in /{_PLACES[0]}",
                hint="the EFI system partition has to be mounted there, as systemd-boot reads "
                "nothing else",
            )
        fd = open_directory(place, dir_fd=self._root_fd)
        try:
            yield _Partition(fd)
        finally:
            os.close(fd)


class _Partition:
    """The EFI system partition.

    Args:
        fd: Its root directory.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read_entries(self) -> list[MirroredEntry]:
        """All boot entries there, those of others included."""
        found = []
        for name in list_directory(_ENTRIES, self._fd):
            if name.endswith(".conf"):
                with suppress(FormatError):
                    text = read_text(f"{_ENTRIES}/{name}", self._fd)
                    found.append(MirroredEntry(name, text))
        return found

    def copy(self, path: str, root_fd: int) -> None:
        """Copy a file of ``/boot`` to the same place here, unless it is there."""
        directory, name = os.path.split(path)
        source = os.open(f"boot/{path}", FILE_FLAGS, dir_fd=root_fd)
        try:
            with suppress(FileNotFoundError):
                if os.stat(path, dir_fd=self._fd).st_size == os.fstat(source).st_size:
                    return
            make_directories(directory, self._fd, 0o755)
            directory_fd = open_directory(directory, dir_fd=self._fd)
            try:
                replace_fat_file(name, directory_fd, lambda fd: copy_content(source, fd))
            finally:
                os.close(directory_fd)
        finally:
            os.close(source)
        self._sync(os.path.dirname(directory))

    def write_entry(self, entry: MirroredEntry) -> None:
        """Put an entry in place; it is on the disk when this returns."""
        make_directories(_ENTRIES, self._fd, 0o755)
        fd = open_directory(_ENTRIES, dir_fd=self._fd)
        try:
            replace_fat_file(entry.name, fd, lambda file: write_all(file, entry.text.encode()))
        finally:
            os.close(fd)

    def remove_entries(self, names: Iterable[str]) -> None:
        """Remove entries, and what was to become some; the disk knows when this returns."""
        left = [n for n in list_directory(_ENTRIES, self._fd) if _is_unfinished(n)]
        for name in (*names, *left):
            os.unlink(f"{_ENTRIES}/{name}", dir_fd=self._fd)
        self._sync(_ENTRIES)

    def remove_unused(self, wanted: Iterable[str]) -> None:
        """Remove kernels that no entry refers to.

        Args:
            wanted: Paths of further ones that stay.
        """
        parsed = [BootEntry.parse(entry.text) for entry in self.read_entries()]
        used = {*wanted, *_files_of(parsed, lenient=True)}
        for name in list_directory(_KERNELS, self._fd):
            directory = f"{_KERNELS}/{name}"
            paths = [f"{directory}/{each}" for each in list_directory(directory, self._fd)]
            if used.isdisjoint(paths):
                remove_tree(directory, self._fd)
                continue
            for path in paths:
                if path not in used:
                    remove_tree(path, self._fd)

    def _sync(self, directory: str) -> None:
        fd = open_directory(directory or ".", dir_fd=self._fd)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _is_unfinished(name: str) -> bool:
    return name.endswith(".new") and is_mirrored_name(name.removesuffix(".new"))


def _without_prefix(entry: BootEntry) -> BootEntry:
    """An entry for a partition that is not mounted at ``/boot``, whatever ``bootprefix`` says."""
    copy = entry.copy()
    for key in ("linux", "initrd", "devicetree"):
        value = copy.get(key)
        if value is not None:
            copy.set(key, _shorten(value))
    copy.overlay_initrds = [_shorten(path) for path in copy.overlay_initrds]
    return copy


def _shorten(path: str) -> str:
    return path.removeprefix("/boot")


def _files_of(entries: Iterable[BootEntry], *, lenient: bool = False) -> list[str]:
    """What entries refer to, relative to the partition.

    Args:
        entries: They have no prefix.
        lenient: Whether what is not below ``/ostree`` belongs to somebody else.

    Raises:
        SysrootError: an entry has no kernel, or a path leads elsewhere.
    """
    found = []
    for entry in entries:
        kernel = entry.get("linux") if lenient else kernel_path(entry)
        others = (entry.get("initrd"), *entry.overlay_initrds, entry.get("devicetree"))
        for path in (kernel, *others):
            if path is None:
                continue
            parts = path.split("/")
            if (
                len(parts) == 4
                and parts[:2] == ["", _KERNELS]
                and not {"", ".", ".."} & {*parts[2:]}
            ):
                found.append(path[1:])
            elif not lenient:
                raise SysrootError(f"Boot entry refers to {path}, which is not below /{_KERNELS}")
    return list(dict.fromkeys(found))
