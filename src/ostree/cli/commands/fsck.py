"""``ostree fsck``: verify a repository, and repair it from another one."""

from __future__ import annotations

from ostree.cli.options import JSON, REPO, flag, text
from ostree.cli.progress import StepListener, TransientProgress
from ostree.cli.repository import open_repo
from ostree.errors import CorruptionError, OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.fsck_report import Finding
    from ostree.cli.options import Arguments
    from ostree.repo.fsck_result import FsckResult
    from ostree.repo.repository import Repo
    from ostree.types import Checksum, ObjectName

USAGE = ""
OPTIONS = (
    REPO,
    flag("add-tombstones", "Add tombstones for missing commits"),
    flag("quiet", "Only print error messages", short="q"),
    flag("all", "Don't stop on first error", short="a"),
    flag("delete", "Remove corrupted objects"),
    flag("verify-bindings", "Verify ref bindings"),
    flag("verify-back-refs", "Verify back-references (implies --verify-bindings)"),
    text(
        "repair-from",
        "REPO-OR-REMOTE",
        "Fetch what is missing or corrupted from a repository, URL or remote (implies --all)",
    ),
    JSON,
)

#: What is repaired may lead to more that has to be; nothing honest needs so many rounds.
_ROUNDS = 16
_TITLES = {"fsck": "Verifying objects", "repair": "Fetching objects"}


def run(ctx: Context, args: Arguments) -> None:
    """Check every object of every commit that is complete; fails if any is bad."""
    source = args.text("repair-from")
    if source is not None and args.flag("add-tombstones"):
        raise UsageError("Cannot specify both --repair-from and --add-tombstones")
    with open_repo(ctx, args, writable=source is not None) as repo:
        if source is not None:
            result, findings, whole = _repair(ctx, args, repo, source)
        else:
            result, findings, whole = _verify(ctx, args, repo), {}, []
        if args.flag("json"):
            from ostree.cli.fsck_report import findings_of, fsck_json
            from ostree.cli.json_output import print_json

            findings = findings or findings_of(repo, result.bad)
            print_json(ctx, fsck_json(result, findings.values(), whole))
    _conclude(ctx, args, result)


def _verify(ctx: Context, args: Arguments, repo: Repo, *, quiet: bool = False) -> FsckResult:
    """One verification."""
    from ostree.repo.fsck import Fsck, FsckOptions

    as_json = args.flag("json")
    options = FsckOptions(
        # A document names everything that is wrong.
        keep_going=args.flag("all") or as_json,
        delete=args.flag("delete"),
        verify_bindings=args.flag("verify-bindings"),
        verify_back_refs=args.flag("verify-back-refs"),
        add_tombstones=args.flag("add-tombstones"),
        for_repair=args.has("repair-from"),
    )
    if as_json:
        with TransientProgress(ctx, _TITLES) as on_event:
            return Fsck(repo, options, on_event=on_event).run()
    listener = StepListener(ctx, "fsck objects", quiet=quiet or args.flag("quiet"))
    try:
        return Fsck(repo, options, on_event=listener).run()
    finally:
        listener.close()


def _repair(
    ctx: Context, args: Arguments, repo: Repo, text: str
) -> tuple[FsckResult, dict[ObjectName, Finding], list[Checksum]]:
    """Verify and replace what is bad until nothing is, or nothing more can be replaced."""
    from ostree.cli.fsck_report import findings_below, findings_of, report_lines
    from ostree.repo.commit_deletion import unmark_partial
    from ostree.transfer.repair import open_source, repair

    findings: dict[ObjectName, Finding] = {}
    ended: OSTreeError | None = None
    with open_source(repo, text) as source:
        result = _verify(ctx, args, repo)
        for _ in range(_ROUNDS):
            if not result.bad or ended is not None:
                break
            found = findings_of(repo, result.bad)
            with TransientProgress(ctx, _TITLES) as listener:
                outcome = repair(repo, list(found), source, on_event=listener)
            ended = outcome.error
            more = [name for name in (*outcome.repaired, *outcome.failed) if name not in found]
            found |= findings_below(repo, more, found.values())
            findings = {**found, **findings}
            repaired = set(outcome.repaired)
            for name in found:
                findings[name].repaired = name in repaired
                findings[name].reason = outcome.failed.get(name)
            if not outcome.repaired:
                break
            result = _verify(ctx, args, repo, quiet=True)
    for commit in result.whole:
        unmark_partial(repo, commit)
    if not args.flag("json"):
        for line in report_lines(findings.values(), result.whole):
            ctx.stdout.line(line)
    return result, findings, result.whole


def _conclude(ctx: Context, args: Arguments, result: FsckResult) -> None:
    if not args.flag("json"):
        for commit in result.tombstones:
            ctx.stdout.line(f"Adding tombstone for commit {commit}")
        if result.partial and not args.flag("add-tombstones"):
            ctx.stdout.line(f"{result.partial} partial commits not verified")
    if result.corrupted:
        raise CorruptionError("Repository corruption encountered")
    if result.partial_from_fsck:
        raise CorruptionError(f"{result.partial} partial commits from fsck-detected corruption")
    if not args.flag("json"):
        ctx.stdout.line(
            f"object fsck of {result.commits} commits completed successfully - no errors found."
        )
