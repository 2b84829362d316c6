"""``ostree remote refs``: what a remote offers."""

from __future__ import annotations

from ostree.cli.caching import CACHE_DIR, apply_cache_options
from ostree.cli.options import JSON, REPO, flag
from ostree.cli.repository import open_repo
from ostree.errors import UsageError
from ostree.transfer.options import PullOptions
from ostree.transfer.remote_summary import remote_refs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME"
OPTIONS = (REPO, CACHE_DIR, flag("revision", "Show revisions in listing", short="r"), JSON)


def run(ctx: Context, args: Arguments) -> None:
    """Print the refs of its summary."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("NAME must be specified")
        name = args.words[0]
        found = remote_refs(repo, name, apply_cache_options(ctx, args, PullOptions()))
        if args.flag("json"):
            from ostree.cli.json_output import print_json

            refs = [
                {"refspec": f"{name}:{ref}", "remote": name, "name": ref, "checksum": checksum}
                for ref, checksum in found.items()
            ]
            print_json(ctx, {"refs": refs})
            return
        for ref, checksum in found.items():
            line = f"{name}:{ref}"
            ctx.stdout.line(f"{line}\t{checksum}" if args.flag("revision") else line)
