"""``ostree diff``: what differs between two commits or directories."""

from __future__ import annotations

from ostree.cli.json_output import JSON, print_json
from ostree.cli.options import REPO, flag, integer
from ostree.cli.repository import open_repo
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from ostree.cli.context import Context
    from ostree.cli.json_output import Json
    from ostree.cli.options import Arguments
    from ostree.repo.diff import Change
    from ostree.repo.repository import Repo

USAGE = "REV_OR_DIR REV_OR_DIR"
OPTIONS = (
    REPO,
    flag("stats", "Print various statistics"),
    flag("fs-diff", "Print filesystem diff"),
    flag("no-xattrs", "Skip output of extended attributes"),
    integer("owner-uid", "UID", "Use file ownership user id for local files"),
    integer("owner-gid", "GID", "Use file ownership group id for local files"),
    flag("stat", "Print filesystem diff with sizes, contents of deleted directories included"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Compare two trees, or a commit with its parent."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("REV must be specified")
        old, new = args.words[:2] if len(args.words) > 1 else (f"{args.words[0]}^", args.words[0])
        if args.flag("json"):
            print_json(ctx, _document(repo, args, old, new))
            return
        if args.flag("stat"):
            _print_sizes(ctx, _changes(repo, args, old, new, everything=True))
        elif args.flag("fs-diff") or not args.flag("stats"):
            _print_paths(ctx, _changes(repo, args, old, new))
        if args.flag("stats"):
            from ostree.cli.diff_text import common_text
            from ostree.repo.diff_sides import common_objects

            ctx.stdout.write(
                common_text(common_objects(repo, repo.resolve(old), repo.resolve(new)))
            )


def _changes(
    repo: Repo, args: Arguments, old: str, new: str, *, everything: bool = False
) -> Iterator[Change]:
    uid = args.integer("owner-uid", -1)
    gid = args.integer("owner-gid", -1)
    return repo.diff(
        _side(old),
        _side(new),
        everything=everything,
        with_xattrs=not args.flag("no-xattrs"),
        owner_uid=uid if uid >= 0 else None,
        owner_gid=gid if gid >= 0 else None,
    )


def _side(word: str) -> str | os.PathLike[str]:
    """A local directory is named by an absolute path, or one that begins with ``./``."""
    if word.startswith(("/", "./")):
        from pathlib import Path

        return Path(word)
    return word


def _print_paths(ctx: Context, changes: Iterator[Change]) -> None:
    from ostree.cli.diff_text import change_line, in_order

    for change in in_order(changes):
        ctx.stdout.line(change_line(change))


def _print_sizes(ctx: Context, changes: Iterator[Change]) -> None:
    from ostree.cli.diff_text import sized_in_order, sized_lines

    for line in sized_lines(sized_in_order(changes)):
        ctx.stdout.line(line)


def _document(repo: Repo, args: Arguments, old: str, new: str) -> dict[str, Json]:
    from ostree.cli.diff_text import changes_json, common_json, sized_in_order

    changes = _changes(repo, args, old, new, everything=True)
    document = changes_json(sized_in_order(changes))
    if args.flag("stats"):
        from ostree.repo.diff_sides import common_objects

        common = common_objects(repo, repo.resolve(old), repo.resolve(new))
        document["objects"] = common_json(common)
    return document
