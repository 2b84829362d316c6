"""``ostree prune``: delete objects that nothing needs."""

from __future__ import annotations

from ostree.cli.json_output import JSON, print_json
from ostree.cli.options import REPO, flag, integer, text, texts
from ostree.cli.repository import open_repo
from ostree.errors import FormatError, OSTreeError, UsageError
from ostree.formats.size_text import format_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.json_output import Json
    from ostree.cli.options import Arguments
    from ostree.repo.prune import PruneRequest, PruneResult

USAGE = ""
OPTIONS = (
    REPO,
    flag("no-prune", "Only display unreachable objects; don't delete"),
    flag("refs-only", "Only compute reachability via refs"),
    integer("depth", "DEPTH", "Only traverse DEPTH parents for each commit (default: -1=infinite)"),
    text("delete-commit", "COMMIT", "Specify a commit to delete"),
    text("keep-younger-than", "DATE", "Prune all commits older than the specified date"),
    flag(
        "static-deltas-only",
        "Change the behavior of delete-commit and keep-younger-than to prune only static deltas",
    ),
    texts("retain-branch-depth", "BRANCH=DEPTH", "Additionally retain BRANCH=DEPTH commits"),
    texts("only-branch", "BRANCH", "Only prune BRANCH (may be specified multiple times)"),
    flag("commit-only", "Only traverse and delete commit objects."),
    flag("dry-run", "Delete nothing; show what would go by type of object, and which commits"),
    JSON,
)

_TITLES = {
    "reach": "Following directories",
    "scan": "Reading object directories",
    "prune": "Deleting objects",
}
_DIGITS = frozenset("0123456789")


def run(ctx: Context, args: Arguments) -> None:
    """Delete, or with ``--no-prune`` or ``--dry-run`` tell what would be deleted."""
    from ostree.cli.progress import TransientProgress
    from ostree.repo.prune import carry_out

    stays = args.flag("no-prune") or args.flag("dry-run")
    with open_repo(ctx, args, writable=not stays) as repo:
        request = _request(args)
        with TransientProgress(ctx, _TITLES) as listener:
            result = carry_out(repo, request, on_event=listener)
    if args.flag("json"):
        print_json(ctx, _document(result, request))
    else:
        _print(ctx, result, request, with_details=args.flag("dry-run"))


def _request(args: Arguments) -> PruneRequest:
    from ostree.repo.prune import PruneRequest
    from ostree.repo.prune_roots import Keep

    deleted = args.text("delete-commit")
    if deleted is not None and args.flag("no-prune"):
        raise UsageError("Cannot specify both --delete-commit and --no-prune")
    if deleted is None and args.flag("static-deltas-only"):
        raise OSTreeError(
            "--static-deltas-only requires --delete-commit; "
            "see https://github.com/ostreedev/ostree/issues/1479"
        )
    date = args.text("keep-younger-than")
    keep = Keep(
        refs_only=args.flag("refs-only"),
        depth=args.integer("depth", -1),
        younger_than=None if date is None else _seconds(date),
        retain=dict(map(parse_retained, args.texts("retain-branch-depth"))),
        only_branches=args.texts("only-branch"),
    )
    return PruneRequest(
        keep,
        delete_commit=deleted,
        static_deltas_only=args.flag("static-deltas-only"),
        commit_only=args.flag("commit-only"),
        dry_run=args.flag("no-prune") or args.flag("dry-run"),
    )


def _seconds(date: str) -> int:
    import time

    from ostree.formats.timestamp import parse_date
    from ostree.system.machine_zone import MachineZone

    return parse_date(date, now=time.time(), tz=MachineZone())


def parse_retained(argument: str) -> tuple[str, int]:
    """The two halves of ``BRANCH=DEPTH``; as in C, digits at the start of the number count.

    Raises:
        FormatError: ``Invalid value X, must specify BRANCH=DEPTH``, ``Invalid depth X``,
            ``Out of range depth X``.
    """
    branch, equals, value = argument.partition("=")
    if not equals:
        raise FormatError(f"Invalid value {argument}, must specify BRANCH=DEPTH")
    number = value.lstrip(" \t\n\v\f\r")
    sign = -1 if number.startswith("-") else 1
    number = number[1:] if number[:1] in {"+", "-"} else number
    length = next((at for at, c in enumerate(number) if c not in _DIGITS), len(number))
    if not length:
        raise FormatError(f"Invalid depth {value}")
    depth = sign * int(number[:length].lstrip("0")[:20] or "0")
    if not -(1 << 31) <= depth < 1 << 31:
        raise FormatError(f"Out of range depth {value}")
    return branch, depth


def _print(ctx: Context, result: PruneResult, request: PruneRequest, *, with_details: bool) -> None:
    kind = "(commit only) objects" if request.commit_only else "objects"
    ctx.stdout.line(f"Total {kind}: {result.total}")
    size = format_size(result.freed)
    if not result.deleted:
        ctx.stdout.line("No unreachable objects")
    elif request.dry_run:
        ctx.stdout.line(f"Would delete: {result.deleted} objects, freeing {size}")
    else:
        ctx.stdout.line(f"Deleted {result.deleted} objects, {size} freed")
    if with_details:
        for type, share in result.by_type.items():
            ctx.stdout.line(f"  {type.extension}: {share.objects}, {format_size(share.bytes)}")
        for commit in result.commits:
            ctx.stdout.line(f"Commit {commit}")
        for delta in result.static_deltas:
            ctx.stdout.line(f"Static delta {delta}")


def _document(result: PruneResult, request: PruneRequest) -> dict[str, Json]:
    return {
        "dry_run": request.dry_run,
        "commit_only": request.commit_only,
        "objects_total": result.total,
        "objects_deleted": result.deleted,
        "bytes_freed": result.freed,
        "by_type": {
            type.extension: {"objects": share.objects, "bytes": share.bytes}
            for type, share in result.by_type.items()
        },
        "commits": list(result.commits),
        "static_deltas": list(result.static_deltas),
    }
