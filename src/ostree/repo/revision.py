"""What a revision means (repository format §4.4, "Resolving a REV")."""

from __future__ import annotations

from ostree.errors import RefNotFoundError
from ostree.formats.refspec import looks_like_checksum, parse_refspec, split_revision
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo

_HEX = frozenset("0123456789abcdef")


def resolve(repo: Repo, rev: str) -> Checksum:
    """The commit that ``rev`` means; see :meth:`ostree.repo.repository.Repo.resolve`."""
    if not isinstance(rev, str):
        raise TypeError(f"a revision is a str, not {type(rev).__name__}")
    if _HEX.issuperset(rev) and len(rev) <= 64:
        if len(rev) == 64:
            return Checksum(rev)
        found = _abbreviated(repo, rev)
        if found is not None:
            return found
    base, parents = split_revision(rev)
    if parents:
        checksum = resolve(repo, base)
        for _ in range(parents):
            parent = repo.load_commit(checksum).parent
            if parent is None:
                raise RefNotFoundError(f"Commit {checksum} has no parent")
            checksum = parent
        return checksum
    found = _of_ref(repo, rev)
    if found is None:
        raise RefNotFoundError(f"Refspec '{rev}' not found")
    return found


def _abbreviated(repo: Repo, start: str) -> Checksum | None:
    """The only commit whose checksum begins so, None if there is none."""
    found: set[Checksum] = set()
    at: Repo | None = repo
    while at is not None:
        extension = at.store.extension(ObjectType.COMMIT)
        for checksum, _ in at.store.objects.objects(extension, starting_with=start):
            found.add(checksum)
        at = at.parent
    if len(found) > 1:
        raise RefNotFoundError(f"Refspec {start} not unique")
    return found.pop() if found else None


def _of_ref(repo: Repo, refspec: str) -> Checksum | None:
    remote, name = parse_refspec(refspec)
    if looks_like_checksum(name):
        return Checksum(name)  # whatever remote it is said to be of
    at: Repo | None = repo
    while at is not None:
        found = at.refs.find(name) if remote is None else at.refs.get(refspec)
        if found is not None:
            return found
        at = at.parent
    return None
