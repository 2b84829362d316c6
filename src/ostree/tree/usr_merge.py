"""Programs and libraries in ``/usr`` alone, with links where they were."""

from __future__ import annotations

from ostree.tree.facts import Kind
from ostree.tree.moving import relocate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.tree.draft import Draft

#: The directories of the root that become links to their namesakes in ``/usr``.
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32")


def merge_usr(draft: Draft) -> None:
    """Move what ``/usr`` has to hold into it; existing links into ``/usr`` stay."""
    if draft.node("usr") is None:
        draft.make_directory("usr")
    for name in MERGED:
        _merge_one(draft, name)


def link_to_usr(draft: Draft) -> None:
    """Links to what ``/usr`` has, where they are missing.

    That is so where a run was interrupted between moving and linking, and where later steps have
    made a directory in ``/usr``.
    """
    for name in MERGED:
        if draft.node(name) is None and draft.node(f"usr/{name}") is not None:
            draft.link(name, f"usr/{name}")


def _merge_one(draft: Draft, name: str) -> None:
    entry = draft.entry(name)
    target = f"usr/{name}"
    if entry is None:
        return
    if entry.kind is Kind.LINK:
        if entry.target.startswith("/") and draft.resolve(name) == draft.resolve(target):
            # From outside of the running system an absolute link leads somewhere else.
            draft.link(name, target)
        return
    if entry.kind is not Kind.DIRECTORY:
        draft.problem(f"/{name} is neither a directory nor a link")
        return
    place = draft.resolve(target) if draft.node(target) is not None else target
    if place is None or place == name:
        # A link from /usr to what moves now, or to nothing.
        draft.remove(target)
        place = target
    before = len(draft.problems)
    relocate(draft, name, place)
    if len(draft.problems) == before:
        draft.link(name, target)
