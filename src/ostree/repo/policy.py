"""The SELinux policy that is in a commit (repository format §6.2)."""

from __future__ import annotations

import os

from ostree.errors import NotFoundError
from ostree.repo import tree
from ostree.repo.checkout_options import CheckoutOptions
from ostree.system import files
from ostree.system.anonymous import random_name
from ostree.system.selinux import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

_POLICY = "/usr/etc/selinux"


def policy_of_commit(repo: Repo, commit: Checksum) -> Policy | None:
    """Read the policy in ``/usr/etc/selinux`` of a commit; None if it has none.

    As upstream has it, ``/etc`` of a commit does not count, unlike that of a directory.

    Raises:
        OSTreeError: if it cannot be checked out or used.
    """
    root = repo.load_commit(commit).root
    try:
        found = tree.lookup(repo, root, _POLICY)
    except NotFoundError:
        return None
    return None if found.tree is None else _read(repo, commit)


def _read(repo: Repo, commit: Checksum) -> Policy | None:
    """Check the policy out, for the library reads files; what it has read it keeps in memory."""
    temporary = f"tmp/{random_name('selinux-')}"
    top = os.path.join(repo.path, temporary)
    os.makedirs(os.path.join(top, "etc"), 0o700)
    try:
        options = CheckoutOptions(user_mode=True)
        repo.checkout(commit, os.path.join(top, "etc/selinux"), subpath=_POLICY, options=options)
        return Policy.open(top)
    finally:
        files.remove_tree(temporary, repo.dir_fd)
