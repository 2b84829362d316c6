"""How large the objects of a commit are, for those who download it (repository format §5.3)."""

from __future__ import annotations

from ostree.formats import sizes
from ostree.formats.gvariant import Variant
from ostree.formats.sizes import ObjectSize
from ostree.repo.reachability import Reachable, add_tree
from ostree.types import ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.errors import OSTreeError
    from ostree.repo.repository import Repo
    from ostree.types import ObjectName, TreeId


def with_sizes(
    repo: Repo, root: TreeId, metadata: list[tuple[str, Variant]]
) -> list[tuple[str, Variant]]:
    """A commit's metadata with ``ostree.sizes`` at its end; unchanged where nothing is compressed."""
    if repo.mode is not RepoMode.ARCHIVE:
        return metadata
    elements = sizes.encode(_object_sizes(repo, root))
    return [*metadata, ("ostree.sizes", Variant("aay", elements))]


def _object_sizes(repo: Repo, root: TreeId) -> list[ObjectSize]:
    needed = Reachable()
    add_tree(repo, root, needed, _refuse)
    return [_object_size(repo, name) for name in needed.names()]


def _object_size(repo: Repo, name: ObjectName) -> ObjectSize:
    stored = plain = repo.stored_size(name.checksum, name.type)
    if name.type is ObjectType.FILE:
        header, plain = repo.load_file_header(name.checksum, with_xattrs=False)
        if header.is_symlink:
            plain = len(header.target.encode())
    return ObjectSize(name.checksum, stored, plain, name.type)


def _refuse(_digest: bytes, error: OSTreeError) -> None:
    raise error
