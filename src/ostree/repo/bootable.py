"""Metadata that marks a commit as bootable (repository format §6.6)."""

from __future__ import annotations

from ostree.errors import NotFoundError, RepoError
from ostree.formats.gvariant import Variant
from ostree.formats.hash_order import HashDict
from ostree.repo import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.repo.repository import Repo
    from ostree.types import TreeId

_MODULES = "/usr/lib/modules"


def kernel_release(repo: Repo, root: TreeId) -> str:
    """The name of the one directory in ``/usr/lib/modules`` that has a ``vmlinuz``.

    Raises:
        NotFoundError: if there is none.
        RepoError: if there are several.
    """
    found = []
    for entry in tree.children(repo, _modules(repo, root)):
        if entry.tree is None:
            continue
        names = (child.name for child in tree.children(repo, entry))
        if "vmlinuz" in names:
            found.append(entry.name)
    if not found:
        raise NotFoundError(f"No kernel found in {_MODULES}")
    if len(found) > 1:
        raise RepoError(f"Multiple kernels found in {_MODULES}")
    return found[0]


def _modules(repo: Repo, root: TreeId) -> tree.Entry:
    """The directory of kernels; the error names the first component that is missing."""
    path = ""
    entry = tree.Entry("/", tree=root)
    try:
        for name in _MODULES[1:].split("/"):
            path += f"/{name}"
            entry = tree.lookup(repo, root, path)
        if entry.tree is None:
            raise NotFoundError("Not a directory")
    except NotFoundError as error:
        error.add_prefix(f"Opening {_MODULES[1:]}")
        raise
    return entry


def with_bootable(
    repo: Repo, root: TreeId, metadata: Sequence[tuple[str, Variant]]
) -> list[tuple[str, Variant]]:
    """A commit's metadata with the bootable keys, in the order in which upstream stores them.

    Raises:
        NotFoundError: if the tree has no kernel.
        RepoError: if it has several.
    """
    table = HashDict(metadata)
    table.insert("ostree.linux", Variant("s", kernel_release(repo, root)))
    table.insert("ostree.bootable", Variant("b", value=True))
    return list(table.items())
