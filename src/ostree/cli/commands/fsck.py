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
    from ostree.repo.fsck_result import FsckResult

USAGE = ""
OPTIONS = (
    REPO,
    flag("add-tombstones", "Add tombstones for missing commits"),
    flag("quiet", "Only print error messages", short="q"),
    flag("all", "Don't stop on first error", short="a"),
    flag("delete", "Remove corrupted objects"),
    flag("verify-bindings", "Verify ref bindings"),
    flag("verify-back-refs", "Verify back-references (implies --verify-bindings)"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Check every object of every commit that is complete; fails if any is bad."""
    from ostree.repo.fsck import Fsck, FsckOptions

    options = FsckOptions(
        keep_going=args.flag("all"),
        delete=args.flag("delete"),
        verify_bindings=args.flag("verify-bindings"),
        verify_back_refs=args.flag("verify-back-refs"),
        add_tombstones=args.flag("add-tombstones"),
    )
    with open_repo(ctx, args) as repo:
        listener = StepListener(ctx, "fsck objects", quiet=args.flag("quiet"))
        try:
            result = Fsck(repo, options, on_event=listener).run()
        finally:
            listener.close()
    _print(ctx, result, with_partial=not args.flag("add-tombstones"))


def _print(ctx: Context, result: FsckResult, *, with_partial: bool) -> None:
    for commit in result.tombstones:
        ctx.stdout.line(f"Adding tombstone for commit {commit}")
    if result.partial and with_partial:
        ctx.stdout.line(f"{result.partial} partial commits not verified")
    if result.corrupted:
        raise CorruptionError("Repository corruption encountered")
    if result.partial_from_fsck:
        raise CorruptionError(f"{result.partial} partial commits from fsck-detected corruption")
    ctx.stdout.line(
        f"object fsck of {result.commits} commits completed successfully - no errors found."
    )
