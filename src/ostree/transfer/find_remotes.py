"""Finding repositories that serve refs of collections, and pulling from them (§8.2)."""

from __future__ import annotations

import hashlib
from functools import partial

from ostree.errors import OSTreeError
from ostree.formats import commit as commit_format
from ostree.repo.repository import Repo
from ostree.system.workers import WorkerPool
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.transfer.ranking import Claim, rank
from ostree.transfer.remote import access, join_url
from ostree.transfer.remote_summary import remote_summary
from ostree.transfer.summary_cache import check_cache_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.events import Listener
    from ostree.formats.summary import SummaryRef
    from ostree.transfer.finders.finder import CollectionRef, Finder, Lead, Offer
    from ostree.transfer.ranking import Result

#: Servers that are asked at a time.
_AT_ONCE = 8
#: Bytes of a summary, or of a commit, that are fetched from who may be anybody.
_MOST_ASKED = 10 << 20


def find_remotes(
    repo: Repo,
    finders: Sequence[Finder],
    refs: Sequence[CollectionRef],
    options: PullOptions | None = None,
) -> list[Result]:
    """Which repositories have the newest commits of refs, best first.

    Args:
        repo: The repository that asks.
        finders: Where to look.
        refs: Each a collection ID and a ref.
        options: How to talk to servers.

    Raises:
        OSTreeError: if a finder cannot work at all.
    """
    options = options or PullOptions()
    if options.cache_dir is not None:
        check_cache_directory(options.cache_dir)
    answers: dict[int, tuple[Offer, dict[CollectionRef, Claim]]] = {}
    with WorkerPool(_AT_ONCE) as pool:
        # Servers answer while other finders are still looking.
        leads = (lead for finder in finders for lead in finder.find(repo, refs))
        for number, lead in enumerate(leads):
            pool.submit(
                partial(_ask, repo, lead, refs, options, partial(answers.__setitem__, number))
            )
        pool.drain()
    return rank(refs, [answers[number] for number in sorted(answers)])


def _ask(
    repo: Repo,
    lead: Lead,
    refs: Sequence[CollectionRef],
    options: PullOptions,
    take: Callable[[tuple[Offer, dict[CollectionRef, Claim]]], None],
) -> Callable[[], None] | None:
    """A worker's job: what a repository says of itself, and of the refs; nothing if it is silent."""
    summary = lead.summary
    try:
        if summary is None:
            fetched = remote_summary(repo, lead.remote, options, max_size=_MOST_ASKED)
            if fetched is None:
                return None
            summary = fetched.summary
        offer = lead.offer(summary)
    except OSTreeError:
        return None  # one that cannot be asked or understood has nothing to offer
    if offer is None:
        return None
    claims = _claims(repo, offer, refs, options)
    return lambda: take((offer, claims))


def pull_found(
    repo: Repo,
    results: Sequence[Result],
    options: PullOptions | None = None,
    on_event: Listener | None = None,
) -> dict[CollectionRef, str]:
    """Pull every ref from the first result that gives it; signatures of commits are demanded.

    Args:
        repo: The destination.
        results: Of :func:`find_remotes`.
        options: How to pull; what refs are pulled, and what is verified, is decided here.
        on_event: Is given the progress of each pull.

    Returns:
        The refs that nobody gave, with what went wrong last.
    """
    options = options or PullOptions()
    options.untrusted = True
    options.gpg_verify = True
    options.gpg_verify_summary = False
    missing: dict[CollectionRef, str] = {}
    done: set[CollectionRef] = set()
    for result in results:
        wanted = [
            (*ref, commit)
            for ref, commit in result.commits.items()
            if commit is not None and ref not in done
        ]
        if not wanted:
            continue
        options.collection_refs = wanted
        got = {(collection, name) for collection, name, _ in wanted}
        try:
            pull(repo, result.offer.remote, options=options, on_event=on_event)
        except OSTreeError as error:
            missing.update(dict.fromkeys(got, f"{result.offer.url}: {error}"))
        else:
            done |= got
    return {ref: reason for ref, reason in missing.items() if ref not in done}


def _claims(
    repo: Repo, offer: Offer, refs: Sequence[CollectionRef], options: PullOptions
) -> dict[CollectionRef, Claim]:
    """What an offer says about the refs, as far as it is trusted with their collections."""
    found: dict[CollectionRef, Claim] = {}
    for collection, name in refs:
        if offer.collections is not None and collection not in offer.collections:
            continue
        try:
            entry = offer.summary.find(name, collection)
            if entry is not None:
                timestamp = _timestamp(repo, offer, entry, options)
                found[(collection, name)] = Claim(entry.checksum, timestamp)
        except OSTreeError:
            continue  # an offer that cannot be understood is none
    return found


def _timestamp(repo: Repo, offer: Offer, entry: SummaryRef, options: PullOptions) -> int:
    """When a commit was made: the summary tells, or else the commit itself."""
    if entry.timestamp is not None:
        return entry.timestamp
    source = access(offer.remote, options)
    checksum = entry.checksum
    if source.local_path is not None:
        with Repo.open(source.local_path) as local:
            return local.load_commit(checksum).timestamp
    from ostree.net.fetcher import MemorySink, Request
    from ostree.transfer.connection import connect

    sink = MemorySink()
    with connect(repo, offer.remote, source, options) as (place, fetcher):
        url = join_url(place.content_url, f"objects/{checksum[:2]}/{checksum[2:]}.commit")
        fetcher.fetch(Request(url, max_size=_MOST_ASKED), sink)
    if hashlib.sha256(sink.value()).hexdigest() != checksum:
        raise OSTreeError(f"{url} is not the commit of that name")
    return commit_format.decode(sink.value()).timestamp
