"""Content of one file object while it is read or written."""

from __future__ import annotations

import os

from ostree.errors import CorruptionError
from ostree.formats.file_header import content_prefix
from ostree.system.closing import Closing, warn_unclosed
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zlib

    from ostree.types import FileHeader

#: Chunk for streams, in bytes.
CHUNK = 1 << 20
#: Files up to this many bytes are held in memory as a whole, which is quicker.
SMALL = 8 << 20


def checksum_descriptor(header: FileHeader, fd: int, size: int) -> Checksum:
    """The checksum of the first ``size`` bytes of an open file; its position does not matter."""
    import hashlib

    digest = hashlib.sha256(content_prefix(header))
    at = 0
    while at < size and (data := os.pread(fd, min(CHUNK, size - at), at)):
        digest.update(data)
        at += len(data)
    return Checksum.of_digest(digest.digest())


class LoadedContent(Closing):
    """An object's header, size in bytes (0 for links) and content, to be read once.

    ``fd`` is a descriptor positioned at the plain content, for copies inside the kernel, or None
    where the content is stored otherwise.
    """

    __slots__ = ("fd", "header", "size")

    def __init__(self, header: FileHeader, size: int, fd: int | None = None) -> None:
        self.header = header
        self.size = size
        self.fd = fd

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes more; empty at the end."""
        return b"" if self.fd is None else os.read(self.fd, size)

    def close(self) -> None:
        """Give back what it holds."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def __del__(self) -> None:
        if self.fd is not None:
            warn_unclosed(self)
            self.close()


class MemoryContent(LoadedContent):
    """Content that is in memory already."""

    __slots__ = ("_data",)

    def __init__(self, header: FileHeader, data: bytes) -> None:
        super().__init__(header, len(data))
        self._data = data

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes more; empty at the end."""
        if size >= len(self._data):
            chunk, self._data = self._data, b""
        else:
            chunk, self._data = self._data[:size], self._data[size:]
        return chunk


class InflatedContent(LoadedContent):
    """Content inflated while it is read; never more than the size that the header names."""

    __slots__ = ("_decoder", "_input", "_left", "_source")

    def __init__(
        self, header: FileHeader, size: int, source: int, decoder: zlib._Decompress
    ) -> None:
        super().__init__(header, size)
        self._source = source
        self._decoder = decoder
        self._input = b""
        self._left = size

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes more; empty at the end.

        Raises:
            CorruptionError: if the stream is damaged, or shorter or longer than it should be.
        """
        import zlib

        while not self._decoder.eof:
            if not self._input:
                self._input = os.read(self._source, CHUNK)
            # At the end of the file, too: the decoder may hold output of input it has consumed.
            at_end = not self._input
            try:
                data = self._decoder.decompress(self._input, min(size, self._left + 1))
            except zlib.error as error:
                raise CorruptionError(f"Invalid compressed content: {error}") from error
            self._input = self._decoder.unconsumed_tail
            if data:
                self._left -= len(data)
                if self._left < 0:
                    raise CorruptionError("Content is longer than its header says")
                return data
            if at_end and not self._decoder.eof:
                raise CorruptionError("Unexpected end of compressed content")
        if self._left:
            raise CorruptionError("Content is shorter than its header says")
        return b""

    def close(self) -> None:
        """Give back what it holds."""
        if self._source >= 0:
            os.close(self._source)
            self._source = -1

    def __del__(self) -> None:
        if self._source >= 0:
            warn_unclosed(self)
            self.close()


class ContentWriter(Closing):
    """A file object being written as its bytes arrive.

    Call :meth:`write` any number of times, then :meth:`finish`; :meth:`close` without finish
    leaves nothing behind.
    """

    __slots__ = ()

    def write(self, data: bytes | memoryview) -> None:
        """More content."""
        raise NotImplementedError

    def fill(self, fd: int, size: int, header: FileHeader) -> Checksum | None:
        """Take the content from an open file instead of :meth:`write`.

        Returns:
            The checksum of what was taken, or None if the kernel copied it unseen.
        """
        import hashlib

        digest = hashlib.sha256(content_prefix(header))
        at = 0
        while at < size and (data := os.pread(fd, min(CHUNK, size - at), at)):
            digest.update(data)
            self.write(data)
            at += len(data)
        return Checksum.of_digest(digest.digest())

    def checksum_again(self, header: FileHeader, size: int) -> Checksum:
        """The checksum of what :meth:`fill` had the kernel copy."""
        raise NotImplementedError

    def finish(self, checksum: Checksum) -> bool:
        """Store it under that name; False if the object was there already."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what it holds."""
        raise NotImplementedError
