"""Mode ``archive``: compressed content with its header in front (repository format §3.3)."""

from __future__ import annotations

import os

from ostree.formats import file_header
from ostree.store import compression
from ostree.store.content import (
    CHUNK,
    SMALL,
    ContentWriter,
    InflatedContent,
    LoadedContent,
    MemoryContent,
)
from ostree.store.layout import loose_path
from ostree.store.store import LooseStore, StoreProperties, unreadable
from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.system.closing import warn_unclosed
from ostree.types import ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.store.layout import ObjectDirectory
    from ostree.types import Checksum, FileHeader

#: What is read to see a header; most of them are shorter.
_MOST_HEADERS = 512
#: Where what follows the size begins in a file; how many headers are remembered.
_FIXED_START, _MOST_KNOWN = 16, 1024
#: What is read of an object at once; the rest of a larger one when its content is wanted.
_START = 64 << 10


class ArchiveStore(LooseStore):
    """What is served over HTTP: files any web server can give away."""

    properties = StoreProperties(RepoMode.ARCHIVE, inline_limit=16 << 10)
    content_extension = "filez"

    def __init__(self, objects: ObjectDirectory, *, level: int = compression.DEFAULT_LEVEL) -> None:
        super().__init__(objects)
        self.level = level
        self._headers: dict[bytes, FileHeader] = {}

    def load(self, checksum: Checksum) -> LoadedContent:
        """A file object's header and content; see the contract."""
        fd = self.open_file(checksum, ObjectType.FILE)
        if fd is None:
            raise self.missing_content(checksum)
        try:
            return load_archived(fd, self._headers)
        except OSError as error:
            os.close(fd)
            raise unreadable("Error reading from file descriptor", error) from error
        except BaseException:
            os.close(fd)
            raise

    def header(self, checksum: Checksum, *, with_xattrs: bool = True) -> tuple[FileHeader, int]:
        """A file object's header and size, without inflating it; see the contract."""
        del with_xattrs
        fd = self.open_file(checksum, ObjectType.FILE)
        if fd is None:
            raise self.missing_content(checksum)
        try:
            stored = os.fstat(fd).st_size
            return _read_header(fd, os.read(fd, _MOST_HEADERS), stored, self._headers)[:2]
        except OSError as error:
            raise unreadable("Error reading from file descriptor", error) from error
        finally:
            os.close(fd)

    def put_bytes(self, checksum: Checksum, header: FileHeader, data: bytes) -> bool:
        """Store a regular file from memory, or a symbolic link; see the contract."""
        stored = file_header.archive_prefix(header, len(data))
        if not header.is_symlink:
            compress = compression.compress_exactly if self.exact_sizes else compression.compress
            stored += compress(data, self.level)
        return self.put_archived(checksum, stored)

    def put_archived(self, checksum: Checksum, stored: bytes) -> bool:
        """Store the complete bytes of a ``.filez``; whether it is new."""
        target = self.target
        with AnonymousFile(target.temporary_fd) as file:
            files.write_all(file.fd, stored)
            return _finish(file, target, checksum)

    def begin(self, header: FileHeader, size: int) -> ContentWriter:
        """Start to store a regular file; see the contract."""
        return ArchiveWriter(self, header, size)

    def begin_archived(self) -> ContentWriter:
        """Start to store a ``.filez`` that arrives piece by piece as it is."""
        return ArchivedWriter(self)


def load_archived(fd: int, headers: dict[bytes, FileHeader]) -> LoadedContent:
    """The object in an open ``.filez``; the descriptor is the result's, or closed.

    Args:
        fd: The file.
        headers: Headers of regular files as they were parsed before, by their bytes less the size.

    Raises:
        CorruptionError: if it is damaged.
    """
    stored = os.fstat(fd).st_size
    start = os.read(fd, min(stored, _START) + 1)
    header, size, start, length = _read_header(fd, start, stored, headers)
    if header.is_symlink:
        os.close(fd)
        return LoadedContent(header, 0)
    if stored <= SMALL and size <= SMALL:
        if stored > len(start):
            return DeflatedContent(header, size, start[length:], fd, stored - len(start))
        os.close(fd)
        return DeflatedContent(header, size, memoryview(start)[length:])
    os.lseek(fd, length, os.SEEK_SET)
    return InflatedContent(header, size, fd, compression.stream_decoder())


class DeflatedContent(MemoryContent):
    """Content that is inflated as a whole, by whoever reads it first.

    Args:
        header: The object's header.
        size: Bytes of the content.
        start: The deflate stream, or its beginning.
        source: A descriptor of the rest, positioned behind the beginning, if there is any.
        rest: Bytes of that rest.
    """

    __slots__ = ("_rest", "_source", "_start")

    def __init__(
        self,
        header: FileHeader,
        size: int,
        start: bytes | memoryview,
        source: int = -1,
        rest: int = 0,
    ) -> None:
        super().__init__(header, b"")
        self.size = size
        self._start: bytes | memoryview | None = start
        self._source = source
        self._rest = rest

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes more; empty at the end.

        Raises:
            CorruptionError: if the stream is damaged, or shorter or longer than it should be.
        """
        if self._start is not None:
            stored, self._start = self._start, None
            if self._source >= 0:
                stored = b"".join((stored, files.read_all(self._source, self._rest)))
            self._data = compression.decompress(stored, self.size)
        return super().read(size)

    def close(self) -> None:
        """Give back what it holds."""
        if self._source >= 0:
            os.close(self._source)
            self._source = -1

    def __del__(self) -> None:
        if self._source >= 0:
            warn_unclosed(self)
            self.close()


def _read_header(
    fd: int, start: bytes, stored: int, headers: dict[bytes, FileHeader]
) -> tuple[FileHeader, int, bytes, int]:
    """Header, size of the content, what was read of the file, and where the content begins."""
    length = file_header.prefix_length(start, stored)
    while len(start) < length and (more := os.read(fd, length - len(start))):
        start += more
    # Most files of a tree differ in nothing but their size: owner root, 0644 or 0755.
    key = start[_FIXED_START:length]
    known = headers.get(key)
    if known is not None and start[4:8] == b"\0\0\0\0":
        return known, int.from_bytes(start[8:_FIXED_START], "big"), start, length
    header, size = file_header.decode_archive_prefix(start[:length])
    if not header.is_symlink and length <= _MOST_HEADERS and len(headers) < _MOST_KNOWN:
        headers[key] = header
    return header, size, start, length


def _finish(file: AnonymousFile, target: ObjectDirectory, checksum: Checksum) -> bool:
    os.fchmod(file.fd, 0o644)
    if target.sync_files:
        os.fsync(file.fd)
    return target.link(file, loose_path(checksum, "filez"))


class ArchiveWriter(ContentWriter):
    """A file being compressed."""

    __slots__ = ("_encoder", "_file", "_target")

    def __init__(self, store: ArchiveStore, header: FileHeader, size: int) -> None:
        self._target = store.target
        self._file = AnonymousFile(self._target.temporary_fd)
        encoder = compression.stream_encoder if store.exact_sizes else compression.StreamEncoder
        self._encoder = encoder(store.level)
        files.write_all(self._file.fd, file_header.archive_prefix(header, size))

    def write(self, data: bytes | memoryview) -> None:
        """More content."""
        files.write_all(self._file.fd, self._encoder.compress(data))

    def finish(self, checksum: Checksum) -> bool:
        """Store it under that name; False if the object was there already."""
        files.write_all(self._file.fd, self._encoder.flush())
        return _finish(self._file, self._target, checksum)

    def close(self) -> None:
        """Give back what it holds."""
        self._file.close()


class ArchivedWriter(ContentWriter):
    """A ``.filez`` being written as it is."""

    __slots__ = ("_file", "_target")

    def __init__(self, store: ArchiveStore) -> None:
        self._target = store.target
        self._file = AnonymousFile(self._target.temporary_fd)

    def write(self, data: bytes | memoryview) -> None:
        """More of the file."""
        files.write_all(self._file.fd, data)

    def finish(self, checksum: Checksum) -> bool:
        """Store it under that name; False if the object was there already."""
        return _finish(self._file, self._target, checksum)

    def close(self) -> None:
        """Give back what it holds."""
        self._file.close()
