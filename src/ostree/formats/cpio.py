"""Archives in cpio's ``newc`` form, which the kernel unpacks as its initramfs.

An entry is a header of 110 ASCII characters, the name with a NUL, zeros up to a multiple of 4, the
content, and zeros up to a multiple of 4.  The entry ``TRAILER!!!`` ends the archive.  Numbers are
eight hexadecimal digits; nothing in the format is compressed.
"""

from __future__ import annotations

from stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG

from ostree.errors import FormatError

_MAGIC = b"070701"
_LAST_NAME = b"TRAILER!!!"
_MOST = 0xFFFFFFFF
#: cpio and the kernel read archives in blocks; a tape's end is filled with zeros.
_BLOCK = 512


class Entry:
    """One name in an archive, without its content.

    Attributes:
        name: Relative to the root, bytes as on the disk.
        mode: Type and permission bits, as ``st_mode``.
        size: Of the content; a symlink's content is its target.
        rdev: Major and minor number of a device.
    """

    __slots__ = ("mode", "name", "rdev", "size")

    def __init__(
        self, name: bytes, mode: int, size: int = 0, *, rdev: tuple[int, int] = (0, 0)
    ) -> None:
        self.name = name
        self.mode = mode
        self.size = size
        self.rdev = rdev


def directory(name: str, permissions: int = 0o755) -> Entry:
    """A directory."""
    return Entry(name.encode(), S_IFDIR | permissions)


def regular_file(name: str, size: int, permissions: int) -> Entry:
    """A regular file, whose content follows."""
    return Entry(name.encode(), S_IFREG | permissions, size)


def symlink(name: str, target: str) -> Entry:
    """A symlink; its content is ``target``."""
    return Entry(name.encode(), S_IFLNK | 0o777, len(target.encode()))


def device(name: str, kind: str, major: int, minor: int, permissions: int = 0o600) -> Entry:
    """A device node; ``kind`` is ``c`` or ``b``."""
    mode = {"c": S_IFCHR, "b": S_IFBLK}[kind]
    return Entry(name.encode(), mode | permissions, rdev=(major, minor))


def encode_header(entry: Entry, *, inode: int, mtime: int) -> bytes:
    """What precedes the content of an entry, padding included; the owner is 0:0.

    Args:
        entry: The entry.
        inode: A number of its own in the archive, or cpio takes it for a hard link.
        mtime: Seconds since 1970.

    Raises:
        FormatError: the name is none of an archive's, or a number does not fit.
    """
    name = entry.name
    if not name or name.startswith(b"/") or b"\0" in name or name == _LAST_NAME:
        raise FormatError(f"Invalid name in an archive: {name.decode(errors='backslashreplace')}")
    return _header(name, entry.mode, inode, mtime, entry.size, entry.rdev)


def padding(size: int) -> bytes:
    """The zeros after a content of ``size`` bytes."""
    return bytes(-size % 4)


def encode_trailer(written: int) -> bytes:
    """The end of an archive of which ``written`` bytes precede it."""
    last = _header(_LAST_NAME, 0, 0, 0, 0, (0, 0))
    return last + bytes(-(written + len(last)) % _BLOCK)


def _header(
    name: bytes, mode: int, inode: int, mtime: int, size: int, rdev: tuple[int, int]
) -> bytes:
    links = 2 if mode & 0o170000 == S_IFDIR else 1
    fields = (inode, mode, 0, 0, links, mtime, size, 0, 0, *rdev, len(name) + 1, 0)
    for field in fields:
        if not 0 <= field <= _MOST:
            shown = name.decode(errors="backslashreplace")
            raise FormatError(f"{shown} does not fit in an archive: {field}")
    head = _MAGIC + b"".join(b"%08X" % field for field in fields) + name + b"\0"
    return head + padding(len(head))
