"""fs-verity: the kernel seals a file and checks all that is read of it ever after."""

from __future__ import annotations

import errno
import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

#: ``FS_IOC_ENABLE_VERITY``: _IOW('f', 133, struct fsverity_enable_arg).
_ENABLE = 0x40806685
_VERSION, _SHA256, BLOCK_SIZE = 1, 1, 4096
_ARGUMENT_SIZE = 128
#: What file systems and kernels without it answer.
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS)


def enable_argument() -> bytes:
    """``struct fsverity_enable_arg``: SHA-256, blocks of 4096 bytes, no salt and no signature."""
    numbers = (_VERSION, _SHA256, BLOCK_SIZE)
    # The rest is size and address of salt and signature, and reserved.
    packed = b"".join(number.to_bytes(4, _native()) for number in numbers)
    return packed.ljust(_ARGUMENT_SIZE, b"\0")


def enable(fd: int) -> bool:
    """Seal a file that nobody has open for writing; one that is sealed already stays so.

    Returns:
        False if the file system does not support it.
    """
    try:
        fcntl.ioctl(fd, _ENABLE, enable_argument())
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        if error.errno != errno.EEXIST:
            raise
    return True


def _native() -> Literal["little", "big"]:
    import sys

    return sys.byteorder
