"""The side of a pull that is the same wherever objects come from: the repository that gets them."""

from __future__ import annotations

import os

from ostree.errors import FormatError
from ostree.formats.dirtree import DirTree, KnownEntries, decode_changes
from ostree.store.layout import PREFIXES
from ostree.transfer.plan import Base, Facts, Planner
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.transfer.options import PullOptions, PullResult
    from ostree.transfer.wanted import Wanted
    from ostree.types import Checksum

#: Directories that are remembered; of a usual system that is all.
_MOST_TREES = 8192
#: Bytes of memory that an entry takes when it has been taken out of its directory.
_ENTRY_SIZE = 250


class RepoFacts(Facts):
    """What a planner asks about a repository.

    Args:
        repo: The destination.
        resumed: Whether objects of an interrupted pull were found, which makes all commits
            doubtful.
        asks_first: Whether files are asked for before they are stored, as always without deltas.
    """

    __slots__ = ("_has", "_known", "_read_ahead", "_repo", "_resumed", "_trees", "_unused")

    def __init__(self, repo: Repo, *, resumed: bool, asks_first: bool = False) -> None:
        #: Directories that were looked at: the objects, or less where that is all that is needed.
        self._trees: dict[Checksum, bytes | DirTree] = {}
        self._known = KnownEntries()
        self._read_ahead = False
        self._repo = repo
        self._resumed = resumed
        self._has = repo.store.has if repo.parent is None else repo.has_object
        #: Where there are no files, which need not be looked up; all of a new repository.
        self._unused: Collection[str] = ()
        if asks_first and repo.parent is None and not resumed:
            self._unused = set(PREFIXES).difference(os.listdir(repo.store.objects.fd))

    def has(self, checksum: Checksum, type: ObjectType) -> bool:
        """Whether the object is there, or in a parent."""
        if type is ObjectType.FILE and checksum[:2] in self._unused:
            return False
        return checksum in self._trees or self._has(checksum, type)

    def is_complete(self, commit: Checksum) -> bool:
        """Whether a commit that is there has everything it needs."""
        return not self._resumed and not self._repo.is_partial(commit)

    def root(self, commit: Checksum) -> Checksum:
        """The root dirtree of a commit that is complete."""
        return self._repo.load_commit(commit).root.dirtree

    def tree(self, dirtree: Checksum) -> bytes:
        """A directory that is there: the object."""
        kept = self._trees.pop(dirtree, None)
        return kept if isinstance(kept, bytes) else self._load(dirtree)

    def changes(self, dirtree: Checksum) -> DirTree | None:
        """What is new in a directory that was looked at; None if it has to be looked at."""
        kept = self._trees.get(dirtree)
        if kept is None or isinstance(kept, bytes):
            return None
        del self._trees[dirtree]
        return kept

    def base(self, dirtree: Checksum | None) -> Base | None:
        """The entries of a directory that is complete, or those of all that were read ahead."""
        if self._read_ahead:
            return Base(self._known, {})
        if dirtree is None:
            return None
        known = KnownEntries()
        return Base(known, self._learn(known, dirtree))

    def check_tree(self, dirtree: Checksum, data: bytes) -> None:
        """Look at a directory that a delta brings; called by the thread that executes it.

        It is remembered, for it is going to be asked for; not all of very many are.

        Raises:
            FormatError: if it is none.
        """
        tree = decode_changes(data, self._known)
        if len(self._trees) < _MOST_TREES:
            entries = len(tree.files) + len(tree.dirs)
            self._trees[dirtree] = tree if entries * _ENTRY_SIZE <= len(data) else data

    def read_ahead(self, root: Checksum) -> None:
        """Learn the entries of a tree that is complete, while there is time for it."""
        seen: set[Checksum] = set()
        todo = [root]
        while todo and len(seen) < _MOST_TREES:
            dirtree = todo.pop()
            if dirtree not in seen:
                seen.add(dirtree)
                todo += self._learn(self._known, dirtree).values()
        self._read_ahead = not todo

    def _learn(self, known: KnownEntries, dirtree: Checksum) -> dict[str, Checksum]:
        try:
            return known.add(self._load(dirtree))
        except FormatError as error:
            error.add_prefix(f"Loading {dirtree}.dirtree")
            raise

    def _load(self, dirtree: Checksum) -> bytes:
        return self._repo.load_metadata(dirtree, ObjectType.DIRTREE)


def make_planner(
    repo: Repo,
    transaction: Transaction,
    wanted: list[Wanted],
    options: PullOptions,
    remote_name: str | None,
    *,
    asks_first: bool = False,
) -> Planner:
    """A planner that has been told what is wanted; see :class:`RepoFacts`."""
    facts = RepoFacts(repo, resumed=transaction.resumed, asks_first=asks_first)
    planner = Planner(
        facts,
        depth=options.depth,
        commit_metadata_only=options.commit_metadata_only,
        subpaths=options.subpaths,
    )
    for item in wanted:
        base = None
        if item.ref is not None:
            before = repo.refs.get(ref_to_set(item.ref, remote_name, options))
            if before is not None and before != item.commit:
                base = _complete_root(repo, facts, before)
        planner.request(item.commit, ref=item.ref, max_size=item.max_size, base=base)
    return planner


def _complete_root(repo: Repo, facts: Facts, commit: Checksum) -> Checksum | None:
    """The root dirtree of a commit that is complete."""
    if not facts.has(commit, ObjectType.COMMIT) or not facts.is_complete(commit):
        return None
    return repo.load_commit(commit).root.dirtree


def ref_to_set(ref: str, remote_name: str | None, options: PullOptions) -> str:
    """The refspec under which a ref of the source is known here."""
    remote = options.override_remote_name or remote_name or None
    return ref if remote is None or options.mirror else f"{remote}:{ref}"


def set_refs(
    repo: Repo,
    transaction: Transaction,
    wanted: list[Wanted],
    options: PullOptions,
    remote_name: str | None,
) -> None:
    """Point refs at their new commits, when the transaction ends (§4.11).

    One that points there already is not written.  Upstream looks at the remote's ref for that even
    where a mirror's is written, and so leaves out some of these.
    """
    for item in wanted:
        if item.ref is None:
            continue
        foreign = item.collection not in (None, repo.config.collection_id)
        if options.mirror and foreign and item.collection is not None:
            if repo.refs.get_mirrored(item.collection, item.ref) != item.commit:
                transaction.set_mirrored_ref(item.collection, item.ref, item.commit)
        else:
            refspec = ref_to_set(item.ref, remote_name, options)
            if repo.refs.get(refspec) != item.commit:
                transaction.set_ref(refspec, item.commit)


def finish(
    transaction: Transaction,
    planner: Planner,
    wanted: list[Wanted],
    options: PullOptions,
    result: PullResult,
) -> None:
    """After the transaction: the commits are complete now, and the result too."""
    if not options.is_partial:
        for commit in planner.commits:
            transaction.unmark_partial(commit)
    result.content_bytes_written = transaction.stats.content_bytes_written
    note_commits(wanted, result)


def note_commits(wanted: list[Wanted], result: PullResult) -> None:
    """The commits that were pulled, or would have been."""
    for item in wanted:
        result.commits[item.ref or item.commit] = item.commit


def keep_summary(
    repo: Repo,
    data: bytes,
    signature: bytes | None,
    *,
    etag: str | None = None,
    last_modified: int | None = None,
) -> None:
    """Store the summary of a mirrored repository with its signature and its validators."""
    from ostree.system import files
    from ostree.transfer.summary_cache import set_validators

    files.replace_file("summary", data, repo.dir_fd, sync=repo.config.fsync)
    if signature is None:
        files.remove_tree("summary.sig", repo.dir_fd)
    else:
        files.replace_file("summary.sig", signature, repo.dir_fd, sync=repo.config.fsync)
    fd = os.open("summary", files.FILE_FLAGS, dir_fd=repo.dir_fd)
    try:
        set_validators(fd, etag, last_modified)
    finally:
        os.close(fd)
