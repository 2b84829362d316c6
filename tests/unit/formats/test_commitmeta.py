"""Detached metadata and tombstones: the bytes of §10.7."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import commitmeta
from ostree.formats.gvariant import Variant
from support.vectors import COMMIT

SIGNED = bytes.fromhex("6f73747265652e7369676e2e64756d6d79000000000000006b310200616179" + "1220")
SIGNATURE = [("ostree.sign.dummy", Variant("aay", [b"k1"]))]


def test_one_dummy_signature() -> None:
    assert commitmeta.encode(SIGNATURE) == SIGNED
    assert commitmeta.decode(SIGNED) == SIGNATURE


def test_an_empty_file_is_an_empty_dictionary() -> None:
    assert commitmeta.decode(b"") == []
    assert commitmeta.encode([]) == b""


def test_the_order_is_kept() -> None:
    entries = [("b", Variant("s", "1")), ("a", Variant("u", 2)), ("b", Variant("s", "3"))]

    assert commitmeta.decode(commitmeta.encode(entries)) == entries


@pytest.mark.parametrize("data", [SIGNED[:-1], SIGNED + b"\0", b"x", SIGNED[1:]])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="Not normal form"):
        commitmeta.decode(data)


def test_a_tombstone_names_the_commit() -> None:
    data = commitmeta.encode_tombstone(COMMIT)

    assert data == b"commit\0\0" + COMMIT.encode() + bytes.fromhex("00006179074d")
    assert len(data) == 78
    assert commitmeta.decode(data) == [("commit", Variant("ay", COMMIT.encode() + b"\0"))]
