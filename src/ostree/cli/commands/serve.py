"""``ostree serve``: offer repositories over HTTP."""

from __future__ import annotations

from ostree.cli.options import OptionError, flag, integer, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.server.application import Access

USAGE = "[DIRECTORY]"
OPTIONS = (
    text("bind", "ADDRESS", "Listen on this address (default: 127.0.0.1)"),
    integer("port", "PORT", "Listen on this port (default: 0, any free one)", short="P"),
    flag("access-log", "Print a line for each request"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Serve a directory, by default the current one, until interrupted or terminated."""
    from ostree.server.serve import serve

    directory = args.words[0] if args.words else "."
    port = args.integer("port", 0)
    if not 0 <= port < 1 << 16:
        raise OptionError(f"Invalid port: {port}")

    def say_where(url: str) -> None:
        ctx.stdout.line(f"Serving {directory} at {url}")
        ctx.stdout.flush()

    def log(access: Access) -> None:
        ctx.stdout.line(
            f"{access.client} {access.method} {access.path} {access.status} {access.size}"
        )
        ctx.stdout.flush()

    serve(
        directory,
        bind=args.text("bind") or "127.0.0.1",
        port=port,
        on_ready=say_where,
        on_access=log if args.flag("access-log") else None,
    )
