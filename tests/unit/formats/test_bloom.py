"""Bloom filters of refs."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.bloom import BloomFilter, siphash


@pytest.mark.parametrize(
    ("text", "number", "value"),
    [
        ("", 0, 0x1E924B9D737700D7),
        ("main", 0, 0xC24AA1C02CA3C801),
        ("main", 1, 0xD3BEEDED26DA287E),
        ("org.example.C", 1, 0xA4DD283C3044F1E4),
    ],
)
def test_hashes(text: str, number: int, value: int) -> None:
    """Vectors of the specification."""
    assert siphash(text.encode(), number) == value


def test_what_was_put_in_is_in() -> None:
    bloom = BloomFilter(bytes(100), 3)
    refs = [("org.example.A", f"app/{number}") for number in range(30)]

    for ref in refs:
        bloom.add(*ref)

    again = BloomFilter(bloom.bits, 3)
    assert all(again.may_have(*ref) for ref in refs)
    others = [("org.example.B", f"app/{number}") for number in range(200)]
    assert sum(again.may_have(*ref) for ref in others) < 20


@pytest.mark.parametrize(("bits", "functions"), [(b"", 1), (b"x", 0), (b"x", 256)])
def test_what_is_no_filter(bits: bytes, functions: int) -> None:
    with pytest.raises(FormatError):
        BloomFilter(bits, functions)
