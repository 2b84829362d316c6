"""A tree in memory on which a preparation is tried; what is done to it becomes the plan."""

from __future__ import annotations

import posixpath

from ostree.tree.facts import Entry, Kind
from ostree.tree.step import Action, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.tree.facts import TreeFacts

_MAX_LINKS = 40


class Node:
    """One entry in the draft.

    Attributes:
        entry: What it is.
        origin: Where it is on the disk before the first step; None for what a step makes.
        children: Of a directory.
    """

    __slots__ = ("children", "entry", "origin")

    def __init__(self, entry: Entry, origin: str | None) -> None:
        self.entry = entry
        self.origin = origin
        self.children: dict[str, Node] = {}


class Draft:
    """The tree as it will be after the steps so far.

    What stands in the way of a step is noted as a problem, and the step left out, so that one run
    names everything that the user has to settle.

    Attributes:
        steps: In the order in which they have to be done.
        problems: Why it cannot be done, in words.
        notes: What the user should know.
    """

    def __init__(self, facts: TreeFacts) -> None:
        self.facts = facts
        self.steps: list[Step] = []
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._root = Node(Entry(Kind.DIRECTORY), "")
        for path in sorted(facts.entries, key=lambda path: path.count("/")):
            parent, _, name = path.rpartition("/")
            self._node(parent).children[name] = Node(facts.entries[path], path)

    # looking ----------------------------------------------------------------------------------

    def _node(self, path: str) -> Node:
        node = self._root
        if path:
            for name in path.split("/"):
                node = node.children[name]
        return node

    def node(self, path: str) -> Node | None:
        """What is at a path, links not followed."""
        try:
            return self._node(path)
        except KeyError:
            return None

    def entry(self, path: str) -> Entry | None:
        """What is at a path, links not followed."""
        node = self.node(path)
        return None if node is None else node.entry

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory, and not a link to one."""
        node = self.node(path)
        return node is not None and node.entry.kind is Kind.DIRECTORY

    def is_link(self, path: str) -> bool:
        """Whether there is a symbolic link, wherever it leads."""
        node = self.node(path)
        return node is not None and node.entry.kind is Kind.LINK

    def names(self, path: str) -> list[str]:
        """The names in a directory, sorted; none if there is no directory."""
        node = self.node(path)
        return [] if node is None else sorted(node.children)

    def walk(self, path: str) -> Iterator[tuple[str, Entry]]:
        """Everything below a directory, each directory before what is in it."""
        for name in self.names(path):
            here = f"{path}/{name}" if path else name
            yield here, self._node(here).entry
            yield from self.walk(here)

    def resolve(self, path: str) -> str | None:
        """Where a path leads when links are followed; None if it leads nowhere or in a circle."""
        todo = [name for name in reversed(path.split("/")) if name not in {"", "."}]
        done: list[str] = []
        links = 0
        while todo:
            name = todo.pop()
            if name == "..":
                done[-1:] = []
                continue
            node = self.node("/".join([*done, name]))
            if node is None:
                return None
            if node.entry.kind is not Kind.LINK:
                done.append(name)
                continue
            links += 1
            if links > _MAX_LINKS:
                return None
            if node.entry.target.startswith("/"):
                done.clear()
            todo += [n for n in reversed(node.entry.target.split("/")) if n not in {"", "."}]
        return "/".join(done)

    def same(self, one: Node, other: Node) -> bool:
        """Whether two files are equal in content, mode and owner."""
        ours, theirs = one.entry, other.entry
        return (
            one.origin is not None
            and other.origin is not None
            and ours[:4] == theirs[:4]
            and ours.size == theirs.size
            and self.facts.same(one.origin, other.origin)
        )

    # changing ---------------------------------------------------------------------------------

    def problem(self, text: str) -> None:
        """Note what stands in the way."""
        if text not in self.problems:
            self.problems.append(text)

    def note(self, text: str) -> None:
        """Note what the user should know."""
        self.notes.append(text)

    def move(self, path: str, target: str) -> None:
        """Move something; a file or a link at the target is replaced."""
        self._put(target, self._take(path))
        self.steps.append(Step(Action.MOVE, path, target))

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, or have one lead elsewhere; nothing if it leads there already."""
        old = self.entry(path)
        if old is not None and (old.kind, old.target) == (Kind.LINK, target):
            return
        self._put(path, Node(Entry(Kind.LINK, 0o777, target=target), None))
        self.steps.append(Step(Action.LINK, path, target))

    def make_directory(self, path: str, mode: int = 0o755) -> bool:
        """Make a directory and its parents where they are missing; False if that cannot be."""
        parent = posixpath.dirname(path)
        if parent and not self.make_directory(parent):
            return False
        entry = self.entry(path)
        if entry is None:
            self._put(path, Node(Entry(Kind.DIRECTORY, mode), None))
            self.steps.append(Step(Action.DIRECTORY, path, mode=mode))
        elif entry.kind is not Kind.DIRECTORY:
            self.problem(f"/{path} is no directory")
            return False
        return True

    def remove(self, path: str) -> None:
        """Remove something with all that is in it."""
        self._take(path)
        self.steps.append(Step(Action.REMOVE, path))

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file, in place of the one that may be there."""
        if not self.make_directory(posixpath.dirname(path)):
            return
        old = self.node(path)
        entry = Entry(Kind.FILE, mode, size=len(content))
        if old is not None and old.entry.kind is Kind.DIRECTORY:
            self.problem(f"/{path} is a directory")
            return
        self._put(path, Node(entry, None))
        self.steps.append(Step(Action.WRITE, path, mode=mode, content=content))

    def _take(self, path: str) -> Node:
        parent, _, name = path.rpartition("/")
        return self._node(parent).children.pop(name)

    def _put(self, path: str, node: Node) -> None:
        parent, _, name = path.rpartition("/")
        self._node(parent).children[name] = node
