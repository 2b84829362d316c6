"""What the commands that pull have in common."""

from __future__ import annotations

from ostree.cli.options import Option, OptionError, flag, integer, text
from ostree.cli.progress import PullListener
from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.cli.progress_json import JsonLines
    from ostree.events import Listener
    from ostree.transfer.options import PullResult

COMMIT_METADATA_ONLY = flag("commit-metadata-only", "Fetch only the commit metadata")
DISABLE_FSYNC = flag("disable-fsync", "Do not invoke fsync()")
PER_OBJECT_FSYNC = flag(
    "per-object-fsync",
    "Perform writes in such a way that avoids stalling concurrent processes",
)
DISABLE_STATIC_DELTAS = flag("disable-static-deltas", "Do not use static deltas")
REQUIRE_STATIC_DELTAS = flag("require-static-deltas", "Require static deltas")
UNTRUSTED = flag("untrusted", "Verify checksums of local sources (always enabled for HTTP pulls)")
BAREUSERONLY_FILES = flag(
    "bareuseronly-files",
    "Reject regular files with mode outside of 0775 (world writable, suid, etc.)",
)
DISABLE_VERIFY_BINDINGS = flag("disable-verify-bindings", "Do not verify commit bindings")
PROGRESS = text(
    "progress", "FORMAT", 'Also show progress in FORMAT: lines of "json" on standard error'
)
DEPTH: Option = integer("depth", "DEPTH", "Traverse DEPTH parents (-1=infinite) (default: 0)")


def wants_lines(args: Arguments) -> bool:
    """Whether progress is asked for as lines of JSON.

    Raises:
        OptionError: ``Invalid progress format 'X'``.
    """
    format = args.text("progress")
    if format not in {None, "json"}:
        raise OptionError(f"Invalid progress format '{format}'")
    return format is not None


def show_pull(
    ctx: Context,
    pull: Callable[[Listener], PullResult],
    *,
    only_on_terminal: bool = False,
    lines: bool = False,
) -> PullResult:
    """Pull, showing how it gets on and in the end what it did.

    Args:
        ctx: Where to print.
        pull: Does it, telling the listener that it is given.
        only_on_terminal: Elsewhere say nothing in the end either.
        lines: Show progress as lines of JSON, instead of in the line of a terminal.
    """
    listener = PullListener(ctx)
    json_lines = _json_lines(ctx, listener) if lines else None
    try:
        result = pull(json_lines or listener)
    except BaseException:
        listener.close()
        raise
    if json_lines is not None:
        json_lines.finish(result)
    if ctx.stdout.is_terminal or not only_on_terminal:
        listener.finish(result_text(result))
    return result


def _json_lines(ctx: Context, listener: PullListener) -> JsonLines:
    from ostree.cli.progress_json import JsonLines

    return JsonLines(ctx, listener)


def result_text(result: PullResult) -> str:
    """What a pull did, or would do, in one line (remotes and pull §7)."""
    if result.estimate is not None:
        from ostree.cli.pull_estimate import estimate_text

        return estimate_text(result, result.estimate)
    done = "imported" if result.local else "fetched"
    if result.delta_parts:
        loose = result.metadata + result.content
        text = f"{result.delta_parts} delta parts, {loose} loose {done}"
    else:
        text = f"{result.metadata} metadata, {result.content} content objects {done}"
    if result.cached_metadata or result.cached_content:
        text += f" ({result.cached_metadata} meta, {result.cached_content} content local)"
    size = result.bytes_transferred
    if size:
        amount = f"{size} B" if size < 1024 else f"{size // 1024} KiB"
        text += f"; {amount} transferred in {result.seconds} seconds"
    return f"{text}; {format_size(result.content_bytes_written)} content written"
