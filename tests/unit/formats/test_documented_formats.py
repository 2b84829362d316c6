"""docs/formats: its worked examples are what the code writes, and reads."""

from __future__ import annotations

import hashlib
import zlib

import pytest

from ostree.formats import (
    commit,
    commitmeta,
    dirmeta,
    dirtree,
    file_header,
    sizes,
    stat_cache,
    summary,
)
from ostree.formats.commit import Commit
from ostree.formats.gvariant import Variant
from ostree.types import Checksum, DirMeta, FileHeader, ObjectType, TreeId
from support.documented_bytes import hex_examples
from support.vectors import BIG, EMPTY_TREE, HELLO, META_0755, RUN

EXAMPLES = hex_examples()
COMMIT = Checksum("15bf49da9e39147100945d1b417abc93568e74e8e2911442f1e828fea50b38f0")
TIME = 1700000000

BUILD_42 = Commit(
    TreeId(EMPTY_TREE, META_0755),
    timestamp=TIME,
    subject="Build 42",
    metadata=[("version", Variant("s", "42"))],
)
SUMMARY = summary.build(
    [summary.SummaryRef.of_commit("main", COMMIT, 110, timestamp=TIME, version="42")],
    mode="archive-z2",
    last_modified=TIME + 100,
)


def stat_cache_file() -> bytes:
    """One file in one directory, known since one commit."""
    times = 1700000000_250000000
    prefix = file_header.content_prefix(FileHeader(0, 0, 0o100644))
    key = stat_cache.key_of(24, 6, times, times, stat_cache.header_mark(prefix))
    assert key is not None
    records = key + HELLO.digest
    end = stat_cache.HEADER_SIZE + len(records)
    group = stat_cache.group_of(records, stat_cache.HEADER_SIZE, 1)
    index = stat_cache.encode_index({(2049, 23): group})
    boot = stat_cache.boot_mark("6e3f2f4c-2e58-43a9-9b07-3d3cbf0f8d25")
    header = stat_cache.Header.of_index(boot, 1, end, index)
    return stat_cache.encode_header(header) + records + index


#: What the code makes of what the pages describe.
WRITTEN = {
    "commit": commit.encode(BUILD_42),
    "detached": commitmeta.encode([("ostree.sign.dummy", Variant("aay", [b"k1"]))]),
    "dirmeta": dirmeta.encode(DirMeta(0, 0, 0o040755)),
    "dirtree": dirtree.encode(dirtree.DirTree([("run.sh", RUN)], [])),
    "file": file_header.content_prefix(FileHeader(0, 0, 0o100644)) + b"hello\n",
    "ref": f"{COMMIT}\n".encode(),
    "sizes": sizes.encode_entry(sizes.ObjectSize(BIG, 45, 1000, ObjectType.FILE)),
    "stat-cache": stat_cache_file(),
    "summary": summary.encode(SUMMARY),
    "tombstone": commitmeta.encode_tombstone(COMMIT),
}


def test_every_example_is_known() -> None:
    assert set(EXAMPLES) == {*WRITTEN, "filez"}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_code_writes_what_the_page_shows(name: str) -> None:
    assert WRITTEN[name].hex() == EXAMPLES[name].hex()


def test_an_archived_file_is_read_as_the_page_says() -> None:
    """Its deflate stream depends on the library; any stream of the content is as good."""
    data = EXAMPLES["filez"]
    end = 8 + int.from_bytes(data[:4], "big")

    header, size = file_header.decode_archive_prefix(data[:end])

    assert (size, header) == (6, FileHeader(0, 0, 0o100644))
    assert zlib.decompress(data[end:], wbits=-15) == b"hello\n"


def test_names_are_the_checksums_that_the_pages_give() -> None:
    for name, checksum in (("commit", COMMIT), ("dirmeta", META_0755), ("file", HELLO)):
        assert hashlib.sha256(EXAMPLES[name]).hexdigest() == checksum


def test_examples_are_read_as_they_were_meant() -> None:
    assert commit.decode(EXAMPLES["commit"]) == BUILD_42
    assert summary.decode(EXAMPLES["summary"]) == SUMMARY
    assert sizes.decode_entry(EXAMPLES["sizes"]).unpacked == 1000
