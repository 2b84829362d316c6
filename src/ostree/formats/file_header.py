"""Headers of file objects: hashed form, archive form (repository format §2.4, §3.3)."""

from __future__ import annotations

import stat
import struct

from ostree.errors import FormatError
from ostree.formats import xattrs as xattrs_format
from ostree.formats.dirmeta import check_mode_bits
from ostree.formats.framing import pack_offsets, tuple_offset, width_for
from ostree.types import FileHeader

_LENGTH = struct.Struct(">II")
_PLAIN = struct.Struct(">IIII")
_ARCHIVE = struct.Struct(">QIIII")

#: A header is metadata and has the limit of metadata objects, in bytes.
MAX_HEADER = 128 * 1024 * 1024


#: What stands around the fixed members, by their size, where there is no target and no attribute.
_frames: dict[int, tuple[bytes, bytes]] = {}


def _finish(fixed: bytes, header: FileHeader) -> bytes:
    """Length prefix and variant: the fixed members, then target and attributes."""
    if header.target or header.xattrs:
        return _encode(fixed, header)
    frame = _frames.get(len(fixed))
    if frame is None:
        example = _encode(fixed, header)
        frame = _frames[len(fixed)] = example[: _LENGTH.size], example[_LENGTH.size + len(fixed) :]
    return frame[0] + fixed + frame[1]


def _encode(fixed: bytes, header: FileHeader) -> bytes:
    try:
        end = fixed + header.target.encode() + b"\0"
    except UnicodeEncodeError as error:
        shown = header.target.encode("utf-8", "replace").decode()
        raise FormatError(f"Invalid UTF-8 in symlink target {shown}") from error
    body = end + xattrs_format.encode(header.xattrs)
    variant = body + pack_offsets((len(end),), width_for(len(body), 1))
    return _LENGTH.pack(len(variant), 0) + variant


def content_prefix(header: FileHeader) -> bytes:
    """What is hashed before the content: length, padding, ``(uuuusa(ayay))``."""
    return _finish(_PLAIN.pack(header.uid, header.gid, header.mode, 0), header)


def archive_prefix(header: FileHeader, size: int) -> bytes:
    """What stands before the deflate stream of a ``.filez``: length, padding, ``(tuuuusa(ayay))``.

    ``size`` is the length of the content in bytes, 0 for symbolic links.
    """
    return _finish(_ARCHIVE.pack(size, header.uid, header.gid, header.mode, 0), header)


def prefix_length(start: bytes, stream_size: int | None = None) -> int:
    """How many bytes the prefix has, from (at least) the first eight bytes of a stream.

    Raises:
        FormatError: if the length is impossible.
    """
    if len(start) < 8:
        raise FormatError(f"File header size {len(start)} is too short", offset=len(start))
    length, _padding = _LENGTH.unpack_from(start)
    if length == 0:
        raise FormatError("File header size is zero", offset=0)
    limit = MAX_HEADER if stream_size is None else min(MAX_HEADER, stream_size)
    if length > limit or (stream_size is not None and length + 8 > stream_size):
        raise FormatError(f"File header size {length} exceeds size {limit}", offset=0)
    return 8 + int(length)


def decode_content_prefix(prefix: bytes) -> FileHeader:
    """Parse the hashed form.

    Raises:
        FormatError: naming what is wrong.
    """
    return _decode(prefix, _PLAIN)[1]


def decode_archive_prefix(prefix: bytes) -> tuple[FileHeader, int]:
    """Parse the archive form: the header, and the content's size in bytes.

    Raises:
        FormatError: naming what is wrong.
    """
    size, header = _decode(prefix, _ARCHIVE)
    return header, size


def _decode(prefix: bytes, fixed: struct.Struct) -> tuple[int, FileHeader]:
    if len(prefix) != prefix_length(prefix, len(prefix)) or prefix[4:8] != b"\0\0\0\0":
        raise FormatError("Not normal form", offset=4, field="file header")
    variant = prefix[8:]
    end, body = tuple_offset(variant, "file header")
    if not fixed.size < end <= body or variant[end - 1]:
        raise FormatError("Not normal form", offset=end, field="file header")
    *size, uid, gid, mode, rdev = fixed.unpack_from(variant)
    raw = variant[fixed.size : end - 1]
    try:
        target = raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError("Not normal form", offset=error.start, field="symlink target") from error
    if "\0" in target:
        raise FormatError("Not normal form", offset=raw.index(0), field="symlink target")
    if rdev:
        raise FormatError(f"Corrupted archive file; invalid rdev {rdev}")
    if stat.S_IFMT(mode & 0xFFFF) not in (stat.S_IFREG, stat.S_IFLNK):
        raise FormatError(f"Corrupted archive file; invalid mode {mode}")
    header = FileHeader(uid, gid, mode, target, xattrs_format.decode(variant[end:body]))
    check(header)
    if header.is_symlink and size and size[0]:
        raise FormatError("Not normal form", offset=8, field="size of a symlink")
    return (size[0] if size else 0), header


def check(header: FileHeader) -> None:
    """Refuse modes that no file object can have.

    Raises:
        FormatError: naming the mode.
    """
    mode = header.mode
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise FormatError(f"Invalid file metadata mode {mode}; not a valid file type")
    check_mode_bits(mode)
    if stat.S_ISREG(mode) and header.target:
        raise FormatError("Not normal form", field="symlink target of a regular file")


def check_bare_user_only(checksum: str, header: FileHeader) -> None:
    """Refuse regular files that a bare-user-only repository may not hold (§2.6).

    Raises:
        FormatError: naming the object, its mode and the offending bits.
    """
    if stat.S_ISREG(header.mode):
        extra = header.mode & 0o7777 & ~0o775
        if extra:
            raise FormatError(
                f"Content object {checksum}: invalid mode 0{header.mode:04o} with bits 0{extra:04o}"
            )
