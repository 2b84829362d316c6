"""What a pull has to know about a remote: where it is, how to reach it, what it demands."""

from __future__ import annotations

from ostree.errors import OSTreeError, SignatureError, TransferError
from ostree.net.fetcher import FetcherOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Fetcher
    from ostree.repo.remotes import Remote
    from ostree.repo.repository import Repo
    from ostree.transfer.options import PullOptions


class RemoteAccess:
    """A remote, ready to be talked to.

    Attributes:
        name: Its name.
        meta_url: Base of config, summary, refs and detached metadata.
        content_url: Base of objects.
        collection_id: The collection it must serve, if configured.
        branches: Refs pulled when none are asked for.
    """

    __slots__ = ("branches", "collection_id", "content_url", "meta_url", "name")

    def __init__(
        self,
        name: str,
        meta_url: str,
        content_url: str,
        *,
        collection_id: str | None = None,
        branches: list[str] | None = None,
    ) -> None:
        self.name = name
        self.meta_url = meta_url
        self.content_url = content_url
        self.collection_id = collection_id
        self.branches = branches or []

    @property
    def local_path(self) -> str | None:
        """The directory of a ``file://`` remote."""
        return file_path(self.meta_url)


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


def access(remote: Remote, options: PullOptions) -> RemoteAccess:
    """Read what a remote is from its configuration.

    Raises:
        OSTreeError: if it is not one that can be pulled from.
    """
    state = remote.get("unconfigured-state")
    if state is not None:
        raise OSTreeError(f"remote unconfigured-state: {state}")
    backend = remote.get("custom-backend")
    if backend is not None:
        raise OSTreeError(
            f"Cannot fetch via libostree - remote '{remote.name}' uses custom backend '{backend}'"
        )
    if remote.get("metalink") is not None:
        raise TransferError(f'Remote "{remote.name}" has a metalink, which is not supported yet')
    url = options.url or remote.require_url()
    content = url if options.url else remote.get("contenturl") or url
    for base in (url, content):
        if base.startswith("mirrorlist="):
            raise TransferError(
                f'Remote "{remote.name}" has a mirror list, which is not supported yet'
            )
    return RemoteAccess(
        remote.name,
        url,
        content,
        collection_id=remote.get("collection-id"),
        branches=remote.get_list("branches"),
    )


def refuse_signatures(remote: Remote, options: PullOptions, *, summary_only: bool = False) -> None:
    """Refuse remotes whose signatures would have to be verified.

    Raises:
        SignatureError: naming the remote and the setting.
    """
    if not summary_only:
        if _chosen(options.gpg_verify, remote, "gpg-verify", default=True):
            raise _unverifiable("Commit", remote.name, "gpg-verify", "--no-gpg-verify")
        if _asks_for_engines(options.sign_verify, remote, "sign-verify"):
            raise _unverifiable("Commit", remote.name, "sign-verify", "--no-sign-verify")
    if _chosen(options.gpg_verify_summary, remote, "gpg-verify-summary", default=False):
        raise _unverifiable("Summary", remote.name, "gpg-verify-summary")
    if _asks_for_engines(options.sign_verify_summary, remote, "sign-verify-summary"):
        raise _unverifiable("Summary", remote.name, "sign-verify-summary")


def _chosen(override: bool | None, remote: Remote, key: str, *, default: bool) -> bool:  # noqa: FBT001 - a setting with three states
    if override is not None:
        return override
    return remote.get_boolean(key, default=default)


def _asks_for_engines(override: bool | None, remote: Remote, key: str) -> bool:  # noqa: FBT001 - a setting with three states
    if override is not None:
        return override
    value = remote.get(key)
    return value is not None and value not in ("", "false", "0")


def _unverifiable(what: str, name: str, key: str, option: str | None = None) -> SignatureError:
    how = f"set {key}=false for the remote"
    if option is not None:
        how = f"add the remote with {option}, or {how}"
    return SignatureError(
        f'{what} signatures are required by remote "{name}" ({key}), '
        "and this version cannot verify them",
        hint=f"{how}, to accept unsigned data",
    )


def open_fetcher(repo: Repo, remote: Remote, options: PullOptions) -> Fetcher:
    """A fetcher set up as the remote's configuration says, with retries.

    Raises:
        OSTreeError: if the configuration contradicts itself.
    """
    certificate = remote.get("tls-client-cert-path")
    key = remote.get("tls-client-key-path")
    if (certificate is None) != (key is None):
        raise OSTreeError(
            f'Remote "{remote.name}" must specify both '
            '"tls-client-cert-path" and "tls-client-key-path"'
        )
    from ostree.net.curl import CurlFetcher
    from ostree.net.retry import RetryPolicy
    from ostree.net.retrying import RetryingFetcher

    engine = CurlFetcher(
        FetcherOptions(
            user_agent_extra=options.append_user_agent,
            headers=options.http_headers,
            cookie_jar=f"{repo.path}/{remote.name}.cookies.txt",
            proxy=remote.get("proxy"),
            http2=remote.get_boolean("http2", default=True),
            tls_permissive=remote.get_boolean("tls-permissive", default=False),
            tls_ca_path=remote.get("tls-ca-path"),
            tls_client_cert_path=certificate,
            tls_client_key_path=key,
            low_speed_limit=options.low_speed_limit,
            low_speed_time=options.low_speed_time,
        )
    )
    return RetryingFetcher(engine, RetryPolicy(retries=options.network_retries))
