"""Programs that run in a ramdisk, where there is no library beside them."""

from __future__ import annotations

import os

from ostree.errors import FormatError, NotFoundError, OSTreeError
from ostree.formats.elf import ElfFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_PROGRAM = 64 << 20
_BUSYBOX_PATHS = ("usr/bin/busybox", "bin/busybox", "usr/bin/busybox.static", "bin/busybox.static")
_BUSYBOX_HINT = "install busybox-static (Debian, apt-get install busybox-static), or name one"

#: What the scripts of the ramdisk call; ``tests/unit/boot`` compares with what they do call.
APPLETS = (
    "cat",
    "chmod",
    "chroot",
    "cttyhack",
    "find",
    "findfs",
    "grep",
    "hexdump",
    "mkdir",
    "mktemp",
    "modprobe",
    "mount",
    "pivot_root",
    "readlink",
    "reboot",
    "rm",
    "rmdir",
    "sed",
    "setsid",
    "sh",
    "sleep",
    "sort",
    "stat",
    "switch_root",
    "sync",
    "tr",
    "umount",
    "uname",
    "usleep",
)

#: What somebody who is given a shell misses first; linked where busybox has them.
EXTRA_APPLETS = ("blkid", "cp", "dmesg", "free", "ls", "lsmod", "ps", "vi")


class Program:
    """A program as a file.

    Attributes:
        path: Where it was found.
        data: Its content.
        machine: What it runs on, as ``uname -m`` has it.
    """

    __slots__ = ("data", "machine", "path")

    def __init__(self, path: str, data: bytes, machine: str) -> None:
        self.path = path
        self.data = data
        self.machine = machine


def read_static_program(path: str) -> Program:
    """A program that starts without a dynamic linker.

    Raises:
        OSTreeError: it cannot be read, or is dynamically linked, or no program.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_PROGRAM + 1)
    except OSError as error:
        raise OSTreeError(f"Reading {path}: {error.strerror}") from error
    if len(data) > _MAX_PROGRAM:
        raise OSTreeError(f"{path} is larger than {_MAX_PROGRAM} bytes")
    try:
        elf = ElfFile(data)
        static = elf.is_static
    except FormatError as error:
        error.add_prefix(path)
        raise
    if not static:
        raise OSTreeError(f"{path} is dynamically linked: a ramdisk needs a static program")
    return Program(path, data, elf.machine)


def find_busybox(roots: Iterable[str], path: str | None = None) -> Program:
    """A static busybox with all that the scripts call.

    Args:
        roots: Root directories to look in; the first static one is taken.
        path: A file to take instead.

    Raises:
        OSTreeError: the file is not what is needed.
        NotFoundError: there is none.
    """
    if path is not None:
        return _with_applets(read_static_program(path))
    dynamic = None
    for root in roots:
        for place in _BUSYBOX_PATHS:
            candidate = os.path.join(root, place)
            if not os.path.exists(candidate):
                continue
            try:
                program = read_static_program(candidate)
            except FormatError:
                raise
            except OSTreeError as error:
                dynamic = dynamic or error
                continue
            return _with_applets(program)
    if dynamic is not None:
        dynamic.hint = _BUSYBOX_HINT
        raise dynamic
    raise NotFoundError("No busybox for the ramdisk", hint=_BUSYBOX_HINT)


def applets_in(program: Program, names: Iterable[str]) -> list[str]:
    """Those of the names that a busybox has, as its table of NUL-ended names tells.

    It may be for another machine, so it is not asked.
    """
    return [name for name in names if b"\0" + name.encode() + b"\0" in program.data]


def _with_applets(program: Program) -> Program:
    found = set(applets_in(program, APPLETS))
    missing = [name for name in APPLETS if name not in found]
    if missing:
        raise OSTreeError(f"{program.path} lacks {', '.join(missing)}", hint=_BUSYBOX_HINT)
    return program
