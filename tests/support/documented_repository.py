"""The repository that the examples of docs/json.md show: the same bytes wherever it is made."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ostree.formats import commit as commit_format
from ostree.formats import commitmeta, dirmeta, dirtree, sizes
from ostree.formats import summary as summary_format
from ostree.formats.delta import operation
from ostree.formats.delta import part as part_format
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName
from ostree.formats.gvariant import Variant
from ostree.repo.repository import Repo
from ostree.store.content import MemoryContent
from ostree.system import files
from ostree.types import DirMeta, FileHeader, ObjectType, RepoMode, TreeId

if TYPE_CHECKING:
    from pathlib import Path

    from ostree.repo.transaction import Transaction
    from ostree.types import Checksum

FIRST_TIME = 1704164645  # 2024-01-02 03:04:05 UTC


def make_documented_repository(path: Path) -> dict[str, Checksum]:
    """An archive with two commits on ``main``, an alias, a ref of a remote, and a summary.

    Beside it goes ``number.bin``, which is no object.

    Returns:
        Checksums by what the documentation calls them: ``DIRTREE``, ``DIRMETA``, ``FILE``,
        ``SYMLINK``, and ``OTHER`` for a commit that no ref leads to.
    """
    with Repo.create(path, RepoMode.ARCHIVE) as repo:
        with repo.transaction(fsync=False) as txn:
            names = _write(txn)
        repo.refs.set_alias("stable", "main")
        repo.refs.set_mirrored("org.example.Os", "main", repo.resolve("main"))
        _write_delta(repo, names["FILE"], names["SYMLINK"])
        _configure_remote(repo)
        _write_summary(repo)
    (path.parent / "number.bin").write_bytes(b"\x2a\x00\x00\x00")
    return names


def _write(txn: Transaction) -> dict[str, Checksum]:
    note = ((b"user.note", b"\x01\xff"),)
    hello = _file(txn, FileHeader(0, 0, 0o100644, xattrs=note), b"hello\n")
    script = _file(txn, FileHeader(0, 0, 0o100755), b"#!/bin/sh\necho run\n")
    link = _file(txn, FileHeader(0, 0, 0o120777, "../hello.txt"), b"")
    meta = txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(0, 0, 0o040755)))
    below = _tree(txn, dirtree.DirTree([("link", link), ("run.sh", script)], []))
    root = _tree(txn, dirtree.DirTree([("hello.txt", hello)], [("bin", below, meta)]))
    empty = _tree(txn, dirtree.DirTree([], []))
    first = txn.commit(TreeId(empty, meta), subject="Number 1", timestamp=FIRST_TIME)
    second = txn.commit(
        TreeId(root, meta),
        parent=first,
        subject="Number 2",
        body="What is new.\n",
        timestamp=FIRST_TIME + 86400,
        metadata=[
            ("version", Variant("s", "2")),
            ("ostree.ref-binding", Variant("as", ["main"])),
            ("build.host", Variant("a{sv}", [("cpus", Variant("u", 4))])),
        ],
    )
    txn.write_detached(second, commitmeta.encode([("tested", Variant("b", True))]))
    entry = sizes.encode_entry(sizes.ObjectSize(hello, 42, 6, ObjectType.FILE))
    missing = sizes.encode_entry(sizes.ObjectSize(first, 100, 200, ObjectType.FILE))
    other = txn.write_metadata(
        ObjectType.COMMIT,
        commit_format.encode(
            commit_format.Commit(
                TreeId(empty, meta),
                timestamp=FIRST_TIME,
                metadata=[("ostree.sizes", Variant("aay", [entry, missing]))],
                related=[("first", first.digest)],
            )
        ),
    )
    txn.set_ref("main", second)
    txn.set_ref("origin:main", second)
    return {"DIRTREE": root, "DIRMETA": meta, "FILE": hello, "SYMLINK": link, "OTHER": other}


def _file(txn: Transaction, header: FileHeader, data: bytes) -> Checksum:
    with MemoryContent(header, data) as content:
        return txn.write_content(content)


def _tree(txn: Transaction, tree: dirtree.DirTree) -> Checksum:
    return txn.write_metadata(ObjectType.DIRTREE, dirtree.encode(tree))


def _write_delta(repo: Repo, file: Checksum, fallback: Checksum) -> None:
    """A delta to ``main`` of one file and a fallback, not compressed: the same bytes everywhere."""
    target = repo.resolve("main")
    name = DeltaName(repo.resolve("main^"), target)
    header, size = repo.load_file_header(file)
    with repo.load_content(file) as content:
        data = content.read()
    code = operation.encode(operation.OPEN_SPLICE_AND_CLOSE, 0, 0, size, 0)
    modes = [(header.uid, header.gid, header.mode)]
    part = b"\0" + part_format.encode(part_format.Payload(modes, [header.xattrs], data, code))
    objects = bytes((ObjectType.FILE,)) + file.digest
    superblock = superblock_format.Superblock(
        name,
        repo.load_metadata(target, ObjectType.COMMIT),
        [superblock_format.PartHeader(sha256(part).digest(), len(part), size, objects)],
        [superblock_format.Fallback(fallback, 43, 0)],
        timestamp=FIRST_TIME + 90000,
    )
    files.make_directories(name.directory, repo.dir_fd)
    files.replace_file(name.part(0), part, repo.dir_fd)
    files.replace_file(name.superblock, superblock_format.encode(superblock), repo.dir_fd)


def _configure_remote(repo: Repo) -> None:
    keyfile = repo.config.keyfile.copy()
    keyfile.set_string('remote "origin"', "url", f"file://{repo.path}")
    keyfile.set_string('remote "origin"', "gpg-verify", "false")
    repo.save_config(keyfile)


def _write_summary(repo: Repo) -> None:
    """As ``summary -u`` does it, but not now."""
    main = repo.resolve("main")
    commit = repo.load_commit(main)
    size = len(repo.load_metadata(main, ObjectType.COMMIT))
    ref = summary_format.SummaryRef.of_commit(
        "main", main, size, timestamp=commit.timestamp, version="2"
    )
    ref.metadata.append(("note", Variant("s", "kept")))
    summary = summary_format.build(
        [ref],
        mode="archive-z2",
        last_modified=FIRST_TIME + 90000,
        static_deltas={main: bytes(32)},
        extra=[("org.example.contact", Variant("s", "admin@example.org"))],
    )
    with open(f"{repo.path}/summary", "wb") as file:
        file.write(summary_format.encode(summary))
