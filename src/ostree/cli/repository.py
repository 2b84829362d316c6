"""Which repository a command works on (repository format §7.1)."""

from __future__ import annotations

import os
import stat

from ostree.cli.command import MissingRepositoryError
from ostree.cli.context import requested_failures
from ostree.errors import NotFoundError, OSTreeError, RepoError
from ostree.repo.repository import Repo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.sign.settings import SignSettings

SYSTEM_REPOSITORY = "/ostree/repo"
SYSTEM_REMOTES = "/etc/ostree/remotes.d"


def open_repo(ctx: Context, args: Arguments, *, writable: bool = False) -> Repo:
    """Open the repository of ``--repo``, or else of the directory or the environment.

    Args:
        ctx: Whose environment counts.
        args: What the user gave.
        writable: Whether the command is going to write objects.

    Raises:
        OSTreeError: if a repository named with ``--repo`` cannot be opened, or any not be written.
        MissingRepositoryError: if none is named and there is none to fall back to.
    """
    path = args.text("repo")
    if path is not None:
        repo = open_path(ctx, path)
    else:
        repo = _open_default(ctx)
    if writable and not repo.writable:
        repo.close()
        raise RepoError("Cannot write to repository: Permission denied")
    return repo


def open_path(ctx: Context, path: str, *, remotes_directory: str | None = None) -> Repo:
    """Open a repository; that of the running system has files for its remotes in ``/etc``.

    Args:
        ctx: Whose environment counts.
        path: Where it is.
        remotes_directory: Where its remotes have files if it is not that of the running system.

    Raises:
        OSTreeError: if it cannot be opened.
    """
    if not path:
        # The library would take it for the current directory.
        raise NotFoundError("opening repo: opendir(): No such file or directory")
    try:
        is_system = os.path.samefile(path, SYSTEM_REPOSITORY)
    except OSError:
        is_system = False
    repo = Repo.open(
        path,
        boot_id=ctx.environ.get("OSTREE_BOOTID"),
        remotes_directory=SYSTEM_REMOTES if is_system else remotes_directory,
        sign_settings=sign_settings(ctx),
        write_split_xattrs="OSTREE_EXP_WRITE_BARE_SPLIT_XATTRS" in ctx.environ,
    )
    repo.fails_to_publish = "pre-commit" in requested_failures(ctx.environ)
    return repo


def sign_settings(ctx: Context) -> SignSettings | None:
    """What the environment says about signatures; None if it says nothing."""
    keyrings = ctx.environ.get("OSTREE_GPG_HOME")
    dummy = ctx.environ.get("OSTREE_DUMMY_SIGN_ENABLED") == "1"
    if keyrings is None and not dummy:
        return None
    from ostree.sign.settings import GLOBAL_KEYRINGS, SignSettings

    return SignSettings(
        global_keyrings=GLOBAL_KEYRINGS if keyrings is None else keyrings, dummy=dummy
    )


def _open_default(ctx: Context) -> Repo:
    if _is_repository("."):
        return open_path(ctx, ".")
    sysroot = ctx.environ.get("OSTREE_SYSROOT", "/")
    path = ctx.environ.get("OSTREE_REPO") or os.path.join(sysroot, "ostree/repo")
    try:
        return open_path(ctx, path)
    except OSTreeError as error:
        raise MissingRepositoryError("Command requires a --repo argument") from error


def _is_repository(path: str) -> bool:
    try:
        objects = os.stat(os.path.join(path, "objects"))
        config = os.stat(os.path.join(path, "config"))
    except OSError:
        return False
    return stat.S_ISDIR(objects.st_mode) and stat.S_ISREG(config.st_mode)
