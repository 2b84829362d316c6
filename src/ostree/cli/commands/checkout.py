"""``ostree checkout``: write the tree of a commit into a directory."""

from __future__ import annotations

import os
import sys

from ostree.cli.checkout_list import read_list
from ostree.cli.options import REPO, OptionError, flag, parse_boolean, path, text
from ostree.cli.progress import TransientProgress
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError, UsageError
from ostree.repo.checkout_labels import Labels
from ostree.repo.checkout_options import CheckoutOptions, Existing, parse_skip_list
from ostree.system import files
from ostree.system.selinux import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.types import Checksum

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
    flag("whiteouts", "Process 'whiteout' (Docker style) entries"),
    flag(
        "process-passthrough-whiteouts",
        "Enable overlayfs whiteout extraction into char 0:0 devices",
    ),
    flag("allow-noent", "Do nothing if specified path does not exist"),
    flag("from-stdin", "Process many checkouts from standard input"),
    path("from-file", "FILE", "Process many checkouts from input file"),
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
    path("skip-list", "FILE", "File containing list of files to skip"),
    path(
        "selinux-policy",
        "PATH",
        "Set SELinux labels based on policy in root filesystem PATH (may be /); "
        "implies --force-copy",
    ),
    path("selinux-prefix", "PREFIX", "When setting SELinux labels, prefix all paths by PREFIX"),
    flag("composefs", "Generate a composefs image instead of a directory"),
    flag("composefs-noverity", "Generate a composefs image without fs-verity digests"),
)

_UNIONS = (
    ("union", Existing.REPLACE),
    ("union-add", Existing.KEEP),
    ("union-identical", Existing.IDENTICAL),
)
#: With any of these the uncompressed cache is not used and ``--allow-noent`` has no effect (§6.7).
_NEW_STYLE = (
    "disable-cache",
    "whiteouts",
    "process-passthrough-whiteouts",
    "require-hardlinks",
    "union-add",
    "union-identical",
    "force-copy",
    "force-copy-zerosized",
    "bareuseronly-dirs",
    "skip-list",
    "selinux-policy",
    "selinux-prefix",
)
_MAX_SKIP_LIST = 64 << 20


def run(ctx: Context, args: Arguments) -> None:
    """Check out into the second word, or into a directory called like the revision."""
    policy = args.text("fsync")
    fsync = policy is None or parse_boolean(policy)
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("COMMIT must be specified")
        rev, *rest = args.words
        if args.flag("from-stdin") or args.has("from-file"):
            for listed, subpath in _listed(args):
                checksum = repo.resolve(listed)
                try:
                    _checkout(ctx, repo, args, checksum, subpath, rev, fsync=fsync)
                except OSTreeError as error:
                    error.add_prefix(f"Processing tree {checksum}")
                    raise
        else:
            checksum = repo.resolve(rev)
            destination = rest[0] if rest else rev
            _checkout(ctx, repo, args, checksum, args.text("subpath"), destination, fsync=fsync)


def _listed(args: Arguments) -> Iterator[tuple[str, str | None]]:
    """The revisions and paths of a list; each is given as soon as it can be read.

    Raises:
        OSTreeError: ``Error opening file PATH: …``.
    """
    name = args.text("from-file")
    if name is None or args.flag("from-stdin"):
        yield from read_list(sys.stdin.buffer)
        return
    try:
        stream = open(name, "rb")  # noqa: SIM115 - closed below; only its opening has words of its own
    except OSError as error:
        shown = os.path.abspath(name)
        raise OSTreeError(f"Error opening file {shown}: {error.strerror}") from error
    with stream:
        yield from read_list(stream)


def _checkout(
    ctx: Context,
    repo: Repo,
    args: Arguments,
    checksum: Checksum,
    subpath: str | None,
    destination: str,
    *,
    fsync: bool,
) -> None:
    options = _options(args, fsync=fsync)
    policy = _open_policy(args)
    if policy is not None:
        options.labels = Labels(policy, args.text("selinux-prefix"))
    options.skip = _skip_list(args)
    with TransientProgress(ctx, {"checkout": "Checking out files"}) as on_event:
        repo.checkout(
            checksum,
            destination,
            options=options,
            subpath="/" if subpath is None else subpath,
            on_event=on_event,
        )


def _options(args: Arguments, *, fsync: bool) -> CheckoutOptions:
    """What the user asked for, but for what files say.

    Raises:
        OSTreeError: if it does not go together.
    """
    legacy = not any(args.has(name) for name in _NEW_STYLE)
    options = CheckoutOptions(
        user_mode=args.flag("user-mode"),
        force_copy=args.flag("force-copy") or args.has("selinux-policy"),
        require_hardlinks=args.flag("require-hardlinks"),
        existing=_existing(args),
        bareuseronly_dirs=args.flag("bareuseronly-dirs"),
        whiteouts=args.flag("whiteouts"),
        passthrough_whiteouts=args.flag("process-passthrough-whiteouts"),
        uncompressed_cache=legacy,
        fsync=fsync,
        allow_missing=legacy and args.flag("allow-noent"),
    )
    alone = args.has("selinux-prefix") and not args.has("selinux-policy")
    if alone and not (options.require_hardlinks and options.force_copy):
        raise OptionError("Cannot specify --selinux-prefix without --selinux-policy")
    options.check()
    if args.flag("composefs") or args.flag("composefs-noverity"):
        if not legacy:
            raise OptionError("Specified options are incompatible with --composefs")
        raise OSTreeError("composefs is not supported in this ostree build")
    return options


def _existing(args: Arguments) -> Existing:
    given = [(name, existing) for name, existing in _UNIONS if args.flag(name)]
    if len(given) > 1:
        raise OptionError(f"Cannot specify both --{given[0][0]} and --{given[1][0]}")
    return given[0][1] if given else Existing.REFUSE


def _open_policy(args: Arguments) -> Policy | None:
    top = args.text("selinux-policy")
    if top is None:
        return None
    try:
        os.close(files.open_directory(top))
    except OSError as error:
        text = files.describe(f"opendir({top})", error)
        raise OSTreeError(f"selinux-policy: : {text}") from error
    return Policy.open(top)


def _skip_list(args: Arguments) -> frozenset[str]:
    name = args.text("skip-list")
    if name is None:
        return frozenset()
    try:
        return parse_skip_list(os.fsdecode(files.read_file(name, limit=_MAX_SKIP_LIST)))
    except OSError as error:
        raise OSTreeError(files.describe(f"openat({name})", error)) from error
