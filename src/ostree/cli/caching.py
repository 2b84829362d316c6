"""What commands that fetch summaries have in common: where copies of them are kept."""

from __future__ import annotations

from ostree.cli.context import requested_failures
from ostree.cli.options import path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.transfer.options import PullOptions

CACHE_DIR = path("cache-dir", "", "Use custom cache dir")


def apply_cache_options(ctx: Context, args: Arguments, options: PullOptions) -> PullOptions:
    """Take over what the user and the environment say about the cache; returns ``options``."""
    options.cache_dir = args.text(CACHE_DIR.long)
    options.use_cache = not ctx.environ.get("OSTREE_SKIP_CACHE")
    options.fail_on_stale_cache = "invalid-cache" in requested_failures(ctx.environ)
    return options
