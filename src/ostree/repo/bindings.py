"""What commits say about the refs they are meant for (repository format §6.8, §8.3)."""

from __future__ import annotations

from ostree.errors import TrustError
from ostree.repo.collections import collection_refs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.commit import Commit
    from ostree.repo.repository import Repo

_REFS = "ostree.ref-binding"
_COLLECTION = "ostree.collection-binding"


def check_bindings(commit: Commit, checksum: str, refs: list[str], collection: str | None) -> None:
    """Check that a commit is meant for the refs, and for the collection if one is given.

    Raises:
        TrustError: in upstream's words.
    """
    bound = commit.metadata_value(_REFS, "as")
    context = f"Commit {checksum}"
    if bound is None:
        if collection is not None:
            raise TrustError(
                f"{context}: Expected commit metadata to have ref binding information, found none"
            )
        return
    missing = [ref for ref in refs if ref not in bound]
    if missing:
        listed = ", ".join(f"‘{ref}’" for ref in bound) or "no refs"
        raise TrustError(
            f"{context}: Commit has no requested ref ‘{missing[0]}’ "
            f"in ref binding metadata ({listed})"
        )
    if collection is None:
        return
    actual = commit.metadata_value(_COLLECTION, "s")
    if actual is None:
        raise TrustError(
            f"{context}: Expected commit metadata to have collection ID binding information, "
            "found none"
        )
    if actual != collection:
        raise TrustError(
            f"{context}: Commit has collection ID ‘{actual}’ in collection binding metadata, "
            f"while the remote it came from has collection ID ‘{collection}’"
        )


class BackReferences:
    """The refs of a repository as they were when it was made, for checking what commits say.

    Args:
        repo: Whose refs.
    """

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._collections: dict[tuple[str, str], str] | None = None

    def check(self, commit: Commit, checksum: str) -> None:
        """Check that every ref a commit is meant for points to it.

        Raises:
            TrustError: in upstream's words.
            FormatError: if it is meant for something that is no ref.
        """
        collection = commit.metadata_value(_COLLECTION, "s")
        for ref in commit.metadata_value(_REFS, "as") or ():
            if collection is None:
                target: str | None = self._repo.find(ref)
                shown = f"Ref ‘{ref}’"
            else:
                target = self._of_collection(collection, ref)
                shown = f"Collection–ref ({collection}, {ref})"
            if target == checksum:
                continue
            wrong = "does not exist" if target is None else "does not resolve to that commit"
            raise TrustError(f"{shown} in bindings for commit {checksum} {wrong}")

    def _of_collection(self, collection: str, ref: str) -> str | None:
        if self._collections is None:
            self._collections = collection_refs(self._repo)
        return self._collections.get((collection, ref))
