"""Statoverride files and skip-lists, read as C reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.path_rules import parse_skip_list, parse_statoverride


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("2048", 2048),
        ("04000", 4000),
        ("0x40", 64),
        ("0x.8p4", 8),
        ("1e2", 100),
        ("8.9", 8),
        (".5", 0),
        ("5abc", 5),
        ("+64", 64),
        ("-1", -1),
        ("abc", 0),
        ("", 0),
        ("inf", -(1 << 31)),
        ("NaN", -(1 << 31)),
        ("1e999", -(1 << 31)),
        ("2147483647", 2147483647),
        ("2147483648", -(1 << 31)),
        ("99999999999999999999", -(1 << 31)),
        ("٣", 0),
    ],
)
def test_numbers_are_doubles_cut_off(number: str, value: int) -> None:
    rules = parse_statoverride(f"{number} /a\n={number} /b\n")

    assert rules.add == {"/a": value}
    assert rules.replace == {"/b": value}


def test_the_first_blank_separates() -> None:
    rules = parse_statoverride("1 /with space\n\n2  /b\n=3 x\n4 /with space\n# comment\n")

    assert rules.add == {"/with space": 4, " /b": 2, "comment": 0}
    assert rules.replace == {"x": 3}


@pytest.mark.parametrize("text", ["1 /a\nnoblank\n", "1\t/a\n", "x"])
def test_what_is_no_statoverride_file_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match=r"^Malformed statoverride file \(no space found\)$"):
        parse_statoverride(text)


def test_a_skip_list_has_a_path_a_line() -> None:
    assert parse_skip_list("/b c\r\n/a\n\n/d") == ["/b c\r", "/a", "/d"]


@given(st.text(max_size=60))
def test_any_text_gives_rules_or_a_format_error(text: str) -> None:
    parse_skip_list(text)
    try:
        parse_statoverride(text)
    except FormatError:
        assert "\n" in text or " " not in text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_that_c_prints_is_read(number: float) -> None:
    expected = int(number) if -(1 << 31) <= number < 1 << 31 else -(1 << 31)

    assert parse_statoverride(f"{number!r} /a").add == {"/a": expected}
    assert parse_statoverride(f"{number.hex()} /a").add == {"/a": expected}
