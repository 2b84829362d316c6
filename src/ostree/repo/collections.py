"""Refs by collection: which collection each ref of a repository belongs to (§4.4)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.refspec import check_collection_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.types import Checksum


def collection_refs(repo: Repo) -> dict[tuple[str, str], str]:
    """Every ref that belongs to a collection, as (collection ID, ref), with what its file holds.

    Local refs belong to the repository's own collection, refs of a remote to the one that the
    remote is configured with, and each directory below ``refs/mirrors`` is a collection.  Where
    one (collection, ref) is found in several places, remotes win over mirrors and these over local
    refs, as upstream has it; of two remotes, the first by name.

    Raises:
        NotFoundError: if a ref cannot be read.
        FormatError: if the configuration of remotes is wrong.
    """
    found: dict[tuple[str, str], str] = {}
    own = repo.config.collection_id
    if own is not None:
        found.update(((own, name), value) for name, value in repo.refs.local().items())
    mirrored = repo.refs.mirrored()
    found.update((key, value) for key, value in mirrored.items() if _is_collection_id(key[0]))
    for remote in reversed(repo.remotes.names()):
        collection_id = repo.remotes.get(remote).get("collection-id")
        if collection_id is not None and _is_collection_id(collection_id):
            for refspec, value in repo.refs.remote(remote).items():
                found[(collection_id, refspec.partition(":")[2])] = value
    return dict(sorted(found.items()))


def set_collection_ref(repo: Repo, collection: str, name: str, checksum: Checksum | None) -> None:
    """Point a ref of a collection at a commit, or delete it; refs of other collections are mirrored.

    Raises:
        FormatError: if collection ID or name are none.
        ExistsError: if refs below that name, or a ref above it, are in the way.
    """
    check_collection_id(collection)
    if collection == repo.config.collection_id:
        repo.refs.set(name, checksum)
    else:
        repo.refs.set_mirrored(collection, name, checksum)


def _is_collection_id(text: str) -> bool:
    try:
        check_collection_id(text)
    except FormatError:
        return False
    return True
