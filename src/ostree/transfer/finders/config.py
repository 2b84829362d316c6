"""The finder that looks at configured remotes (§8.3)."""

from __future__ import annotations

from ostree.errors import FormatError, OSTreeError
from ostree.formats.refspec import check_collection_id
from ostree.transfer.finders.finder import Finder, Offer
from ostree.transfer.remote_summary import remote_summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.repo.repository import Repo
    from ostree.transfer.finders.finder import CollectionRef
    from ostree.transfer.options import PullOptions


class ConfigFinder(Finder):
    """Offers each remote with a collection ID whose summary lists a ref of that collection."""

    title = "OstreeRepoFinderConfig"
    priority = 100

    def find(self, repo: Repo, refs: Sequence[CollectionRef], options: PullOptions) -> list[Offer]:
        """See the base class."""
        wanted = {collection for collection, _ in refs}
        found = []
        for name in repo.remotes.names():
            remote = repo.remotes.get(name)
            collection = remote.get("collection-id")
            if collection not in wanted or not _is_collection_id(collection):
                continue
            try:
                fetched = remote_summary(repo, name, options)
                if fetched is None:
                    continue
                summary = fetched.summary
            except OSTreeError:
                continue
            if any(summary.find(ref, of) for of, ref in refs if of == collection):
                url = remote.get("url") or remote.get("metalink") or ""
                found.append(Offer(self, name, remote, url, summary))
        return found


def _is_collection_id(text: str | None) -> bool:
    if text is None:
        return False
    try:
        check_collection_id(text)
    except FormatError:
        return False
    return True
