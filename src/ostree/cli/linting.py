"""``--lint``, which commands that deploy have in common."""

from __future__ import annotations

from ostree.cli.options import text
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.options import Arguments

LINT = text("lint", "on|off", "Whether to check before that the tree can boot and has room (on)")


def wants_lint(args: Arguments) -> bool:
    """Whether the tree is to be checked.

    Raises:
        UsageError: the option has another value.
    """
    value = args.text("lint")
    if value not in {None, "on", "off"}:
        raise UsageError(f"Invalid value '{value}' for --lint: expected on or off")
    return value != "off"
