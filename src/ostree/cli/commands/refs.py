"""``ostree refs``: list, create and delete refs."""

from __future__ import annotations

from ostree.cli.options import JSON, REPO, flag, text
from ostree.cli.repository import open_repo
from ostree.errors import ExistsError, FormatError, NotFoundError, OSTreeError
from ostree.formats.refspec import parse_refspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo

USAGE = "[PREFIX]"
OPTIONS = (
    REPO,
    flag("delete", "Delete refs which match PREFIX, rather than listing them"),
    flag("list", "Do not remove the prefix from the refs"),
    flag(
        "alias",
        "If used with --create, create an alias, otherwise just list aliases",
        short="A",
    ),
    text("create", "NEWREF", "Create a new ref for an existing commit"),
    flag("collections", "Enable listing collection IDs for refs", short="c"),
    flag("force", "Overwrite existing refs when creating"),
    flag("revision", "Show revisions in listing", short="r"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Create a ref, or delete or list those of some prefixes."""
    with open_repo(ctx, args) as repo:
        new = args.text("create")
        if args.flag("json"):
            _print_json(ctx, repo, args)
        elif new is not None:
            _create(repo, new, args)
        elif args.flag("delete"):
            _delete(repo, args.words, by_collection=args.flag("collections"))
        elif args.flag("collections"):
            _list_collections(ctx, repo, args)
        elif args.flag("alias"):
            _list_aliases(ctx, repo, args.words)
        else:
            _list(ctx, repo, args)


def _list(ctx: Context, repo: Repo, args: Arguments) -> None:
    with_revision = args.flag("revision")
    prefixes: list[str | None] = [*args.words] or [None]
    for prefix in prefixes:
        found = repo.refs.list(_normal(prefix), full_names=args.flag("list"))
        for name in sorted(found):
            ctx.stdout.line(f"{name}\t{found[name]}" if with_revision else name)


def _list_collections(ctx: Context, repo: Repo, args: Arguments) -> None:
    collections: list[str | None] = [*args.words] or [None]
    for collection in collections:
        for (owner, name), value in _of_collection(repo, collection).items():
            line = f"({owner}, {name})"
            ctx.stdout.line(f"{line}\t{value}" if args.flag("revision") else line)


def _of_collection(repo: Repo, collection: str | None) -> dict[tuple[str, str], str]:
    """The refs of a collection, or of all of them, by (collection ID, ref)."""
    from ostree.formats.refspec import check_collection_id
    from ostree.repo.collections import collection_refs

    if collection is None:
        return collection_refs(repo)
    try:
        check_collection_id(collection)
    except FormatError as error:
        error.add_prefix("Listing refs")
        raise
    return {key: value for key, value in collection_refs(repo).items() if key[0] == collection}


def _normal(prefix: str | None) -> str | None:
    """``origin:.`` is another way to say ``origin:``."""
    return prefix[:-1] if prefix is not None and prefix.endswith(":.") else prefix


def _print_json(ctx: Context, repo: Repo, args: Arguments) -> None:
    """The refs that would be listed, each by its full name."""
    from ostree.cli.json_output import print_json, refuse_with_json
    from ostree.cli.ref_json import collection_refs_json, refs_json

    refuse_with_json(args, "create", "delete")
    if args.flag("collections"):
        by_collection: dict[tuple[str, str], str] = {}
        collections: list[str | None] = [*args.words] or [None]
        for collection in collections:
            by_collection |= _of_collection(repo, collection)
        print_json(ctx, collection_refs_json(by_collection))
        return
    aliases = repo.refs.aliases()
    found: dict[str, str] = {}
    prefixes: list[str | None] = [*args.words] or [None]
    for prefix in prefixes:
        found |= repo.refs.list(_normal(prefix), full_names=True)
    if args.flag("alias"):
        found = {name: value for name, value in found.items() if name in aliases}
    print_json(ctx, refs_json(found, aliases))


def _list_aliases(ctx: Context, repo: Repo, prefixes: list[str]) -> None:
    aliases = repo.refs.aliases()
    for prefix in prefixes or [""]:
        for name in sorted(aliases):
            if not prefix or name == prefix or name.startswith(f"{prefix}/"):
                ctx.stdout.line(f"{name} -> {aliases[name]}")


def _create(repo: Repo, new: str, args: Arguments) -> None:
    if not args.words:
        raise OSTreeError("You must specify a revision when creating a new ref")
    if len(args.words) > 1:
        raise OSTreeError("You must specify only 1 existing ref when creating a new ref")
    old = args.words[0]
    by_collection = args.flag("collections")
    is_alias = args.flag("alias") and not by_collection
    may_replace = args.flag("force") or (is_alias and new in repo.refs.aliases())
    if _exists(repo, new) and not may_replace:
        raise ExistsError(f"--create specified but ref {new} already exists")
    if by_collection:
        from ostree.repo.collections import set_collection_ref

        # As upstream has it, a ref of a collection that exists is replaced.
        collection, _, name = new.partition(":")
        set_collection_ref(repo, collection, name, repo.resolve(old))
    elif is_alias:
        _create_alias(repo, new, old)
    else:
        repo.refs.set(new, repo.resolve(old))
    repo.refs_changed()


def _exists(repo: Repo, name: str) -> bool:
    """Whether there is such a ref, or, as upstream has it, a commit that it abbreviates.

    Raises:
        NotFoundError: if there is a ref where a directory would have to be.
    """
    try:
        if repo.refs.get(name) is not None:
            return True
    except NotFoundError as error:
        if isinstance(error.__cause__, NotADirectoryError):
            raise
        return False
    try:
        return repo.resolve(name).startswith(name)
    except NotFoundError:  # also where a ref of some remote has the name of a directory
        return False


def _create_alias(repo: Repo, new: str, old: str) -> None:
    if old not in repo.refs.local():
        raise NotFoundError(f"Cannot create alias to non-existent ref: {old}")
    remote, name = parse_refspec(new)
    if remote is not None:
        raise OSTreeError(f"Cannot create alias to remote ref: {remote}")
    repo.refs.set_alias(name, old)


def _delete(repo: Repo, prefixes: list[str], *, by_collection: bool) -> None:
    if not prefixes:
        raise OSTreeError("At least one PREFIX is required when deleting refs")
    for prefix in prefixes:
        if by_collection:
            _delete_collection(repo, prefix)
        else:
            _delete_below(repo, prefix)
    repo.refs_changed()


def _delete_below(repo: Repo, prefix: str) -> None:
    alias_of = {target: alias for alias, target in repo.refs.aliases().items()}
    for name in repo.refs.list(_normal(prefix), full_names=True):
        if name in alias_of:
            raise OSTreeError(f"Ref '{name}' has an active alias: '{alias_of[name]}'")
        repo.refs.set(name, None)


def _delete_collection(repo: Repo, collection: str) -> None:
    """Delete what is kept here for a collection; refs of its remote are not."""
    from ostree.repo.collections import set_collection_ref

    for owner, name in _of_collection(repo, collection):
        set_collection_ref(repo, owner, name, None)
