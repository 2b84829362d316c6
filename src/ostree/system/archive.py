"""Archives of any format that libarchive knows, read and written as streams.

The C library is called through the tables of the package ``libarchive-c``, with what that lacks
declared here.  Content is never held as a whole: it comes and goes in pieces whose size the caller
chooses.
"""

from __future__ import annotations

import os

from ostree.errors import CorruptionError, OSTreeError, RepoError
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

LIBRARY = "libarchive.so.13"

#: What is read from the archive's file at a time, in bytes; upstream's number.
_READ_BLOCK = 8192
#: Records of a tape, which pipes get whole ones of.
_WRITE_BLOCK = 10240

_EOF = 1
_OK = 0
_WARN = -20

#: A name that the locale cannot express, for which the library then gives the archive's own bytes.
_CHARSET_WARNING = b"can't be converted from"
_MAX_XATTR = 16 << 20


def is_available() -> bool:
    """Whether archives can be read and written here: found out without loading much."""
    import ctypes
    from importlib.machinery import PathFinder

    if PathFinder.find_spec("libarchive") is None:
        return False
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


class ArchiveEntry:
    """What an archive says about one file.

    Attributes:
        path: As it is stored, in UTF-8 unless somebody made it otherwise.
        mode: With type bits; those are 0 for hard links.
        uid: The owner's number; not limited to what a file system takes.
        gid: The group's number, likewise.
        size: Bytes of content, None if the archive does not tell beforehand.
        symlink: Where a symbolic link leads.
        hardlink: The path of the entry that this one is another name of.
        xattrs: Names and values in no particular order, perhaps with repetitions.
        mtime: Seconds since the epoch.
    """

    __slots__ = ("gid", "hardlink", "mode", "mtime", "path", "size", "symlink", "uid", "xattrs")

    def __init__(
        self,
        path: bytes,
        mode: int,
        *,
        uid: int = 0,
        gid: int = 0,
        size: int | None = 0,
        symlink: bytes | None = None,
        hardlink: bytes | None = None,
        xattrs: tuple[tuple[bytes, bytes], ...] = (),
        mtime: int = 0,
    ) -> None:
        self.path = path
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.symlink = symlink
        self.hardlink = hardlink
        self.xattrs = xattrs
        self.mtime = mtime


class ArchiveReader(Closing):
    """An archive that is read from the beginning to the end.

    Args:
        source: The path of a file, or an open descriptor, which stays the caller's.

    Raises:
        OSTreeError: if libarchive is missing.
        RepoError: if the file cannot be opened or is no archive, in upstream's words.
    """

    def __init__(self, source: str | int) -> None:
        self._ffi = _load()
        self._archive = self._ffi.read_new()
        try:
            self._ffi.read_support_filter_all(self._archive)
            self._ffi.read_support_format_all(self._archive)
            self._open(source)
        except BaseException:
            self.close()
            raise

    def _open(self, source: str | int) -> None:
        if isinstance(source, int):
            status = self._ffi.raw_read_open_fd(self._archive, source, _READ_BLOCK)
            call = "archive_read_open_fd"
        else:
            path = os.fsencode(source)
            status = self._ffi.raw_read_open_filename(self._archive, path, _READ_BLOCK)
            call = "archive_read_open_filename"
        if status != _OK:
            raise RepoError(f"{call}: {self._error()}")

    def close(self) -> None:
        """Give back what it holds."""
        if self._archive is not None:
            self._ffi.raw_read_free(self._archive)
            self._archive = None

    def next_entry(self) -> ArchiveEntry | None:
        """The next entry, None after the last one.

        Raises:
            CorruptionError: if the archive is damaged, or has what libarchive cannot represent.
        """
        import ctypes

        pointer = ctypes.c_void_p()
        status = self._ffi.raw_read_next_header(self._archive, ctypes.byref(pointer))
        if status == _EOF:
            return None
        if status != _OK and not (status == _WARN and _CHARSET_WARNING in self._raw_error()):
            raise CorruptionError(self._error())
        return self._entry(pointer)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes more of the current entry's content, holes as zeros; empty at the end.

        Raises:
            CorruptionError: if the archive is damaged.
        """
        import ctypes

        buffer = ctypes.create_string_buffer(size)
        count = self._ffi.raw_read_data(self._archive, buffer, size)
        if count < 0:
            raise CorruptionError(self._error())
        return buffer.raw[:count] if count < size else buffer.raw

    def _entry(self, pointer: object) -> ArchiveEntry:
        ffi = self._ffi
        return ArchiveEntry(
            ffi.entry_pathname(pointer) or ffi.raw_entry_pathname_utf8(pointer) or b"",
            ffi.entry_mode(pointer),
            uid=ffi.entry_uid(pointer),
            gid=ffi.entry_gid(pointer),
            size=ffi.entry_size(pointer) if ffi.entry_size_is_set(pointer) else None,
            symlink=ffi.entry_symlink(pointer) or ffi.raw_entry_symlink_utf8(pointer),
            hardlink=ffi.entry_hardlink(pointer) or ffi.raw_entry_hardlink_utf8(pointer),
            xattrs=self._xattrs(pointer) if ffi.raw_entry_xattr_reset(pointer) else (),
            mtime=ffi.entry_mtime(pointer),
        )

    def _xattrs(self, entry: object) -> tuple[tuple[bytes, bytes], ...]:
        import ctypes

        name, value, size = ctypes.c_char_p(), ctypes.c_void_p(), ctypes.c_size_t()
        pairs = []
        references = (ctypes.byref(name), ctypes.byref(value), ctypes.byref(size))
        while self._ffi.raw_entry_xattr_next(entry, *references) == _OK:
            if size.value > _MAX_XATTR:
                raise CorruptionError(f"Extended attribute of {size.value} bytes")
            content = ctypes.string_at(value.value, size.value) if value.value else b""
            pairs.append((name.value or b"", content))
        return tuple(pairs)

    def _raw_error(self) -> bytes:
        error: bytes | None = self._ffi.error_string(self._archive)
        return error or b"unknown error"

    def _error(self) -> str:
        return self._raw_error().decode("utf-8", "replace")


class ArchiveWriter(Closing):
    """A GNU tar archive that is written from the beginning to the end.

    Args:
        write: Takes the bytes; an error that it raises comes out of the method that was called.
        pad: Whether to fill the last record, as pipes and tapes get it.
    """

    def __init__(self, write: Callable[[bytes], None], *, pad: bool) -> None:
        import ctypes

        self._ffi = _load()
        self._write = write
        self._failure: BaseException | None = None
        self._archive = self._ffi.write_new()
        self._entry = self._ffi.entry_new()
        # The C side calls it as long as there is an archive.
        self._callback = self._ffi.WRITE_CALLBACK(self._take)
        self._cast = ctypes.string_at
        self._check(self._ffi.get_write_format_function("gnutar")(self._archive))
        self._check(self._ffi.write_set_bytes_per_block(self._archive, _WRITE_BLOCK))
        last = _WRITE_BLOCK if pad else 1
        self._check(self._ffi.write_set_bytes_in_last_block(self._archive, last))
        self._check(
            self._ffi.write_open(
                self._archive, None, self._ffi.NO_OPEN_CB, self._callback, self._ffi.NO_CLOSE_CB
            )
        )

    def add(self, entry: ArchiveEntry) -> None:
        """Begin an entry; :meth:`write` gives its content.

        Raises:
            RepoError: if the format cannot hold it.
        """
        ffi, raw = self._ffi, self._entry
        ffi.entry_clear(raw)
        ffi.entry_copy_pathname(raw, entry.path)
        ffi.entry_set_mode(raw, entry.mode)
        ffi.entry_set_uid(raw, entry.uid)
        ffi.entry_set_gid(raw, entry.gid)
        ffi.entry_set_mtime(raw, entry.mtime, 0)
        ffi.entry_set_size(raw, entry.size or 0)
        if entry.symlink is not None:
            ffi.raw_entry_copy_symlink(raw, entry.symlink)
        if entry.hardlink is not None:
            ffi.raw_entry_copy_hardlink(raw, entry.hardlink)
        self._check(ffi.raw_write_header(self._archive, raw))

    def write(self, data: bytes) -> None:
        """More content of the entry."""
        while data:
            count = self._ffi.raw_write_data(self._archive, data, len(data))
            self._check(count)
            if count == 0:
                raise RepoError("Content is longer than its header says")
            data = data[count:]

    def finish(self) -> None:
        """Write the end of the archive."""
        self._check(self._ffi.raw_write_close(self._archive))

    def close(self) -> None:
        """Give back what it holds; without :meth:`finish` nothing more is written."""
        if self._archive is not None:
            self._ffi.raw_write_fail(self._archive)
            self._ffi.raw_write_free(self._archive)
            self._ffi.entry_free(self._entry)
            self._archive = self._entry = None

    def _take(self, archive: object, context: object, buffer: int, length: int) -> int:
        del archive, context
        try:
            self._write(self._cast(buffer, length))
        except BaseException as error:  # noqa: BLE001 - C cannot pass it on; _check raises it
            self._failure = error
            return -1
        return length

    def _check(self, status: int) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if status < _OK:
            error = self._ffi.error_string(self._archive) or b"unknown error"
            raise RepoError(error.decode("utf-8", "replace"))


def _load() -> ModuleType:
    """The package's table of functions, with those that it lacks.

    Functions named ``raw_…`` return the C library's status instead of raising.
    """
    import ctypes
    import logging

    try:
        try:
            from libarchive import ffi
        except (AttributeError, TypeError):
            # It asks ldconfig for the library, which small systems lack, and goes on without an
            # answer, looking for the functions among those that the process has already.
            ctypes.CDLL(LIBRARY, ctypes.RTLD_GLOBAL)
            from libarchive import ffi
    except (ImportError, OSError, AttributeError, TypeError) as error:
        raise OSTreeError(
            f"Archives need libarchive, which cannot be loaded: {error}",
            hint="install the C library (Debian: libarchive13) and the Python package libarchive-c",
        ) from error
    table: ModuleType = ffi
    if not hasattr(table, "raw_read_free"):
        # Its warnings are ours to judge.
        logging.getLogger("libarchive").setLevel(logging.CRITICAL)
        _declare(table, ctypes)
    return table


def _declare(ffi: ModuleType, ctypes: ModuleType) -> None:
    pointer, text, integer, size = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_size_t,
    )
    functions: dict[str, tuple[list[object], object]] = {
        "read_open_filename": ([pointer, text, size], integer),
        "read_open_fd": ([pointer, integer, size], integer),
        "read_next_header": ([pointer, pointer], integer),
        "read_data": ([pointer, pointer, size], ctypes.c_ssize_t),
        "entry_pathname_utf8": ([pointer], text),
        "entry_symlink_utf8": ([pointer], text),
        "entry_hardlink_utf8": ([pointer], text),
        "entry_xattr_reset": ([pointer], integer),
        "entry_xattr_next": ([pointer, pointer, pointer, pointer], integer),
        "entry_copy_symlink": ([pointer, text], None),
        "entry_copy_hardlink": ([pointer, text], None),
        "write_header": ([pointer, pointer], integer),
        "write_data": ([pointer, text, size], ctypes.c_ssize_t),
        "write_fail": ([pointer], integer),
        "write_close": ([pointer], integer),
        "write_free": ([pointer], integer),
        "read_free": ([pointer], integer),
    }
    for name, (arguments, result) in functions.items():
        function = ffi.libarchive[f"archive_{name}"]
        function.argtypes = arguments
        function.restype = result
        setattr(ffi, f"raw_{name}", function)
