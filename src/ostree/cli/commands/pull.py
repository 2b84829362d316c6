"""``ostree pull``: fetch commits from a remote."""

from __future__ import annotations

from ostree.cli.caching import CACHE_DIR, apply_cache_options
from ostree.cli.options import JSON, REPO, OptionError, flag, integer, text, texts
from ostree.cli.pulling import (
    BAREUSERONLY_FILES,
    COMMIT_METADATA_ONLY,
    DEPTH,
    DISABLE_FSYNC,
    DISABLE_STATIC_DELTAS,
    DISABLE_VERIFY_BINDINGS,
    PER_OBJECT_FSYNC,
    PROGRESS,
    REQUIRE_STATIC_DELTAS,
    UNTRUSTED,
    show_pull,
    wants_lines,
)
from ostree.cli.repository import open_repo
from ostree.errors import UsageError
from ostree.formats.refspec import parse_refspec
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.transfer.options import PullResult

USAGE = "REMOTE [BRANCH...]"
OPTIONS = (
    REPO,
    COMMIT_METADATA_ONLY,
    CACHE_DIR,
    DISABLE_FSYNC,
    PER_OBJECT_FSYNC,
    DISABLE_STATIC_DELTAS,
    REQUIRE_STATIC_DELTAS,
    flag("mirror", "Write refs suitable for a mirror and fetches all refs if none provided"),
    texts("subpath", "", "Only pull the provided subpath(s)"),
    UNTRUSTED,
    flag("http-trusted", "Do not verify checksums of HTTP sources (mostly useful when mirroring)"),
    BAREUSERONLY_FILES,
    DEPTH,
    flag(
        "dry-run",
        "Only print information on what will be downloaded (requires static deltas)",
    ),
    text("url", "URL", "Pull objects from this URL instead of the one from the remote config"),
    texts("http-header", "NAME=VALUE", "Add NAME=VALUE as HTTP header to all requests"),
    integer(
        "update-frequency",
        "FREQUENCY",
        "Sets the update frequency, in milliseconds (0=1000ms) (default: 0)",
    ),
    integer(
        "network-retries",
        "N",
        "Specifies how many times each download should be retried upon error (default: 5)",
    ),
    integer(
        "low-speed-limit-bytes",
        "N",
        "The minimum number of bytes per second of a download (default: 1000)",
    ),
    integer(
        "low-speed-time-seconds",
        "N",
        "How many seconds a download may stay below that limit (default: 30)",
    ),
    texts(
        "localcache-repo",
        "REPO",
        "Add REPO as local cache source for objects during this pull",
        short="L",
    ),
    flag("timestamp-check", "Require fetched commits to have newer timestamps", short="T"),
    text(
        "timestamp-check-from-rev",
        "",
        "Require fetched commits to have newer timestamps than given rev",
    ),
    DISABLE_VERIFY_BINDINGS,
    flag(
        "disable-retry-on-network-errors",
        "Retry only what the server says may work later, not errors of the network",
    ),
    integer(
        "max-outstanding-fetcher-requests",
        "N",
        "How many requests may be under way at once (default: 8)",
    ),
    integer("limit-rate", "BYTES", "Take no more than BYTES per second from the network"),
    PROGRESS,
    JSON,
    text("append-user-agent", "STRING", "Append string to user agent", hidden=True),
)


def run(ctx: Context, args: Arguments) -> None:
    """Fetch the refs or commits given, or the remote's configured branches."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("REMOTE must be specified")
        if args.flag("json") and not args.flag("dry-run"):
            raise OptionError("--json requires --dry-run")
        remote, *refs = args.words
        if ":" in remote:
            name, ref = parse_refspec(remote)
            remote, refs = name or "", [ref]
        options = apply_cache_options(ctx, args, _options(args))
        if args.flag("json"):
            _print_estimate(ctx, pull(repo, remote, refs, options))
            return
        show_pull(
            ctx,
            lambda listener: pull(repo, remote, refs, options, listener),
            lines=wants_lines(args),
        )


def _print_estimate(ctx: Context, result: PullResult) -> None:
    from ostree.cli.json_output import print_json
    from ostree.cli.pull_estimate import estimate_document

    if result.estimate is not None:
        print_json(ctx, estimate_document(result, result.estimate))


def _options(args: Arguments) -> PullOptions:
    defaults = PullOptions()
    return PullOptions(
        depth=args.integer("depth", defaults.depth),
        mirror=args.flag("mirror"),
        commit_metadata_only=args.flag("commit-metadata-only"),
        subpaths=args.texts("subpath"),
        require_static_deltas=args.flag("require-static-deltas"),
        disable_static_deltas=args.flag("disable-static-deltas"),
        dry_run=args.flag("dry-run"),
        untrusted=args.flag("untrusted"),
        http_trusted=args.flag("http-trusted") and not args.flag("untrusted"),
        bareuseronly_files=args.flag("bareuseronly-files"),
        timestamp_check=args.flag("timestamp-check"),
        timestamp_check_from_rev=args.text("timestamp-check-from-rev"),
        verify_bindings=not args.flag("disable-verify-bindings"),
        url=args.text("url"),
        http_headers=[_header(text) for text in args.texts("http-header")],
        network_retries=args.integer("network-retries", defaults.network_retries),
        fsync=False if args.flag("disable-fsync") else None,
        per_object_fsync=args.flag("per-object-fsync"),
        append_user_agent=args.text("append-user-agent"),
        low_speed_limit=args.integer("low-speed-limit-bytes", defaults.low_speed_limit),
        low_speed_time=args.integer("low-speed-time-seconds", defaults.low_speed_time),
        update_interval=_interval(args, defaults.update_interval),
        localcache_repos=args.texts("localcache-repo"),
        retry_network_errors=not args.flag("disable-retry-on-network-errors"),
        max_outstanding=_at_least(1, args, "max-outstanding-fetcher-requests", 8),
        limit_rate=_at_least(0, args, "limit-rate", 0),
    )


def _at_least(least: int, args: Arguments, name: str, default: int) -> int:
    value = args.integer(name, default)
    if value < least:
        raise OptionError(f"Invalid --{name}={value}")
    return value


def _interval(args: Arguments, default: float) -> float:
    milliseconds = args.integer("update-frequency", 0)
    return milliseconds / 1000 if milliseconds > 0 else default


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise OptionError("Missing '=' in --http-header")
    return name, value
