"""``ostree checkout``: write the tree of a commit into a directory."""

from __future__ import annotations

from ostree.cli.options import REPO, OptionError, flag, parse_boolean, path, text
from ostree.cli.repository import open_repo
from ostree.errors import UsageError
from ostree.repo.checkout_options import CheckoutOptions, Existing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "COMMIT [DESTINATION]"
OPTIONS = (
    REPO,
    flag(
        "user-mode",
        "Do not change file ownership or initialize extended attributes",
        short="U",
    ),
    flag(
        "disable-cache",
        "Do not update or use the internal repository uncompressed object cache",
    ),
    path("subpath", "PATH", "Checkout sub-directory PATH"),
    flag("union", "Keep existing directories, overwrite existing files"),
    flag("union-add", "Keep existing files/directories, only add new"),
    flag(
        "union-identical",
        "When layering checkouts, error out if a file would be replaced with a different version, "
        "but add new files and directories",
    ),
    flag(
        "process-passthrough-whiteouts",
        "Enable overlayfs whiteout extraction into char 0:0 devices",
    ),
    text("fsync", "POLICY", "Specify how to invoke fsync()"),
    flag("require-hardlinks", "Do not fall back to full copies if hardlinking fails", short="H"),
    flag(
        "force-copy-zerosized",
        "Do not hardlink zero-sized files",
        short="z",
        hidden=True,
    ),
    flag("force-copy", "Never hardlink (but may reflink if available)", short="C"),
    flag(
        "bareuseronly-dirs",
        "Suppress mode bits outside of 0775 for directories (suid, world writable, etc.)",
        short="M",
    ),
)

_UNIONS = (
    ("union", Existing.REPLACE),
    ("union-add", Existing.KEEP),
    ("union-identical", Existing.IDENTICAL),
)


def run(ctx: Context, args: Arguments) -> None:
    """Check out into the second word, or into a directory called like the revision."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("COMMIT must be specified")
        rev = args.words[0]
        destination = args.words[1] if len(args.words) > 1 else rev
        policy = args.text("fsync")
        if policy is not None:
            parse_boolean(policy)  # nothing is synced either way (§6.7), but it must be one
        options = CheckoutOptions(
            user_mode=args.flag("user-mode"),
            force_copy=args.flag("force-copy"),
            require_hardlinks=args.flag("require-hardlinks"),
            existing=_existing(args),
            bareuseronly_dirs=args.flag("bareuseronly-dirs"),
            passthrough_whiteouts=args.flag("process-passthrough-whiteouts"),
        )
        subpath = args.text("subpath") or "/"
        repo.checkout(rev, destination, options=options, subpath=subpath)


def _existing(args: Arguments) -> Existing:
    given = [(name, existing) for name, existing in _UNIONS if args.flag(name)]
    if len(given) > 1:
        raise OptionError(f"Cannot specify both --{given[0][0]} and --{given[1][0]}")
    return given[0][1] if given else Existing.REFUSE
