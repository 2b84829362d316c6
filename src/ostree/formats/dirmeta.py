"""The dirmeta object ``(uuua(ayay))`` (repository format §2.2).

The same shape, with the mode of a file, is the value of ``user.ostreemeta`` in bare-user
repositories (§3.4).
"""

from __future__ import annotations

import stat
import struct

from ostree.errors import FormatError
from ostree.formats import xattrs as xattrs_format
from ostree.types import DirMeta

_FIXED = struct.Struct(">III")


def encode(meta: DirMeta) -> bytes:
    """Serialise."""
    return _FIXED.pack(meta.uid, meta.gid, meta.mode) + xattrs_format.encode(meta.xattrs)


def decode_any_mode(data: bytes) -> DirMeta:
    """Parse without judging the mode: for ``user.ostreemeta``.

    Raises:
        FormatError: if not in normal form.
    """
    if len(data) < _FIXED.size:
        raise FormatError("Not normal form", offset=len(data), field="dirmeta")
    uid, gid, mode = _FIXED.unpack_from(data)
    return DirMeta(uid, gid, mode, xattrs_format.decode(data[_FIXED.size :]))


def decode(data: bytes) -> DirMeta:
    """Parse and validate.

    Raises:
        FormatError: if not in normal form, or the mode is not that of a directory.
    """
    meta = decode_any_mode(data)
    if not stat.S_ISDIR(meta.mode):
        raise FormatError(f"Invalid directory metadata mode {meta.mode}; not a directory")
    check_mode_bits(meta.mode)
    return meta


def check_mode_bits(mode: int) -> None:
    """Refuse modes with bits outside the type and 07777.

    Raises:
        FormatError: naming the mode.
    """
    if mode & ~0o177777:
        raise FormatError(f"Invalid mode {mode}; invalid bits in mode")
