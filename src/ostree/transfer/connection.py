"""Talking to a remote: where it really is, and a fetcher set up as its configuration says."""

from __future__ import annotations

from contextlib import contextmanager

from ostree.errors import OSTreeError
from ostree.net.fetcher import FetcherOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.net.fetcher import Fetcher
    from ostree.net.retry import RetryPolicy
    from ostree.repo.remotes import Remote
    from ostree.repo.repository import Repo
    from ostree.transfer.options import PullOptions
    from ostree.transfer.remote import RemoteAccess


@contextmanager
def connect(
    repo: Repo,
    remote: Remote,
    source: RemoteAccess,
    options: PullOptions,
    *,
    accept_compressed: bool = False,
) -> Iterator[tuple[RemoteAccess, Fetcher]]:
    """Where a remote really is, and a fetcher that is set up for it.

    Args:
        repo: Its directory has the cookies.
        remote: The configuration.
        source: What was read from that.
        options: How to pull.
        accept_compressed: Whether the server may compress what it sends, which objects already are.

    Raises:
        OSTreeError: if the configuration contradicts itself, or the remote is not to be found.
    """
    from ostree.net.retrying import RetryingFetcher
    from ostree.transfer.location import locate

    with _open_engine(repo, remote, options, accept_compressed=accept_compressed) as engine:
        patient = RetryingFetcher(engine, _policy(options, options.network_retries))
        found = locate(source, patient)
        if all(len(group) == 1 for group in found.mirrors):
            yield found, patient
            return
        from ostree.net.mirrors import MirroredFetcher

        # With others at hand no mirror is asked for long.
        hasty = RetryingFetcher(engine, _policy(options, min(options.network_retries, 1)))
        mirrored = MirroredFetcher(hasty, found.mirrors)
        yield found, RetryingFetcher(mirrored, _policy(options, options.network_retries))


def _policy(options: PullOptions, retries: int) -> RetryPolicy:
    from ostree.net.retry import RetryPolicy

    return RetryPolicy(retries=retries, network_errors=options.retry_network_errors)


def _open_engine(
    repo: Repo, remote: Remote, options: PullOptions, *, accept_compressed: bool
) -> Fetcher:
    """A fetcher set up as the remote's configuration says."""
    certificate = remote.get("tls-client-cert-path")
    key = remote.get("tls-client-key-path")
    if (certificate is None) != (key is None):
        raise OSTreeError(
            f'Remote "{remote.name}" must specify both '
            '"tls-client-cert-path" and "tls-client-key-path"'
        )
    from ostree.net.curl import CurlFetcher

    limit = options.limit_rate
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
            max_outstanding=options.max_outstanding,
            low_speed_limit=options.low_speed_limit,
            # Who is slowed down by us must not be given up for it.
            low_speed_time=0 if 0 < limit <= options.low_speed_limit else options.low_speed_time,
            max_speed=limit,
            accept_compressed=accept_compressed,
        )
    )
    if not limit:
        return engine
    from ostree.net.rate_limit import LimitedFetcher

    return LimitedFetcher(engine, limit)
