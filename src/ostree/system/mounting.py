"""mount(2) and its relatives, and what ``/proc/self/mountinfo`` tells."""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

READ_ONLY = 1
REMOUNT = 0x20
BIND = 0x1000
MOVE = 0x2000
RECURSIVE = 0x4000
SILENT = 0x8000
PRIVATE = 1 << 18
SLAVE = 1 << 19
SHARED = 1 << 20
RELATIME = 1 << 21

#: umount2(2): take the mount out of the tree now, give it up when nobody uses it.
DETACH = 2

_CLONE_FS = 0x00000200
_CLONE_NEWNS = 0x00020000


def mount(
    source: str | None,
    target: str,
    kind: str | None = None,
    flags: int = 0,
    data: str | None = None,
) -> None:
    """Put a file system, or another view of one, in place.

    Raises:
        OSError: as it; the file name is ``target``.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind, data)]
    if libc.mount(*words[:3], ctypes.c_ulong(flags), words[3]) != 0:
        raise _error(target)


def unmount(target: str, flags: int = 0) -> None:
    """Unmount something, as umount2(2) does.

    Raises:
        OSError: as it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(target), flags) != 0:
        raise _error(target)


def unshare_mounts() -> None:
    """Give the calling thread, and those it starts, mounts of their own.

    Raises:
        OSError: as unshare(2).
    """
    _unshare(_CLONE_NEWNS)


def enter_namespace(path: str) -> None:
    """Move the calling thread, which shares its working directory with no other, into a namespace.

    Raises:
        OSError: as open(2) and setns(2).
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, 0) != 0:
            raise _error(path)
    finally:
        os.close(fd)


def apart(act: Callable[[], Result]) -> Result:
    """Call ``act`` in a thread whose working directory, umask and namespaces are its own affair.

    Raises:
        Exception: whatever it raises.
    """
    from threading import Thread

    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            _unshare(_CLONE_FS)
            results.append(act())
        except BaseException as error:  # noqa: BLE001  # raised again, in the caller's thread
            errors.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _unshare(flags: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        raise _error(None)


def _error(path: str | None) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), path)


class MountPoint:
    """One line of a mount table.

    Attributes:
        path: Where it is mounted.
        kind: The type of the file system.
        shared: Whether what is mounted below it appears in other namespaces as well.
        options: Those of the mount.
        super_options: Those of the file system, as ``key`` or ``key=value``.
    """

    __slots__ = ("kind", "options", "path", "shared", "super_options")

    def __init__(
        self, path: str, kind: str, *, shared: bool, options: list[str], super_options: list[str]
    ) -> None:
        self.path = path
        self.kind = kind
        self.shared = shared
        self.options = options
        self.super_options = super_options


def parse_mountinfo(text: str) -> list[MountPoint]:
    """The mounts in the content of ``/proc/PID/mountinfo``, in the order they were made.

    Lines of another shape are ignored.
    """
    result = []
    for line in text.splitlines():
        front, _, back = line.partition(" - ")
        fields, last = front.split(" "), back.split(" ")
        if len(fields) < 6 or len(last) < 3:
            continue
        result.append(
            MountPoint(
                _unescape(fields[4]),
                last[0],
                shared=any(field.startswith("shared:") for field in fields[6:]),
                options=fields[5].split(","),
                super_options=[_unescape(word) for word in last[2].split(",")],
            )
        )
    return result


def _unescape(text: str) -> str:
    """Blanks, line ends and backslashes come as three octal digits."""
    if "\\" not in text:
        return text
    first, *rest = text.split("\\")
    return first + "".join(
        chr(int(part[:3], 8)) + part[3:] if part[:3].isdigit() else f"\\{part}" for part in rest
    )


def find_mount(mounts: list[MountPoint], path: str) -> MountPoint | None:
    """The mount that a path without links is in."""
    found = None
    for candidate in mounts:
        prefix = candidate.path.rstrip("/")
        inside = path == prefix or path.startswith(f"{prefix}/")
        # The later of two mounts at one place hides the earlier one.
        if inside and (found is None or len(prefix) >= len(found.path.rstrip("/"))):
            found = candidate
    return found


def read_mounts() -> list[MountPoint]:
    """The mounts that the calling thread sees.

    Raises:
        OSError: ``/proc`` is not mounted.
    """
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return parse_mountinfo(file.read())
