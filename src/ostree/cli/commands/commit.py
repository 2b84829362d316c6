"""``ostree commit``: store a directory as a commit."""

from __future__ import annotations

import time

from ostree.cli.options import REPO, OptionError, flag, integer, parse_boolean, path, text, texts
from ostree.cli.repository import open_repo
from ostree.cli.signing import sign_as_asked, sign_options
from ostree.errors import FormatError, NotFoundError, OSTreeError
from ostree.formats import commitmeta
from ostree.formats.gvariant import Variant
from ostree.repo.modifier import Modifier
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction, TransactionStats
    from ostree.types import TreeId

    Metadata = list[tuple[str, Variant]]

USAGE = "[PATH]"
OPTIONS = (
    REPO,
    text("parent", "COMMIT", 'Parent commit checksum, or "none"'),
    text("subject", "SUBJECT", "One line subject", short="s"),
    text("body", "BODY", "Full description", short="m"),
    path("body-file", "FILE", "Commit message from FILE path", short="F"),
    text("branch", "BRANCH", "Branch", short="b"),
    flag("orphan", "Create a commit without writing a ref"),
    flag("no-bindings", "Do not write any ref bindings"),
    texts("bind-ref", "BRANCH", "Add a ref to ref binding commit metadata"),
    texts("tree", "dir=PATH", "Take the given argument as a tree"),
    texts("add-metadata-string", "KEY=VALUE", "Add a key/value pair to metadata"),
    texts(
        "add-metadata",
        "KEY=VALUE",
        "Add a key/value pair to metadata, where the KEY is a string, and VALUE is in GVariant "
        "Text Format",
    ),
    texts(
        "add-detached-metadata-string",
        "KEY=VALUE",
        "Add a key/value pair to detached metadata",
    ),
    integer("owner-uid", "UID", "Set file ownership user id"),
    integer("owner-gid", "GID", "Set file ownership group id"),
    flag(
        "canonical-permissions",
        "Canonicalize permissions in the same way bare-user does for hardlinked files",
    ),
    flag(
        "bootable",
        "Flag this commit as a bootable OSTree (e.g. contains a Linux kernel)",
    ),
    flag("mode-ro-executables", "Ensure executable files are not writable"),
    flag("no-xattrs", "Do not import extended attributes"),
    flag(
        "skip-if-unchanged",
        "If the contents are unchanged from previous commit, do nothing",
    ),
    flag("table-output", "Output more information in a KEY: VALUE format"),
    *sign_options("commit", "KEY_ID", "Sign the commit with", files=True),
    text("fsync", "POLICY", "Specify how to invoke fsync()"),
    flag("disable-fsync", "Do not invoke fsync()", hidden=True),
    text("timestamp", "TIMESTAMP", "Override the timestamp of the commit"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Commit a directory and print the new checksum."""
    with open_repo(ctx, args, writable=True) as repo:
        branch = args.text("branch")
        if branch is None and not args.flag("orphan"):
            raise OSTreeError("A branch must be specified with --branch, or use --orphan")
        parent = _parent(repo, args, branch)
        metadata = _metadata(args)
        detached = _detached(args)
        metadata += _bindings(repo, args, branch, metadata)
        modifier = _modifier(args)
        directory = _directory(args)
        body = _body(args)
        with repo.transaction(fsync=_fsync(args)) as txn:
            root = txn.import_directory(directory, modifier=modifier)
            if args.flag("bootable"):
                from ostree.repo.bootable import with_bootable

                metadata = with_bootable(repo, root, metadata)
            unchanged = args.flag("skip-if-unchanged") and _is_tree_of(repo, root, parent)
            if unchanged and parent is not None:
                checksum = parent
            else:
                checksum = txn.commit(
                    root,
                    parent=parent,
                    subject=args.text("subject") or "",
                    body=body,
                    metadata=metadata,
                    timestamp=_timestamp(ctx, args),
                )
                _finish(txn, checksum, branch, detached)
                sign_as_asked(repo, args, checksum)
        if args.flag("table-output"):
            _print_table(ctx, checksum, txn.stats, unchanged=unchanged)
        else:
            ctx.stdout.line(checksum)


def _finish(txn: Transaction, checksum: Checksum, branch: str | None, detached: Metadata) -> None:
    if detached:
        txn.write_detached(checksum, commitmeta.encode(detached))
    # As upstream, --orphan does not keep a branch that is given from being written.
    if branch is not None:
        txn.set_ref(branch, checksum)


def _print_table(
    ctx: Context, checksum: Checksum, stats: TransactionStats, *, unchanged: bool
) -> None:
    rows = (
        ("Metadata Total", stats.metadata_total),
        ("Metadata Written", stats.metadata_written),
        ("Content Total", stats.content_total),
        ("Content Written", stats.content_written),
        ("Content Cache Hits", 0),
        ("Content Bytes Written", stats.content_bytes_written),
    )
    ctx.stdout.line(f"Commit: {checksum}")
    for title, count in rows:
        # Where upstream made no commit it prints uninitialised numbers.
        ctx.stdout.line(f"{title}: {0 if unchanged else count}")


# what is committed ----------------------------------------------------------------------------


def _parent(repo: Repo, args: Arguments, branch: str | None) -> Checksum | None:
    given = args.text("parent")
    if given == "none":
        return None
    if given is not None:
        return Checksum(given)
    if branch is None or args.flag("orphan"):
        return None
    return repo.find(branch)


def _is_tree_of(repo: Repo, root: TreeId, commit: Checksum | None) -> bool:
    return commit is not None and repo.load_commit(commit).root == root


def _directory(args: Arguments) -> str:
    trees = args.texts("tree")
    if not trees:
        return args.words[0] if args.words else "."
    for tree in trees:
        kind, equals, _ = tree.partition("=")
        if not equals:
            raise OptionError(f"Missing type in tree specification '{tree}'")
        if kind != "dir":
            raise OptionError(f"Invalid tree type specification '{kind}'")
    if len(trees) > 1:
        raise OptionError("Overlaying several trees is not supported yet")
    return trees[0].partition("=")[2]


def _modifier(args: Arguments) -> Modifier:
    uid = args.integer("owner-uid", -1)
    gid = args.integer("owner-gid", -1)
    canonical = args.flag("canonical-permissions")
    for name, owner in (("owner-uid", uid), ("owner-gid", gid)):
        if canonical and owner > 0:
            raise OptionError(f"Cannot specify both --canonical-permissions and non-zero --{name}")
    return Modifier(
        owner_uid=uid if uid >= 0 else None,
        owner_gid=gid if gid >= 0 else None,
        canonical_permissions=canonical,
        ro_executables=args.flag("mode-ro-executables"),
        no_xattrs=args.flag("no-xattrs"),
    )


# what is said about it ------------------------------------------------------------------------


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise OptionError(f"Missing '=' in KEY=VALUE metadata '{text}'")
    return key, value


def _metadata(args: Arguments) -> Metadata:
    """What the user gives, strings first whatever the order on the command line."""
    metadata = [
        (key, Variant("s", value)) for key, value in map(_pair, args.texts("add-metadata-string"))
    ]
    for pair in args.texts("add-metadata"):
        from ostree.formats.gvariant.parse import parse_text

        key, value = _pair(pair)
        try:
            metadata.append((key, parse_text(value)))
        except FormatError as error:
            error.add_prefix(f"Parsing {pair}")
            raise
    return metadata


def _detached(args: Arguments) -> Metadata:
    pairs = map(_pair, args.texts("add-detached-metadata-string"))
    return [(key, Variant("s", value)) for key, value in pairs]


def _bindings(repo: Repo, args: Arguments, branch: str | None, metadata: Metadata) -> Metadata:
    """What the commit is meant for (§5.1)."""
    if args.flag("no-bindings"):
        return []
    refs = args.texts("bind-ref") + ([branch] if branch is not None else [])
    bindings = [("ostree.ref-binding", Variant("as", sorted(refs, key=str.encode)))]
    collection = repo.config.collection_id
    key = "ostree.collection-binding"
    if collection is not None and all(name != key for name, _ in metadata):
        bindings.append((key, Variant("s", collection)))
    return bindings


def _body(args: Arguments) -> str:
    name = args.text("body-file")
    if name is None:
        return args.text("body") or ""
    try:
        with open(name, "rb") as file:
            data = file.read()
    except OSError as error:
        raise NotFoundError(f"openat({name}): {error.strerror}") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError("Invalid UTF-8", offset=error.start) from error


def _timestamp(ctx: Context, args: Arguments) -> int | None:
    given = args.text("timestamp")
    if given is not None:
        from ostree.formats.timestamp import parse_date
        from ostree.system.machine_zone import MachineZone

        return parse_date(given, now=time.time(), tz=MachineZone())
    epoch = ctx.environ.get("SOURCE_DATE_EPOCH")
    return None if epoch is None else parse_epoch(epoch)


def parse_epoch(text: str) -> int:
    """``SOURCE_DATE_EPOCH`` as C's ``strtoll`` reads it: digits at the start count.

    Raises:
        FormatError: if there are none, or too many.
    """
    rest = text.lstrip(" \t\n\v\f\r")
    sign = -1 if rest.startswith("-") else 1
    rest = rest[1:] if rest[:1] in {"+", "-"} else rest
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if not digits:
        raise FormatError("Failed to convert SOURCE_DATE_EPOCH")
    number = sign * int(digits.lstrip("0")[:20] or "0")
    if not -(1 << 63) <= number < 1 << 63:
        raise FormatError("Parsing SOURCE_DATE_EPOCH: Numerical result out of range")
    return number


def _fsync(args: Arguments) -> bool | None:
    policy = args.text("fsync")
    if policy is not None and not parse_boolean(policy):
        return False
    return False if args.flag("disable-fsync") else None
