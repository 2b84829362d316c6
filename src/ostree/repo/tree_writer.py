"""Putting together the tree of a commit, and the commit (repository format §6.1)."""

from __future__ import annotations

import time

from ostree.formats import commit as commit_format
from ostree.formats import dirmeta
from ostree.repo.devino import Links
from ostree.repo.modifier import Modifier
from ostree.repo.mutable_tree import MutableTree
from ostree.repo.object_writer import ObjectWriter
from ostree.system.files import path_text
from ostree.types import Checksum, DirMeta, ObjectType, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from ostree.events import Listener
    from ostree.formats.gvariant import Variant
    from ostree.repo.archive_paths import PathnameFilter
    from ostree.repo.devino import KnownInodes
    from ostree.repo.repository import Repo

#: Mode of directories that are made because something lands below them.
_MADE = 0o40755


class TreeWriter(ObjectWriter):
    """The part of a transaction that makes trees and commits."""

    def __init__(self, repo: Repo) -> None:
        super().__init__(repo)
        self._known: KnownInodes | None = None
        self._afterwards: list[Callable[[], None]] = []

    def import_directory(
        self,
        path: str | os.PathLike[str],
        *,
        modifier: Modifier | None = None,
        stat_cache: bool | None = None,
        on_event: Listener | None = None,
    ) -> TreeId:
        """Store a directory with all that is below it.

        Args:
            path: A directory, not a symbolic link to one.
            modifier: Changes of owner, mode and attributes.
            stat_cache: Do not read files that did not change since they were committed; None
                follows the configuration.
            on_event: Is given :class:`~ostree.events.StepProgress` of ``commit``.

        Raises:
            OSTreeError: naming the entry that cannot be committed, and why.
        """
        tree = MutableTree()
        self.add_directory(
            tree, path, modifier=modifier, final=True, stat_cache=stat_cache, on_event=on_event
        )
        return tree.write(self)

    def import_tar(
        self,
        source: str | os.PathLike[str] | int,
        *,
        modifier: Modifier | None = None,
        autocreate_parents: bool = False,
        pathname_filter: PathnameFilter | None = None,
    ) -> TreeId:
        """Store what is in an archive: tar, cpio and more, in any usual compression.

        Args:
            source: The archive's path, or a descriptor to read it from.
            modifier: Changes of owner, mode and attributes.
            autocreate_parents: Make directories that have no entry of their own, and the root.
            pathname_filter: Rewrites the relative paths of entries and targets of hard links.

        Raises:
            OSTreeError: naming what is wrong with the archive, or what cannot be committed.
        """
        tree = MutableTree()
        self.add_archive(
            tree,
            source if isinstance(source, int) else path_text(source),
            modifier=modifier,
            autocreate_parents=autocreate_parents,
            pathname_filter=pathname_filter,
        )
        return tree.write(self)

    def add_directory(
        self,
        tree: MutableTree,
        path: str | os.PathLike[str],
        *,
        modifier: Modifier | None = None,
        prefix: str = "",
        links: Links = Links.READ,
        consume: bool = False,
        final: bool = False,
        stat_cache: bool | None = None,
        on_event: Listener | None = None,
    ) -> None:
        """Lay a directory with all that is below it over a tree.

        Args:
            tree: What it is entered in.
            path: A directory, not a symbolic link to one.
            modifier: Changes of owner, mode and attributes.
            prefix: Where ``tree`` is in the whole tree, for rules by path: empty or ``/usr``.
            links: What is done about files that are hard links to objects.
            consume: Remove what is committed when the transaction is published; files that
                can be are made objects as they are.
            final: The tree is complete with that: what is stored need not stay in memory.
            stat_cache: Do not read files that did not change since they were committed; None
                follows the configuration.
            on_event: Is given :class:`~ostree.events.StepProgress` of ``commit``.

        Raises:
            OSTreeError: naming the entry that cannot be committed, and why.
        """
        from ostree.repo.directory_import import DirectoryImport, ImportOptions

        self.require_open()
        changes = self.adapt(modifier)
        # Where attributes are dropped no file counts as unchanged, so there is nothing to compare.
        reads = links is Links.READ or (links is Links.COMPARE and changes.changes_xattrs)
        options = ImportOptions(
            changes,
            consume=consume,
            known=None if reads else self._inodes(),
            trusts_links=links is Links.TRUST,
            final=final,
            prefix=prefix,
            # What is consumed is not committed a second time.
            stat_cache=not consume
            and (self._repo.config.stat_cache if stat_cache is None else stat_cache),
        )
        DirectoryImport(self._repo, self, options, on_event).run(path_text(path), tree)

    def add_tree(
        self,
        tree: MutableTree,
        committed: TreeId,
        *,
        modifier: Modifier | None = None,
        prefix: str = "",
    ) -> None:
        """Lay a committed tree over a tree; without changes nothing of it is read.

        Raises:
            OSTreeError: naming the entry that cannot be committed, and why.
        """
        # Commits of a bare-user-only repository can come from elsewhere, not in canonical form.
        changes = (modifier or Modifier()).for_repository(self._repo.mode)
        if changes.is_neutral:
            self.stats.content_total += tree.overlay(self._repo, committed)
        else:
            from ostree.repo.tree_import import TreeImport

            TreeImport(self._repo, self, self.adapt(changes)).run(committed, tree, prefix)

    def add_archive(
        self,
        tree: MutableTree,
        source: str | int,
        *,
        modifier: Modifier | None = None,
        prefix: str = "",
        autocreate_parents: bool = False,
        pathname_filter: PathnameFilter | None = None,
    ) -> None:
        """Lay what is in an archive (tar, cpio, … in any compression) over a tree.

        Args:
            tree: What it is entered in.
            source: The archive's path, or a descriptor to read it from.
            modifier: Changes of owner, mode and attributes.
            prefix: Where ``tree`` is in the whole tree, for rules by path: empty or ``/usr``.
            autocreate_parents: Make directories that have no entry of their own.
            pathname_filter: Rewrites paths (:func:`~ostree.repo.archive_paths.parse_pathname_filter`).

        Raises:
            OSTreeError: naming what is wrong with the archive, or what cannot be committed.
        """
        from ostree.repo.archive_import import ArchiveImport
        from ostree.system.archive import ArchiveReader

        self.require_open()
        importer = ArchiveImport(
            self._repo,
            self,
            tree,
            self.adapt(modifier),
            prefix=prefix,
            autocreate_parents=autocreate_parents,
            pathname_filter=pathname_filter,
        )
        with ArchiveReader(source) as reader:
            importer.run(reader)

    def make_directories(
        self, tree: MutableTree, path: str, *, modifier: Modifier | None = None
    ) -> MutableTree:
        """The directory at a path like ``/usr/share``, made with those above it if it is missing.

        What is made belongs to root, with permissions 0755; of the modifier only labels count.

        Raises:
            RepoError: ``Can't replace file with directory: NAME``.
            FormatError: if a component cannot be a name.
        """
        here, shown = tree, ""
        names = [name for name in path.split("/") if name]
        for name in ["", *names]:
            if name:
                here = here.ensure_directory(name)
                shown += f"/{name}"
            if here.dirmeta is None:
                xattrs = modifier.labels(shown or "/", _MADE) if modifier is not None else ()
                data = dirmeta.encode(DirMeta(0, 0, _MADE, xattrs))
                here.dirmeta = self.write_metadata(ObjectType.DIRMETA, data)
        return here

    def _inodes(self) -> KnownInodes:
        """Links to objects as they were when first asked for."""
        if self._known is None:
            from ostree.repo.devino import known_inodes

            self._known = known_inodes(self._repo)
        return self._known

    def adapt(self, modifier: Modifier | None) -> Modifier:
        """A modifier (one that changes nothing if None) as this repository needs it."""
        config = self._repo.config
        return (modifier or Modifier()).for_repository(
            config.mode, disable_xattrs=config.disable_xattrs
        )

    def commit(
        self,
        root: TreeId,
        *,
        parent: Checksum | None = None,
        subject: str = "",
        body: str = "",
        metadata: Sequence[tuple[str, Variant]] = (),
        timestamp: int | None = None,
    ) -> Checksum:
        """Store a commit object; no ref changes.

        Args:
            root: What :meth:`import_directory` or :meth:`import_tar` gave.
            parent: The commit before it, if there is one.
            subject: One line, may be empty.
            body: More lines, may be empty.
            metadata: Keys and values, stored in this order (repository format §5.1).
            timestamp: Seconds since 1970 in UTC; the current time if None.

        Raises:
            FormatError: if a key is empty, or a text or value does not fit.
            RepoError: if it cannot be written.
        """
        if not isinstance(root, TreeId):
            raise TypeError(f"a root is a TreeId, not {type(root).__name__}")
        commit = commit_format.Commit(
            root,
            timestamp=int(time.time()) if timestamp is None else timestamp % (1 << 64),
            parent=None if parent is None else Checksum(parent),
            subject=subject,
            body=body,
            metadata=metadata,
        )
        return self.write_metadata(ObjectType.COMMIT, commit_format.encode(commit))

    def when_published(self, action: Callable[[], None]) -> None:
        """Have something done when everything is published, and only then."""
        self._afterwards.append(action)
