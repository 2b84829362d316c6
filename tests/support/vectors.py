"""Objects made by the reference command (repository format §10), and the tree they come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostree.formats.gvariant import Variant
from ostree.types import Checksum, FileHeader

if TYPE_CHECKING:
    from pathlib import Path

IS_ROOT = os.geteuid() == 0

COMMIT = Checksum("0afa88f100a0751caca5eed6686383301eb3ed1fb0907d25b126c412d11165b2")
COMMIT_BARE_USER_ONLY = Checksum("9da131722a18ab76aa4ba46ae05d2dba92152b524b2aad281f9b85cce5362ed1")
CONTENT_CHECKSUM = "c7726b36c22febd4197a001e3ac4643ab4c7ab435087ca931bb0e1ece2645bba"
ROOT_TREE = Checksum("e77374d59b4aac349305461808c8301d331ac267f752fcecb052d29f63edccd2")
BIN_TREE = Checksum("230db4e51acc220a7118c2f5904c9e45b637e0ef4a6093ba58aab0c6e303ae51")
SUB_TREE = Checksum("43c5a6eb8caafb75b67ea55fe018ee3b025094f34d6edca6d81be6e44d3e19f3")
EMPTY_TREE = Checksum("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
META_0755 = Checksum("446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488")
META_0700 = Checksum("84641b0a39d8c873690da8f32aea21cf5d6fff354f85e045f6f5ecdc8e7758d0")
HELLO = Checksum("44f778e59f0a4748d6b0c90a47347212a231c4ad1e8f7ea5c5dffc7749153a6b")
EMPTY = Checksum("cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e")
RUN = Checksum("89b350d278ff59ba4780bc377b8ebfee8ade6b55c99fab1ec84e133bc6ea52c5")
BIG = Checksum("a45497b984d96547465ad2c3c129517e0f8082b57609d6ae97ae4aaf534b5392")
XA = Checksum("12a03861bab1fcee181d5a83064ee2b7bea7150463619e3044d670659dace150")
LINK = Checksum("f66efa496a72379413c44593de510dc344beb045294f1a543da87b2b6118db35")

#: The metadata objects of tree T, the same in every mode that keeps owners and attributes.
METADATA = {
    (COMMIT, "commit"): bytes.fromhex(
        "76657273696f6e00312e3000007308006f73747265652e7265662d62696e6469"
        "6e67000000000000746573742f6272616e6368000c006173130f395375626a65"
        "6374206c696e6500426f6479207465787400000000000000000000006553f100"
        "e77374d59b4aac349305461808c8301d331ac267f752fcecb052d29f63edccd2"
        "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"
        "8052483b3b3b"
    ),
    (BIN_TREE, "dirtree"): bytes.fromhex(
        "72756e2e73680089b350d278ff59ba4780bc377b8ebfee8ade6b55c99fab1ec84e133bc6ea52c5072829"
    ),
    (SUB_TREE, "dirtree"): bytes.fromhex(
        "6269672e74787400a45497b984d96547465ad2c3c129517e0f8082b57609d6ae"
        "97ae4aaf534b53920878610012a03861bab1fcee181d5a83064ee2b7bea71504"
        "63619e3044d670659dace15003294d4f"
    ),
    (EMPTY_TREE, "dirtree"): b"\0",
    (ROOT_TREE, "dirtree"): bytes.fromhex(
        "656d70747900cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8"
        "ec06f469f07e0668656c6c6f2e7478740044f778e59f0a4748d6b0c90a473472"
        "12a231c4ad1e8f7ea5c5dffc7749153a6b0a6c696e6b00f66efa496a72379413"
        "c44593de510dc344beb045294f1a543da87b2b6118db350527527862696e0023"
        "0db4e51acc220a7118c2f5904c9e45b637e0ef4a6093ba58aab0c6e303ae5144"
        "6a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c548824"
        "04656d707479646972006e340b9cffb37a989ca544e6bb780a2c78901d3fb337"
        "38768511a30617afa01d84641b0a39d8c873690da8f32aea21cf5d6fff354f85"
        "e045f6f5ecdc8e7758d029097375620043c5a6eb8caafb75b67ea55fe018ee3b"
        "025094f34d6edca6d81be6e44d3e19f3446a0ef11b7cc167f3b603e585c7eeee"
        "b675faa412d5ec73f62988eb0b6c548824044691d77b00"
    ),
    (META_0755, "dirmeta"): bytes.fromhex("0000000000000000000041ed"),
    (META_0700, "dirmeta"): bytes.fromhex("0000000000000000000041c0"),
}

ATTRIBUTES = ((b"user.a", b"1"), (b"user.b", b"two"))


class ContentVector:
    """A file object: its header, content and the bytes of its ``.filez`` (zlib 1.2.13)."""

    def __init__(self, header: FileHeader, content: bytes, archived: str) -> None:
        self.header = header
        self.content = content
        self.archived = bytes.fromhex(archived)


CONTENT = {
    HELLO: ContentVector(
        FileHeader(0, 0, 0o100644),
        b"hello\n",
        "0000001a0000000000000000000000060000000000000000000081a4000000000019cb48cdc9c9e70200",
    ),
    EMPTY: ContentVector(
        FileHeader(0, 0, 0o100644),
        b"",
        "0000001a0000000000000000000000000000000000000000000081a40000000000190300",
    ),
    RUN: ContentVector(
        FileHeader(0, 0, 0o100755),
        b"#!/bin/sh\necho hi\n",
        "0000001a0000000000000000000000120000000000000000000081ed00000000"
        "00195356d44fcaccd32fcee04a4dcec857c8c8e40200",
    ),
    BIG: ContentVector(
        FileHeader(0, 0, 0o100600),
        b"A" * 1000,
        "0000001a0000000000000000000003e800000000000000000000818000000000"
        "001973741c05a360140c770000",
    ),
    XA: ContentVector(
        FileHeader(0, 0, 0o100644, "", ATTRIBUTES),
        b"xattr file\n",
        "0000003000000000000000000000000b0000000000000000000081a400000000"
        "00757365722e61003107757365722e620074776f07091419ab482c29295248cb"
        "cc49e50200",
    ),
    LINK: ContentVector(
        FileHeader(0, 0, 0o120777, "hello.txt"),
        b"",
        "0000002300000000000000000000000000000000000000000000a1ff0000000068656c6c6f2e7478740022",
    ),
}

#: The arguments of the first commit of §10.1.
SUBJECT = "Subject line"
BODY = "Body text"
TIMESTAMP = 1700000000
BINDINGS = [
    ("version", Variant("s", "1.0")),
    ("ostree.ref-binding", Variant("as", ["test/branch"])),
]

WITH_PARENT = bytes.fromhex(
    "6f73747265652e7265662d62696e64696e67000000000000746573742f627261"
    "6e6368000c00617313290afa88f100a0751caca5eed6686383301eb3ed1fb090"
    "7d25b126c412d11165b25365636f6e640000000000000000000000006553f101"
    "e77374d59b4aac349305461808c8301d331ac267f752fcecb052d29f63edccd2"
    "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"
    "8052514a4a2a"
)
WITH_COLLECTION = bytes.fromhex(
    "6f73747265652e7265662d62696e64696e67000000000000616c706861006d61"
    "696e007a65746100060b1000617313006f73747265652e636f6c6c656374696f"
    "6e2d62696e64696e67000000000000006f72672e6578616d706c652e4f730000"
    "731a2f62000000000000000000000001e77374d59b4aac349305461808c8301d"
    "331ac267f752fcecb052d29f63edccd2446a0ef11b7cc167f3b603e585c7eeee"
    "b675faa412d5ec73f62988eb0b6c5488906665646464"
)
MIXED_METADATA = [
    ("a", Variant("s", "b")),
    ("n", Variant("u", 7)),
    ("l", Variant("as", ["x", "yy"])),
    ("m", Variant("mu", None)),
    ("by", Variant("ay", b"hi\0")),
]
WITH_MIXED_METADATA = bytes.fromhex(
    "610000000000000062000073020000006e000000000000000700000000750200"
    "6c00000000000000780079790002050061730200000000006d00000000000000"
    "006d7502000000006279000000000000686900006179030d1f33445700000000"
    "0000000000000000e77374d59b4aac349305461808c8301d331ac267f752fcec"
    "b052d29f63edccd2446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73"
    "f62988eb0b6c5488885e5d5c5c5c"
)

#: ``ostree.sizes`` of tree T behind each checksum: archived, unpacked, type.
SIZES = {
    XA: "450b01",
    BIN_TREE: "2a2a02",
    SUB_TREE: "505002",
    META_0755: "0c0c03",
    HELLO: "2a0601",
    EMPTY_TREE: "010102",
    META_0700: "0c0c03",
    RUN: "361201",
    BIG: "2de80701",
    EMPTY: "240001",
    ROOT_TREE: "d702d70202",
    LINK: "2b0901",
}


def make_tree(path: Path) -> Path:
    """Write tree T (§10.1); the current user owns it."""
    path.mkdir()
    path.chmod(0o755)
    for name, content, mode in [
        ("hello.txt", b"hello\n", 0o644),
        ("empty", b"", 0o644),
        ("bin/run.sh", b"#!/bin/sh\necho hi\n", 0o755),
        ("sub/big.txt", b"A" * 1000, 0o600),
        ("sub/xa", b"xattr file\n", 0o644),
    ]:
        file = path / name
        file.parent.mkdir(exist_ok=True)
        file.parent.chmod(0o755)
        file.write_bytes(content)
        file.chmod(mode)
    (path / "link").symlink_to("hello.txt")
    (path / "emptydir").mkdir()
    (path / "emptydir").chmod(0o700)
    os.setxattr(path / "sub/xa", "user.b", b"two")
    os.setxattr(path / "sub/xa", "user.a", b"1")
    return path
