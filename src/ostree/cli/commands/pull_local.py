"""``ostree pull-local``: copy commits from another repository of this machine."""

from __future__ import annotations

from ostree.cli.options import REPO, flag, text
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
from ostree.transfer.options import PullOptions
from ostree.transfer.pull_local import pull_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "SRC_REPO [REFS...]"
OPTIONS = (
    REPO,
    COMMIT_METADATA_ONLY,
    text("remote", "REMOTE", "Add REMOTE to refspec"),
    DISABLE_FSYNC,
    PER_OBJECT_FSYNC,
    UNTRUSTED,
    BAREUSERONLY_FILES,
    DISABLE_STATIC_DELTAS,
    REQUIRE_STATIC_DELTAS,
    flag("gpg-verify", "GPG verify commits (must specify --remote)"),
    flag("gpg-verify-summary", "GPG verify summary (must specify --remote)"),
    DISABLE_VERIFY_BINDINGS,
    DEPTH,
    PROGRESS,
)


def run(ctx: Context, args: Arguments) -> None:
    """Import the refs or commits given, or all refs."""
    with open_repo(ctx, args, writable=True) as repo:
        if not args.words:
            raise UsageError("DESTINATION must be specified")
        source, *refs = args.words
        options = PullOptions(
            depth=args.integer("depth", 0),
            commit_metadata_only=args.flag("commit-metadata-only"),
            untrusted=args.flag("untrusted"),
            require_static_deltas=args.flag("require-static-deltas"),
            disable_static_deltas=args.flag("disable-static-deltas"),
            bareuseronly_files=args.flag("bareuseronly-files"),
            verify_bindings=not args.flag("disable-verify-bindings"),
            fsync=False if args.flag("disable-fsync") else None,
            per_object_fsync=args.flag("per-object-fsync"),
            gpg_verify=args.flag("gpg-verify"),
            gpg_verify_summary=args.flag("gpg-verify-summary"),
            override_remote_name=args.text("remote"),
        )
        show_pull(
            ctx,
            lambda listener: pull_local(repo, source, refs, options, listener),
            lines=wants_lines(args),
        )
