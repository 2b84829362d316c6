"""Directories that move, and directories that are put together with others.

Relative links that lead out of what moves are rewritten first, to lead up to the root of the tree
and down again.  As ``..`` of the root is the root itself, such a link is right at its old place as
well as at its new one, so that a preparation may be interrupted between the two steps.
"""

from __future__ import annotations

import posixpath

from ostree.tree.facts import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.tree.draft import Draft
    from ostree.tree.facts import Entry


def relocate(draft: Draft, source: str, target: str, *, seen_as: str | None = None) -> None:
    """Move a directory, or put it together with the one that has its new place.

    Args:
        draft: The tree.
        source: The directory.
        target: Its new place.
        seen_as: From where its links are resolved in a running system, if not from ``target``.
    """
    if draft.node(target) is None:
        if not draft.make_directory(posixpath.dirname(target)):
            return
        _fix_links(draft, source, source, seen_as or target)
        draft.move(source, target)
        return
    if not draft.is_directory(target):
        draft.problem(f"/{source} cannot become /{target}, which is no directory")
        return
    before = len(draft.problems)
    _merge(draft, source, target, top=(source, seen_as or target))
    if len(draft.problems) == before:
        draft.remove(source)


def _merge(draft: Draft, source: str, target: str, *, top: tuple[str, str]) -> None:
    """Move what is in a directory into another one, as far as nothing is in the way."""
    for name in draft.names(source):
        one, other = f"{source}/{name}", f"{target}/{name}"
        ours, theirs = draft.entry(one), draft.entry(other)
        if ours is None:
            continue
        if theirs is None:
            _fix_links(draft, one, *top)
            draft.move(one, other)
        elif ours.kind is theirs.kind is Kind.DIRECTORY:
            _merge_directories(draft, one, other, top=top)
        else:
            _settle(draft, one, other, top=top)


def _merge_directories(draft: Draft, one: str, other: str, *, top: tuple[str, str]) -> None:
    ours, theirs = draft.entry(one), draft.entry(other)
    if ours is None or theirs is None:
        return
    if ours[1:4] != theirs[1:4]:
        draft.problem(
            f"/{one} ({_rights(ours)}) and /{other} ({_rights(theirs)}) differ in mode or owner"
        )
        return
    before = len(draft.problems)
    _merge(draft, one, other, top=top)
    if len(draft.problems) == before:
        draft.remove(one)


def _rights(entry: Entry) -> str:
    return f"{entry.mode:04o} {entry.uid}:{entry.gid}"


def _settle(draft: Draft, one: str, other: str, *, top: tuple[str, str]) -> None:
    """Two entries of one name, not both of them directories: one of them has to go."""
    ours, theirs = draft.node(one), draft.node(other)
    if ours is None or theirs is None:
        return
    theirs_is_link = theirs.entry.kind is Kind.LINK
    if theirs_is_link and draft.resolve(other) == one:
        # A link to what takes its place.
        _fix_links(draft, one, *top)
        if ours.entry.kind is Kind.DIRECTORY:
            draft.remove(other)
        draft.move(one, other)
    elif _is_superfluous(draft, one, other):
        draft.remove(one)
    else:
        draft.problem(f"/{one} and /{other} differ, and only one of them can stay")


def _is_superfluous(draft: Draft, one: str, other: str) -> bool:
    """Whether nothing is lost with the first of two entries: it leads to the other or is equal."""
    ours, theirs = draft.node(one), draft.node(other)
    if ours is None or theirs is None:
        return False
    if ours.entry.kind is Kind.LINK:
        if draft.resolve(one) == other:
            return True
        return theirs.entry.kind is Kind.LINK and _lead_alike(draft, one, other)
    return ours.entry.kind is theirs.entry.kind is Kind.FILE and draft.same(ours, theirs)


def _lead_alike(draft: Draft, one: str, other: str) -> bool:
    """Whether two links lead to the same thing, or are equal and lead nowhere."""
    ours, theirs = draft.resolve(one), draft.resolve(other)
    if ours is None and theirs is None:
        first, second = draft.entry(one), draft.entry(other)
        return first is not None and second is not None and first.target == second.target
    return ours == theirs


def _fix_links(draft: Draft, path: str, source: str, target: str) -> None:
    """Rewrite links at or below ``path`` that lead out of ``source``, which becomes ``target``."""
    if source == target:
        return
    for here, entry in list(_links(draft, path)):
        new = moved_target(here, entry.target, source, target)
        if new != entry.target:
            draft.link(here, new)


def _links(draft: Draft, path: str) -> Iterator[tuple[str, Entry]]:
    entry = draft.entry(path)
    if entry is not None and entry.kind is Kind.LINK:
        yield path, entry
    for here, below in draft.walk(path):
        if below.kind is Kind.LINK:
            yield here, below


def moved_target(link: str, text: str, source: str, target: str) -> str:
    """What a link has to say to lead to the same place after its directory has moved.

    Args:
        link: Where it is now, at or below ``source``.
        text: What it says now.
        source: The directory that moves.
        target: Where to.

    Returns:
        ``text`` if that is right; else the way up to the root and down again.
    """
    if text.startswith("/"):
        return text
    names = text.split("/")
    here = posixpath.dirname(link).split("/") if "/" in link else []
    climbs = 0
    while climbs < len(names) and names[climbs] in {"", ".", ".."}:
        if names[climbs] == "..":
            here = here[:-1]
        climbs += 1
    inside = source.split("/")
    if here[: len(inside)] == inside:
        return text
    goal = "/".join([*here, *names[climbs:]])
    depth = (target + link[len(source) :]).count("/")
    return "../" * depth + goal if goal else "/".join([".."] * depth)
