"""How local changes of ``/etc`` are carried over to a new default, as a plan (deployments §8.2).

All that can be refused is refused here, before anything is changed.
"""

from __future__ import annotations

import stat
from enum import Enum

from ostree.errors import SysrootError
from ostree.sysroot.etc_diff import EtcNode
from ostree.sysroot.resolve import resolve_links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.sysroot.etc_diff import EtcChanges

_DIRECTORY = stat.S_IFDIR | 0o700


class Act(Enum):
    """What is done in one step."""

    REMOVE = "remove"
    MAKE_DIRECTORY = "make directory"
    COPY_ATTRIBUTES = "copy attributes"
    COPY_FILE = "copy file"
    COPY_LINK = "copy link"
    IGNORE = "ignore"


class EtcStep:
    """One step of a merge; both paths are relative to their ``etc``.

    Attributes:
        act: What to do.
        source: The changed path in the edited tree.
        target: Where that is in the merged one: no directory in it is a link.
    """

    __slots__ = ("act", "source", "target")

    def __init__(self, act: Act, source: str, target: str) -> None:
        self.act = act
        self.source = source
        self.target = target

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EtcStep) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"EtcStep({self.act}, {self.source!r}, {self.target!r})"

    def _key(self) -> tuple[Act, str, str]:
        return self.act, self.source, self.target


def plan_merge(changes: EtcChanges, edited: EtcNode, merged: EtcNode) -> list[EtcStep]:
    """The steps that repeat changes in a fresh copy of a new default.

    Args:
        changes: Of ``edited`` compared with the default that it was made from.
        edited: The tree with the changes.
        merged: The fresh copy; used up, it is as the steps will leave it afterwards.

    Raises:
        SysrootError: a changed file is in the way of a new directory, or the other way round, or
            the new default has a link out of ``/etc`` where the changed file had its directory.
    """
    planner = _Planner(edited, merged)
    for path in changes.removed:
        planner.remove(path)
    copied: str | None = None
    for path in [*changes.modified, *changes.added]:
        if copied is not None and path.startswith(copied):
            continue
        copied = f"{path}/" if planner.carry_over(path) else None
    return planner.steps


class _Planner:
    """The steps so far, and the merged tree as it is after them."""

    def __init__(self, edited: EtcNode, merged: EtcNode) -> None:
        self.steps: list[EtcStep] = []
        self._edited = edited
        self._merged = merged

    def remove(self, path: str) -> None:
        target = self._inside(path)
        if self._merged.find(target) is not None:
            self._drop(path, target)

    def carry_over(self, path: str) -> bool:
        """Plan one changed path; whether that was a directory with all it contains."""
        node = self._edited.find(path)
        if node is None:
            raise SysrootError(f"{path}: No such file or directory")
        parent = path.rpartition("/")[0]
        if parent:
            self._make_parent(parent)
        target = self._inside(path)
        found = self._merged.find(target)
        if found is not None and found.is_directory:
            if node.is_directory:
                return False
            raise SysrootError(
                f"Modified config file newly defaults to directory '{path}', cannot merge"
            )
        if found is not None:
            self._drop(path, target)
        if not node.is_directory:
            self._copy(node, path, target)
            return False
        for below, child in node.walk(path):
            where = target + below[len(path) :]
            if child.is_directory:
                self._make_directory(below, where)
                self._add(Act.COPY_ATTRIBUTES, below, where)
            else:
                self._copy(child, below, where)
        return True

    def _make_parent(self, path: str) -> None:
        """Make a directory and those above it; it and all new ones get the edited attributes."""
        missing = []
        here = path
        while here and self._find_directory(here) is None:
            missing.append(here)
            here = here.rpartition("/")[0]
        if not missing:
            self._add(Act.COPY_ATTRIBUTES, path, self._resolve(path))
        for here in reversed(missing):
            target = self._resolve(here)
            self._make_directory(here, target)
            self._add(Act.COPY_ATTRIBUTES, here, target)

    def _find_directory(self, path: str) -> EtcNode | None:
        """The merged directory for a path of the edited tree, if there is one."""
        target = self._resolve(path)
        found = self._merged if target == "." else self._merged.find(target)
        if found is not None and not found.is_directory:
            raise SysrootError(
                f"opendir({path}): Not a directory",
                hint="the new default has a file where changed files have their directory",
            )
        return found

    def _copy(self, node: EtcNode, path: str, target: str) -> None:
        if stat.S_ISLNK(node.mode):
            act = Act.COPY_LINK
        elif stat.S_ISREG(node.mode):
            act = Act.COPY_FILE
        else:
            self._add(Act.IGNORE, path, target)
            return
        self._add(act, path, target)
        self._put(target, node)

    def _make_directory(self, path: str, target: str) -> None:
        self._add(Act.MAKE_DIRECTORY, path, target)
        self._put(target, EtcNode(uid=0, gid=0, mode=_DIRECTORY))

    def _drop(self, path: str, target: str) -> None:
        self._add(Act.REMOVE, path, target)
        directory, name = self._place(target)
        del directory.children[name]

    def _put(self, target: str, node: EtcNode) -> None:
        directory, name = self._place(target)
        directory.children[name] = node

    def _place(self, target: str) -> tuple[EtcNode, str]:
        above, _, name = target.rpartition("/")
        directory = self._merged.find(above) if above else self._merged
        if directory is None or not directory.is_directory:
            raise SysrootError(f"{target}: Not a directory")
        return directory, name

    def _add(self, act: Act, source: str, target: str) -> None:
        self.steps.append(EtcStep(act, source, target))

    # links in the new default -----------------------------------------------------------------

    def _resolve(self, directory: str) -> str:
        """Where a directory of the edited tree is in the merged one, links followed.

        An absolute link is one within the deployment, not within the running system.
        """
        if not self._merged.has_link(directory):
            return directory
        target = resolve_links(f"etc/{directory}", self._read_link)
        if target == "etc":
            return "."
        if not target.startswith("etc/"):
            raise SysrootError(
                f"Directory '{directory}' of a modified config file newly defaults to "
                "a link out of /etc, cannot merge"
            )
        return target[len("etc/") :]

    def _read_link(self, path: str) -> str | None:
        """The target of a link of the deployment, as far as it is in ``/etc``."""
        if not path.startswith("etc/"):
            return None
        node = self._merged.find(path[len("etc/") :])
        return node.target if node is not None and stat.S_ISLNK(node.mode) else None

    def _inside(self, path: str) -> str:
        """Where ``path`` is in the merged tree; if itself a link, it is not followed."""
        above, _, name = path.rpartition("/")
        if not above:
            return name
        directory = self._resolve(above)
        return name if directory == "." else f"{directory}/{name}"
