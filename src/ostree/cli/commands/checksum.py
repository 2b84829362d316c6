"""``ostree checksum``: the checksum a file would have in a commit."""

from __future__ import annotations

import os

from ostree.cli.options import OptionError, flag
from ostree.errors import NotFoundError, RepoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "PATH"
OPTIONS = (flag("ignore-xattrs", "Don't include xattrs in checksum"),)


def run(ctx: Context, args: Arguments) -> None:
    """Print the checksum of the file object, or of the dirmeta of a directory."""
    from ostree.repo.disk_checksum import DiskChecksums

    if not args.words:
        raise OptionError("A filename must be given")
    path = args.words[0]
    with_xattrs = not args.flag("ignore-xattrs")
    # Two code paths in upstream, that see paths differently: a trailing slash, say, makes a
    # symbolic link the directory it leads to in only one of them.
    if with_xattrs:
        if not path:
            raise NotFoundError("Operation not supported")
        path = os.path.abspath(path)
        querying = f"Error when getting information for file “{path}”"
        opening = f"Error opening file {path}"
    else:
        querying, opening = f"fstatat({path})", f"openat({path})"
    try:
        info = os.stat(path, follow_symlinks=False)
    except OSError as error:
        raise NotFoundError(f"{querying}: {error.strerror}") from error
    try:
        checksum = DiskChecksums(with_xattrs=with_xattrs).of(path, info)
    except OSError as error:
        raise RepoError(f"{opening}: {error.strerror}") from error
    ctx.stdout.line(checksum)
