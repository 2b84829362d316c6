"""``ostree static-delta show``: what a delta consists of."""

from __future__ import annotations

from ostree.cli.delta_text import delta_text, part_lines, total_lines
from ostree.cli.json_output import JSON
from ostree.cli.options import REPO
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError
from ostree.formats.delta import signed
from ostree.formats.delta import superblock as superblock_format
from ostree.repo.static_delta.statistics import part_statistics
from ostree.repo.static_delta.storage import read_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.formats.delta.superblock import Superblock
    from ostree.repo.repository import Repo

USAGE = ""
OPTIONS = (REPO, JSON)


def run(ctx: Context, args: Arguments) -> None:
    """Print header, fallbacks, parts and sums."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise OSTreeError("DELTA must be specified")
        shown = args.words[0]
        data = read_named(repo, shown)
        superblock = superblock_format.decode(signed.unwrap(data))
        is_signed = signed.decode(data) is not None
        if args.flag("json"):
            _print_json(ctx, repo, superblock, len(data), is_signed=is_signed)
            return
        ctx.stdout.write(delta_text(shown, superblock, is_signed=is_signed))
        for index, part in enumerate(part_statistics(repo, superblock)):
            ctx.stdout.write(part_lines(index, superblock.parts[index], part))
        ctx.stdout.write(total_lines(superblock))


def _print_json(
    ctx: Context, repo: Repo, superblock: Superblock, file_size: int, *, is_signed: bool
) -> None:
    from ostree.cli.delta_json import delta_json
    from ostree.cli.json_output import print_json
    from ostree.repo.static_delta.shares import share_of

    parts = list(part_statistics(repo, superblock))
    share = share_of(repo, superblock, file_size)
    print_json(ctx, delta_json(superblock, parts, share, is_signed=is_signed))
