"""The finder that asks the local network (§8.3)."""

from __future__ import annotations

from ostree.errors import OSTreeError
from ostree.transfer.finders.finder import Finder, Offer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.repo.repository import Repo
    from ostree.transfer.finders.finder import CollectionRef
    from ostree.transfer.options import PullOptions


class LanFinder(Finder):
    """Offers repositories that announce themselves on the local network."""

    title = "OstreeRepoFinderAvahi"
    priority = 60

    def find(self, repo: Repo, refs: Sequence[CollectionRef], options: PullOptions) -> list[Offer]:
        """See the base class."""
        del repo, refs, options
        raise OSTreeError("Finding remotes on the local network is not supported yet")
