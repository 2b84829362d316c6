"""``ostree fsck``: verify a repository."""

from __future__ import annotations

from ostree.cli.options import JSON, REPO, flag
from ostree.cli.progress import StepListener, TransientProgress
from ostree.cli.repository import open_repo
from ostree.errors import CorruptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.json_output import Json
    from ostree.cli.options import Arguments
    from ostree.repo.fsck import FsckOptions
    from ostree.repo.fsck_result import FsckResult
    from ostree.repo.repository import Repo

USAGE = ""
OPTIONS = (
    REPO,
    flag("add-tombstones", "Add tombstones for missing commits"),
    flag("quiet", "Only print error messages", short="q"),
    flag("all", "Don't stop on first error", short="a"),
    flag("delete", "Remove corrupted objects"),
    flag("verify-bindings", "Verify ref bindings"),
    flag("verify-back-refs", "Verify back-references (implies --verify-bindings)"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Check every object of every commit that is complete; fails if any is bad."""
    from ostree.repo.fsck import Fsck, FsckOptions

    as_json = args.flag("json")
    options = FsckOptions(
        # A document names everything that is wrong.
        keep_going=args.flag("all") or as_json,
        delete=args.flag("delete"),
        verify_bindings=args.flag("verify-bindings"),
        verify_back_refs=args.flag("verify-back-refs"),
        add_tombstones=args.flag("add-tombstones"),
    )
    with open_repo(ctx, args) as repo:
        if as_json:
            _run_for_document(ctx, repo, options)
            return
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
    _refuse_bad(result)
    ctx.stdout.line(
        f"object fsck of {result.commits} commits completed successfully - no errors found."
    )


def _refuse_bad(result: FsckResult) -> None:
    if result.corrupted:
        raise CorruptionError("Repository corruption encountered")
    if result.partial_from_fsck:
        raise CorruptionError(f"{result.partial} partial commits from fsck-detected corruption")


def _run_for_document(ctx: Context, repo: Repo, options: FsckOptions) -> None:
    """Print what was found, and fail if any of it is bad, as ever."""
    from ostree.cli.json_output import print_json
    from ostree.events import ignore
    from ostree.repo.fsck import Fsck

    with TransientProgress(ctx, {"fsck": "Verifying objects"}) as on_event:
        result = Fsck(repo, options, on_event=on_event or ignore).run()
    print_json(ctx, _document(result))
    _refuse_bad(result)


def _document(result: FsckResult) -> dict[str, Json]:
    return {
        "commits": result.commits,
        "objects": result.objects,
        "partial": result.partial,
        "partial_from_fsck": result.partial_from_fsck,
        "corrupted": result.corrupted,
        "bad": [
            {
                "checksum": bad.name.checksum,
                "type": bad.name.type.extension,
                "missing": bad.missing,
                "message": bad.message,
                "commits": list(bad.commits),
            }
            for bad in result.bad
        ],
        "marked_partial": list(result.marked),
        "tombstones": list(result.tombstones),
    }
