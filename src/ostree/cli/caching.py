"""What commands that fetch summaries have in common: where copies of them are kept."""

from __future__ import annotations

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
    # Upstream's tests ask for failures by name.
    wanted = ctx.environ.get("OSTREE_REPO_TEST_ERROR", "").replace(";", ",").replace(":", ",")
    options.fail_on_stale_cache = "invalid-cache" in wanted.split(",")
    return options
