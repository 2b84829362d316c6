"""The finder that looks at mounted volumes, such as USB sticks (§8.3)."""

from __future__ import annotations

import os
from urllib.parse import quote

from ostree.errors import OSTreeError
from ostree.repo import summary
from ostree.repo.collections import collection_refs
from ostree.repo.repository import Repo
from ostree.system.volumes import mounted_volumes
from ostree.transfer.finders.finder import Finder, Lead
from ostree.transfer.finders.keyring import by_remote, keyring_remotes, moved, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.repo.remotes import Remote
    from ostree.transfer.finders.finder import CollectionRef

#: Where repositories are on a volume, besides those that ``.ostree/repos.d`` leads to.
_PLACES = (".ostree/repo", "ostree/repo", "var/lib/flatpak/repo")
_LINKS = ".ostree/repos.d"


class MountFinder(Finder):
    """Offers repositories on volumes that have refs of collections whose keys are known here.

    Args:
        volumes: Root directories of volumes; those that are mounted if None.
    """

    title = "OstreeRepoFinderMount"
    priority = 50

    def __init__(self, volumes: Sequence[str] | None = None) -> None:
        self._volumes = volumes

    def find(self, repo: Repo, refs: Sequence[CollectionRef]) -> list[Lead]:
        """See the base class."""
        keyrings = keyring_remotes(repo, refs)
        if not keyrings:
            return []
        own = os.fstat(repo.dir_fd)
        found: list[Lead] = []
        seen = {(own.st_dev, own.st_ino)}
        for volume in mounted_volumes() if self._volumes is None else self._volumes:
            for path in _candidates(volume):
                info = os.stat(path)
                if (info.st_dev, info.st_ino) not in seen:
                    seen.add((info.st_dev, info.st_ino))
                    found += self._leads(path, refs, keyrings)
        return found

    def _leads(
        self, path: str, refs: Sequence[CollectionRef], keyrings: dict[str, Remote]
    ) -> Iterator[Lead]:
        """What one repository has; a lead for each keyring that is needed."""
        try:
            with Repo.open(path) as volume:
                has = collection_refs(volume)
                contents = summary.load(volume)
        except (OSTreeError, OSError):
            return  # whatever it is, it is none of ours
        if contents is None:
            return
        url = f"file://{quote(path)}"
        for remote, collections in by_remote([ref for ref in refs if ref in has], keyrings):
            yield Lead(
                self,
                name_of(url, remote),
                moved(remote, url),
                url,
                collections=collections,
                summary=contents,
            )


def _candidates(volume: str) -> Iterator[str]:
    """The directories on a volume that may be repositories, links resolved."""
    try:
        device = os.stat(volume).st_dev
        links = sorted(os.listdir(os.path.join(volume, _LINKS)))
    except FileNotFoundError:
        links = []
    except OSError:
        return
    if not os.path.isdir(volume):
        return
    for place in (*(os.path.join(_LINKS, name) for name in links), *_PLACES):
        path = os.path.realpath(os.path.join(volume, place))
        # A link may lead anywhere; what is on another device belongs to somebody else.
        if os.path.isdir(path) and os.stat(path).st_dev == device:
            yield path
