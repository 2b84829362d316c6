"""The finder that looks at configured remotes (§8.3)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.refspec import check_collection_id
from ostree.transfer.finders.finder import Finder, Lead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.repo.repository import Repo
    from ostree.transfer.finders.finder import CollectionRef


class ConfigFinder(Finder):
    """Offers each remote with a collection ID whose summary lists a ref of that collection."""

    title = "OstreeRepoFinderConfig"
    priority = 100

    def find(self, repo: Repo, refs: Sequence[CollectionRef]) -> list[Lead]:
        """See the base class."""
        wanted = {collection for collection, _ in refs}
        found = []
        for name in repo.remotes.names():
            remote = repo.remotes.get(name)
            collection = remote.get("collection-id")
            if collection not in wanted or not _is_collection_id(collection):
                continue
            url = remote.get("url") or remote.get("metalink") or ""
            expected = [ref for ref in refs if ref[0] == collection]
            found.append(Lead(self, name, remote, url, expected=expected))
        return found


def _is_collection_id(text: str | None) -> bool:
    if text is None:
        return False
    try:
        check_collection_id(text)
    except FormatError:
        return False
    return True
