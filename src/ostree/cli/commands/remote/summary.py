"""``ostree remote summary``: the summary of a remote."""

from __future__ import annotations

from ostree.cli.caching import CACHE_DIR, apply_cache_options
from ostree.cli.object_text import variant_text
from ostree.cli.options import JSON, REPO, flag, text
from ostree.cli.repository import open_repo
from ostree.cli.summary_text import metadata_keys, metadata_value, summary_text
from ostree.errors import NotFoundError, UsageError
from ostree.formats import summary as summary_format
from ostree.transfer.options import PullOptions
from ostree.transfer.remote_summary import remote_summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "NAME"
OPTIONS = (
    REPO,
    CACHE_DIR,
    flag("raw", "Show raw variant data"),
    flag("list-metadata-keys", "List the available metadata keys"),
    text("print-metadata-key", "KEY", "Print string value of metadata key"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Print it, or what the options ask for."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("NAME must be specified")
        options = apply_cache_options(ctx, args, PullOptions())
        found = remote_summary(repo, args.words[0], options)
        if found is None:
            raise NotFoundError("Remote server has no summary file")
        key = args.text("print-metadata-key")
        if args.flag("json"):
            from ostree.cli.json_output import print_json, refuse_with_json
            from ostree.cli.summary_json import summary_document

            refuse_with_json(args, "raw")
            print_json(ctx, summary_document(found.summary, args, lambda: found.verdict))
        elif args.flag("raw"):
            ctx.stdout.line(variant_text(summary_format.TYPE, found.data, swap=True))
        elif args.flag("list-metadata-keys"):
            ctx.stdout.write(metadata_keys(found.summary))
        elif key is not None:
            ctx.stdout.line(metadata_value(found.summary, key))
        else:
            ctx.stdout.write(summary_text(found.summary))
            if found.verdict is not None:
                from ostree.cli.signing import VERIFIED, found_text

                ctx.stdout.write("\n" + found_text(VERIFIED, found.verdict.descriptions))
