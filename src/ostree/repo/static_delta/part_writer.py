"""Parts while they are made: data is compressed as it comes (static deltas §4, §6.2)."""

from __future__ import annotations

import hashlib
import os

from ostree.formats.delta import operation
from ostree.formats.delta import part as part_format
from ostree.formats.delta.superblock import PartHeader
from ostree.system import files
from ostree.system.background import Background
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.types import Checksum, FileHeader, ObjectType, Xattrs

    Buffer = bytes | memoryview

#: Bytes collected before they go to the compressor.  It gives the interpreter's lock away for as long
#: as it works, and behind each piece has to win it back from those who compare files.
_CHUNK = 1 << 20
#: Chunks that may wait for it.
_MOST_WAITING = 4
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Tables:
    """Modes and attributes of a part, which precede the data and so have to be known first.

    Args:
        headers: Of the files that may come, in order.
    """

    __slots__ = ("_modes", "_xattrs", "start", "xattrs_at")

    def __init__(self, headers: Iterable[FileHeader]) -> None:
        self._modes: dict[part_format.Mode, int] = {}
        self._xattrs: dict[Xattrs, int] = {}
        for header in headers:
            self._modes.setdefault((header.uid, header.gid, header.mode), len(self._modes))
            self._xattrs.setdefault(header.xattrs, len(self._xattrs))
        self.start, self.xattrs_at = part_format.encode_start([*self._modes], [*self._xattrs])

    def indexes(self, header: FileHeader) -> tuple[int, int]:
        """Where a file's mode and attributes are."""
        return self._modes[header.uid, header.gid, header.mode], self._xattrs[header.xattrs]


class PartWriter(Closing):
    """One part being written.

    Args:
        dir_fd: A directory.
        name: The name of its file there.
        tables: Modes and attributes of its files.
        max_memory: What compressing may take.

    Attributes:
        count: Objects so far.
        plain_size: Their bytes as the superblock counts them.
    """

    __slots__ = (
        "_background",
        "_buffer",
        "_buffered",
        "_compressor",
        "_digest",
        "_fd",
        "_objects",
        "_operations",
        "_size",
        "_tables",
        "count",
        "data_size",
        "plain_size",
    )

    def __init__(
        self, dir_fd: int, name: str, tables: Tables, *, max_memory: int | None = None
    ) -> None:
        self._tables = tables
        self._operations = bytearray()
        self._objects = bytearray()
        self._buffer: list[Buffer] = []
        self._buffered = 0
        self._size = 0
        self._digest = hashlib.sha256()
        # It takes hundreds of megabytes: nothing else may keep it when the part is done.
        self._compressor: part_format.Compressor | None = part_format.Compressor(max_memory)
        self._fd = os.open(name, _NEW_FILE, 0o644, dir_fd=dir_fd)
        self._background = Background(self._compress, backlog=_MOST_WAITING)
        self.count = 0
        self.plain_size = 0
        self.data_size = 0
        self._push(tables.start)

    @property
    def filled(self) -> int:
        """Bytes that count towards the limit of a part."""
        return self.data_size + len(self._operations) + len(self._tables.start)

    def begin_object(self, type: ObjectType, checksum: Checksum, plain_size: int) -> None:
        """Note which object the next operations write."""
        self._objects.append(type)
        self._objects += checksum.digest
        self.count += 1
        self.plain_size += plain_size

    def append(self, data: Buffer) -> int:
        """Add data; its offset."""
        offset = self.data_size
        self.data_size += len(data)
        self._push(data)
        return offset

    def operate(self, code: int, *operands: int) -> None:
        """Add an operation."""
        self._operations += operation.encode(code, *operands)

    def indexes(self, header: FileHeader) -> tuple[int, int]:
        """The indexes of a file's mode and attributes."""
        return self._tables.indexes(header)

    def end(self) -> None:
        """Nothing more comes; what is left is compressed while something else is done."""
        tables = self._tables
        self._push(
            part_format.encode_end(
                tables.xattrs_at, len(tables.start), self.data_size, bytes(self._operations)
            )
        )
        self._flush()
        self._background.end()

    def finish(self, *, sync: bool) -> PartHeader:
        """Wait until all is compressed, after :meth:`end`; the part's entry in the superblock.

        Raises:
            OSError: if the file cannot be written.
        """
        self._background.join()
        if self._compressor is not None:
            self._write(self._compressor.finish())
            self._compressor = None
        if sync:
            os.fdatasync(self._fd)
        return PartHeader(self._digest.digest(), self._size, self.plain_size, bytes(self._objects))

    def close(self) -> None:
        """Stop where it is."""
        self._background.cancel()
        self._compressor = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _push(self, data: Buffer) -> None:
        self._buffer.append(data)
        self._buffered += len(data)
        if self._buffered >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        if self._buffer:
            self._background.put(b"".join(self._buffer))
            self._buffer, self._buffered = [], 0

    def _compress(self, chunk: bytes) -> None:
        if self._compressor is not None:
            self._write(self._compressor.write(chunk))

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._size += len(data)
        files.write_all(self._fd, data)
