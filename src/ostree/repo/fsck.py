"""Verifying a repository (repository format §8.3)."""

from __future__ import annotations

from array import array
from functools import partial

from ostree.errors import CorruptionError, FormatError, ObjectNotFoundError, OSTreeError
from ostree.events import Message, StepProgress, ignore
from ostree.repo.bindings import BackReferences, check_bindings
from ostree.repo.commit_deletion import enable_tombstones, mark_partial, write_tombstone
from ostree.repo.fsck_result import BadObject, FsckResult
from ostree.repo.needed_by import NeededBy
from ostree.repo.object_check import ObjectCheck
from ostree.repo.reachability import Reachable, add_tree
from ostree.system import files
from ostree.system.processors import default_workers
from ostree.system.worker_processes import WorkerProcesses, one_by_one
from ostree.system.workers import WorkerPool
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostree.events import Listener
    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent

#: Progress is told once in so many objects.
_REPORT_EVERY = 64
#: Objects that wait for a worker; while so many do, the calling thread helps out.
_BACKLOG = 8
#: Objects for another process at a time.
_TASK = 32
#: Finding out who needs bad objects takes a walk through everything, so they are collected: a few at
#: first, for whoever waits for the news, then more and more.
_FIRST_BATCH, _LAST_BATCH = 16, 4096


class FsckOptions:
    """How to verify.

    Attributes:
        keep_going: Whether damage does not end it; what is missing never does.
        delete: Whether damaged objects are deleted; implies ``keep_going``.
        verify_bindings: Whether commits have to be meant for the refs that point to them.
        verify_back_refs: Whether refs have to point to the commits that are meant for them;
            implies ``verify_bindings``.
        add_tombstones: Whether parents that are not there get tombstones.
        for_repair: Whether to find all there is to repair: commits that an earlier fsck marked as
            partial are verified, too, and neither missing commits nor directories end it.
    """

    __slots__ = (
        "add_tombstones",
        "delete",
        "for_repair",
        "keep_going",
        "verify_back_refs",
        "verify_bindings",
    )

    def __init__(
        self,
        *,
        keep_going: bool = False,
        delete: bool = False,
        verify_bindings: bool = False,
        verify_back_refs: bool = False,
        add_tombstones: bool = False,
        for_repair: bool = False,
    ) -> None:
        self.keep_going = keep_going or delete or for_repair
        self.delete = delete
        self.verify_bindings = verify_bindings or verify_back_refs
        self.verify_back_refs = verify_back_refs
        self.add_tombstones = add_tombstones
        self.for_repair = for_repair


class Fsck:
    """One verification of a repository.

    Attributes:
        result: What was found so far, if :meth:`run` ends with an error.
    """

    def __init__(
        self, repo: Repo, options: FsckOptions, *, on_event: Listener | None = None
    ) -> None:
        self._repo = repo
        self._options = options
        self._emit = on_event or ignore
        self._check = ObjectCheck(repo)
        self.result = FsckResult()
        #: Every object that a complete commit needs.
        self._reached = Reachable()
        self._commits: list[Checksum] = []
        #: Commits verified although they are marked as partial.
        self._doubtful: list[Checksum] = []
        #: What was found bad and not told yet.
        self._problems: list[tuple[ObjectName, OSTreeError]] = []
        self._batch = _FIRST_BATCH
        self._doomed: list[ObjectName] = []
        self._done = self._total = self._bytes = 0

    def run(self) -> FsckResult:
        """Verify every object of every commit.

        Raises:
            CorruptionError: at the first damaged object, unless asked to keep going.
            ObjectNotFoundError: if a commit or directory is missing.
            TrustError: if commits and refs do not belong together.
        """
        self._check_refs()
        self._emit(Message("Enumerating commits..."))
        commits = self._complete_commits()
        self._emit(Message(f"Verifying content integrity of {len(commits)} commit objects..."))
        self._commits = commits
        for commit in commits:
            self._reach(commit)
        self.result.commits = len(commits)
        self.result.objects = self._total = len(self._reached)
        self._verify_objects()
        for name in self._doomed:
            self._repo.store.delete(name)
        bad = {commit for found in self.result.bad for commit in found.commits}
        self.result.whole = [commit for commit in self._doubtful if commit not in bad]
        if self._options.add_tombstones:
            self._add_tombstones()
        return self.result

    # phase 1: refs ----------------------------------------------------------------------------

    def _check_refs(self) -> None:
        repo = self._repo
        self._emit(Message("Validating refs..."))
        for name, checksum in repo.refs.all().items():
            self._check_ref(name, checksum, None)
        self._emit(Message("Validating refs in collections..."))
        own = repo.config.collection_id
        if own is not None:
            for name, checksum in repo.refs.local().items():
                self._check_ref(name, checksum, own)
        for (collection, name), checksum in repo.refs.mirrored().items():
            self._check_ref(name, checksum, collection)

    def _check_ref(self, name: str, text: str, collection: str | None) -> None:
        shown = name if collection is None else f"({collection}, {name})"
        try:
            object_name = ObjectName(Checksum(text), ObjectType.COMMIT)
        except FormatError:
            raise self._missing_commit(shown, text) from None
        problem = self._check.problem_of(object_name)
        if isinstance(problem, ObjectNotFoundError):
            error = self._missing_commit(shown, text)
            if not self._options.for_repair:
                raise error
            self._note(object_name, error, ())
            return
        if problem is not None:
            self._report(object_name, problem, ())
            if self._options.delete:
                self._repo.store.delete(object_name)
        try:
            commit = self._repo.load_commit(text)
        except OSTreeError as error:
            if problem is not None and isinstance(error, FormatError):
                return  # reported above
            error.add_prefix(f"Loading commit for ref {shown}")
            raise
        if self._options.verify_bindings:
            check_bindings(commit, text, [name.rpartition(":")[2]], collection)

    def _missing_commit(self, ref: str, text: str) -> ObjectNotFoundError:
        """The error for a ref to a commit that is not there, or to nothing that could be one."""
        self.result.corrupted = True
        self._emit(Message(f"Object missing: {text}.commit", warning=True))
        return ObjectNotFoundError(
            f"Loading commit for ref {ref}: No such metadata object {text}.commit"
        )

    # phase 2 and 3: commits -------------------------------------------------------------------

    def _complete_commits(self) -> list[Checksum]:
        references = BackReferences(self._repo) if self._options.verify_back_refs else None
        complete = []
        for commit in self._repo.commits():
            if references is not None:
                references.check(self._repo.load_commit(commit), commit)
            if not self._repo.is_partial(commit):
                complete.append(commit)
            elif self._options.for_repair and self._is_marked(commit):
                complete.append(commit)
                self._doubtful.append(commit)
            else:
                self.result.partial += 1
                self.result.partial_from_fsck |= self._is_marked(commit)
        return complete

    def _is_marked(self, commit: Checksum) -> bool:
        """Whether it was a verification that marked a partial commit."""
        path = f"state/{commit}.commitpartial"
        try:
            return files.read_file(path, self._repo.dir_fd, limit=4096).startswith(b"f")
        except OSError:
            return False

    def _reach(self, commit: Checksum) -> None:
        """Add the objects of a commit; what is damaged is told when it is verified."""
        self._reached.commits.add(commit.digest)
        try:
            root = self._repo.load_commit(commit).root
        except CorruptionError:
            return
        add_tree(self._repo, root, self._reached, self._unreadable)

    def _unreadable(self, digest: bytes, error: OSTreeError) -> None:
        del digest
        if isinstance(error, ObjectNotFoundError) and not self._options.for_repair:
            raise error

    # phase 4: objects -------------------------------------------------------------------------

    def _verify_objects(self) -> None:
        """Other processes take file objects, or threads the large ones: see ADR 4 for why."""
        workers = max(1, default_workers() - 1)
        with (
            WorkerProcesses(one_by_one(self._work)) as processes,
            WorkerPool(workers, backlog=_BACKLOG) as pool,
        ):
            batch: list[Checksum] = []
            for name in self._names():
                if name.type is not ObjectType.FILE:
                    self._settle(name, self._check.problem_of(name))
                elif not processes.possible:
                    self._verify_file(name.checksum, pool)
                else:
                    batch.append(name.checksum)
                enough = bool(self._problems) and self._has_enough_problems
                if enough or len(batch) == _TASK:
                    self._share(batch, processes)
                    batch = []
                if enough:
                    # What comes before them may still be under way.
                    processes.drain()
                    pool.drain()
                    self._tell_problems()
            self._share(batch, processes)
            processes.drain()
            pool.drain()
        self._tell_problems()

    def _share(self, checksums: list[Checksum], processes: WorkerProcesses) -> None:
        """Let another process verify file objects, or do it here if none has room for them."""
        task = bytes.fromhex("".join(checksums))
        if not processes.hand_out(task, partial(self._settle_many, checksums)):
            self._settle_many(checksums, None)

    def _work(self, task: bytes) -> bytes:
        """In another process: verify file objects, and tell the sizes of those that are right."""
        sizes = array("Q")
        for at in range(0, len(task), 32):
            name = ObjectName(Checksum.of_digest(task[at : at + 32]), ObjectType.FILE)
            content = self._check.open(name)
            if isinstance(content, OSTreeError):
                break
            size = content.size
            if self._check.problem_with(name, content) is not None:
                break
            sizes.append(size)
        return sizes.tobytes()

    def _settle_many(self, checksums: list[Checksum], reply: bytes | None) -> None:
        """Count what another process has verified, and verify the others."""
        sizes = memoryview(reply or b"").cast("Q")
        for checksum, size in zip(checksums, sizes, strict=False):
            self._settle(ObjectName(checksum, ObjectType.FILE), None, size)
        for checksum in checksums[len(sizes) :]:
            self._verify_file(checksum, None)

    def _verify_file(self, checksum: Checksum, pool: WorkerPool | None) -> None:
        """Verify a file object: a small one here, a large one on a thread if there are threads."""
        name = ObjectName(checksum, ObjectType.FILE)
        content = self._check.open(name)
        if isinstance(content, OSTreeError):
            self._settle(name, content)
            return
        limit = self._repo.store.properties.inline_limit
        if pool is not None and content.size > limit and not pool.full:
            pool.submit(partial(self._verify_on_worker, name, content))
        else:
            size = content.size
            self._settle(name, self._check.problem_with(name, content), size)

    def _names(self) -> Iterator[ObjectName]:
        """All objects, in the order in which they lie on disk."""
        for found in self._reached.by_directory():
            names = [(digest.hex(), type) for type, digests in found.items() for digest in digests]
            names.sort()
            for text, type in names:
                yield ObjectName(str.__new__(Checksum, text), type)

    def _verify_on_worker(self, name: ObjectName, content: LoadedContent) -> Callable[[], None]:
        size = content.size
        return partial(self._settle, name, self._check.problem_with(name, content), size)

    def _settle(self, name: ObjectName, problem: OSTreeError | None, size: int = 0) -> None:
        """Count an object and its plain bytes, and take note of what is wrong with it."""
        self._done += 1
        self._bytes += size
        if problem is not None:
            self._problems.append((name, problem))
        if self._done % _REPORT_EVERY == 1 or self._done == self._total:
            self._emit(StepProgress("fsck", self._done, self._total, self._bytes))

    # what happens to bad ones -----------------------------------------------------------------

    @property
    def _has_enough_problems(self) -> bool:
        """Whether to tell of what is bad: it is a batch, or ends it all."""
        missing = [isinstance(found, ObjectNotFoundError) for _, found in self._problems]
        return len(missing) >= self._batch or not (self._options.keep_going or all(missing))

    def _tell_problems(self) -> None:
        problems, self._problems = sorted(self._problems, key=_place_on_disk), []
        self._batch = min(2 * self._batch, _LAST_BATCH)
        if not problems:
            return
        needed_by = NeededBy(self._repo, [name for name, _ in problems]).commits(self._commits)
        for name, problem in problems:
            self._handle(name, problem, needed_by[name])

    def _handle(self, name: ObjectName, problem: OSTreeError, commits: list[Checksum]) -> None:
        where = ", ".join(commits)
        if isinstance(problem, ObjectNotFoundError):
            self.result.corrupted = True
            problem.message = f"Object missing in commits {where}: {name}"
            self._note(name, problem, commits)
            self._emit(Message(problem.message, warning=True))
            self._mark_partial(commits)
            return
        problem.add_prefix(f"In commits {where}")
        self._report(name, problem, commits)
        if self._options.delete:
            # Later: until then it may be what leads to another bad one.
            self._doomed.append(name)
            self._mark_partial(commits)

    def _report(
        self, name: ObjectName, problem: OSTreeError, commits: list[Checksum] | tuple[()]
    ) -> None:
        """Tell of a damaged object, or end with it."""
        self.result.corrupted = True
        self._note(name, problem, commits)
        if not self._options.keep_going:
            raise problem
        self._emit(Message(problem.message, warning=True))

    def _note(
        self, name: ObjectName, problem: OSTreeError, commits: list[Checksum] | tuple[()]
    ) -> None:
        missing = isinstance(problem, ObjectNotFoundError)
        self.result.bad.append(BadObject(name, problem.message, commits, missing=missing))

    def _mark_partial(self, commits: list[Checksum]) -> None:
        for commit in commits:
            if self._repo.is_partial(commit):
                continue
            self._emit(Message(f"Marking commit as partial: {commit}", warning=True))
            mark_partial(self._repo, commit)
            self.result.marked.append(commit)
            self.result.partial_from_fsck = True

    # tombstones -------------------------------------------------------------------------------

    def _add_tombstones(self) -> None:
        """Remember the parents that are not there.

        Upstream deletes the commits that have such parents instead, one more with each run.
        """
        repo = self._repo
        missing = set()
        for commit in repo.commits():
            try:
                parent = repo.load_commit(commit).parent
            except CorruptionError:
                continue  # reported above, if it is verified at all
            if parent is not None and not repo.has_object(parent, ObjectType.COMMIT):
                missing.add(parent)
        missing = {p for p in missing if not repo.store.has(p, ObjectType.TOMBSTONE_COMMIT)}
        if missing:
            repo.require_writable()
            enable_tombstones(repo)
        for parent in sorted(missing):
            if write_tombstone(repo, parent):
                self.result.tombstones.append(parent)


def _place_on_disk(found: tuple[ObjectName, OSTreeError]) -> tuple[str, ObjectType]:
    """Where an object comes among all."""
    name, _ = found
    return name.checksum, name.type
