"""SELinux labels of what is on the disk (deployments §7.5, §18.18)."""

from __future__ import annotations

import errno
import os
import stat

from ostree.sysroot.step import step
from ostree.system.files import open_beneath, open_subdirectory
from ostree.system.selinux import ATTRIBUTE, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    #: Is given the path below the directory, the path for the policy, and the new label.
    Listener = Callable[[str, str, str], None]

_ATTRIBUTE = ATTRIBUTE.decode()
#: There is no label, or the file system has no room for labels.
_NO_LABEL = (errno.ENODATA, errno.EOPNOTSUPP, errno.ENOTSUP)


def read_policy(root_fd: int) -> Policy | None:
    """The policy of the tree whose directory is open, if it has one that is enabled.

    Raises:
        OSTreeError: it cannot be used.
    """
    return Policy.open(os.readlink(f"/proc/self/fd/{root_fd}"))


def relabel_tree(
    policy: Policy,
    dir_fd: int,
    prefix: str,
    *,
    keep: bool,
    on_label: Listener | None = None,
) -> None:
    """Give a directory and all below it their labels.

    Links are labelled, not followed; what vanishes meanwhile is left out.

    Args:
        policy: Says which label.
        dir_fd: The directory.
        prefix: What it is called for the policy: ``/`` or ``/var``.
        keep: Whether what has a label keeps it.
        on_label: Is told what was changed.

    Raises:
        OSTreeError: naming the path.
    """
    with step(f"Relabeling {prefix}"):
        label = _set_label(policy, dir_fd, prefix, os.fstat(dir_fd).st_mode, keep=keep)
    if label is not None and on_label is not None:
        on_label("", prefix, label)
    todo = [""]
    while todo:
        path = todo.pop()
        with step(f"Relabeling {prefix}{path}"):
            below = _label_members(policy, dir_fd, path, prefix, keep=keep, on_label=on_label)
        todo += [f"{path}/{name}" for name in reversed(below)]


def _label_members(
    policy: Policy,
    dir_fd: int,
    path: str,
    prefix: str,
    *,
    keep: bool,
    on_label: Listener | None,
) -> list[str]:
    """Label what is in one directory; the names of the directories in it."""
    directories = []
    try:
        fd = open_beneath(dir_fd, path[1:] or ".")
    except FileNotFoundError:
        return []
    try:
        for name in sorted(os.listdir(fd), key=os.fsencode):
            here = f"{path}/{name}"
            try:
                mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
                file = f"/proc/self/fd/{fd}/{name}"
                label = _set_label(policy, file, prefix + here, mode, keep=keep)
            except FileNotFoundError:
                continue
            if label is not None and on_label is not None:
                on_label(here, prefix + here, label)
            if stat.S_ISDIR(mode):
                directories.append(name)
    finally:
        os.close(fd)
    return directories


def label_file(policy: Policy, path: str, dir_fd: int, name: str) -> None:
    """Give one file or directory the label of another path.

    Args:
        policy: Says which label.
        path: The file, relative to ``dir_fd``.
        dir_fd: A directory.
        name: What the file is for the policy.

    Raises:
        OSTreeError: naming the path.
    """
    directory, last = os.path.split(path)
    with step(f"Relabeling {name}"):
        fd = open_subdirectory(dir_fd, directory or ".")
        try:
            mode = os.stat(last, dir_fd=fd, follow_symlinks=False).st_mode
            _set_label(policy, f"/proc/self/fd/{fd}/{last}", name, mode)
        finally:
            os.close(fd)


def label_open_file(policy: Policy, fd: int, name: str) -> None:
    """Give an open file the label of a path; it need not have a name yet.

    Raises:
        OSTreeError: naming the path.
    """
    with step(f"Relabeling {name}"):
        _set_label(policy, fd, name, os.fstat(fd).st_mode)


def _set_label(
    policy: Policy, file: int | str, name: str, mode: int, *, keep: bool = False
) -> str | None:
    """Set a label unless it is there already; the label if it was set."""
    follow = isinstance(file, int)
    label = policy.label(name, mode)
    if label is None:
        return None
    try:
        present = os.getxattr(file, _ATTRIBUTE, follow_symlinks=follow)
    except OSError as error:
        if error.errno not in _NO_LABEL:
            raise
        present = b""
    # Whether its NUL is there depends on the program that set it, and on the kernel.
    if present.removesuffix(b"\0") == label.removesuffix(b"\0") or (keep and present):
        return None
    try:
        os.setxattr(file, _ATTRIBUTE, label, follow_symlinks=follow)
    except OSError as error:
        if error.errno in _NO_LABEL:
            return None
        raise
    return os.fsdecode(label.removesuffix(b"\0"))
