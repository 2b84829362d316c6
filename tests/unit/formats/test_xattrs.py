"""Extended attributes: the bytes of the format, and only the canonical order."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import gvariant, xattrs
from ostree.types import canonical_xattrs
from support.vectors import ATTRIBUTES

ENCODED = bytes.fromhex("757365722e61003107" + "757365722e620074776f07" + "0914")


def raw(*pairs: tuple[bytes, bytes]) -> bytes:
    """Serialise what our own encoder would not: names as they are."""
    return gvariant.encode("a(ayay)", list(pairs))


def test_the_worked_example_of_the_format() -> None:
    assert xattrs.encode(ATTRIBUTES) == ENCODED
    assert xattrs.decode(ENCODED) == ATTRIBUTES


def test_no_attributes_are_no_bytes() -> None:
    assert xattrs.encode(()) == b""
    assert xattrs.decode(b"") == ()


@pytest.mark.parametrize("size", [1, 246, 247, 248, 300, 65000, 65526, 65527, 65600])
def test_large_values_widen_the_offsets(size: int) -> None:
    pairs = ((b"user.big", b"B" * size), (b"user.c", b"\0\xff"))

    data = xattrs.encode(pairs)

    assert data == raw((b"user.big\0", b"B" * size), (b"user.c\0", b"\0\xff"))
    assert xattrs.decode(data) == pairs


def test_canonical_form_sorts_by_bytes_and_drops_empty_values() -> None:
    pairs = [(b"user.z", b"1"), (b"user.a", b"2"), (b"user.empty", b""), (b"user.B", b"3")]

    assert canonical_xattrs(pairs) == ((b"user.B", b"3"), (b"user.a", b"2"), (b"user.z", b"1"))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(b"", b"v")], "Invalid xattr name (empty or missing NUL) index=0"),
        ([(b"\0", b"v")], "Invalid xattr name (empty or missing NUL) index=0"),
        ([(b"user.a", b"v")], "Invalid xattr name (empty or missing NUL) index=0"),
        ([(b"a\0b\0", b"v")], "Invalid xattr name (empty or missing NUL) index=0"),
        ([(b"a\0", b"v"), (b"b", b"v")], "Invalid xattr name (empty or missing NUL) index=1"),
        ([(b"a\0", b"1"), (b"a\0", b"2")], "Duplicate xattr name, index=1"),
        (
            [(b"a\0", b"1"), (b"c\0", b"2"), (b"b\0", b"3")],
            "Incorrectly sorted xattr name (prev=c, cur=b), index=2",
        ),
    ],
)
def test_other_arrays_are_refused_in_upstreams_words(
    pairs: list[tuple[bytes, bytes]], message: str
) -> None:
    data = raw(*pairs)

    with pytest.raises(FormatError) as caught:
        xattrs.decode(data)

    assert str(caught.value) == message


@pytest.mark.parametrize("data", [ENCODED[:-1], ENCODED + b"\0", b"\0", b"\x01", ENCODED * 2])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="Not normal form"):
        xattrs.decode(data)
