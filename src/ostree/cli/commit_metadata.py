"""What a commit is labelled with: metadata from options, parent, repository, tree (§5.1)."""

from __future__ import annotations

from ostree.cli.options import OptionError
from ostree.errors import FormatError, NotFoundError, RepoError
from ostree.formats.gvariant import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.types import Checksum, TreeId

    Metadata = list[tuple[str, Variant]]

_COLLECTION = "ostree.collection-binding"


def read_metadata(repo: Repo, args: Arguments, parent: Checksum | None) -> Metadata:
    """What the user gives: strings, then other values, then what the parent has.

    Raises:
        OSTreeError: naming the pair that is none, or the key that the parent lacks.
    """
    metadata = _strings(args.texts("add-metadata-string"))
    for pair in args.texts("add-metadata"):
        from ostree.formats.gvariant.parse import parse_text

        key, value = _pair(pair)
        try:
            metadata.append((key, parse_text(value)))
        except FormatError as error:
            error.add_prefix(f"Parsing {pair}")
            raise
    return metadata + _kept(repo, args.texts("keep-metadata"), parent)


def read_detached(args: Arguments) -> Metadata:
    """The detached metadata that the user gives."""
    return _strings(args.texts("add-detached-metadata-string"))


def bindings(repo: Repo, args: Arguments, metadata: Metadata) -> Metadata:
    """What the commit is meant for, to stand behind ``metadata``."""
    if args.flag("no-bindings"):
        return []
    branch = args.text("branch")
    refs = args.texts("bind-ref") + ([branch] if branch is not None else [])
    found = [("ostree.ref-binding", Variant("as", sorted(refs, key=str.encode)))]
    collection = repo.config.collection_id
    if collection is not None and all(name != _COLLECTION for name, _ in metadata):
        found.append((_COLLECTION, Variant("s", collection)))
    return found


def with_facts(repo: Repo, args: Arguments, root: TreeId, metadata: Metadata) -> Metadata:
    """The metadata with what is found out about the tree, in the order of upstream.

    Raises:
        OSTreeError: if something that is asked for cannot be found out.
    """
    if args.flag("bootable"):
        from ostree.repo.bootable import with_bootable

        metadata = with_bootable(repo, root, metadata)
    if args.flag("generate-composefs-metadata"):
        raise RepoError("composefs is not supported in this ostree build")
    if args.flag("generate-sizes"):
        from ostree.repo.commit_sizes import with_sizes

        metadata = with_sizes(repo, root, metadata)
    return metadata


def _kept(repo: Repo, keys: list[str], parent: Checksum | None) -> Metadata:
    if not keys:
        return []
    if parent is None:
        raise OptionError(
            "Either --branch or --parent must be specified when using --keep-metadata"
        )
    commit = repo.load_commit(parent)
    kept = []
    for key in keys:
        value = next((value for name, value in commit.metadata if name == key), None)
        if value is None:
            raise NotFoundError(f"Missing metadata key '{key}' from commit '{parent}'")
        kept.append((key, value))
    return kept


def _strings(pairs: list[str]) -> Metadata:
    return [(key, Variant("s", value)) for key, value in map(_pair, pairs)]


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise OptionError(f"Missing '=' in KEY=VALUE metadata '{text}'")
    return key, value
