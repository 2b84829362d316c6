"""Carrying out the operations of a part: nothing in it is believed (static deltas §4.4, §10).

Every offset, length and index is checked before it is used, a file never grows beyond the size
that was announced for it, and no object gets its name before its checksum is proven.
"""

from __future__ import annotations

from hashlib import sha256

from ostree.errors import FormatError, OSTreeError
from ostree.formats.delta import bsdiff, operation
from ostree.repo.object_errors import corrupted, validate_metadata, write_error
from ostree.repo.static_delta.file_target import FileTarget, HashedHeader, put_whole
from ostree.repo.static_delta.payload_file import load_payload
from ostree.repo.static_delta.read_source import ReadSource
from ostree.store.content import CHUNK
from ostree.system.closing import Closing
from ostree.types import Checksum, FileHeader, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import ClassVar

    from ostree.formats.delta.batches import Batch
    from ostree.formats.delta.part import Payload
    from ostree.formats.delta.superblock import PartHeader
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction

    Buffer = bytes | memoryview

_MOST = (1 << 63) - 1


class Execution(Closing):
    """A part that is carried out, at once or batch by batch.

    Args:
        repo: Where objects are read, and written in the transaction.
        transaction: Open.
        header: Which objects they are.
        payload: How to make them.
        bare_user_only: Whether to refuse files that a bare-user-only repository could not hold.
        check_tree: Is given each dirtree object before it is written, and refuses what is none.
    """

    def __init__(
        self,
        repo: Repo,
        transaction: Transaction,
        header: PartHeader,
        payload: Payload,
        *,
        bare_user_only: bool = False,
        check_tree: Callable[[Checksum, bytes], None] | None = None,
    ) -> None:
        self._check_tree = check_tree
        self._repo = repo
        self._transaction = transaction
        self._data = payload.data
        self._operations = operation.Reader(payload.operations)
        self._payload = payload
        self._headers: dict[tuple[int, int], HashedHeader] = {}
        self._names = header.names()
        self._current = 0
        self._bare_user_only = bare_user_only
        self._source: ReadSource | None = None
        self._target: FileTarget | None = None
        self._open = False
        self._tmp_fd = repo.store.target.temporary_fd

    def run(self) -> int:
        """Write all objects.

        Returns:
            How many of the objects, in order, are there now.

        Raises:
            FormatError: if the part is malformed.
            ChecksumError: if an object is not what its name says.
            OSTreeError: if it cannot be written, or what it is to be made from is not there.
        """
        while self._step():
            pass
        if self._open:
            raise FormatError("Static delta part ends within an object")
        return self._current

    def run_batch(self, batch: Batch) -> None:
        """Write the objects of a batch; errors as :meth:`run`."""
        self._operations.seek(batch.offset)
        self._current = batch.first
        while self._current < batch.end and self._step():
            pass

    def _step(self) -> bool:
        """Carry out the next operation; False if there is none."""
        code = self._operations.next()
        if code is None:
            return False
        try:
            self._HANDLERS[code](self)
        except OSTreeError as error:
            if code != operation.BSPATCH:
                error.add_prefix(f"opcode {operation.NAMES[code]}")
            raise
        return True

    def close(self) -> None:
        """Drop a file that was not finished."""
        self._unset_source()
        if self._target is not None:
            self._target.close()
            self._target = None

    # operands -----------------------------------------------------------------------------------

    def _object(self) -> tuple[ObjectType, Checksum]:
        """The current object."""
        if self._current >= len(self._names):
            raise FormatError("More objects than the superblock lists")
        return self._names[self._current]

    def _slice(self, offset: int, length: int) -> Buffer:
        if offset > len(self._data) or length > len(self._data) - offset:
            raise FormatError(f"Invalid offset/length {offset}/{length}")
        return self._data[offset : offset + length]

    def _header(self, mode_index: int, xattrs_index: int) -> HashedHeader:
        known = self._headers.get((mode_index, xattrs_index))
        if known is not None:
            return known
        modes, xattrs = self._payload.modes, self._payload.xattrs
        if mode_index >= len(modes):
            raise FormatError(f"Invalid mode index {mode_index}")
        if xattrs_index >= len(xattrs):
            raise FormatError(f"Invalid xattr index {xattrs_index}")
        uid, gid, mode = modes[mode_index]
        header = HashedHeader(FileHeader(uid, gid, mode, "", xattrs[xattrs_index]))
        self._headers[mode_index, xattrs_index] = header
        return header

    # operations ---------------------------------------------------------------------------------

    def _splice(self) -> None:
        if self._open:
            raise FormatError("An object is open already")
        type, checksum = self._object()
        if type.is_metadata:
            length, offset = self._operations.operands(2)
            if not self._repo.has_object(checksum, type):
                self._put_metadata(type, checksum, bytes(self._slice(offset, length)))
        else:
            mode, xattrs, length, offset = self._operations.operands(4)
            if not self._repo.has_object(checksum, type):
                header = self._header(mode, xattrs)
                put_whole(
                    self._repo.store,
                    self._transaction.charge,
                    checksum,
                    header,
                    self._slice(offset, length),
                    bare_user_only=self._bare_user_only,
                )
        self._current += 1

    def _put_metadata(self, type: ObjectType, checksum: Checksum, data: bytes) -> None:
        if type is ObjectType.COMMIT:
            # Whether all that it needs comes along nobody has said.
            self._transaction.mark_partial(checksum)
        actual = sha256(data).hexdigest()
        if actual != checksum:
            raise corrupted(type, checksum, actual)
        if type is ObjectType.DIRTREE and self._check_tree is not None:
            self._check_tree(checksum, data)
        else:
            validate_metadata(type, data)
        try:
            self._repo.store.add_metadata(checksum, type, data)
        except OSError as error:
            raise write_error("Writing metadata object", error) from error

    def _begin(self) -> None:
        mode, xattrs, size = self._operations.operands(3)
        if self._open:
            raise FormatError("An object is open already")
        type, checksum = self._object()
        if type.is_metadata:
            raise FormatError(f"Object {checksum}.{type.extension} is not a file")
        self._open = True
        if not self._repo.has_object(checksum, type):
            if size > _MOST:
                raise FormatError(f"Invalid content size {size}")
            self._target = FileTarget(
                self._repo.store,
                self._transaction.charge,
                checksum,
                self._header(mode, xattrs),
                size,
                bare_user_only=self._bare_user_only,
            )

    def _write(self) -> None:
        length, offset = self._operations.operands(2)
        target = self._opened()
        if target is None:
            return
        if self._source is None:
            target.write(self._slice(offset, length))
            return
        target.check_room(length)
        for data in _pieces(self._source, offset, length):
            target.write(data)

    def _patch(self) -> None:
        offset, length = self._operations.operands(2)
        target = self._opened()
        if target is None:
            return
        source = self._source
        if source is None:
            raise FormatError("bspatch without a read source")
        if target.written:
            raise FormatError("bspatch into a file that has content")
        for data in bsdiff.patch(
            self._slice(offset, length), target.size, source.size, source.read
        ):
            target.write(data)

    def _opened(self) -> FileTarget | None:
        """The open file; None if it is one that there is already."""
        if not self._open:
            raise FormatError("No object is open")
        return self._target

    def _set_source(self) -> None:
        (offset,) = self._operations.operands(1)
        checksum = Checksum.of_digest(bytes(self._slice(offset, 32)))
        self._unset_source()
        self._source = ReadSource(self._repo, checksum, self._tmp_fd)

    def _unset_source(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def _end(self) -> None:
        self._opened()
        target, self._target = self._target, None
        if target is not None:
            with target:
                target.finish()
        self._open = False
        self._current += 1
        self._unset_source()

    _HANDLERS: ClassVar[dict[int, Callable[[Execution], None]]] = {
        operation.OPEN_SPLICE_AND_CLOSE: _splice,
        operation.OPEN: _begin,
        operation.WRITE: _write,
        operation.SET_READ_SOURCE: _set_source,
        operation.UNSET_READ_SOURCE: _unset_source,
        operation.CLOSE: _end,
        operation.BSPATCH: _patch,
    }


def run_part(
    repo: Repo,
    transaction: Transaction,
    header: PartHeader,
    file: Buffer,
    *,
    bare_user_only: bool = False,
    check_tree: Callable[[Checksum, bytes], None] | None = None,
) -> int:
    """Write the objects of a part, given its file; see :class:`Execution`."""
    payload = load_payload(file, header, repo.store.target.temporary_fd)
    with Execution(
        repo, transaction, header, payload, bare_user_only=bare_user_only, check_tree=check_tree
    ) as run:
        return run.run()


def _pieces(source: ReadSource, offset: int, length: int) -> Iterator[bytes]:
    end = offset + length
    while offset < end:
        size = min(CHUNK, end - offset)
        yield source.read(offset, size)
        offset += size
