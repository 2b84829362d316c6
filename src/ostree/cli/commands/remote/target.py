"""Whose remotes are changed: a repository's, or those of a system."""

from __future__ import annotations

import os

from ostree.cli.options import REPO, Option, path
from ostree.cli.repository import open_path, open_repo
from ostree.errors import OSTreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo

OPTIONS = (
    Option(
        REPO.kind,
        REPO.long,
        "Path to OSTree repository (defaults to /sysroot/ostree/repo)",
        argument=REPO.argument,
    ),
    path("sysroot", "PATH", "Use sysroot at PATH (overrides --repo)"),
)


def open_target(ctx: Context, args: Arguments) -> Repo:
    """Open the repository of ``--sysroot``, or else as every command does.

    Raises:
        OSTreeError: if it cannot be opened.
    """
    sysroot = args.text("sysroot")
    if sysroot is None:
        return open_repo(ctx, args)
    try:
        if not os.path.isdir(sysroot):
            raise OSTreeError(f"opendir({sysroot}): No such file or directory")
        if not os.path.isdir(os.path.join(sysroot, "ostree/repo")):
            raise OSTreeError("opendir(ostree/repo): No such file or directory")
    except OSTreeError as error:
        error.add_prefix("loading sysroot")
        raise
    from ostree.sysroot.view import SysrootView

    with SysrootView.open(sysroot) as view:
        directory = view.remotes_directory()
    return open_path(ctx, os.path.join(sysroot, "ostree/repo"), remotes_directory=directory)
