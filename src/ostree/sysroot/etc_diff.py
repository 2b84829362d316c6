"""What was changed in ``/etc``, as a plan over two scanned trees (deployments §8.1)."""

from __future__ import annotations

import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    #: Whether the regular file at a path holds the same bytes in two trees.
    SameContent = Callable[[str], bool]


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
        children: dict[str, EtcNode] | None = None,
    ) -> None:
        self.uid = uid
        self.gid = gid
        self.mode = mode
        self.size = size
        self.target = target
        self.children: dict[str, EtcNode] = {} if children is None else children

    @property
    def kind(self) -> int:
        """The type bits of the mode."""
        return stat.S_IFMT(self.mode)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)

    def find(self, path: str) -> EtcNode | None:
        """What is at a relative path below; links are not followed."""
        node: EtcNode | None = self
        for name in path.split("/"):
            node = None if node is None else node.children.get(name)
        return node

    def has_link(self, path: str) -> bool:
        """Whether a relative path leads through a link, or to one."""
        node: EtcNode | None = self
        for name in path.split("/"):
            node = None if node is None else node.children.get(name)
            if node is not None and stat.S_ISLNK(node.mode):
                return True
        return False

    def walk(self, path: str) -> Iterator[tuple[str, EtcNode]]:
        """The node, called ``path``, and all below it; parents before their children."""
        todo = [(path, self)]
        while todo:
            here, node = todo.pop()
            yield here, node
            todo.extend(
                (f"{here}/{name}", node.children[name])
                for name in sorted(node.children, reverse=True)
            )


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


def diff_etc(default: EtcNode, edited: EtcNode, same_content: SameContent) -> EtcChanges:
    """Compare the configuration as it came with the one in use.

    Times and extended attributes do not count.

    Args:
        default: ``usr/etc``.
        edited: ``etc``.
        same_content: Asked only about files that are alike in everything else.
    """
    changes = EtcChanges([], [], [])
    # What is at one path on both sides; the last is next, and after it what is below it.
    todo = list(_pairs(default, edited, ""))
    while todo:
        path, old, new = todo.pop()
        if new is None:
            changes.removed.append(path)
        elif old is None:
            changes.added.extend(below for below, _ in new.walk(path))
        else:
            if not is_same(old, new, path, same_content):
                changes.modified.append(path)
            if old.is_directory and new.is_directory:
                todo.extend(_pairs(old, new, f"{path}/"))
    return changes


def _pairs(
    old: EtcNode, new: EtcNode, prefix: str
) -> Iterator[tuple[str, EtcNode | None, EtcNode | None]]:
    """The members of two directories in reverse: first what only the new one has."""
    for name in sorted(new.children.keys() - old.children.keys(), reverse=True):
        yield prefix + name, None, new.children[name]
    for name in sorted(old.children, reverse=True):
        yield prefix + name, old.children[name], new.children.get(name)


def is_same(old: EtcNode, new: EtcNode, path: str, same_content: SameContent) -> bool:
    """Whether two nodes at a path are alike; what is in directories does not count."""
    return (
        old.mode == new.mode
        and old.uid == new.uid
        and old.gid == new.gid
        and old.size == new.size
        and old.target == new.target
        and (not stat.S_ISREG(old.mode) or same_content(path))
    )
