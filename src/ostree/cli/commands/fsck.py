"""``ostree fsck``: verify a repository."""

from __future__ import annotations

from ostree.cli.options import REPO, flag
from ostree.cli.progress import StepListener
from ostree.cli.repository import open_repo
from ostree.errors import CorruptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    REPO,
    flag("quiet", "Only print error messages", short="q"),
    flag("all", "Don't stop on first error", short="a"),
    flag("delete", "Remove corrupted objects"),
    flag("verify-bindings", "Verify ref bindings"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Check every object of every commit that is complete; fails if any is bad."""
    with open_repo(ctx, args) as repo:
        listener = StepListener(ctx, "fsck objects", quiet=args.flag("quiet"))
        try:
            result = repo.fsck(
                delete=args.flag("delete"),
                keep_going=args.flag("all"),
                verify_bindings=args.flag("verify-bindings"),
                on_event=listener,
            )
        finally:
            listener.close()
        if result.partial:
            ctx.stdout.line(f"{result.partial} partial commits not verified")
        if result.corrupted:
            raise CorruptionError("Repository corruption encountered")
        if result.partial_from_fsck:
            raise CorruptionError(f"{result.partial} partial commits from fsck-detected corruption")
        ctx.stdout.line(
            f"object fsck of {result.commits} commits completed successfully - no errors found."
        )
