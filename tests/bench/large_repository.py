"""Make a repository with very many objects, quickly, to measure prune and fsck on.

The objects are right in every respect, so that fsck is content; nothing is synced.  Two refs, ``one``
and ``two``, have a line of commits each and share no files: deleting one leaves half of the objects
without an owner.  Remove the repository afterwards.

    large_repository.py --objects 1000000 --mode archive /tmp/large
    ostree --repo=/tmp/large refs --delete two
    /usr/bin/time -f '%e s %M KB' ostree --repo=/tmp/large prune --refs-only
"""

from __future__ import annotations

import argparse
import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ostree.formats import commit, dirmeta, dirtree, file_header
from ostree.repo.repository import Repo
from ostree.store import compression
from ostree.types import Checksum, DirMeta, FileHeader, TreeId

if TYPE_CHECKING:
    from collections.abc import Iterator

REFS = ("one", "two")
#: Files in a directory, and such directories in a directory.
FILES, DIRECTORIES = 20, 50
COMMITS = 4
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_HEADER = FileHeader(0, 0, stat.S_IFREG | 0o644)


class Writer:
    """Puts objects straight into ``objects/``."""

    def __init__(self, repo: Path, *, archive: bool) -> None:
        self._directory = os.fspath(repo / "objects")
        self._archive = archive
        self._prefix = file_header.content_prefix(_HEADER)
        self.count = 0
        for number in range(256):
            os.makedirs(f"{self._directory}/{number:02x}", exist_ok=True)

    def _put(self, digest: bytes, extension: str, data: bytes) -> bytes:
        text = digest.hex()
        path = f"{self._directory}/{text[:2]}/{text[2:]}.{extension}"
        if not os.path.exists(path):
            self.count += 1
            fd = os.open(path, _WRITE, 0o644)
            os.write(fd, data)
            os.close(fd)
            os.utime(path, (0, 0))
        return digest

    def metadata(self, extension: str, data: bytes) -> bytes:
        """Store a metadata object."""
        return self._put(hashlib.sha256(data).digest(), extension, data)

    def file(self, data: bytes) -> bytes:
        """Store a file object."""
        digest = hashlib.sha256(self._prefix + data).digest()
        if not self._archive:
            return self._put(digest, "file", data)
        stored = file_header.archive_prefix(_HEADER, len(data)) + compression.compress(data, 1)
        return self._put(digest, "filez", stored)


def write_tree(writer: Writer, meta: bytes, name: str, leaves: int) -> list[tuple[bytes, bytes]]:
    """Directories of files, ``leaves`` in all, below directories: (name, dirtree) of those."""
    tops = []
    for first in range(0, leaves, DIRECTORIES):
        entries = []
        for leaf in range(first, min(leaves, first + DIRECTORIES)):
            files = [
                (b"file-%d" % number, writer.file(f"{name} {leaf} {number}\n".encode()))
                for number in range(FILES)
            ]
            tree = writer.metadata("dirtree", dirtree.encode_raw(files, []))
            entries.append((b"leaf-%d" % leaf, tree, meta))
        tops.append(
            (b"top-%d" % first, writer.metadata("dirtree", dirtree.encode_raw([], entries)))
        )
    return tops


def write_line(writer: Writer, name: str, leaves: int) -> Iterator[Checksum]:
    """The commits of a ref, oldest first; each has one file that the others have not."""
    meta = writer.metadata("dirmeta", dirmeta.encode(DirMeta(0, 0, stat.S_IFDIR | 0o755)))
    tops = [(top, tree, meta) for top, tree in write_tree(writer, meta, name, leaves)]
    parent: Checksum | None = None
    for number in range(COMMITS):
        files = [(b"version", writer.file(f"{name} version {number}\n".encode()))]
        root = writer.metadata("dirtree", dirtree.encode_raw(files, list(tops)))
        value = commit.Commit(
            TreeId(Checksum.of_digest(root), Checksum.of_digest(meta)),
            timestamp=1700000000 + number,
            parent=parent,
            subject=f"{name} {number}",
        )
        parent = Checksum.of_digest(writer.metadata("commit", commit.encode(value)))
        yield parent


def main() -> None:
    """Make one repository."""
    parser = argparse.ArgumentParser(description="make a repository with very many objects")
    parser.add_argument("--objects", type=int, default=1_000_000, help="about how many")
    parser.add_argument("--mode", choices=("archive", "bare"), default="archive")
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args()
    leaves = arguments.objects // len(REFS) * DIRECTORIES // (DIRECTORIES * (FILES + 1) + 1)
    with Repo.create(arguments.path, arguments.mode) as repo:
        writer = Writer(arguments.path, archive=arguments.mode == "archive")
        for ref in REFS:
            *_, head = write_line(writer, ref, leaves)
            repo.refs.set(ref, head)
    print(f"{writer.count} objects")


if __name__ == "__main__":
    main()
