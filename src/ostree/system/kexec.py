"""Another kernel made ready, to be started without the firmware: kexec_file_load(2)."""

from __future__ import annotations

import os

from ostree.errors import OSTreeError

_WITHOUT_INITRAMFS = 4

#: The number of the system call; architectures that are not here have none.
_NUMBERS = {
    "aarch64": 294,
    "armv7l": 401,
    "loongarch64": 294,
    "parisc64": 355,
    "ppc64": 382,
    "ppc64le": 382,
    "riscv64": 294,
    "s390x": 381,
    "x86_64": 320,
}


def load(kernel_fd: int, initramfs_fd: int | None, command_line: str) -> None:
    """Have the next reboot by kexec start this kernel; nothing is started here.

    Args:
        kernel_fd: The kernel.
        initramfs_fd: Its initramfs, if it has one.
        command_line: Its arguments.

    Raises:
        OSTreeError: the kernel of this system cannot, or may not, do that.
    """
    import ctypes

    machine = os.uname().machine
    number = _NUMBERS.get(machine)
    if number is None:
        raise OSTreeError(f"kexec_file_load: not available on {machine}")
    line = os.fsencode(command_line) + b"\0"
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(
        ctypes.c_long(number),
        ctypes.c_int(kernel_fd),
        ctypes.c_int(-1 if initramfs_fd is None else initramfs_fd),
        ctypes.c_ulong(len(line)),
        ctypes.c_char_p(line),
        ctypes.c_ulong(_WITHOUT_INITRAMFS if initramfs_fd is None else 0),
    )
    if result != 0:
        raise OSTreeError(f"kexec_file_load: {os.strerror(ctypes.get_errno())}")
