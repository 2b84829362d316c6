"""``ostree admin set-origin``: choose the remote and branch that upgrades come from."""

from __future__ import annotations

from ostree.cli.options import integer, texts
from ostree.cli.sysroot import open_sysroot
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "REMOTENAME URL [BRANCH]"
OPTIONS = (
    texts("set", "KEY=VALUE", "Set config option KEY=VALUE for remote", short="s"),
    integer("index", "INDEX", "Operate on the deployment INDEX, starting from zero"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Add the remote if it is new, and replace the origin."""
    with open_sysroot(ctx, args) as sysroot:
        if len(args.words) < 2:
            raise UsageError("REMOTENAME and URL must be specified")
        remote, url, *branches = args.words
        index = args.integer("index", -1)
        sysroot.set_origin(
            remote,
            [_location(url), *map(_pair, args.texts("set"))],
            branch=branches[0] if branches else None,
            index=None if index == -1 else index,
        )


def _location(url: str) -> tuple[str, str]:
    key, equals, location = url.partition("=")
    return (key, location) if equals and key == "metalink" else ("url", url)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise OSTreeError("Missing '=' in KEY=VALUE for --set")
    return key, value
