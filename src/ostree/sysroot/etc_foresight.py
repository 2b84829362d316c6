"""The conflicts that a merge of ``/etc`` will meet, found while the new default is a commit."""

from __future__ import annotations

import stat

from ostree.errors import NotFoundError
from ostree.sysroot.etc_conflicts import EtcSides, find_conflicts
from ostree.sysroot.etc_diff import EtcNode
from ostree.sysroot.etc_scan import is_equal, open_file, opened, same_content, scan_etc
from ostree.sysroot.step import step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.tree_view import Tree
    from ostree.sysroot.etc_conflicts import EtcConflict
    from ostree.sysroot.etc_diff import SameContent


def foresee_conflicts(root_fd: int, offered: Tree) -> list[EtcConflict]:
    """What was changed both in a deployment and from its default to that of a commit.

    Args:
        root_fd: The deployment's directory.
        offered: The new default, a directory of a commit.

    Raises:
        SysrootError: the configuration cannot be read.
        OSTreeError: an object of the commit is missing or damaged.
    """
    with (
        step("While computing configuration diff"),
        opened("usr/etc", root_fd) as default_fd,
        opened("etc", root_fd) as edited_fd,
    ):
        sides = EtcSides(
            scan_etc(default_fd),
            scan_etc(edited_fd),
            scan_commit(offered),
            same_local=same_content(default_fd, edited_fd),
            same_default=_same_as_commit(default_fd, offered),
            same_edited=_same_as_commit(edited_fd, offered),
        )
        return find_conflicts(sides.changes(), sides)


def scan_commit(directory: Tree) -> EtcNode:
    """What :func:`~ostree.sysroot.etc_scan.scan_etc` tells, of a directory of a commit."""
    top = _describe(directory)
    todo = [(directory, top)]
    while todo:
        here, node = todo.pop()
        for name, entry in here.items():
            child = node.children[name] = _describe(entry)
            if child.is_directory:
                todo.append((entry, child))
    return top


def _describe(entry: Tree) -> EtcNode:
    return EtcNode(
        uid=entry.uid,
        gid=entry.gid,
        mode=stat.S_IFLNK if entry.is_symlink else entry.mode,
        size=entry.size if entry.is_file else 0,
        target=entry.target if entry.is_symlink else "",
    )


def _same_as_commit(dir_fd: int, directory: Tree) -> SameContent:
    """Compares a file below a directory with that of the commit, a piece at a time."""

    def compare(path: str) -> bool:
        try:
            with open(open_file(dir_fd, path), "rb") as mine, directory[path].open() as theirs:
                return is_equal(mine, theirs)
        except (FileNotFoundError, NotFoundError):
            return False

    return compare
