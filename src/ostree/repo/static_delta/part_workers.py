"""Processes that execute the parts of deltas together with the one that has fetched them (ADR 32).

A part is decompressed once, into memory that all of them see, and its objects are handed out by the
batch.  Metadata stays with the process that asks, which wants to look at it.  Whatever goes wrong,
the whole part is executed again by that process alone, which passes over the objects that are there
and meets the error, if it is one, in the order of the part.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from struct import Struct

from ostree.errors import OSTreeError
from ostree.formats.delta import part as part_format
from ostree.formats.delta.batches import Batch, cut
from ostree.formats.delta.bsdiff import is_available
from ostree.repo.static_delta.execute import Execution, run_part
from ostree.repo.static_delta.payload_file import MOST_HELD, most_plain
from ostree.system import files
from ostree.system.closing import Closing
from ostree.system.processors import has_other_threads
from ostree.system.worker_processes import one_by_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.formats.delta.part import Payload
    from ostree.formats.delta.superblock import PartHeader
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.system.worker_processes import WorkerProcesses
    from ostree.types import Checksum

    Buffer = bytes | memoryview
    CheckTree = Callable[[Checksum, bytes], None]

#: A part with fewer objects is executed sooner than others could help.
_LEAST_OBJECTS = 200
#: Objects in a batch.
_BATCH = 8
#: A batch for another process: part, bytes of its payload, offset of the operations, objects.
_TASK = Struct("<IQQII")
#: Tells another process to import what it is going to need.
_MAKE_READY = b"ready"
_DONE = b"\1"


class PartWorkers(Closing):
    """Executes parts, on all processors where that is possible.

    Args:
        repo: Where objects are read, and written in the transaction.
        transaction: Open.
        headers: All parts that may have to be executed.
        bare_user_only: Whether to refuse files that a bare-user-only repository could not hold.
    """

    def __init__(
        self,
        repo: Repo,
        transaction: Transaction,
        headers: Sequence[PartHeader],
        *,
        bare_user_only: bool = False,
    ) -> None:
        self._repo = repo
        self._transaction = transaction
        self._headers = headers
        self._bare_user_only = bare_user_only
        self._processes: WorkerProcesses | None = None
        #: What the payload of one part after the other is written to.
        self._fd = -1
        #: In another process: the part it works on.
        self._number = -1
        self._execution: Execution | None = None

    def prepare(self, header: PartHeader) -> None:
        """A part will have to be executed: have processes ready, if it is worth that and possible.

        Best called while the part is on its way, and once more when it is there: threads in which
        curl looks up names, which prevent a fork, may have ended then.
        """
        if self._processes is not None or not _is_shared(header) or has_other_threads():
            return
        processes = self._processes = self._transaction.processes(one_by_one(self._work))
        if processes.possible:
            with suppress(OSError):
                self._fd = os.memfd_create("delta-part", os.MFD_CLOEXEC)
                while processes.hand_out(_MAKE_READY, _ignore, large=True):
                    pass

    def run(self, number: int, file: Buffer, *, check_tree: CheckTree | None = None) -> int:
        """Write the objects of a part; on any thread, but one part after the other.

        Args:
            number: Which of the parts it is.
            file: Its file.
            check_tree: As :class:`Execution`.

        Returns:
            How many of the objects, in order, are there now.

        Raises:
            OSTreeError: as :meth:`Execution.run`.
        """
        header = self._headers[number]
        processes = self._processes
        if processes is None or not processes.started or not _is_shared(header):
            size = None
        else:
            size = self._unpack(file, header)
        if processes is None or size is None:
            return run_part(
                self._repo,
                self._transaction,
                header,
                file,
                bare_user_only=self._bare_user_only,
                check_tree=check_tree,
            )
        payload = self._payload(size)
        if self._run_shared(number, payload, size, processes, check_tree):
            return header.count
        with self._begin(number, payload, check_tree) as execution:
            return execution.run()

    def dismiss(self) -> None:
        """There is no further part; the processes end while something else is done."""
        if self._processes is not None:
            self._processes.dismiss()

    def close(self) -> None:
        """End the processes; no thread executes a part any more."""
        if self._processes is not None:
            self._processes.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # what all processes see ---------------------------------------------------------------------

    def _unpack(self, file: Buffer, header: PartHeader) -> int | None:
        """Decompress a part; its bytes, or None if these are more than should be in memory."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        size = 0
        try:
            for piece in part_format.decompress(file, most_plain(header)):
                size += len(piece)
                if size > MOST_HELD:
                    return None
                files.write_all(self._fd, piece)
        except OSError:  # no memory
            return None
        return size

    def _payload(self, size: int) -> Payload:
        if not size:
            return part_format.decode(b"")
        import mmap

        return part_format.decode(memoryview(mmap.mmap(self._fd, size, prot=mmap.PROT_READ)))

    def _begin(self, number: int, payload: Payload, check_tree: CheckTree | None) -> Execution:
        return Execution(
            self._repo,
            self._transaction,
            self._headers[number],
            payload,
            bare_user_only=self._bare_user_only,
            check_tree=check_tree,
        )

    # who does what ------------------------------------------------------------------------------

    def _run_shared(
        self,
        number: int,
        payload: Payload,
        size: int,
        processes: WorkerProcesses,
        check_tree: CheckTree | None,
    ) -> bool:
        """Execute a part together with the other processes; whether all went well."""
        cuts = cut(bytes(payload.operations), self._headers[number].are_metadata, _BATCH)
        if cuts is None:
            return False
        metadata, contents = map(deque, cuts)
        failures = _Failures()
        try:
            with self._begin(number, payload, check_tree) as execution:
                while (metadata or contents) and not failures.count:
                    if contents and processes.hand_out(
                        _task(number, size, contents[0]), failures.settle
                    ):
                        contents.popleft()
                    else:
                        execution.run_batch((metadata or contents).popleft())
        except OSTreeError:
            failures.count += 1
        processes.drain()
        return not failures.count

    def _work(self, task: bytes) -> bytes:
        """In another process: execute a batch."""
        if task == _MAKE_READY:
            is_available()
            return _DONE
        number, size, offset, first, end = _TASK.unpack(task)
        if number != self._number or self._execution is None:
            self._execution = self._begin(number, self._payload(size), None)
            self._number = number
        try:
            self._execution.run_batch(Batch(offset, first, end))
        except BaseException:
            self._execution.close()
            self._execution = None
            raise
        return _DONE


class _Failures:
    """How many batches other processes could not do."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def settle(self, reply: bytes | None) -> None:
        """A batch has come back."""
        self.count += reply is None


def _is_shared(header: PartHeader) -> bool:
    """Whether a part has enough objects for several processes, which fit into their memory."""
    return header.count >= _LEAST_OBJECTS and header.plain_size <= MOST_HELD


def _task(number: int, size: int, batch: Batch) -> bytes:
    return _TASK.pack(number, size, batch.offset, batch.first, batch.end)


def _ignore(reply: bytes | None) -> None:
    """Whether it is ready does not matter."""
