"""Writing objects, and counting them (repository format §2.6, §4.8)."""

from __future__ import annotations

import hashlib

from ostree.errors import RepoError
from ostree.repo.file_import import FOUND, RECOGNISED, WRITTEN
from ostree.repo.object_errors import corrupted, validate_metadata, write_error
from ostree.store.store import MAX_METADATA
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.file_import import StoredFile
    from ostree.repo.repository import Repo
    from ostree.repo.space import SpaceBudget
    from ostree.store.content import LoadedContent
    from ostree.system.worker_processes import Serve, WorkerProcesses


class TransactionStats:
    """Objects attempted, written and recognised, and the plain bytes of new content."""

    __slots__ = (
        "content_bytes_written",
        "content_cache_hits",
        "content_total",
        "content_written",
        "metadata_total",
        "metadata_written",
    )

    def __init__(self) -> None:
        self.metadata_total = 0
        self.metadata_written = 0
        self.content_total = 0
        self.content_written = 0
        self.content_bytes_written = 0
        self.content_cache_hits = 0


class ObjectWriter:
    """The part of a transaction that writes objects.

    Attributes:
        stats: What was written so far.
    """

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._space: SpaceBudget | None = None
        self._is_open = False
        self.stats = TransactionStats()

    def require_open(self) -> None:
        """Refuse to write before or after the ``with`` block, where nothing would be published.

        Raises:
            RepoError: ``The transaction is not open``.
        """
        if not self._is_open:
            raise RepoError("The transaction is not open")

    def write_metadata(
        self, type: ObjectType, data: bytes, *, expected: Checksum | None = None
    ) -> Checksum:
        """Store a metadata object named by its content.

        Raises:
            FormatError: if the bytes are no such object.
            ChecksumError: if its checksum is not the expected one.
            RepoError: if it is too large or cannot be written.
        """
        self.require_open()
        checksum = Checksum.of_digest(hashlib.sha256(data).digest())
        if expected is not None and checksum != expected:
            raise corrupted(type, expected, checksum)
        if len(data) > MAX_METADATA:
            raise RepoError(
                f"Writing metadata object: {checksum}.{type.extension} is too large: {len(data)}"
            )
        self.stats.metadata_total += 1
        if self._repo.store.has(checksum, type):
            return checksum
        validate_metadata(type, data)
        try:
            if self._repo.store.put_metadata(checksum, type, data):
                self.stats.metadata_written += 1
                if type is ObjectType.COMMIT and self._repo.store.staging is None:
                    objects = self._repo.store.objects
                    objects.remove(self._repo.store.path(checksum, ObjectType.TOMBSTONE_COMMIT))
        except OSError as error:
            raise write_error("Writing metadata object", error) from error
        except RepoError as error:
            error.add_prefix("Writing metadata object")
            raise
        return checksum

    def write_content(
        self, content: LoadedContent, *, expected: Checksum | None = None
    ) -> Checksum:
        """Store a file object that is read from another place; small ones through memory.

        Raises:
            ChecksumError: if its checksum is not the expected one.
            RepoError: if the repository cannot hold it.
        """
        from ostree.repo.content_import import import_loaded

        self.require_open()
        checksum, written = import_loaded(self._repo.store, content, self.charge, expected)
        self.count_content(written, content.size)
        return checksum

    def write_detached(self, commit: Checksum, data: bytes) -> None:
        """Set the detached metadata of a commit: a serialised ``a{sv}``, but upstream keeps anything.

        Whoever reads it has to be prepared for that.
        """
        self.require_open()
        self._repo.store.replace_metadata(commit, ObjectType.COMMITMETA, data)

    def charge(self, size: int) -> None:
        """Account for a content object about to be written.

        Raises:
            SpaceError: if the minimum of free space would not be kept.
        """
        if self._space is not None:
            self._space.charge(size)

    def processes(self, serve: Serve, *, count: int | None = None) -> WorkerProcesses:
        """Processes that store content for this transaction, none where they would do harm.

        They share what may be charged; what they have stored is for the caller to count.  For the
        arguments see :class:`~ostree.system.worker_processes.WorkerProcesses`.
        """
        from ostree.system.worker_processes import WorkerProcesses

        space = self._space
        if space is not None:
            space.share()
        begin = None if space is None else space.enter_process
        if not self._repo.store.works_in_processes:
            count = 0
        return WorkerProcesses(serve, begin=begin, count=count)

    def count_stored(self, stored: StoredFile) -> None:
        """Add a file of a directory to the statistics; one that was adopted counts for nothing."""
        stats, outcome = self.stats, stored.outcome
        if outcome <= FOUND:
            stats.content_total += 1
            if outcome == WRITTEN:
                stats.content_written += 1
                stats.content_bytes_written += stored.size
        elif outcome == RECOGNISED:
            stats.content_cache_hits += 1

    def count_content(self, written: int, size: int, total: int = 1) -> None:
        """Add content objects to the statistics: how many are new, and their plain bytes."""
        self.stats.content_total += total
        self.stats.content_written += written
        if written:
            self.stats.content_bytes_written += size
