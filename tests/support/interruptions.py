"""A process that is killed at, or whose disk fails in, its n-th call that changes a file system.

The kernel stops the process before each such call and asks us (seccomp with user notification):
we count, and let it go on, kill it, or have the call fail without being made.
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import traceback
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

#: Numbers of x86-64; each call changes a file system, whatever its arguments are, or syncs one.
CALLS = {
    1: "write",
    18: "pwrite64",
    20: "writev",
    296: "pwritev",
    328: "pwritev2",
    40: "sendfile",
    326: "copy_file_range",
    76: "truncate",
    77: "ftruncate",
    285: "fallocate",
    82: "rename",
    264: "renameat",
    316: "renameat2",
    83: "mkdir",
    258: "mkdirat",
    84: "rmdir",
    86: "link",
    265: "linkat",
    88: "symlink",
    266: "symlinkat",
    87: "unlink",
    263: "unlinkat",
    133: "mknod",
    259: "mknodat",
    90: "chmod",
    91: "fchmod",
    268: "fchmodat",
    92: "chown",
    93: "fchown",
    94: "lchown",
    260: "fchownat",
    132: "utime",
    235: "utimes",
    261: "futimesat",
    280: "utimensat",
    188: "setxattr",
    189: "lsetxattr",
    190: "fsetxattr",
    197: "removexattr",
    198: "lremovexattr",
    199: "fremovexattr",
    74: "fsync",
    75: "fdatasync",
    306: "syncfs",
    165: "mount",
    166: "umount2",
}
#: Calls of which only some change anything: by bits that are set in an argument, or its value.
CREATING = {2: ("open", 1), 257: ("openat", 2)}
_CREATING_BITS = 0o100 | 0o20000000
IOCTL = 16
#: Clone, set the flags of an inode, freeze, thaw, empty the journal.
IOCTLS = (0x40049409, 0x40086602, 0xC0045877, 0xC0045878, 0x4004662B)

_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP = 317
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _EQUAL, _BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1


class Interrupted(NamedTuple):
    """What became of a process.

    Attributes:
        calls: How many calls it made that change a file system.
        call: The name of the one that was interrupted; None if it did not come to that.
        status: Its exit status, or minus the signal that ended it.
        report: What its act returned; nothing if it did not come to that.
    """

    calls: int
    call: str | None
    status: int
    report: bytes = b""


def require() -> None:
    """Skip where this cannot be done."""
    if platform.machine() != "x86_64":
        pytest.skip("the numbers of system calls are those of x86-64")
    if interrupt(lambda: b"", at=0).status != 0:
        pytest.skip("the kernel does not let us watch system calls")


def interrupt(
    act: Callable[[], bytes],
    *,
    at: int,
    error: int = 0,
    before: Callable[[], None] | None = None,
) -> Interrupted:
    """Fork, ``act`` in the child, and interrupt it at its call number ``at`` (from 1).

    Args:
        act: What the child does, and what is to be known of it; it ends with status 0 after that,
            1 after an exception.
        at: The call; with 0 it is not interrupted.
        error: The error number that the call fails with; 0 kills the process instead.
        before: What the child does first, unwatched.
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _act(act, theirs, before)
    theirs.close()
    with ours:
        listener = _receive_listener(ours)
        if listener < 0:
            return Interrupted(0, None, _wait(child))
        try:
            count, call = _watch(listener, child, at, error)
        finally:
            os.close(listener)
        status = _wait(child)
        return Interrupted(count, call, status, ours.recv(1 << 16, socket.MSG_WAITALL))


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _act(
    act: Callable[[], bytes], link: socket.socket, before: Callable[[], None] | None
) -> NoReturn:
    try:
        if before is not None:
            before()
        listener = _install_filter()
        socket.send_fds(link, [b"."], [listener])
        os.close(listener)
        # Sending is not among the calls that are watched.
        link.sendall(act())
        os._exit(0)
    except BaseException:  # noqa: BLE001 - nothing may get out of the child
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(1)


def _receive_listener(link: socket.socket) -> int:
    _, fds, _, _ = socket.recv_fds(link, 1, 1)
    return fds[0] if fds else -1


def _watch(listener: int, child: int, at: int, error: int) -> tuple[int, str | None]:
    """Answer until there is nobody left who asks."""
    count, found = 0, None
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while not poll.poll()[0][1] & select.POLLHUP:
        question = bytearray(80)
        try:
            fcntl.ioctl(listener, _RECEIVE, question)
        except FileNotFoundError:
            continue  # It has died meanwhile.
        cookie, _, _, number = struct.unpack_from("=QIIi", question)
        count += 1
        answer = struct.pack("=QqiI", cookie, 0, 0, _CONTINUE)
        if count == at:
            found = _name(number)
            if not error:
                os.kill(child, signal.SIGKILL)
                continue
            answer = struct.pack("=QqiI", cookie, 0, -error, 0)
        try:
            fcntl.ioctl(listener, _SEND, answer)
        except FileNotFoundError:
            continue
    return count, found


def _name(number: int) -> str:
    if number == IOCTL:
        return "ioctl"
    return CREATING[number][0] if number in CREATING else CALLS[number]


def _install_filter() -> int:
    """Have the kernel ask before each of the calls; the descriptor to answer on."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(_program())
    block = ctypes.create_string_buffer(code, len(code))
    program = array.array("Q", [len(code) // 8, ctypes.addressof(block)])
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener: int = libc.syscall(
        _SECCOMP,
        _SET_MODE_FILTER,
        _NEW_LISTENER,
        ctypes.c_void_p(program.buffer_info()[0]),
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def _program() -> list[bytes]:
    """The filter: load the number, compare with each, and for some look at an argument."""

    def instruction(code: int, k: int, true: int = 0, false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, true, false, k)

    def argument(index: int) -> int:
        return 16 + 8 * index

    program = [instruction(_LOAD, 0)]
    for number in CALLS:
        program += [instruction(_EQUAL, number, 0, 1), instruction(_RETURN, _NOTIFY)]
    for number, (_, index) in CREATING.items():
        program += [
            instruction(_EQUAL, number, 0, 4),
            instruction(_LOAD, argument(index)),
            instruction(_BITS, _CREATING_BITS, 0, 1),
            instruction(_RETURN, _NOTIFY),
            instruction(_RETURN, _ALLOW),
        ]
    program.append(instruction(_EQUAL, IOCTL, 0, 2 + 2 * len(IOCTLS) - 1))
    program.append(instruction(_LOAD, argument(1)))
    for value in IOCTLS:
        program += [instruction(_EQUAL, value, 0, 1), instruction(_RETURN, _NOTIFY)]
    program.append(instruction(_RETURN, _ALLOW))
    return program
