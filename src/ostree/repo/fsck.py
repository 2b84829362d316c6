"""Verifying a repository (repository format §8.3)."""

from __future__ import annotations

import hashlib
from functools import partial

from ostree.errors import CorruptionError, FormatError, ObjectNotFoundError, OSTreeError
from ostree.events import Message, StepProgress, ignore
from ostree.repo.hashing import checksum_loaded
from ostree.repo.transaction import corrupted, validate_metadata
from ostree.store.store import unreadable
from ostree.system import files
from ostree.system.workers import WorkerPool
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ostree.events import Listener
    from ostree.formats.commit import Commit
    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent

    _T = TypeVar("_T")

_FILE, _DIRTREE = ObjectType.FILE.value, ObjectType.DIRTREE.value
_DIRMETA, _COMMIT = ObjectType.DIRMETA.value, ObjectType.COMMIT.value
#: Progress is told once in so many objects.
_REPORT_EVERY = 64
_BACKLOG = 32


class FsckResult:
    """What was found.

    Attributes:
        commits: Number of commits verified.
        objects: Number of objects verified.
        partial: Number of partial commits, which were not verified.
        corrupted: Whether anything was missing or damaged.
        partial_from_fsck: Whether one of the partial commits was marked by an earlier fsck.
    """

    __slots__ = ("commits", "corrupted", "objects", "partial", "partial_from_fsck")

    def __init__(self) -> None:
        self.commits = 0
        self.objects = 0
        self.partial = 0
        self.corrupted = False
        self.partial_from_fsck = False


class Fsck:
    """One verification of a repository; see :meth:`ostree.repo.repository.Repo.fsck`."""

    def __init__(
        self,
        repo: Repo,
        *,
        delete: bool,
        keep_going: bool,
        verify_bindings: bool,
        on_event: Listener | None,
    ) -> None:
        self._repo = repo
        self._delete = delete
        self._keep_going = keep_going or delete
        self._verify_bindings = verify_bindings
        self._emit = on_event or ignore
        self._result = FsckResult()
        #: Every object that a complete commit needs, by checksum and number of its type.
        self._reached: set[tuple[Checksum, int]] = set()
        self._commits: list[Checksum] = []
        #: Which commits need an object: worked out when the first bad one turns up.
        self._needed_by: dict[tuple[str, int], list[Checksum]] | None = None
        self._done = 0

    def run(self) -> FsckResult:
        """Verify; see the class."""
        self._check_refs()
        self._emit(Message("Enumerating commits..."))
        commits = self._complete_commits()
        self._emit(Message(f"Verifying content integrity of {len(commits)} commit objects..."))
        self._commits = commits
        for commit in commits:
            self._reached.update(self._needs(commit, self._reached))
        self._verify_objects()
        self._result.commits = len(commits)
        self._result.objects = len(self._reached)
        return self._result

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
        try:
            object_name = ObjectName(Checksum(text), ObjectType.COMMIT)
        except FormatError:
            raise self._missing_commit(name, text) from None
        problem = self._problem_of(object_name)
        if isinstance(problem, ObjectNotFoundError):
            raise self._missing_commit(name, text) from problem
        if problem is not None:
            self._report(str(problem), problem)
            if self._delete:
                self._repo.store.delete(object_name)
        try:
            commit = self._repo.load_commit(text)
        except OSTreeError as error:
            if problem is not None and isinstance(error, FormatError):
                return  # reported above
            error.add_prefix(f"Loading commit for ref {name}")
            raise
        if self._verify_bindings:
            check_bindings(commit, text, [name.rpartition(":")[2]], collection)

    def _missing_commit(self, ref: str, text: str) -> ObjectNotFoundError:
        """The error for a ref to a commit that is not there, or to nothing that could be one."""
        self._result.corrupted = True
        self._emit(Message(f"Object missing: {text}.commit", warning=True))
        return ObjectNotFoundError(
            f"Loading commit for ref {ref}: No such metadata object {text}.commit"
        )

    # phase 2 and 3: commits -------------------------------------------------------------------

    def _complete_commits(self) -> list[Checksum]:
        complete = []
        for commit in self._repo.commits():
            if not self._repo.is_partial(commit):
                complete.append(commit)
                continue
            self._result.partial += 1
            mark = files.read_file(f"state/{commit}.commitpartial", self._repo.dir_fd, limit=4096)
            self._result.partial_from_fsck |= mark.startswith(b"f")
        return complete

    def _needs(
        self, commit: Checksum, known: set[tuple[Checksum, int]]
    ) -> set[tuple[Checksum, int]]:
        """The objects of a commit; directories in ``known`` are not entered again."""
        found = {(commit, _COMMIT)}
        try:
            root = self._repo.load_commit(commit).root
        except FormatError:
            return found  # reported when the commit itself is verified
        todo = [(root.dirtree, root.dirmeta)]
        while todo:
            tree, meta = todo.pop()
            found.add((meta, _DIRMETA))
            name = (tree, _DIRTREE)
            if name in known or name in found:
                continue
            found.add(name)
            try:
                contents = self._repo.load_dirtree(tree)
            except FormatError:
                continue
            found.update([(file, _FILE) for _, file in contents.files])
            todo.extend([(below, meta) for _, below, meta in contents.dirs])
        return found

    def _commits_that_need(self, name: ObjectName) -> list[Checksum]:
        if self._needed_by is None:
            self._needed_by = {}
            for commit in self._commits:
                for needed in self._needs(commit, set()):
                    self._needed_by.setdefault(needed, []).append(commit)
        return self._needed_by[(name.checksum, name.type.value)]

    # phase 4: objects -------------------------------------------------------------------------

    def _verify_objects(self) -> None:
        """Small objects here, large ones on workers: see DirectoryImport for why."""
        names = sorted(self._reached)
        limit = self._repo.store.properties.inline_limit
        with WorkerPool(backlog=_BACKLOG) as pool:
            for checksum, number in names:
                name = ObjectName(checksum, ObjectType(number))
                if number != _FILE:
                    self._settle(name, self._problem_of(name))
                    continue
                content = self._attempt(name, partial(self._load_content, checksum))
                if isinstance(content, OSTreeError):
                    self._settle(name, content)
                elif content.size > limit:
                    pool.submit(partial(self._verify_on_worker, name, content))
                else:
                    self._settle(name, self._problem_with(name, content))
            pool.drain()

    def _verify_on_worker(self, name: ObjectName, content: LoadedContent) -> Callable[[], None]:
        return partial(self._settle, name, self._problem_with(name, content))

    def _settle(self, name: ObjectName, problem: OSTreeError | None) -> None:
        """Count an object, and act on what is wrong with it."""
        if problem is not None:
            self._handle(name, problem)
        self._done += 1
        if self._done % _REPORT_EVERY == 1 or self._done == len(self._reached):
            self._emit(StepProgress("fsck", self._done, len(self._reached)))

    def _problem_of(self, name: ObjectName) -> OSTreeError | None:
        """What is wrong with a metadata object, None if nothing is."""
        return self._attempt(name, partial(self._verify_metadata, name))

    def _problem_with(self, name: ObjectName, content: LoadedContent) -> OSTreeError | None:
        """What is wrong with a loaded file object, None if nothing is; closes it."""
        with content:
            return self._attempt(name, partial(self._verify_content, name.checksum, content))

    def _attempt(self, name: ObjectName, action: Callable[[], _T]) -> _T | OSTreeError:
        """The result of an action on an object, or what is wrong with the object."""
        try:
            return action()
        except (CorruptionError, ObjectNotFoundError) as error:
            return error
        except OSError as error:
            problem = unreadable(f"Reading {name}", error)
            if not isinstance(problem, CorruptionError):
                raise problem from error
            return problem

    def _load_content(self, checksum: Checksum) -> LoadedContent:
        try:
            return self._repo.load_content(checksum)
        except CorruptionError as error:
            error.add_prefix(f"fsck content object {checksum}")
            raise

    def _verify_content(self, checksum: Checksum, content: LoadedContent) -> None:
        try:
            actual = checksum_loaded(content)
            if actual != checksum:
                raise corrupted(ObjectType.FILE, checksum, actual)
        except CorruptionError as error:
            error.add_prefix(f"fsck content object {checksum}")
            raise

    def _verify_metadata(self, name: ObjectName) -> None:
        try:
            data = self._repo.load_metadata(name.checksum, name.type)
            actual = Checksum.of_digest(hashlib.sha256(data).digest())
            if actual != name.checksum:
                raise corrupted(name.type, name.checksum, actual)
            try:
                validate_metadata(name.type, data)
            except FormatError as error:
                error.add_prefix(str(name))  # twice, as upstream has it
                raise
        except CorruptionError as error:
            error.add_prefix(f"fsck {name}")
            raise

    # what happens to bad ones -----------------------------------------------------------------

    def _handle(self, name: ObjectName, problem: OSTreeError) -> None:
        commits = self._commits_that_need(name)
        where = ", ".join(commits)
        if isinstance(problem, ObjectNotFoundError):
            self._result.corrupted = True
            self._emit(Message(f"Object missing in commits {where}: {name}", warning=True))
            self._mark_partial(commits)
            return
        problem.add_prefix(f"In commits {where}")
        self._report(str(problem), problem)
        if self._delete:
            self._repo.store.delete(name)
            self._mark_partial(commits)

    def _report(self, text: str, problem: OSTreeError | None = None) -> None:
        self._result.corrupted = True
        if not self._keep_going:
            raise problem or CorruptionError(text)
        self._emit(Message(text, warning=True))

    def _mark_partial(self, commits: list[Checksum]) -> None:
        for commit in commits:
            if self._repo.is_partial(commit):
                continue
            self._emit(Message(f"Marking commit as partial: {commit}", warning=True))
            path = f"state/{commit}.commitpartial"
            files.replace_file(path, b"f", self._repo.dir_fd)
            self._result.partial_from_fsck = True


def check_bindings(commit: Commit, checksum: str, refs: list[str], collection: str | None) -> None:
    """Check that a commit is meant for the refs, and for the collection if one is given (§6.8).

    Raises:
        TrustError: in upstream's words.
    """
    from ostree.errors import TrustError

    bound = commit.metadata_value("ostree.ref-binding", "as")
    context = f"Commit {checksum}"
    if bound is None:
        if collection is not None:
            raise TrustError(
                f"{context}: Expected commit metadata to have ref binding information, found none"
            )
        return
    missing = [ref for ref in refs if ref not in bound]
    if missing:
        listed = ", ".join(f"‘{ref}’" for ref in bound) or "no refs"
        raise TrustError(
            f"{context}: Commit has no requested ref ‘{missing[0]}’ "
            f"in ref binding metadata ({listed})"
        )
    if collection is None:
        return
    actual = commit.metadata_value("ostree.collection-binding", "s")
    if actual is None:
        raise TrustError(
            f"{context}: Expected commit metadata to have collection ID binding information, "
            "found none"
        )
    if actual != collection:
        raise TrustError(
            f"{context}: Commit has collection ID ‘{actual}’ in collection binding metadata, "
            f"while the remote it came from has collection ID ‘{collection}’"
        )
