"""Messages for the system's journal, through its own socket."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SOCKET = "systemd/journal/socket"
#: What happens where no journal listens, or reads too slowly to keep up.
_NOBODY = (
    errno.ENOENT,
    errno.ECONNREFUSED,
    errno.ENOTDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EAGAIN,
    errno.ENOBUFS,
    # Larger than a datagram: none of our entries is.
    errno.EMSGSIZE,
)


def encode(fields: Mapping[str, str]) -> bytes:
    """Fields as the journal reads them: ``KEY=value`` lines, or with a length what has line ends.

    Args:
        fields: Names are upper-case letters, digits and underscores.
    """
    parts = []
    for name, text in fields.items():
        value = text.encode("utf-8", "surrogateescape")
        if b"\n" in value:
            parts.append(name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n")
        else:
            parts.append(name.encode() + b"=" + value + b"\n")
    return b"".join(parts)


def send(fields: Mapping[str, str], run_directory: str = "/run") -> bool:
    """Hand an entry to the journal without waiting for it.

    Args:
        fields: ``MESSAGE`` and whatever else belongs to the entry.
        run_directory: Below which its socket is.

    Returns:
        False if no journal listens, or it could not take the entry.

    Raises:
        OSError: something else is wrong.
    """
    path = f"{run_directory}/{_SOCKET}"
    if not os.path.exists(path):
        return False
    import socket

    data = encode(fields)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(data, socket.MSG_DONTWAIT, path)
        except OSError as error:
            if error.errno in _NOBODY:
                return False
            raise
    return True
