"""The summary of a remote, and what can be learned of a remote without pulling."""

from __future__ import annotations

from ostree.errors import FormatError, NotFoundError, SignatureError
from ostree.formats import summary as summary_format
from ostree.formats.keyfile import KeyFile
from ostree.net.fetcher import MemorySink, Request
from ostree.repo.remotes import Remote
from ostree.store.store import MAX_METADATA
from ostree.transfer.connection import connect
from ostree.transfer.demands import trust_in
from ostree.transfer.options import PullOptions
from ostree.transfer.remote import access, join_url
from ostree.transfer.summary_cache import SummaryCache, check_cache_directory
from ostree.transfer.trust import WHEN_LOOKING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.formats.summary import Summary
    from ostree.net.fetcher import FetchedBytes, Fetcher
    from ostree.repo.repository import Repo
    from ostree.sign.interface import Verdict
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.summary_cache import CachedFile
    from ostree.transfer.trust import SummaryWords, Trust
    from ostree.types import Checksum

    Verify = Callable[["RemoteSummary | None"], None]

#: Largest summary, config and ref file accepted from a server, in bytes.
MAX_SUMMARY = MAX_METADATA
#: Largest file of signatures that is fetched, in bytes.  Nothing proves it before it is looked into.
MAX_SIGNATURES = 1 << 20
#: Bytes of a summary that may be something else than refs: deltas and other collections.
MAX_SUMMARY_METADATA = 8 << 20
MAX_CONFIG = 1 << 20
MAX_REF = 4096


class RemoteSummary:
    """A summary as fetched.

    Attributes:
        data: Its bytes.
        signature: The bytes of its signature file, if there is one.
        etag: Its entity tag, quotes included, if the server told.
        last_modified: Its modification time in seconds since the epoch, if the server told.
        is_cached: Whether it is the copy that was at hand.
        verdict: What its OpenPGP signatures are worth, if that had to be looked at.
    """

    __slots__ = (
        "_summary",
        "data",
        "etag",
        "is_cached",
        "last_modified",
        "signature",
        "verdict",
    )

    def __init__(
        self,
        data: bytes,
        signature: bytes | None,
        *,
        etag: str | None = None,
        last_modified: int | None = None,
        is_cached: bool = False,
    ) -> None:
        self.data = data
        self.signature = signature
        self.etag = etag
        self.last_modified = last_modified
        self.is_cached = is_cached
        self.verdict: Verdict | None = None
        self._summary: Summary | None = None

    @property
    def summary(self) -> Summary:
        """What it says.

        Raises:
            FormatError: ``Not normal form``.
        """
        if self._summary is None:
            self._summary = summary_format.decode(self.data, most_metadata=MAX_SUMMARY_METADATA)
        return self._summary


def fetch_summary(
    fetcher: Fetcher,
    source: RemoteAccess,
    *,
    cache: SummaryCache | None = None,
    verify: Verify | None = None,
    fail_on_stale_cache: bool = False,
    max_size: int = MAX_SUMMARY,
) -> RemoteSummary | None:
    """The summary of a remote, None if it has none (§5.4, §5.5).

    Args:
        fetcher: Gets it.
        source: The remote.
        cache: Where copies are kept.  A copy that is not what is signed now is fetched anew.
        verify: Raises :class:`SignatureError` unless the summary is signed as it has to be.
        fail_on_stale_cache: Raise instead of fetching anew.
        max_size: Largest acceptable summary in bytes.

    Raises:
        SignatureError: as ``verify`` does.
        TransferError: if it cannot be fetched.
    """
    fetch = _SummaryFetch(fetcher, source, cache, max_size)
    found = fetch.run()
    if verify is not None:
        try:
            verify(found)
        except SignatureError:
            if found is None or not found.is_cached:
                raise
            if fail_on_stale_cache:
                raise SignatureError(
                    f"Remote {source.name} cached summary invalid and "
                    "OSTREE_REPO_TEST_ERROR_INVALID_CACHE specified"
                ) from None
            fetch = _SummaryFetch(fetcher, source, None, max_size)
            found = fetch.run()
            verify(found)
    if cache is not None and found is not None and found.signature is not None:
        cache.store(fetch.summary, fetch.signature)
    return found


def verification(trust: Trust, words: SummaryWords) -> Verify:
    """Has a summary verified as a remote's configuration demands; see :func:`fetch_summary`."""

    def verify(found: RemoteSummary | None) -> None:
        if found is None:
            trust.check_summary(None, None, words)
        else:
            found.verdict = trust.check_summary(found.data, found.signature, words)

    return verify


class _SummaryFetch:
    """One attempt to get summary and signature.

    Attributes:
        summary: The summary, if it was downloaded.
        signature: The signature, if it was.
    """

    def __init__(
        self, fetcher: Fetcher, source: RemoteAccess, cache: SummaryCache | None, max_size: int
    ) -> None:
        self._max_size = max_size
        self._fetcher = fetcher
        self._source = source
        self._cache = cache
        self.summary: FetchedBytes | None = None
        self.signature: FetchedBytes | None = None

    def run(self) -> RemoteSummary | None:
        """Download what is not at hand."""
        known = self._source.summary
        cached = self._cache.signature() if self._cache is not None else None
        if known is not None:
            self._download(self._request("summary.sig"))
            return RemoteSummary(known, self.signature.data if self.signature else None)
        if cached is None:
            self._download(self._request("summary.sig"), self._request("summary"))
            return self._fetched(self.signature.data if self.signature else None)
        self._download(self._request("summary.sig", cached))
        return self._with_signature(cached)

    def _with_signature(self, cached: CachedFile) -> RemoteSummary | None:
        """The summary that belongs to a signature which was known before, or has just come."""
        copy = self._cache.summary() if self._cache is not None else None
        signature = self.signature.data if self.signature is not None else None
        if self.signature is not None and self.signature.not_modified:
            signature, self.signature = cached.data, None
        if signature == cached.data and copy is not None:
            self.signature = None
            return _of_copy(copy, signature)
        self._download(self._request("summary", copy))
        if self.summary is not None and self.summary.not_modified and copy is not None:
            self.summary = None
            return _of_copy(copy, signature)
        return self._fetched(signature)

    def _request(self, name: str, copy: CachedFile | None = None) -> Request:
        return Request(
            join_url(self._source.meta_url, name),
            max_size=MAX_SIGNATURES if name.endswith(".sig") else self._max_size,
            if_none_match=copy.etag if copy else None,
            if_modified_since=copy.last_modified if copy else None,
            validators=True,
        )

    def _download(self, *requests: Request) -> None:
        for request, fetched in zip(requests, self._fetcher.fetch_all(requests), strict=True):
            if request.url.endswith(".sig"):
                self.signature = fetched
            else:
                self.summary = fetched

    def _fetched(self, signature: bytes | None) -> RemoteSummary | None:
        if self.summary is None:
            return None
        return RemoteSummary(
            self.summary.data,
            signature,
            etag=self.summary.etag,
            last_modified=self.summary.last_modified,
        )


def _of_copy(copy: CachedFile, signature: bytes | None) -> RemoteSummary:
    return RemoteSummary(
        copy.data,
        signature,
        etag=copy.etag,
        last_modified=copy.last_modified,
        is_cached=True,
    )


def fetch_config(fetcher: Fetcher, base_url: str) -> KeyFile:
    """The configuration of the repository below a base URL.

    Raises:
        FormatError: ``Parsing config: …``.
        TransferError: if it cannot be fetched.
    """
    sink = MemorySink()
    fetcher.fetch(Request(join_url(base_url, "config"), max_size=MAX_CONFIG), sink)
    try:
        return KeyFile.parse(sink.value())
    except FormatError as error:
        error.add_prefix("Parsing config")
        raise


def remote_summary(
    repo: Repo,
    remote: str | Remote,
    options: PullOptions | None = None,
    *,
    max_size: int = MAX_SUMMARY,
) -> RemoteSummary | None:
    """The summary of a remote, which need not be configured; None if it has none.

    One of more than ``max_size`` bytes is refused.

    Raises:
        SignatureError: if the remote demands that its signature be verified.
        OSTreeError: if the remote is not configured or not to be reached.
    """
    options = options or PullOptions()
    remote = remote if isinstance(remote, Remote) else repo.remotes.get(remote)
    trust = trust_in(repo, remote, options)
    source = access(remote, options)
    cache = open_cache(repo, source, options)
    with connect(repo, remote, source, options, accept_compressed=True) as (found, fetcher):
        return fetch_summary(
            fetcher,
            found,
            cache=cache,
            verify=verification(trust, WHEN_LOOKING),
            fail_on_stale_cache=options.fail_on_stale_cache,
            max_size=max_size,
        )


def open_cache(repo: Repo, source: RemoteAccess, options: PullOptions) -> SummaryCache | None:
    """Where copies of a remote's summary are kept, None if nowhere.

    Raises:
        NotFoundError: if the directory that was asked for does not exist.
    """
    if options.cache_dir is not None:
        check_cache_directory(options.cache_dir)
    if not options.use_cache or source.local_path is not None:
        return None
    return SummaryCache(repo, source.name, options.cache_dir)


def remote_refs(
    repo: Repo, remote_name: str, options: PullOptions | None = None
) -> dict[str, Checksum]:
    """The refs that a configured remote offers, sorted by name, with their commits.

    Raises:
        NotFoundError: ``Remote refs not available; server has no summary file``.
        OSTreeError: as :func:`remote_summary`.
    """
    found = remote_summary(repo, remote_name, options)
    if found is None:
        raise NotFoundError("Remote refs not available; server has no summary file")
    refs = sorted(found.summary.refs, key=lambda ref: ref.name)
    return {ref.name: ref.checksum for ref in refs}
