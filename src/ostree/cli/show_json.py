"""What ``ostree show --json`` prints (docs/json.md)."""

from __future__ import annotations

from ostree.cli import object_json
from ostree.cli.variant_json import variant_json
from ostree.errors import NotFoundError
from ostree.formats.refspec import looks_like_checksum
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.cli.json_output import Json
    from ostree.cli.options import Arguments
    from ostree.formats.gvariant import Variant
    from ostree.repo.repository import Repo


def show_document(repo: Repo, args: Arguments, rev: str) -> dict[str, Json]:
    """The part of an object that the options ask for, or the whole of it.

    Raises:
        OSTreeError: as the command without ``--json``.
    """
    type = args.text("print-variant-type")
    if type is not None:
        return _file_json(type, rev)
    key = args.text("print-metadata-key")
    if args.flag("list-metadata-keys") or key is not None:
        return _metadata_json(repo.load_commit(repo.resolve(rev)).metadata, key)
    key = args.text("print-detached-metadata-key")
    if args.flag("list-detached-metadata-keys") or key is not None:
        return _metadata_json(_detached(repo, repo.resolve(rev)), key)
    if args.flag("print-related"):
        related = repo.load_commit(repo.resolve(rev)).related
        return {"related": [{"name": name, "checksum": digest.hex()} for name, digest in related]}
    if args.flag("print-sizes"):
        return _sizes_json(repo, repo.resolve(rev))
    return _object_json(repo, args, rev)


def _file_json(type: str, name: str) -> dict[str, Json]:
    from ostree.cli.commands.show import read_file
    from ostree.formats import gvariant

    value = gvariant.decode(type, read_file(name), strict=False)
    return variant_json(gvariant.Variant(type, value))


def _detached(repo: Repo, checksum: Checksum) -> Sequence[tuple[str, Variant]]:
    repo.load_commit(checksum)
    detached = repo.load_detached(checksum)
    if detached is None:
        raise NotFoundError(f"No detached metadata for commit {checksum}")
    return detached


def _metadata_json(pairs: Sequence[tuple[str, Variant]], key: str | None) -> dict[str, Json]:
    """The value of a key, or all keys."""
    if key is None:
        return {"keys": sorted({name for name, _ in pairs})}
    for name, variant in pairs:
        if name == key:
            return {"key": key, **variant_json(variant)}
    raise NotFoundError(f"No such metadata key '{key}'")


def _signatures_json(repo: Repo, args: Arguments, commit: Checksum) -> list[Json]:
    from ostree.cli.commands.show import inspect_signatures

    verdict = inspect_signatures(args, repo, commit)
    if verdict is None:
        return []
    from ostree.cli.signature_json import signatures_json

    return signatures_json(verdict)


def _sizes_json(repo: Repo, checksum: Checksum) -> dict[str, Json]:
    from ostree.formats import sizes

    stored = repo.load_commit(checksum).metadata_value("ostree.sizes", "aay")
    if stored is None:
        raise NotFoundError("No metadata key ostree.sizes in commit")
    entries = [sizes.decode_entry(data) for data in stored]
    missing = [entry for entry in entries if not repo.has_object(entry.checksum, entry.type)]
    return {
        "archived": {
            "needed": sum(entry.archived for entry in missing),
            "total": sum(entry.archived for entry in entries),
        },
        "unpacked": {
            "needed": sum(entry.unpacked for entry in missing),
            "total": sum(entry.unpacked for entry in entries),
        },
        "objects": {"needed": len(missing), "total": len(entries)},
    }


def _object_json(repo: Repo, args: Arguments, rev: str) -> dict[str, Json]:
    """The object that a revision or checksum names, with its type."""
    is_checksum = looks_like_checksum(rev)
    checksum = Checksum(rev) if is_checksum else repo.resolve(rev)
    if not is_checksum or repo.has_object(checksum, ObjectType.COMMIT):
        commit = repo.load_commit(checksum)
        return {
            "type": "commit",
            **object_json.commit_json(repo, checksum, commit),
            "signatures": _signatures_json(repo, args, checksum),
        }
    if repo.has_object(checksum, ObjectType.DIRMETA):
        meta = repo.load_dirmeta(checksum)
        return {"type": "dirmeta", **object_json.dirmeta_json(checksum, meta)}
    if repo.has_object(checksum, ObjectType.DIRTREE):
        tree = repo.load_dirtree(checksum)
        return {"type": "dirtree", **object_json.dirtree_json(checksum, tree)}
    header, size = repo.load_file_header(checksum)
    return object_json.file_json(checksum, header, size)
