"""``ostree static-delta list``: the deltas of a repository."""

from __future__ import annotations

from ostree.cli.json_output import JSON
from ostree.cli.options import REPO, flag
from ostree.cli.repository import open_repo
from ostree.repo.static_delta import storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    REPO,
    flag("shares", "Print what each delta costs, and which share that is of a full download"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Print their names, one a line, or more of them."""
    with open_repo(ctx, args) as repo:
        names = list(storage.names(repo))
        if args.flag("json") or args.flag("shares"):
            from ostree.repo.static_delta.shares import shares

            found = shares(repo, sorted(names, key=str))
            if args.flag("json"):
                from ostree.cli.delta_json import deltas_json
                from ostree.cli.json_output import print_json

                print_json(ctx, deltas_json(found))
            else:
                from ostree.cli.delta_text import share_table

                ctx.stdout.write(share_table(found))
            return
    for line in map(str, names) if names else ["(No static deltas)"]:
        ctx.stdout.line(line)
