"""Pulling from a configured remote."""

from __future__ import annotations

from ostree.errors import OSTreeError
from ostree.events import ignore
from ostree.repo.remotes import Remote
from ostree.transfer.connection import connect
from ostree.transfer.delta_use import check_options
from ostree.transfer.demands import trust_in
from ostree.transfer.destination import keep_summary
from ostree.transfer.errand import Errand
from ostree.transfer.options import PullOptions, PullResult
from ostree.transfer.remote import access, require_pullable
from ostree.transfer.remote_summary import open_cache
from ostree.transfer.wanted import collection_wanted, parse_wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.events import Listener
    from ostree.repo.repository import Repo
    from ostree.transfer.remote_summary import RemoteSummary


def pull(
    repo: Repo,
    remote: str | Remote,
    refs: Sequence[str] = (),
    options: PullOptions | None = None,
    on_event: Listener | None = None,
) -> PullResult:
    """Fetch commits from a configured remote and point its refs at them.

    Args:
        repo: The destination.
        remote: A configured remote, or one that is configured nowhere.
        refs: Each a ref name, ``REF@CHECKSUM`` or a checksum; the configured branches if neither
            these nor refs of collections are given.
        options: How to pull.
        on_event: Is given :class:`~ostree.events.PullProgress`.

    Returns:
        What was done.

    Raises:
        SignatureError: if something is not signed as the remote's configuration demands.
        OSTreeError: naming what went wrong.  No ref has changed; objects that came are kept for
            the next pull.
    """
    options = options or PullOptions()
    remote = remote if isinstance(remote, Remote) else repo.remotes.get(remote)
    repo.require_writable()
    check_options(repo, options)
    trust = trust_in(repo, remote, options)
    require_pullable(remote)
    source = access(remote, options)
    wanted = collection_wanted(options.collection_refs)
    everything = not refs and not wanted
    wanted += parse_wanted(refs or (source.branches if everything else ()))
    if not wanted and not options.mirror:
        raise OSTreeError(f"No configured branches for remote {remote.name}")
    listener = on_event or ignore
    cache = open_cache(repo, source, options)
    if source.local_path is not None and not options.require_static_deltas:
        from ostree.repo.repository import Repo
        from ostree.transfer.pull_local import pull_directory

        for path in options.localcache_repos:  # of no use here, but they have to be there
            Repo.open(path).close()
        return pull_directory(repo, source, wanted, options, trust, listener, everything=everything)
    with connect(repo, remote, source, options) as (found, fetcher):
        errand = Errand(repo, found, fetcher, wanted, options, trust, listener)
        mirrors_all = options.mirror and everything
        errand.resolve(cache, everything=mirrors_all)
        result = errand.run()
        if mirrors_all and not source.branches and not options.dry_run:
            _keep_summary(repo, errand.summary)
    return result


def _keep_summary(repo: Repo, summary: RemoteSummary | None) -> None:
    """A mirror of everything has the summary, too."""
    if summary is not None:
        keep_summary(
            repo,
            summary.data,
            summary.signature,
            etag=summary.etag,
            last_modified=summary.last_modified,
        )
