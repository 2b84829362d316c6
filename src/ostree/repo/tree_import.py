"""Committing a committed tree once more, changed by a modifier (repository format §6.2)."""

from __future__ import annotations

from ostree.formats import dirmeta
from ostree.types import ObjectType, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.modifier import Modifier
    from ostree.repo.mutable_tree import MutableTree
    from ostree.repo.repository import Repo
    from ostree.repo.tree_writer import TreeWriter
    from ostree.types import Checksum


class TreeImport:
    """One run over one committed tree."""

    def __init__(self, repo: Repo, transaction: TreeWriter, modifier: Modifier) -> None:
        self._repo = repo
        self._transaction = transaction
        self._modifier = modifier

    def run(self, committed: TreeId, target: MutableTree, prefix: str) -> None:
        """Store what changes of a committed tree, and enter all of it in the target.

        ``prefix`` is where the target is in the whole tree, for rules by path: empty or ``/usr``.
        """
        waiting: list[tuple[str, str, TreeId, MutableTree]] = [(prefix, "", committed, target)]
        while waiting:
            path, name, tree, above = waiting.pop()
            meta = self._dirmeta(path, tree.dirmeta)
            if meta is None:
                continue
            node = above.ensure_directory(name) if name else above
            node.dirmeta = meta
            contents = self._repo.load_dirtree(tree.dirtree)
            for child, checksum in contents.files:
                stored = self._file(f"{path}/{child}", checksum)
                if stored is not None:
                    node.replace_file(child, stored)
            for child, subtree, submeta in contents.dirs:
                waiting.append((f"{path}/{child}", child, TreeId(subtree, submeta), node))

    def _dirmeta(self, path: str, checksum: Checksum) -> Checksum | None:
        before = self._repo.load_dirmeta(checksum)
        xattrs = () if self._modifier.drops_xattrs else before.xattrs
        meta = self._modifier.walked_dirmeta_at(
            path or "/", before.uid, before.gid, before.mode, xattrs
        )
        if meta is None:
            return None
        return self._transaction.write_metadata(ObjectType.DIRMETA, dirmeta.encode(meta))

    def _file(self, path: str, checksum: Checksum) -> Checksum | None:
        with self._repo.load_content(checksum) as content:
            before = content.header
            xattrs = () if self._modifier.drops_xattrs else before.xattrs
            after = self._modifier.header_at(
                path, before.uid, before.gid, before.mode, before.target, xattrs
            )
            if after is None:
                return None
            if after == before and self._is_whole(checksum):
                self._transaction.count_content(0, content.size)
                return checksum
            content.header = after
            return self._transaction.write_content(content)

    def _is_whole(self, checksum: Checksum) -> bool:
        """Whether the object is here, with all that its checksum covers."""
        store = self._repo.store
        return store.properties.keeps_owner and store.has(checksum, ObjectType.FILE)
