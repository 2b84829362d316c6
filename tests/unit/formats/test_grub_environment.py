"""GRUB's environment block; tests/compat has what GRUB's own tool thinks of it."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.grub_environment import SIZE, change_variables, empty_block, read_variables


def block(body: bytes, size: int = 200) -> bytes:
    return (b"# GRUB Environment Block\n" + body).ljust(size, b"#")


def test_an_empty_block() -> None:
    assert len(empty_block()) == SIZE == 1024
    assert read_variables(empty_block()) == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a=1\nb=\n", {"a": "1", "b": ""}),
        (b"a=1\n# b=2\na=3\n", {"a": "3"}),
        (b"a=b\\\\c\nn=l1\\\nl2\n", {"a": "b\\c", "n": "l1\nl2"}),
        (b"x=1#\n", {"x": "1#"}),
        (b"no equals\n=1\n\na=\xff\n", {"a": "\udcff"}),
        (b"# comment \\\na=1\nb=2\n", {"b": "2"}),
        (b"a=1\nb=2\\", {"a": "1", "b": "2\\"}),
    ],
)
def test_variables(body: bytes, expected: dict[str, str]) -> None:
    assert read_variables(block(body)) == expected


def test_what_is_not_changed_stays_as_it_is() -> None:
    before = block(b"# comment\na=1\nodd\nb=2\\\\\na=3\nc=4\n")

    after = change_variables(before, {"a": "new", "c": None, "d": "x\\y", "e": None})

    assert after == block(b"# comment\na=new\nodd\nb=2\\\\\nd=x\\\\y\n")
    assert read_variables(after) == {"a": "new", "b": "2\\", "d": "x\\y"}


def test_a_last_line_without_an_end_gets_one() -> None:
    assert change_variables(block(b"a=1\nb=2"), {"c": "3"}) == block(b"a=1\nb=2\nc=3\n")


def test_a_block_never_grows() -> None:
    with pytest.raises(FormatError, match="GRUB's environment block of 200 bytes is full"):
        change_variables(block(b""), {"a": "x" * 190})


@pytest.mark.parametrize("name", ["", "a=b", "#a", "a\nb", "a\\"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(FormatError, match="is no name of a variable"):
        change_variables(empty_block(), {name: "1"})


@pytest.mark.parametrize("data", [b"", b"#" * 1024, b"# GRUB Environment", bytes(1024)])
def test_what_is_no_block(data: bytes) -> None:
    with pytest.raises(FormatError, match="no signature"):
        read_variables(data)


def test_what_is_too_large() -> None:
    with pytest.raises(FormatError, match="larger than 65536 bytes"):
        read_variables(block(b"", 1 << 17))
