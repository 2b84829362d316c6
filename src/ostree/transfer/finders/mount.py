"""The finder that looks at mounted volumes, such as USB sticks (§8.3)."""

from __future__ import annotations

import os
from urllib.parse import quote

from ostree.errors import OSTreeError
from ostree.formats.keyfile import KeyFile
from ostree.repo import summary
from ostree.repo.collections import collection_refs
from ostree.repo.keyrings import ring_name
from ostree.repo.remotes import Remote, group_name
from ostree.repo.repository import Repo
from ostree.system.volumes import mounted_volumes
from ostree.transfer.finders.finder import Finder, Offer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.transfer.finders.finder import CollectionRef
    from ostree.transfer.options import PullOptions

#: Where repositories are on a volume, besides those that ``.ostree/repos.d`` leads to.
_PLACES = (".ostree/repo", "ostree/repo", "var/lib/flatpak/repo")
_LINKS = ".ostree/repos.d"
#: What decides where a remote is; a repository on a volume is elsewhere.
_WHEREABOUTS = ("url", "metalink", "contenturl", "custom-backend", "unconfigured-state", "proxy")


class MountFinder(Finder):
    """Offers repositories on volumes that have refs of collections whose keys are known here.

    Args:
        volumes: Root directories of volumes; those that are mounted if None.
    """

    title = "OstreeRepoFinderMount"
    priority = 50

    def __init__(self, volumes: Sequence[str] | None = None) -> None:
        self._volumes = volumes

    def find(self, repo: Repo, refs: Sequence[CollectionRef], options: PullOptions) -> list[Offer]:
        """See the base class."""
        del options
        keyrings = _keyrings(repo, {collection for collection, _ in refs})
        if not keyrings:
            return []
        own = os.fstat(repo.dir_fd)
        found: list[Offer] = []
        seen = {(own.st_dev, own.st_ino)}
        for volume in mounted_volumes() if self._volumes is None else self._volumes:
            for path in _candidates(volume):
                info = os.stat(path)
                if (info.st_dev, info.st_ino) not in seen:
                    seen.add((info.st_dev, info.st_ino))
                    found += self._offers(path, refs, keyrings)
        return found

    def _offers(
        self, path: str, refs: Sequence[CollectionRef], keyrings: dict[str, Remote]
    ) -> Iterator[Offer]:
        """What one repository has; an offer for each keyring that is needed."""
        try:
            with Repo.open(path) as volume:
                has = collection_refs(volume)
                contents = summary.load(volume)
        except (OSTreeError, OSError):
            return  # whatever it is, it is none of ours
        if contents is None:
            return
        by_remote: dict[str, set[str]] = {}
        for ref in refs:
            if ref in has and ref[0] in keyrings:
                by_remote.setdefault(keyrings[ref[0]].name, set()).add(ref[0])
        for name, collections in by_remote.items():
            url = f"file://{quote(path)}"
            remote = next(remote for remote in keyrings.values() if remote.name == name)
            yield Offer(
                self,
                quote(f"{url}_{name}.trustedkeys.gpg", safe="-._~").replace("%", "_"),
                _moved(remote, url),
                url,
                contents,
                collections=frozenset(collections),
            )


def _keyrings(repo: Repo, collections: set[str]) -> dict[str, Remote]:
    """For each collection the first remote that serves it and has keys, where there is one."""
    found: dict[str, Remote] = {}
    for name in repo.remotes.names():
        remote = repo.remotes.get(name)
        collection = remote.get("collection-id")
        if collection in collections and collection not in found and _has_keys(repo, remote):
            found[collection] = remote
    return found


def _has_keys(repo: Repo, remote: Remote) -> bool:
    if remote.get("gpgkeypath") is not None:
        return True
    directories = (repo.path, repo.remotes_directory)
    return any(
        os.path.exists(os.path.join(directory, ring_name(remote.name)))
        for directory in directories
        if directory is not None
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


def _moved(remote: Remote, url: str) -> Remote:
    """A remote of the same name with the same demands, in another place."""
    group = group_name(remote.name)
    keyfile = KeyFile()
    for key in remote.options():
        value = remote.get(key)
        if key not in _WHEREABOUTS and value is not None:
            keyfile.set_string(group, key, value)
    keyfile.set_string(group, "url", url)
    return Remote(remote.name, keyfile)
