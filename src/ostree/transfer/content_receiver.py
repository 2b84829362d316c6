"""File objects as they come from a server: parsed, inflated, verified and stored.

Everything here may run on worker threads.  Nothing is believed: the header bounds what is
inflated, and an object gets its name only when its checksum is right.
"""

from __future__ import annotations

import hashlib
import zlib

from ostree.errors import CorruptionError, OSTreeError
from ostree.formats import file_header
from ostree.store import compression
from ostree.system.closing import Closing
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.store.content import ContentWriter
    from ostree.store.store import LooseStore
    from ostree.types import FileHeader

#: Objects up to this size, stored and plain, are handled as a whole in memory; in bytes.
SMALL = 1 << 20
#: How many distinct headers of regular files are remembered.
_MOST_HEADERS = 4096
_CHUNK = 1 << 18
#: Bytes behind the end of an object that are overlooked, as upstream does; but not without end.
_MOST_BEHIND = 1 << 20
_FIXED_START = 16


class ReceivingStream(Closing):
    """A large object, stored while it arrives.

    :meth:`feed` with what has come, in order, then :meth:`finish`; :meth:`close` in any case.
    Calls must not overlap, but may come from different threads.
    """

    __slots__ = ()

    def feed(self, chunks: Sequence[bytes]) -> None:
        """Take the next bytes of the stored object.

        Raises:
            OSTreeError: naming the object, if it cannot be right or cannot be written.
        """
        raise NotImplementedError

    def finish(self) -> tuple[bool, int]:
        """Store it; whether it is new, and its plain size in bytes.

        Raises:
            OSTreeError: naming the object, if it is not what its name says or cannot be written.
        """
        raise NotImplementedError


class Receiver:
    """Takes file objects in archive form."""

    __slots__ = ()

    def store_body(self, checksum: Checksum, body: bytes) -> tuple[bool, int]:
        """Store one complete object; whether it is new, and its plain size in bytes.

        Raises:
            OSTreeError: as :meth:`ReceivingStream.finish`.
        """
        raise NotImplementedError

    def stream(self, checksum: Checksum) -> ReceivingStream:
        """Begin to store a large object."""
        raise NotImplementedError


class ContentReceiver(Receiver):
    """Stores file objects that arrive in archive form, if they are what their names say.

    Args:
        store: Where they go.
        charge: Is told the plain size of each object before it is written; may refuse.
        bare_user_only: Whether to refuse files that a bare-user-only repository could not hold.
    """

    __slots__ = ("_bare_user_only", "_charge", "_headers", "_store")

    def __init__(
        self, store: LooseStore, charge: Callable[[int], None], *, bare_user_only: bool = False
    ) -> None:
        self._store = store
        self._charge = charge
        self._bare_user_only = bare_user_only
        # Most files of a tree differ in nothing but their size: owner root, 0644 or 0755.
        self._headers: dict[bytes, tuple[FileHeader, bytes]] = {}

    def store_body(self, checksum: Checksum, body: bytes) -> tuple[bool, int]:
        """Store one complete object; whether it is new, and its plain size in bytes.

        Raises:
            CorruptionError: naming the object, if it is not what its name says.
            RepoError: if it cannot be written.
        """
        header, size, start, prefix = self.parse(checksum, body)
        if size > SMALL:
            with StreamedObject(self, checksum) as stream:
                stream.feed([body])
                return stream.finish()
        if header.is_symlink:
            plain = b""
        else:
            try:
                plain = compression.decompress(memoryview(body)[start:], size)
            except CorruptionError as error:
                raise _named(error, checksum) from error
        digest = hashlib.sha256(prefix)
        digest.update(plain)
        if digest.hexdigest() != checksum:
            raise _mismatch(checksum, digest.hexdigest())
        self.check(checksum, header)
        return self._write(checksum, header, plain), size

    def stream(self, checksum: Checksum) -> StreamedObject:
        """Begin to store a large object."""
        return StreamedObject(self, checksum)

    def parse(self, checksum: Checksum, body: bytes) -> tuple[FileHeader, int, int, bytes]:
        """Header, plain size, where the deflate stream begins, and the hashed form of the header.

        Raises:
            CorruptionError: naming the object.
        """
        try:
            start = file_header.prefix_length(body, len(body))
            known = self._headers.get(body[_FIXED_START:start])
            if known is not None and not any(body[4:8]):
                size = int.from_bytes(body[8:16], "big")
                return known[0], size, start, known[1]
            header, size = file_header.decode_archive_prefix(body[:start])
        except CorruptionError as error:
            error.add_prefix(f"Parsing {checksum}.file")
            raise
        prefix = file_header.content_prefix(header)
        if not header.is_symlink and start < 512 and len(self._headers) < _MOST_HEADERS:
            self._headers[body[_FIXED_START:start]] = header, prefix
        return header, size, start, prefix

    def check(self, checksum: Checksum, header: FileHeader) -> None:
        """Refuse what the caller does not want, see the class."""
        if self._bare_user_only:
            file_header.check_bare_user_only(checksum, header)

    def begin(self, header: FileHeader, size: int) -> ContentWriter:
        """Start to write a large object."""
        from ostree.repo.object_errors import write_error

        self._charge(size)
        try:
            return self._store.begin(header, size)
        except OSError as error:
            raise write_error("Writing content object", error) from error

    def _write(self, checksum: Checksum, header: FileHeader, plain: bytes) -> bool:
        try:
            self._charge(len(plain))
            return self._store.put_bytes(checksum, header, plain)
        except OSError as error:
            from ostree.repo.object_errors import write_error

            raise write_error("Writing content object", error) from error
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise


class StreamedObject(ReceivingStream):
    """A large object, inflated, hashed and stored while it arrives."""

    __slots__ = (
        "_behind",
        "_decoder",
        "_digest",
        "_header",
        "_left",
        "_receiver",
        "_size",
        "_start",
        "_writer",
        "checksum",
    )

    def __init__(self, receiver: ContentReceiver, checksum: Checksum) -> None:
        self.checksum = checksum
        self._receiver = receiver
        self._start = bytearray()
        self._header: FileHeader | None = None
        self._writer: ContentWriter | None = None
        self._decoder = compression.stream_decoder()
        self._digest = hashlib.sha256()
        self._size = 0
        self._left = 0
        self._behind = 0

    def feed(self, chunks: Sequence[bytes]) -> None:
        """Take the next bytes of the stored object.

        Raises:
            CorruptionError: naming the object.
            RepoError: if it cannot be written.
        """
        from ostree.repo.object_errors import write_error

        try:
            for chunk in chunks:
                rest: bytes | memoryview = chunk
                if self._header is None:
                    self._start += chunk
                    rest = self._begin()
                if rest:
                    self._inflate(rest)
        except OSError as error:
            raise write_error("Writing content object", error) from error

    def finish(self) -> tuple[bool, int]:
        """Verify and store; whether it is new, and its plain size in bytes.

        Raises:
            CorruptionError: naming the object, if it is not what its name says.
            RepoError: if it cannot be written.
        """
        from ostree.repo.object_errors import write_error

        if self._header is None:
            self._receiver.parse(self.checksum, bytes(self._start))  # says what is wrong with it
        if self._writer is None:
            raise _named(CorruptionError("Not a regular file, but larger than one"), self.checksum)
        if self._left or not self._decoder.eof:
            error = CorruptionError("Content is shorter than its header says")
            raise _named(error, self.checksum)
        actual = self._digest.hexdigest()
        if actual != self.checksum:
            raise _mismatch(self.checksum, actual)
        try:
            return self._writer.finish(self.checksum), self._size
        except OSError as os_error:
            raise write_error("Writing content object", os_error) from os_error
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise

    def close(self) -> None:
        """Give back what it holds; an object that is not finished leaves nothing behind."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _begin(self) -> memoryview:
        """Parse the header once it is there; what follows it."""
        have = len(self._start)
        try:
            complete = have >= 8 and have >= file_header.prefix_length(bytes(self._start[:8]))
        except CorruptionError as error:
            error.add_prefix(f"Parsing {self.checksum}.file")
            raise
        if not complete:
            return memoryview(b"")
        start = bytes(self._start)
        header, size, length, prefix = self._receiver.parse(self.checksum, start)
        self._receiver.check(self.checksum, header)
        self._header, self._start = header, bytearray()
        self._digest.update(prefix)
        self._size = self._left = size
        if not header.is_symlink:
            self._writer = self._receiver.begin(header, size)
        return memoryview(start)[length:]

    def _inflate(self, data: bytes | memoryview) -> None:
        writer, decoder = self._writer, self._decoder
        if writer is None or decoder.eof:
            self._behind += len(data)
            if self._behind > _MOST_BEHIND:
                problem = CorruptionError("Content does not end where its header says")
                raise _named(problem, self.checksum)
            return
        while data and not decoder.eof:
            try:
                # One byte more than there may be is enough to find out.
                plain = decoder.decompress(data, min(_CHUNK, self._left + 1))
            except zlib.error as error:
                problem = CorruptionError(f"Invalid compressed content: {error}")
                raise _named(problem, self.checksum) from error
            data = decoder.unconsumed_tail
            self._left -= len(plain)
            if self._left < 0:
                problem = CorruptionError("Content is longer than its header says")
                raise _named(problem, self.checksum)
            self._digest.update(plain)
            writer.write(plain)


def _named(error: CorruptionError, checksum: Checksum) -> CorruptionError:
    error.add_prefix(f"Writing content object: {checksum}.file")
    return error


def _mismatch(checksum: Checksum, actual: str) -> OSTreeError:
    from ostree.repo.object_errors import corrupted

    error = corrupted(ObjectType.FILE, checksum, actual)
    error.add_prefix("Writing content object")
    return error
