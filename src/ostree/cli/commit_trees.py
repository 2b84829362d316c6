"""What a commit contains: the trees it is put together from, and what changes about them (§6.1)."""

from __future__ import annotations

import os

from ostree.cli.commit_message import read_text
from ostree.cli.options import OptionError
from ostree.formats.filename import check_filename
from ostree.formats.hash_order import HashDict
from ostree.repo.devino import Links
from ostree.repo.modifier import Modifier
from ostree.repo.mutable_tree import MutableTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.events import Listener
    from ostree.repo.modifier import Label
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.system.selinux import Policy
    from ostree.types import Checksum, TreeId


class PathRules:
    """The contents of ``--statoverride`` and ``--skip-list``."""

    __slots__ = ("add", "replace", "skip")

    def __init__(self, args: Arguments) -> None:
        """Read the files.

        Raises:
            OSTreeError: if one cannot be read, or is none.
        """
        self.add: dict[str, int] | None = None
        self.replace: dict[str, int] | None = None
        self.skip: list[str] | None = None
        overrides, skip_list = args.text("statoverride"), args.text("skip-list")
        if overrides is not None:
            from ostree.formats.path_rules import parse_statoverride

            rules = parse_statoverride(read_text(overrides))
            self.add, self.replace = rules.add, rules.replace
        if skip_list is not None:
            from ostree.formats.path_rules import parse_skip_list

            self.skip = parse_skip_list(read_text(skip_list))

    def report_unmatched(self, ctx: Context, modifier: Modifier) -> None:
        """Name the paths that were not there.

        Raises:
            NotFoundError: if there are any.
        """
        for what, paths, unmatched in (
            ("statoverride", self.add, modifier.unmatched_modes),
            ("skip-list", self.skip, modifier.unmatched_skips),
        ):
            if unmatched:
                for path in _as_listed(paths or (), unmatched):
                    ctx.stderr.line(f"Unmatched {what} path: {path}")
                break
        modifier.require_matched()


def _as_listed(paths: Iterable[str], left: list[str]) -> list[str]:
    """What is left of some paths, in the order of upstream's table of them."""
    table = HashDict((path, None) for path in paths)
    for path in paths:
        if path not in left:
            table.remove(path)
    return [path for path, _ in table.items()]


class Labelling:
    """Security labels from a policy that may be known only when the first tree is (§6.2)."""

    def __init__(self, policy: Policy | None, epoch: int) -> None:
        self.policy = policy
        self._epoch = epoch

    def label(self, path: str, mode: int) -> bytes | None:
        """The label of a path; in epoch 1 ``/usr/etc`` is labelled as what it becomes."""
        if self.policy is None:
            return None
        if self._epoch >= 1 and (path == "/usr/etc" or path.startswith("/usr/etc/")):
            path = path[4:]
        return self.policy.label(path, mode)


def normalize_prefix(path: str) -> str:
    """A path within a tree with a slash in front and none at the end; empty for the root.

    Raises:
        FormatError: if a component cannot be a name.
    """
    names = [name for name in path.split("/") if name]
    for name in names:
        check_filename(name)
    return "".join(f"/{name}" for name in names)


def open_policy(args: Arguments) -> Labelling:
    """What ``--selinux-policy`` asks for.

    Raises:
        OSTreeError: if options contradict each other, or the policy cannot be used.
    """
    path, from_base = args.text("selinux-policy"), args.flag("selinux-policy-from-base")
    if path is not None and from_base:
        raise OptionError("Cannot specify both --selinux-policy and --selinux-policy-from-base")
    epoch = args.integer("selinux-labeling-epoch", 0)
    if epoch not in (0, 1):
        raise OptionError(f"Unknown SELinux labeling epoch: {epoch}")
    labelling = Labelling(None, epoch)
    if path is not None:
        from ostree.system.selinux import Policy

        labelling.policy = Policy.open(path)
    return labelling


class TreeBuilder:
    """Puts together the tree of a commit from the options of its command line."""

    def __init__(
        self, ctx: Context, repo: Repo, args: Arguments, rules: PathRules, labelling: Labelling
    ) -> None:
        self._ctx = ctx
        self._repo = repo
        self._args = args
        self._rules = rules
        self._labelling = labelling
        self._from_base = args.flag("selinux-policy-from-base")
        self._modifier = self._make_modifier()
        #: Where trees land: empty for the root, or ``/usr/share``.
        self._prefix = ""
        self._on_event: Listener | None = None
        self._links = Links.READ
        if args.flag("link-checkout-speedup"):
            self._links = Links.COMPARE
        if args.flag("devino-canonical"):
            self._links = Links.TRUST
        #: None for what the configuration says.
        self._stat_cache: bool | None = True if args.flag("stat-cache") else None
        if args.flag("no-stat-cache"):
            self._stat_cache = False

    def _make_modifier(self) -> Modifier:
        args, rules = self._args, self._rules
        uid = args.integer("owner-uid", -1)
        gid = args.integer("owner-gid", -1)
        label: Label | None = None
        if self._from_base or self._labelling.policy is not None:
            label = self._labelling.label
        return Modifier(
            owner_uid=uid if uid >= 0 else None,
            owner_gid=gid if gid >= 0 else None,
            canonical_permissions=args.flag("canonical-permissions"),
            ro_executables=args.flag("mode-ro-executables"),
            no_xattrs=args.flag("no-xattrs"),
            add_modes=rules.add,
            replace_modes=rules.replace,
            skip=rules.skip,
            label=label,
        )

    def build(self, txn: Transaction, on_event: Listener | None) -> TreeId:
        """Everything that ``--base``, ``--tree`` and the argument name, one laid over the other.

        ``on_event`` is told of files that were stored.

        Raises:
            OSTreeError: naming what is missing or cannot be committed.
        """
        self._on_event = on_event
        args, repo = self._args, self._repo
        tree = MutableTree()
        base = args.text("base")
        if base is not None:
            commit = repo.resolve(base)
            tree = MutableTree.of_tree(repo, repo.load_commit(commit).root)
            self._take_policy_of_commit(commit)
        default = f"dir={args.words[0] if args.words else '.'}"
        specs = args.texts("tree") or [default]
        for number, spec in enumerate(specs, 1):
            kind, equals, value = spec.partition("=")
            if number == 1 and base is None and kind == "tar" and self._from_base:
                raise OptionError("Cannot use --selinux-policy-from-base with tar")
            if not equals:
                raise OptionError(f"Missing type in tree specification '{spec}'")
            self._add(txn, tree, kind, value, final=number == len(specs))
        self._rules.report_unmatched(self._ctx, self._modifier)
        return tree.write(txn)

    def _add(
        self, txn: Transaction, tree: MutableTree, kind: str, value: str, *, final: bool
    ) -> None:
        if kind == "dir":
            self._take_policy_of_directory(value)
            txn.add_directory(
                self._place(txn, tree),
                value,
                modifier=self._modifier,
                prefix=self._prefix,
                links=self._links,
                consume=self._args.flag("consume"),
                final=final,
                stat_cache=self._stat_cache,
                on_event=self._on_event,
            )
        elif kind == "ref":
            commit = self._repo.resolve(value)
            self._take_policy_of_commit(commit)
            root = self._repo.load_commit(commit).root
            txn.add_tree(self._place(txn, tree), root, modifier=self._modifier, prefix=self._prefix)
        elif kind == "tar":
            self._add_archive(txn, tree, value)
        elif kind == "prefix":
            self._prefix = normalize_prefix(value)
        else:
            raise OptionError(f"Invalid tree type specification '{kind}'")

    def _add_archive(self, txn: Transaction, tree: MutableTree, value: str) -> None:
        text = self._args.text("tar-pathname-filter")
        pathname_filter = None
        if text is not None:
            from ostree.repo.archive_paths import parse_pathname_filter

            pathname_filter = parse_pathname_filter(text)
        txn.add_archive(
            self._place(txn, tree),
            0 if value == "-" else os.path.abspath(value),
            modifier=self._modifier,
            prefix=self._prefix,
            autocreate_parents=self._args.flag("tar-autocreate-parents"),
            pathname_filter=pathname_filter,
        )

    def _place(self, txn: Transaction, tree: MutableTree) -> MutableTree:
        """Where the next tree goes."""
        if not self._prefix:
            return tree
        return txn.make_directories(tree, self._prefix, modifier=self._modifier)

    # the policy of the first tree -------------------------------------------------------------

    def _take_policy_of_commit(self, commit: Checksum) -> None:
        if self._from_base:
            from ostree.repo.policy import policy_of_commit

            self._from_base = False
            self._labelling.policy = policy_of_commit(self._repo, commit)

    def _take_policy_of_directory(self, path: str) -> None:
        if self._from_base:
            from ostree.system.selinux import Policy

            self._from_base = False
            self._labelling.policy = Policy.open(path)
