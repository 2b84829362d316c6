"""``ostree commit``: store trees as a commit."""

from __future__ import annotations

from ostree.cli.commit_message import read_message, read_timestamp
from ostree.cli.commit_metadata import bindings, read_detached, read_metadata, with_facts
from ostree.cli.commit_trees import PathRules, TreeBuilder, open_policy
from ostree.cli.options import REPO, OptionError, flag, integer, parse_boolean, path, text, texts
from ostree.cli.progress import TransientProgress
from ostree.cli.repository import open_repo
from ostree.cli.signing import sign_as_asked, sign_options
from ostree.errors import OSTreeError
from ostree.formats import commitmeta
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.commit_metadata import Metadata
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.object_writer import TransactionStats
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.types import TreeId

USAGE = "[PATH]"
OPTIONS = (
    REPO,
    text("parent", "COMMIT", 'Parent commit checksum, or "none"'),
    text("subject", "SUBJECT", "One line subject", short="s"),
    text("body", "BODY", "Full description", short="m"),
    path("body-file", "FILE", "Commit message from FILE path", short="F"),
    flag("editor", "Use an editor to write the commit message", short="e"),
    text("branch", "BRANCH", "Branch", short="b"),
    flag("orphan", "Create a commit without writing a ref"),
    flag("no-bindings", "Do not write any ref bindings"),
    texts("bind-ref", "BRANCH", "Add a ref to ref binding commit metadata"),
    text("base", "REV", "Start from the given commit as a base (no modifiers apply)"),
    texts(
        "tree",
        "dir=PATH or tar=TARFILE or ref=COMMIT",
        "Overlay the given argument as a tree; after prefix=PATH trees land below PATH",
    ),
    texts("add-metadata-string", "KEY=VALUE", "Add a key/value pair to metadata"),
    texts(
        "add-metadata",
        "KEY=VALUE",
        "Add a key/value pair to metadata, where the KEY is a string, and VALUE is in GVariant "
        "Text Format",
    ),
    texts("keep-metadata", "KEY", "Keep metadata KEY and its associated VALUE from parent"),
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
    path(
        "selinux-policy",
        "PATH",
        "Set SELinux labels based on policy in root filesystem PATH (may be /)",
    ),
    flag(
        "selinux-policy-from-base",
        "Set SELinux labels based on first --tree argument",
        short="P",
    ),
    integer(
        "selinux-labeling-epoch",
        "0 | 1",
        "Configure the default SELinux labeling rules; 0 is the default, 1 labels /usr/etc as /etc",
    ),
    flag(
        "link-checkout-speedup",
        "Optimize for commits of trees composed of hardlinks into the repository",
    ),
    flag(
        "devino-canonical",
        "Assume hardlinked objects are unmodified.  Implies --link-checkout-speedup",
        short="I",
    ),
    flag(
        "stat-cache",
        "Do not read files again that did not change since they were last committed",
    ),
    flag("no-stat-cache", "Read all files, whatever the configuration says"),
    flag(
        "tar-autocreate-parents",
        "When loading tar archives, automatically create parent directories as needed",
    ),
    text(
        "tar-pathname-filter",
        "REGEX,REPLACEMENT",
        "When loading tar archives, use REGEX,REPLACEMENT against path names",
    ),
    flag(
        "skip-if-unchanged",
        "If the contents are unchanged from previous commit, do nothing",
    ),
    path(
        "statoverride",
        "PATH",
        "File containing list of modifications to make to permissions",
    ),
    path("skip-list", "PATH", "File containing list of files to skip"),
    flag("consume", "Consume (delete) content after commit (for local directories)"),
    flag("table-output", "Output more information in a KEY: VALUE format"),
    *sign_options("commit", "KEY_ID", "Sign the commit with", files=True),
    flag("generate-sizes", "Generate size information along with commit metadata"),
    flag(
        "generate-composefs-metadata",
        "Generate composefs metadata, for which there is no support yet",
    ),
    text("fsync", "POLICY", "Specify how to invoke fsync()"),
    flag("disable-fsync", "Do not invoke fsync()", hidden=True),
    text("timestamp", "TIMESTAMP", "Override the timestamp of the commit"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Commit a tree and print the new checksum."""
    fsync = _fsync(args)
    with open_repo(ctx, args, writable=True) as repo:
        # In mode bare-split-xattrs the reference writes content alone (ADR 0017-split-xattrs).
        repo.store.content_only = True
        rules = PathRules(args)
        branch = args.text("branch")
        if branch is None and not args.flag("orphan"):
            raise OSTreeError("A branch must be specified with --branch, or use --orphan")
        parent = _parent(repo, args, branch)
        metadata = read_metadata(repo, args, parent)
        detached = read_detached(args)
        metadata += bindings(repo, args, metadata)
        _check_options(args)
        labelling = open_policy(args)
        builder = TreeBuilder(ctx, repo, args, rules, labelling)
        subject, body = read_message(ctx, args)
        with repo.transaction(fsync=fsync, exact_sizes=args.flag("generate-sizes")) as txn:
            with TransientProgress(ctx, {"commit": "Committing files"}) as on_event:
                root = builder.build(txn, on_event)
            unchanged = args.flag("skip-if-unchanged") and _is_tree_of(repo, root, parent)
            if unchanged and parent is not None:
                checksum = parent
            else:
                checksum = txn.commit(
                    root,
                    parent=parent,
                    subject=subject,
                    body=body,
                    metadata=with_facts(repo, args, root, metadata),
                    timestamp=read_timestamp(ctx, args),
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
        ("Content Cache Hits", stats.content_cache_hits),
        ("Content Bytes Written", stats.content_bytes_written),
    )
    ctx.stdout.line(f"Commit: {checksum}")
    for title, count in rows:
        # Where upstream made no commit it prints uninitialised numbers.
        ctx.stdout.line(f"{title}: {0 if unchanged else count}")


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


def _check_options(args: Arguments) -> None:
    """Refuse what contradicts itself."""
    if args.flag("canonical-permissions"):
        for name in ("owner-uid", "owner-gid"):
            if args.integer(name, -1) > 0:
                raise OptionError(
                    f"Cannot specify both --canonical-permissions and non-zero --{name}"
                )


def _fsync(args: Arguments) -> bool | None:
    policy = args.text("fsync")
    if policy is not None and not parse_boolean(policy):
        return False
    return False if args.flag("disable-fsync") else None
