"""``ostree static-delta show``: what a delta consists of."""

from __future__ import annotations

import os

from ostree.cli.delta_text import delta_text, part_lines, total_lines
from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError
from ostree.formats.delta import signed
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName
from ostree.repo.static_delta import storage
from ostree.repo.static_delta.statistics import part_statistics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo

USAGE = ""
OPTIONS = (REPO,)


def run(ctx: Context, args: Arguments) -> None:
    """Print header, fallbacks, parts and sums."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise OSTreeError("DELTA must be specified")
        shown = args.words[0]
        data = _read(repo, shown)
        superblock = superblock_format.decode(signed.unwrap(data))
        is_signed = signed.decode(data) is not None
        ctx.stdout.write(delta_text(shown, superblock, is_signed=is_signed))
        for index, part in enumerate(part_statistics(repo, superblock)):
            ctx.stdout.write(part_lines(index, superblock.parts[index], part))
        ctx.stdout.write(total_lines(superblock))


def _read(repo: Repo, shown: str) -> bytes:
    """The file of a superblock: a delta of the repository, or any path, which has a slash."""
    if "/" not in shown:
        return storage.read_superblock_file(repo, DeltaName.parse(shown))
    directory, name = os.path.split(shown)
    try:
        dir_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OSTreeError(f"openat({shown}): {error.strerror}") from error
    try:
        return storage.read_limited(name, dir_fd, superblock_format.MAX_SIZE, shown=shown)
    finally:
        os.close(dir_fd)
