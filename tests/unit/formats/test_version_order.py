"""The order of versions."""

from __future__ import annotations

import pytest

from ostree.formats.version_order import compare_versions


@pytest.mark.parametrize(
    ("smaller", "greater"),
    [
        ("1", "2"),
        ("9", "10"),
        ("99", "100"),
        ("", "1"),
        ("000", "00"),
        ("00", "01"),
        ("01", "010"),
        ("010", "09"),
        ("09", "0"),
        ("0", "1"),
        ("a9", "a10"),
        ("a", "b"),
        ("1.9", "1.10"),
    ],
)
def test_order(smaller: str, greater: str) -> None:
    assert compare_versions(smaller, greater) < 0
    assert compare_versions(greater, smaller) > 0
    assert compare_versions(smaller, smaller) == 0
