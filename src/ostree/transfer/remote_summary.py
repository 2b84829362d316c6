"""The summary of a remote, and what can be learned of a remote without pulling."""

from __future__ import annotations

from ostree.errors import FormatError, NotFoundError
from ostree.formats import summary as summary_format
from ostree.formats.keyfile import KeyFile
from ostree.store.store import MAX_METADATA
from ostree.transfer.options import PullOptions
from ostree.transfer.remote import access, join_url, open_fetcher, refuse_signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import FetchedBytes, Fetcher
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

#: Largest summary, config and ref file accepted from a server, in bytes.
MAX_SUMMARY = MAX_METADATA
MAX_CONFIG = 1 << 20
MAX_REF = 4096


class RemoteSummary:
    """A summary as fetched.

    Attributes:
        summary: What it says.
        data: Its bytes.
        etag: Its entity tag, quotes included, if the server told.
        last_modified: Its modification time in seconds since the epoch, if the server told.
    """

    __slots__ = ("data", "etag", "last_modified", "summary")

    def __init__(self, fetched: FetchedBytes) -> None:
        self.data = fetched.data
        self.etag = fetched.etag
        self.last_modified = fetched.last_modified
        self.summary = summary_format.decode(fetched.data)


def fetch_summary(fetcher: Fetcher, base_url: str) -> RemoteSummary | None:
    """The summary below a base URL, None if the server has none.

    Raises:
        FormatError: ``Not normal form``.
        TransferError: if it cannot be fetched.
    """
    fetched = fetcher.fetch_bytes(join_url(base_url, "summary"), limit=MAX_SUMMARY)
    return None if fetched is None else RemoteSummary(fetched)


def fetch_config(fetcher: Fetcher, base_url: str) -> KeyFile:
    """The configuration of the repository below a base URL.

    Raises:
        FormatError: ``Parsing config: …``.
        TransferError: if it cannot be fetched.
    """
    from ostree.net.fetcher import MemorySink, Request

    sink = MemorySink()
    fetcher.fetch(Request(join_url(base_url, "config"), max_size=MAX_CONFIG), sink)
    try:
        return KeyFile.parse(sink.value())
    except FormatError as error:
        error.add_prefix("Parsing config")
        raise


def remote_summary(
    repo: Repo, remote_name: str, options: PullOptions | None = None
) -> RemoteSummary | None:
    """The summary of a configured remote, None if it has none.

    Raises:
        SignatureError: if the remote demands that its signature be verified.
        OSTreeError: if the remote is not configured or not to be reached.
    """
    options = options or PullOptions()
    remote = repo.remotes.get(remote_name)
    refuse_signatures(remote, options, summary_only=True)
    base = access(remote, options).meta_url
    with open_fetcher(repo, remote, options) as fetcher:
        return fetch_summary(fetcher, base)


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
