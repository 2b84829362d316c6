"""What was changed in ``/etc``, as a plan over two scanned trees (deployments §8.1)."""

from __future__ import annotations

import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class EtcNode:
    """A file or directory as far as the comparison looks at it.

    Attributes:
        mode: With type bits.
        size: Of a regular file, else 0.
        target: Of a symbolic link, else empty.
        children: Of a directory, else empty.
    """

    __slots__ = ("children", "gid", "mode", "size", "target", "uid")

    def __init__(
        self,
        *,
        uid: int,
        gid: int,
        mode: int,
        size: int = 0,
        target: str = "",
        children: Mapping[str, EtcNode] | None = None,
    ) -> None:
        self.uid = uid
        self.gid = gid
        self.mode = mode
        self.size = size
        self.target = target
        self.children: Mapping[str, EtcNode] = children or {}

    @property
    def kind(self) -> int:
        """The type bits of the mode."""
        return stat.S_IFMT(self.mode)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)


class EtcChanges:
    """Paths relative to ``etc``, parents before their children."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self, modified: list[str], removed: list[str], added: list[str]) -> None:
        self.modified = modified
        self.removed = removed
        self.added = added

    def summary(self) -> str:
        """The message that upstream prints."""
        return (
            f"Copying /etc changes: {len(self.modified)} modified, "
            f"{len(self.removed)} removed, {len(self.added)} added"
        )


def diff_etc(default: EtcNode, edited: EtcNode, same_content: Callable[[str], bool]) -> EtcChanges:
    """Compare the configuration as it came with the one in use.

    Times and extended attributes do not count.

    Args:
        default: ``usr/etc``.
        edited: ``etc``.
        same_content: Whether the regular file at a path holds the same bytes in both; asked only
            about files that are alike in everything else.
    """
    changes = EtcChanges([], [], [])
    _diff_directory(default, edited, "", same_content, changes)
    return changes


def _diff_directory(
    default: EtcNode,
    edited: EtcNode,
    prefix: str,
    same_content: Callable[[str], bool],
    changes: EtcChanges,
) -> None:
    for name, old in sorted(default.children.items()):
        path = prefix + name
        new = edited.children.get(name)
        if new is None:
            changes.removed.append(path)
            continue
        if not _same(old, new) or (stat.S_ISREG(old.mode) and not same_content(path)):
            changes.modified.append(path)
        if old.is_directory and new.is_directory:
            _diff_directory(old, new, f"{path}/", same_content, changes)
    for name, new in sorted(edited.children.items()):
        if name not in default.children:
            changes.added.extend(_list_tree(new, prefix + name))


def _same(old: EtcNode, new: EtcNode) -> bool:
    return (
        old.mode == new.mode
        and old.uid == new.uid
        and old.gid == new.gid
        and old.size == new.size
        and old.target == new.target
    )


def _list_tree(node: EtcNode, path: str) -> Iterator[str]:
    yield path
    for name, child in sorted(node.children.items()):
        yield from _list_tree(child, f"{path}/{name}")
