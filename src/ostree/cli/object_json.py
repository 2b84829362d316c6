"""Objects and trees in JSON documents (docs/json.md)."""

from __future__ import annotations

import stat

from ostree.cli.json_output import text_fields
from ostree.cli.variant_json import variants_json
from ostree.formats.date_text import format_rfc3339, signed_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.json_output import Json
    from ostree.formats.commit import Commit
    from ostree.formats.dirtree import DirTree
    from ostree.repo.repository import Repo
    from ostree.repo.tree import Entry
    from ostree.types import Checksum, DirMeta, FileHeader, Xattrs


def commit_json(repo: Repo, checksum: Checksum, commit: Commit) -> dict[str, Json]:
    """A commit with both kinds of metadata."""
    detached = repo.load_detached(checksum)
    return {
        "checksum": checksum,
        "parent": commit.parent,
        "content_checksum": commit.content_checksum,
        "dirtree": commit.root.dirtree,
        "dirmeta": commit.root.dirmeta,
        "timestamp": signed_timestamp(commit.timestamp),
        "date": format_rfc3339(commit.timestamp),
        "version": commit.metadata_value("version", "s"),
        "subject": commit.subject,
        "body": commit.body,
        "metadata": variants_json(commit.metadata),
        "detached_metadata": None if detached is None else variants_json(detached),
        "partial": repo.is_partial(checksum),
    }


def dirtree_json(checksum: Checksum, tree: DirTree) -> dict[str, Json]:
    """The entries of a directory."""
    return {
        "checksum": checksum,
        "files": [{**text_fields("name", name), "checksum": file} for name, file in tree.files],
        "directories": [
            {**text_fields("name", name), "dirtree": dirtree, "dirmeta": dirmeta}
            for name, dirtree, dirmeta in tree.dirs
        ],
    }


def dirmeta_json(checksum: Checksum, meta: DirMeta) -> dict[str, Json]:
    """Owner, mode and attributes of directories."""
    return {"checksum": checksum, **_attributes(meta)}


def file_json(checksum: Checksum, header: FileHeader, size: int) -> dict[str, Json]:
    """A regular file or symbolic link, without its content."""
    fields: dict[str, Json] = {"type": file_type(header.mode), "checksum": checksum}
    fields |= _attributes(header)
    return fields | (text_fields("target", header.target) if header.is_symlink else {"size": size})


def entry_json(repo: Repo, entry: Entry) -> dict[str, Json]:
    """Something in a tree, with its path.

    Raises:
        OSTreeError: if the object that describes it is missing or damaged.
    """
    path = text_fields("path", entry.path)
    if entry.checksum is not None:
        header, size = repo.load_file_header(entry.checksum)
        return path | file_json(entry.checksum, header, size)
    assert entry.tree is not None  # either a tree or a file
    meta = repo.load_dirmeta(entry.tree.dirmeta)
    directory: dict[str, Json] = {
        "type": file_type(meta.mode),
        "dirtree": entry.tree.dirtree,
        "dirmeta": entry.tree.dirmeta,
    }
    return path | directory | _attributes(meta)


def file_type(mode: int) -> str:
    """``file``, ``symlink`` or ``directory``."""
    if stat.S_ISDIR(mode):
        return "directory"
    return "symlink" if stat.S_ISLNK(mode) else "file"


def _attributes(meta: DirMeta | FileHeader) -> dict[str, Json]:
    return {
        "mode": f"0{meta.mode:o}",
        "uid": meta.uid,
        "gid": meta.gid,
        "xattrs": _xattrs_json(meta.xattrs),
    }


def _xattrs_json(xattrs: Xattrs) -> list[Json]:
    from base64 import b64encode

    return [
        {
            **text_fields("name", name.decode("utf-8", "surrogateescape")),
            "value_base64": b64encode(value).decode(),
        }
        for name, value in xattrs
    ]
