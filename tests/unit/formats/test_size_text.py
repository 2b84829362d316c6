"""Sizes for people."""

from __future__ import annotations

import pytest

from ostree.formats.size_text import format_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0\u00a0kB"),
        (4096, "4.1\u00a0kB"),
        (999_999, "1000.0\u00a0kB"),
        (12_345_678, "12.3\u00a0MB"),
        (10**9, "1.0\u00a0GB"),
        (10**12, "1.0\u00a0TB"),
        (10**15, "1.0\u00a0PB"),
        (10**18, "1.0\u00a0EB"),
        (2**64 - 1, "18.4\u00a0EB"),
    ],
)
def test_sizes_have_decimal_units_after_a_no_break_space(size: int, text: str) -> None:
    assert format_size(size) == text
