"""Finding out where a remote really is: lists of mirrors and metalinks (§5.9, §5.10)."""

from __future__ import annotations

import hashlib

from ostree.errors import OSTreeError, TransferError
from ostree.formats import metalink, mirrorlist
from ostree.transfer.remote import MIRROR_LIST, join_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Fetcher
    from ostree.transfer.remote import RemoteAccess

_MAX_LIST = 1 << 20
_MAX_CONFIG = 1 << 20
#: The largest summary that a metalink may lead to, in bytes.
_MAX_SUMMARY = 128 << 20


def locate(remote: RemoteAccess, fetcher: Fetcher) -> RemoteAccess:
    """The remote with its true base URLs, its mirrors, and the summary that a metalink names.

    Raises:
        OSTreeError: if a list cannot be fetched, or nothing in it serves.
    """
    if remote.metalink is not None:
        return _by_metalink(remote, remote.metalink, fetcher)
    meta = _mirrors(remote.meta_url, fetcher)
    content = meta
    if remote.content_url != remote.meta_url:
        content = _mirrors(remote.content_url, fetcher)
    found = remote.at(meta[0], content[0])
    found.mirrors = [meta] if content is meta else [meta, content]
    return found


def _mirrors(url: str, fetcher: Fetcher) -> list[str]:
    """The base URLs that a configured URL stands for, the first one known to work."""
    if not url.startswith(MIRROR_LIST):
        return [url]
    where = url.removeprefix(MIRROR_LIST)
    try:
        listed = mirrorlist.parse(_fetch(fetcher, where, _MAX_LIST))
    except OSTreeError as error:
        error.add_prefix(f"While fetching mirrorlist '{where}'")
        raise
    for index, mirror in enumerate(listed):
        try:
            _fetch(fetcher, join_url(mirror, "config"), _MAX_CONFIG)
        except TransferError:
            continue
        return listed[index:]
    raise TransferError(f"No valid mirrors were found in mirrorlist '{where}'")


def _by_metalink(remote: RemoteAccess, url: str, fetcher: Fetcher) -> RemoteAccess:
    """The remote whose summary a metalink names: the directory the summary is in."""
    document = metalink.parse(_fetch(fetcher, url, metalink.MAX_SIZE))
    last: OSTreeError | None = None
    for target in document.urls:
        try:
            data = _fetch(fetcher, target, _MAX_SUMMARY)
            _verify(document, data)
        except OSTreeError as error:
            last = error
            continue
        base = target.rpartition("/")[0]
        content = _mirrors(remote.content_url or base, fetcher)
        found = remote.at(base, content[0])
        found.mirrors = [content]
        found.summary = data
        return found
    raise TransferError(f"Exhausted {len(document.urls)} metalink targets, last error: {last}")


def _verify(document: metalink.Metalink, data: bytes) -> None:
    if len(data) != document.size:
        raise TransferError(
            f"Expected size is {document.size} bytes but content is {len(data)} bytes"
        )
    actual = hashlib.new(document.algorithm, data).hexdigest()
    if actual != document.digest:
        raise TransferError(f"Expected checksum is {document.digest} but actual is {actual}")


def _fetch(fetcher: Fetcher, url: str, limit: int) -> bytes:
    from ostree.net.fetcher import MemorySink, Request

    sink = MemorySink()
    fetcher.fetch(Request(url, max_size=limit), sink)
    return sink.value()
