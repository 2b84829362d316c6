"""Which commits a pull is for: what was asked for, and what the source says it is."""

from __future__ import annotations

from ostree.errors import NotFoundError, OSTreeError, RefNotFoundError, RepoError
from ostree.formats.refspec import check_collection_id, check_ref_name, looks_like_checksum
from ostree.repo.bindings import check_bindings
from ostree.transfer.remote import join_url
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.formats.commit import Commit
    from ostree.formats.summary import Summary, SummaryRef
    from ostree.net.fetcher import Fetcher
    from ostree.repo.repository import Repo
    from ostree.transfer.options import PullOptions
    from ostree.transfer.plan import CommitStep
    from ostree.transfer.remote import RemoteAccess


class Wanted:
    """One thing that was asked for.

    Attributes:
        ref: The ref to set, None for a commit that was named by its checksum.
        checksum: The commit, once it is known.
        collection: The collection of the ref, if that was asked for or the source has told.
        max_size: The size of the commit object in bytes, if the source has told.
    """

    __slots__ = ("checksum", "collection", "max_size", "ref")

    def __init__(
        self, ref: str | None, checksum: Checksum | None = None, *, collection: str | None = None
    ) -> None:
        self.ref = ref
        self.checksum = checksum
        self.collection = collection
        self.max_size: int | None = None

    @property
    def commit(self) -> Checksum:
        """The commit.

        Raises:
            RefNotFoundError: if nobody has told which it is.
        """
        if self.checksum is None:
            raise RefNotFoundError(f"Refspec '{self.ref}' not found")
        return self.checksum

    def resolve(self, entry: SummaryRef, collection: str | None) -> None:
        """Take over what a summary says about the ref, unless another commit was asked for."""
        self.collection = collection
        if self.checksum in (None, entry.checksum):
            self.checksum = entry.checksum
            self.max_size = entry.size


def parse_wanted(texts: Iterable[str]) -> list[Wanted]:
    """``REF``, ``REF@CHECKSUM`` or ``CHECKSUM``, each.

    Raises:
        FormatError: ``Invalid ref name X``, ``Invalid rev X``.
    """
    found = []
    for text in texts:
        name, at, checksum = text.rpartition("@")
        if at:
            commit = Checksum(checksum)
            check_ref_name(name)
            found.append(Wanted(name, commit))
        elif looks_like_checksum(text):
            found.append(Wanted(None, Checksum(text)))
        else:
            check_ref_name(text)
            found.append(Wanted(text))
    return found


def collection_wanted(
    refs: Iterable[tuple[str, str, Checksum | None]],
) -> list[Wanted]:
    """The same for (collection ID, ref, commit or None).

    Raises:
        FormatError: ``Invalid collection ID X``, ``Invalid ref name X``.
    """
    found = []
    for collection, name, checksum in refs:
        check_collection_id(collection)
        check_ref_name(name)
        found.append(Wanted(name, checksum, collection=collection))
    return found


def add_all(wanted: list[Wanted], summary: Summary) -> None:
    """Ask for every ref of a summary, those of other collections too.

    Raises:
        FormatError: if a name in it is none for a ref or a collection.
    """
    known = {item.ref for item in wanted}
    own = summary.collection_id
    for entry in summary.refs:
        if entry.name not in known:
            _add(wanted, entry, own)
    for collection, entries in summary.collection_map.items():
        for entry in entries:
            _add(wanted, entry, collection)


def _add(wanted: list[Wanted], entry: SummaryRef, collection: str | None) -> None:
    check_ref_name(entry.name)
    if collection is not None:
        check_collection_id(collection)
    item = Wanted(entry.name)
    item.resolve(entry, collection)
    wanted.append(item)


def resolve_by_summary(wanted: list[Wanted], summary: Summary) -> None:
    """Fill in what a summary says about the refs.

    Raises:
        NotFoundError: ``No such branch 'X' in repository summary``.
    """
    own = summary.collection_id
    for item in wanted:
        if item.ref is None or item.max_size is not None:
            continue
        entry = summary.find(item.ref, item.collection)
        if entry is not None:
            item.resolve(entry, own if item.collection is None else item.collection)
        elif item.checksum is None:
            shown = f"'{item.ref}'"
            if item.collection is not None:
                shown = f"({item.collection}, {item.ref})"
            raise NotFoundError(f"No such branch {shown} in repository summary")


def resolve_by_ref_file(item: Wanted, fetcher: Fetcher, source: RemoteAccess) -> None:
    """Ask a server without summary what a ref points to.

    Raises:
        FormatError: ``Fetching checksum for ref ((empty), X): Invalid rev Y``.
        TransferError: if there is no such file.
    """
    from ostree.net.fetcher import MemorySink, Request
    from ostree.transfer.remote_summary import MAX_REF

    path = f"refs/heads/{item.ref}"
    if item.collection not in (None, source.collection_id):
        path = f"refs/mirrors/{item.collection}/{item.ref}"
    sink = MemorySink()
    fetcher.fetch(Request(join_url(source.meta_url, path), max_size=MAX_REF), sink)
    try:
        item.checksum = _parse_ref_file(sink.value())
    except OSTreeError as error:
        error.add_prefix(f"Fetching checksum for ref ({item.collection or '(empty)'}, {item.ref})")
        raise


def _parse_ref_file(data: bytes) -> Checksum:
    try:
        return Checksum(data.decode().rstrip())
    except UnicodeDecodeError as error:
        raise OSTreeError("Invalid UTF-8") from error


class CommitChecks:
    """What a commit must satisfy before its tree is fetched: bindings and age.

    Args:
        repo: The destination, asked for what refs point to now.
        wanted: What is pulled.
        collection: The collection that the source must serve, if one is configured.
        options: Which checks are on.

    Raises:
        OSTreeError: if the revision to compare with is not to be had.
    """

    def __init__(
        self, repo: Repo, wanted: list[Wanted], collection: str | None, options: PullOptions
    ) -> None:
        if options.timestamp_check and options.depth:
            raise RepoError("Timestamps can only be checked when pulling without history")
        self._verify_bindings = options.verify_bindings
        self._collection = collection
        self._oldest: tuple[Checksum, int] | None = None
        self._previous: dict[Checksum, tuple[Checksum, int]] = {}
        if options.timestamp_check_from_rev is not None:
            self._oldest = _reference(repo, options.timestamp_check_from_rev)
        if options.timestamp_check:
            for item in wanted:
                before = repo.refs.find(item.ref) if item.ref is not None else None
                if before is not None and repo.has_object(before, ObjectType.COMMIT):
                    found = before, repo.load_commit(before).timestamp
                    known = self._previous.get(item.commit)
                    if known is None or known[1] < found[1]:
                        self._previous[item.commit] = found

    def __call__(self, step: CommitStep, commit: Commit) -> None:
        """Refuse a commit that is not acceptable.

        Raises:
            TrustError: in upstream's words.
        """
        if self._verify_bindings:
            check_bindings(commit, step.checksum, step.refs, self._collection)
        for limit in (self._oldest, self._previous.get(step.checksum)):
            if limit is not None and commit.timestamp < limit[1]:
                raise _downgrade(step.checksum, commit.timestamp, *limit)


def _reference(repo: Repo, rev: str) -> tuple[Checksum, int]:
    commit = repo.resolve(rev)
    try:
        return commit, repo.load_commit(commit).timestamp
    except OSTreeError as error:
        error.add_prefix(f"Reading {rev} for timestamp-check-from-rev")
        raise


def _downgrade(new: str, new_time: int, old: str, old_time: int) -> OSTreeError:
    from ostree.errors import TrustError
    from ostree.formats.date_text import format_c

    return TrustError(
        f"Upgrade target revision '{new}' with timestamp '{format_c(new_time)}' is "
        f"chronologically older than current revision '{old}' with timestamp "
        f"'{format_c(old_time)}'; use --allow-downgrade to permit"
    )
