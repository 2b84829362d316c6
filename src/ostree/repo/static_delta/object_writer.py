"""Objects into parts, with the operations that write them again (static deltas §6.2)."""

from __future__ import annotations

from ostree.formats.delta import operation
from ostree.repo.static_delta.part_writer import PartWriter, Tables
from ostree.store.content import CHUNK
from ostree.system.closing import Closing
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.delta.rollsum import Matches
    from ostree.formats.delta.superblock import PartHeader
    from ostree.repo.repository import Repo
    from ostree.repo.static_delta.modified import Patch
    from ostree.repo.static_delta.plan import DeltaOptions, NewFile, Plan
    from ostree.repo.static_delta.report import Report
    from ostree.types import Checksum


class ObjectWriter(Closing):
    """Writes objects in the order in which it is given them, into as many parts as they need.

    Args:
        repo: Where they are.
        dir_fd: The directory for the parts, which are named by their numbers.
        plan: All that may come.
        options: How large parts may be.
        report: Is told what was done.
    """

    def __init__(
        self, repo: Repo, dir_fd: int, plan: Plan, options: DeltaOptions, report: Report
    ) -> None:
        self._repo = repo
        self._dir_fd = dir_fd
        self._limit = options.chunk_limit
        self._report = report
        self._file_headers = [file.header for file in plan.regular + plan.symlinks + plan.modified]
        self._max_memory = options.memory_share
        self._sync = repo.config.fsync
        self._ended: PartWriter | None = None
        self._headers: list[PartHeader] = []
        self._part = self._new_part(0)

    def metadata(self, type: ObjectType, checksum: Checksum) -> None:
        """Write a dirtree or dirmeta."""
        data = self._repo.load_metadata(checksum, type)
        self._make_room(len(data))
        part = self._part
        part.begin_object(type, checksum, len(data))
        part.operate(operation.OPEN_SPLICE_AND_CLOSE, len(data), part.append(data))
        self._written(type, checksum)

    def compared(self, patch: Patch, stream: bytes) -> None:
        """Write a file as what bsdiff says of it."""
        file = patch.file
        part = self._begin_modified(file)
        source = part.append(patch.partner.digest)
        part.operate(operation.SET_READ_SOURCE, source)
        part.operate(operation.OPEN, *part.indexes(file.header), file.size)
        part.operate(operation.BSPATCH, part.append(stream), len(stream))
        part.operate(operation.CLOSE)
        part.operate(operation.UNSET_READ_SOURCE)
        self._report.compared += 1
        self._report.step()

    def rolled(self, patch: Patch, matches: Matches) -> None:
        """Write a file as pieces of its partner, and what is between them."""
        file = patch.file
        part = self._begin_modified(file)
        source = part.append(patch.partner.digest)
        part.operate(operation.OPEN, *part.indexes(file.header), file.size)
        literals = memoryview(patch.literals)
        at = used = 0
        reading = False
        for match in matches.matches:
            if match.offset > at:
                if reading:
                    part.operate(operation.UNSET_READ_SOURCE)
                    reading = False
                size = match.offset - at
                part.operate(operation.WRITE, size, part.append(literals[used : used + size]))
                used += size
            if not reading:
                part.operate(operation.SET_READ_SOURCE, source)
                reading = True
            part.operate(operation.WRITE, match.size, match.source)
            at = match.offset + match.size
        if reading:
            part.operate(operation.UNSET_READ_SOURCE)
        if at < file.size:
            part.operate(operation.WRITE, file.size - at, part.append(literals[used:]))
        part.operate(operation.CLOSE)
        self._report.rolled_from(file, matches)

    def regular(self, file: NewFile) -> None:
        """Write a regular file as it is."""
        self._make_room(file.size)
        part = self._part
        part.begin_object(ObjectType.FILE, file.checksum, file.size)
        offset = part.data_size
        with self._repo.load_content(file.checksum) as content:
            while data := content.read(CHUNK):
                part.append(data)
        self._splice(file, part.data_size - offset, offset)

    def symlink(self, file: NewFile) -> None:
        """Write a symbolic link."""
        self._make_room(0)
        part = self._part
        part.begin_object(ObjectType.FILE, file.checksum, 0)
        target = file.header.target.encode()
        self._splice(file, len(target), part.append(target))

    def end(self) -> list[PartHeader]:
        """All parts, complete; there is at least one, if an empty one."""
        self._end_part()
        self._finish_ended()
        return self._headers

    def close(self) -> None:
        """Stop where it is."""
        for part in (self._ended, self._part):
            if part is not None:
                part.close()

    def _splice(self, file: NewFile, length: int, offset: int) -> None:
        indexes = self._part.indexes(file.header)
        self._part.operate(operation.OPEN_SPLICE_AND_CLOSE, *indexes, length, offset)
        self._written(ObjectType.FILE, file.checksum)

    def _written(self, type: ObjectType, checksum: Checksum) -> None:
        self._report.loose += self._repo.stored_size(checksum, type)
        self._report.step()

    def _begin_modified(self, file: NewFile) -> PartWriter:
        """Begin a file that is made from another: a part may grow beyond its limit by one."""
        if self._part.count and self._part.filled > self._limit:
            self._next_part()
        self._part.begin_object(ObjectType.FILE, file.checksum, file.size)
        return self._part

    def _make_room(self, size: int) -> None:
        """Begin a new part if an object of that size would not fit into the present one."""
        if self._part.count and self._part.filled + size > self._limit:
            self._next_part()

    def _next_part(self) -> None:
        self._end_part()
        self._part = self._new_part(len(self._headers) + 1)

    def _end_part(self) -> None:
        """Leave the part to its compressor; of these no more than two are at work."""
        self._finish_ended()
        self._part.end()
        self._ended = self._part

    def _finish_ended(self) -> None:
        if self._ended is not None:
            self._headers.append(self._ended.finish(sync=self._sync))
            self._ended.close()
            self._ended = None
            self._report.part(len(self._headers), self._headers[-1])

    def _new_part(self, index: int) -> PartWriter:
        return PartWriter(
            self._dir_fd,
            str(index),
            Tables(self._file_headers),
            max_memory=self._max_memory,
        )
