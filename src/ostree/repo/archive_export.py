"""Committed trees as archives (repository format §7.15)."""

from __future__ import annotations

from ostree.errors import NotFoundError
from ostree.repo import tree
from ostree.store.content import CHUNK
from ostree.system.archive import ArchiveEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.system.archive import ArchiveWriter
    from ostree.types import Checksum


class ArchiveExport:
    """Writes trees into an archive: directories before what is in them, no attributes.

    A regular file that has content and was written before is a hard link to where it was.

    Args:
        repo: Where the objects are.
        writer: The archive; the caller finishes it.
        prefix: Put in front of every path as it stands.
        mtime: The time of everything, in seconds since the epoch.
    """

    def __init__(self, repo: Repo, writer: ArchiveWriter, *, prefix: str, mtime: int) -> None:
        self._repo = repo
        self._writer = writer
        self._prefix = prefix.encode("utf-8", "surrogateescape")
        self._mtime = mtime
        #: Where regular files with content are in the archive, by digest.
        self._written: dict[bytes, bytes] = {}

    def run(self, root: tree.Entry) -> None:
        """Write a directory, whose own path becomes ``./`` or the prefix, and all that is below it.

        Raises:
            NotFoundError: ``Not a directory``.
            OSTreeError: if an object is missing or damaged, or the archive cannot be written.
        """
        if root.tree is None:
            raise NotFoundError("Not a directory")
        start = len(root.path.rstrip("/")) + 1
        self._directory(b"", root.tree.dirmeta)
        for entry in tree.walk(self._repo, root):
            path = entry.path[start:].encode()
            if entry.tree is not None:
                self._directory(path, entry.tree.dirmeta)
            elif entry.checksum is not None:
                self._file(self._prefix + path, entry.checksum)

    def _directory(self, path: bytes, dirmeta: Checksum) -> None:
        meta = self._repo.load_dirmeta(dirmeta)
        full = self._prefix + path
        if not full:
            full = b"./"
        elif not full.endswith(b"/"):
            full += b"/"
        self._writer.add(
            ArchiveEntry(full, meta.mode, uid=meta.uid, gid=meta.gid, mtime=self._mtime)
        )

    def _file(self, path: bytes, checksum: Checksum) -> None:
        with self._repo.load_content(checksum) as content:
            header = content.header
            entry = ArchiveEntry(
                path, header.mode, uid=header.uid, gid=header.gid, mtime=self._mtime
            )
            if header.is_symlink:
                entry.symlink = header.target.encode("utf-8", "surrogateescape")
            elif content.size:
                entry.size = content.size
                entry.hardlink = self._written.get(checksum.digest)
                self._written.setdefault(checksum.digest, path)
            self._writer.add(entry)
            if entry.size and entry.hardlink is None:
                while data := content.read(CHUNK):
                    self._writer.write(data)
