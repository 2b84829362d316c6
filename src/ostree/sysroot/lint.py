"""Whether a tree can boot once it is deployed, judged before anything is written.

What deploying would stumble over anyway is an error, in the words that it would have; what upstream
deploys although it will hardly boot is a doubt.
"""

from __future__ import annotations

import stat
from typing import NamedTuple

from ostree.errors import SysrootError
from ostree.sysroot.kernel import find_kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.kernel import KernelLayout
    from ostree.sysroot.tree_files import TreeFiles

_MODULES = "usr/lib/modules"
_PREPARE_ROOT = "usr/lib/ostree/ostree-prepare-root"
_OSTREE_TARGET = "sysroot/ostree"
#: What may be absent; the names of findings about it, and what comes of it.
_NO_ETC = "the system will have no /etc"
_NO_SYSROOT = "the physical root has no place to be mounted"
_NO_LINK = "ostree will not find the repository of the running system"


class Finding(NamedTuple):
    """Something that is the matter with a tree.

    Attributes:
        name: A word for programs; it stays the same from release to release.
        text: A sentence for people.
        is_error: Whether the tree cannot be deployed.
    """

    name: str
    text: str
    is_error: bool


class TreeFacts:
    """What is looked at.

    Attributes:
        kernel: What belongs below ``/boot``, or None if there is no kernel.
        kernel_error: Why there is no kernel.
        kernels: The kernel versions in ``usr/lib/modules``.
        etc: The names in ``/etc``, or None if there is no such directory.
        has_default_etc: Whether there is ``/usr/etc``.
        has_sysroot: Whether there is a directory ``/sysroot``.
        ostree: Where the link ``/ostree`` leads, or None if it is no link.
        has_prepare_root: Whether there is a program that a kernel without initramfs can start.
        os_release: The variables of os-release, or None without such a file.
    """

    __slots__ = (
        "etc",
        "has_default_etc",
        "has_prepare_root",
        "has_sysroot",
        "kernel",
        "kernel_error",
        "kernels",
        "os_release",
        "ostree",
    )

    def __init__(self) -> None:
        self.kernel: KernelLayout | None = None
        self.kernel_error = ""
        self.kernels: Sequence[str] = ()
        self.etc: Sequence[str] | None = None
        self.has_default_etc = True
        self.has_sysroot = True
        self.ostree: str | None = _OSTREE_TARGET
        self.has_prepare_root = True
        self.os_release: dict[str, str] | None = None


def read_tree_facts(
    files: TreeFiles, os_release: dict[str, str] | None, *, device_trees: bool
) -> TreeFacts:
    """Look at a tree.

    Args:
        files: The tree.
        os_release: The variables of its os-release file, or None if it has none.
        device_trees: Whether device trees belong to the kernel.
    """
    facts = TreeFacts()
    try:
        facts.kernel = find_kernel(files, device_trees=device_trees)
    except SysrootError as error:
        facts.kernel_error = str(error)
    facts.kernels = [
        name
        for name in files.names(_MODULES) or ()
        if files.find(f"{_MODULES}/{name}/vmlinuz", stat.S_IFREG) is not None
    ]
    if files.kind("etc") == stat.S_IFDIR:
        facts.etc = files.names("etc")
    facts.has_default_etc = files.kind("usr/etc") == stat.S_IFDIR
    facts.has_sysroot = files.find("sysroot", stat.S_IFDIR) is not None
    is_link = files.kind("ostree") == stat.S_IFLNK
    facts.ostree = files.target("ostree") if is_link else None
    facts.has_prepare_root = files.find(_PREPARE_ROOT, stat.S_IFREG) is not None
    facts.os_release = os_release
    return facts


def lint(facts: TreeFacts) -> list[Finding]:
    """What is the matter with a tree, errors first."""
    return [*_errors(facts), *_doubts(facts)]


def _errors(facts: TreeFacts) -> list[Finding]:
    found = []
    if facts.kernel is None:
        found.append(("kernel", facts.kernel_error))
    if facts.etc and facts.has_default_etc:
        found.append(("etc", "Tree contains both /etc and /usr/etc"))
    if facts.etc and not facts.has_default_etc:
        found.append(("usr-etc", "No such file or directory: /usr/etc"))
    if facts.os_release is None:
        found.append(("os-release", "No such file or directory: /etc/os-release"))
    elif not facts.os_release.keys() & {"PRETTY_NAME", "ID"}:
        found.append(("os-release", "No PRETTY_NAME or ID in /etc/os-release"))
    return [Finding(name, text, is_error=True) for name, text in found]


def _doubts(facts: TreeFacts) -> list[Finding]:
    found = []
    if not facts.etc and not facts.has_default_etc:
        found.append(("usr-etc", f"There is no /usr/etc: {_NO_ETC}"))
    if not facts.has_sysroot:
        found.append(("sysroot", f"There is no directory /sysroot: {_NO_SYSROOT}"))
    if facts.ostree is None:
        found.append(("ostree-link", f"There is no link /ostree: {_NO_LINK}"))
    elif facts.ostree.strip("/") != _OSTREE_TARGET:
        found.append(("ostree-link", f"/ostree does not lead to {_OSTREE_TARGET}: {_NO_LINK}"))
    if len(facts.kernels) > 1:
        names = ", ".join(sorted(facts.kernels))
        found.append(("kernels", f"There are several kernels, one of which is used: {names}"))
    if facts.kernel is not None and facts.kernel.initramfs is None and not facts.has_prepare_root:
        found.append(
            ("initramfs", f"There is no initramfs, and no /{_PREPARE_ROOT} to start without one")
        )
    return [Finding(name, text, is_error=False) for name, text in found]
