"""Which commits a prune starts from: decided without looking at objects (repository format §8.2)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    #: A commit with the number of generations before it that stay (-1: all).
    Root = tuple[Checksum, int]
    #: Timestamp and parent of a commit; None if it is not there.
    History = Callable[[Checksum], tuple[int, Checksum | None] | None]


class Keep:
    """What keeps commits.

    Attributes:
        refs_only: Whether only refs do; otherwise each commit keeps itself.  Anything below
            implies it.
        depth: How many generations before a commit stay (-1: all).
        younger_than: Seconds since the epoch: instead of a number of generations those stay
            that are no older than this, up to the first that is.  A ref's own commit always stays,
            but ends it, too, if it is older.
        retain: Refspecs with numbers of generations of their own; 0 counts as not given, as
            upstream has it.
        only_branches: The refspecs that the rules above are for; any other ref that is not in
            ``retain`` keeps all of its history.
    """

    __slots__ = ("depth", "only_branches", "refs_only", "retain", "younger_than")

    def __init__(
        self,
        *,
        refs_only: bool = True,
        depth: int = -1,
        younger_than: int | None = None,
        retain: Mapping[str, int] | None = None,
        only_branches: Iterable[str] = (),
    ) -> None:
        self.depth = depth
        self.younger_than = younger_than
        self.retain = {ref: depth for ref, depth in (retain or {}).items() if depth}
        self.only_branches = frozenset(only_branches)
        self.refs_only = refs_only or bool(retain or self.only_branches or younger_than is not None)

    def depth_of(self, refspec: str) -> int | None:
        """The generations that a ref keeps; None where age decides."""
        if refspec in self.retain:
            return self.retain[refspec]
        if self.only_branches and refspec not in self.only_branches:
            return -1
        return None if self.younger_than is not None else self.depth


def choose_roots(
    keep: Keep,
    refs: Mapping[str, str],
    mirrored: Iterable[tuple[tuple[str, str], str]],
    commits: Iterable[Checksum],
    history: History,
) -> Iterator[Root]:
    """The commits to start from.

    Args:
        keep: What keeps commits.
        refs: Local and remote refs by refspec, and what their files hold.
        mirrored: Refs of collections, which no option can name, likewise.
        commits: All commits of the repository; looked at only if refs do not decide.
        history: Looks a commit up.
    """
    if not keep.refs_only:
        yield from ((commit, keep.depth) for commit in commits)
        return
    named = [(name, text) for name, text in refs.items()]
    named += [(f"({collection}, {name})", text) for (collection, name), text in mirrored]
    for refspec, text in named:
        try:
            head = Checksum(text)
        except FormatError:
            continue  # it keeps nothing, as upstream has it; fsck tells
        depth = keep.depth_of(refspec)
        if depth is not None:
            yield head, depth
        else:
            yield from _younger(head, keep.younger_than or 0, history)


def _younger(head: Checksum, oldest: int, history: History) -> Iterator[Root]:
    """A commit, and those before it, until one of them, the first included, is too old."""
    yield head, 0
    seen = {head}
    found = history(head)
    while found is not None and found[0] >= oldest:
        parent = found[1]
        if parent is None or parent in seen:
            return
        found = history(parent)
        if found is None or found[0] < oldest:
            return
        seen.add(parent)
        yield parent, 0


def referrer_of(
    commit: str, refs: Mapping[str, str], mirrored: Iterable[tuple[tuple[str, str], str]]
) -> str | None:
    """The first ref that points to a commit, as messages name it: ``'REF'`` or ``(COLL, REF)``."""
    for name, text in refs.items():
        if text == commit:
            return f"'{name}'"
    for (collection, name), text in mirrored:
        if text == commit:
            return f"({collection}, {name})"
    return None
