"""What a pull has to know about a remote: where it is, how to reach it, what it demands."""

from __future__ import annotations

from ostree.errors import OSTreeError
from ostree.net.fetcher import check_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.remotes import Remote
    from ostree.transfer.options import PullOptions


#: What a configured URL begins with that is not a base URL but leads to a list of them.
MIRROR_LIST = "mirrorlist="


class RemoteAccess:
    """A remote, ready to be talked to.

    Attributes:
        name: Its name.
        meta_url: Base of config, summary, refs and detached metadata.
        content_url: Base of objects; empty, as ``meta_url`` is, if a metalink has to tell.
        metalink: Where a metalink is that tells it.
        collection_id: The collection it must serve, if configured.
        branches: Refs pulled when none are asked for.
        mirrors: Groups of base URLs that serve the same files, best first.
        summary: The summary that the metalink has led to.
    """

    __slots__ = (
        "branches",
        "collection_id",
        "content_url",
        "meta_url",
        "metalink",
        "mirrors",
        "name",
        "summary",
    )

    def __init__(
        self,
        name: str,
        meta_url: str,
        content_url: str,
        *,
        metalink: str | None = None,
        collection_id: str | None = None,
        branches: list[str] | None = None,
    ) -> None:
        self.name = name
        self.meta_url = meta_url
        self.content_url = content_url
        self.metalink = metalink
        self.collection_id = collection_id
        self.branches = branches or []
        self.mirrors: list[list[str]] = []
        self.summary: bytes | None = None

    @property
    def local_path(self) -> str | None:
        """The directory of a ``file://`` remote."""
        return file_path(self.meta_url)

    def at(self, meta_url: str, content_url: str) -> RemoteAccess:
        """The same remote, with these base URLs."""
        return RemoteAccess(
            self.name,
            meta_url,
            content_url,
            collection_id=self.collection_id,
            branches=self.branches,
        )


def file_path(url: str) -> str | None:
    """The path that a ``file://`` URL names; None for other URLs."""
    if url[:7].lower() != "file://":
        return None
    path = url[7:]
    if "%" in path:
        from urllib.parse import unquote

        path = unquote(path)
    return path


def join_url(base: str, path: str) -> str:
    """A path below a base URL, with exactly one slash in between."""
    return f"{base.rstrip('/')}/{path}"


def require_pullable(remote: Remote) -> None:
    """Refuse a remote that is not for us to pull from; looking at it is another matter.

    Raises:
        OSTreeError: ``remote unconfigured-state: …``, ``Cannot fetch via libostree - …``.
    """
    state = remote.get("unconfigured-state")
    if state is not None:
        raise OSTreeError(f"remote unconfigured-state: {state}")
    backend = remote.get("custom-backend")
    if backend is not None:
        raise OSTreeError(
            f"Cannot fetch via libostree - remote '{remote.name}' uses custom backend '{backend}'"
        )


def access(remote: Remote, options: PullOptions) -> RemoteAccess:
    """Read where a remote is from its configuration.

    Raises:
        OSTreeError: ``No "url" option in remote "…"``, ``Invalid URI scheme in …``.
    """
    metalink = remote.get("metalink")
    if metalink is not None:
        url, content = "", remote.get("contenturl") or ""
    else:
        url = options.url or remote.require_url()
        content = url if options.url else remote.get("contenturl") or url
        for address in (url, content):
            if not address.startswith(MIRROR_LIST):
                check_url(address)
    return RemoteAccess(
        remote.name,
        url,
        content,
        metalink=metalink,
        collection_id=remote.get("collection-id"),
        branches=remote.get_list("branches"),
    )
