"""Repositories that are configured nowhere, and the remotes whose keys vouch for them (§8.3)."""

from __future__ import annotations

import os
from urllib.parse import quote

from ostree.formats.keyfile import KeyFile
from ostree.repo.keyrings import ring_name
from ostree.repo.remotes import Remote, group_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ostree.repo.repository import Repo
    from ostree.transfer.finders.finder import CollectionRef

#: What decides where a remote is; what a finder has found is elsewhere.
_WHEREABOUTS = ("url", "metalink", "contenturl", "custom-backend", "unconfigured-state", "proxy")
#: What it demands of its summary; others make their own, with no keys to sign it.
_OF_SUMMARIES = ("gpg-verify-summary", "sign-verify-summary")


def keyring_remotes(repo: Repo, refs: Iterable[CollectionRef]) -> dict[str, Remote]:
    """For each collection the first remote that serves it and has keys, where there is one."""
    collections = {collection for collection, _ in refs}
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


def by_remote(
    refs: Iterable[CollectionRef], keyrings: Mapping[str, Remote]
) -> Iterator[tuple[Remote, frozenset[str]]]:
    """The remotes that have keys for collections of some refs, each with those collections."""
    found: dict[str, tuple[Remote, set[str]]] = {}
    for collection, _ in refs:
        remote = keyrings.get(collection)
        if remote is not None:
            found.setdefault(remote.name, (remote, set()))[1].add(collection)
    for remote, collections in found.values():
        yield remote, frozenset(collections)


def name_of(url: str, remote: Remote) -> str:
    """The name, among results, of a repository that was found."""
    return quote(f"{url}_{ring_name(remote.name)}", safe="-._~").replace("%", "_")


def moved(remote: Remote, url: str) -> Remote:
    """A remote of the same name with the same demands, in another place."""
    group = group_name(remote.name)
    keyfile = KeyFile()
    for key in remote.options():
        value = remote.get(key)
        if key not in (*_WHEREABOUTS, *_OF_SUMMARIES) and value is not None:
            keyfile.set_string(group, key, value)
    keyfile.set_string(group, "url", url)
    return Remote(remote.name, keyfile)
