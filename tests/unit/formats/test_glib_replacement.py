"""Replacement texts of GLib's regular expressions."""

from __future__ import annotations

import re

import pytest

from ostree.errors import FormatError
from ostree.formats.glib_replacement import Replacement, replace_all


def expanded(replacement: str, pattern: str = "(?P<first>b)(c)?", text: str = "b") -> str:
    match = re.match(pattern, text)
    assert match is not None
    return Replacement(replacement).expand(match)


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        ("plain é", "plain é"),
        (r"\0\1", "bb"),
        (r"[\2]", "[]"),
        (r"\9\12", ""),
        (r"\g<1>\g<0>\g<first>\g<nope>\g<77>", "bbb"),
        (r"\x41\x{e9}\101\07", "Aé" + "A\a"),
        (r"\08", "8"),
        (r"\t\n\\", "\t\n\\"),
        (r"\u\0c\0", "Bcb"),
        (r"\lABC", "aBC"),
        (r"\Uab\0\Ec", "ABBc"),
        (r"\LABC\uABC", "abcABC"),
        (r"\u\2abc", "Abc"),
        ("", ""),
    ],
)
def test_what_is_put_in(replacement: str, expected: str) -> None:
    assert expanded(replacement) == expected


@pytest.mark.parametrize(
    ("replacement", "at", "message"),
    [
        ("\\", 1, "stray final “\\”"),
        ("a\\", 2, "stray final “\\”"),
        (r"\q", 1, "unknown escape sequence"),
        (r"\é", 1, "unknown escape sequence"),
        (r"\x", 2, "hexadecimal digit expected"),
        (r"\x4g", 3, "hexadecimal digit expected"),
        (r"\x{4", 4, "hexadecimal digit or “}” expected"),
        (r"\g", 2, "missing “<” in symbolic reference"),
        (r"\g<", 3, "unfinished symbolic reference"),
        (r"\g<>", 3, "zero-length symbolic reference"),
        (r"\g<1x>", 4, "digit expected"),
        (r"\g<-1>", 3, "illegal symbolic reference"),
    ],
)
def test_mistakes_are_told_in_glibs_words(replacement: str, at: int, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Replacement(replacement)

    assert str(caught.value) == (
        f"Error while parsing replacement text “{replacement}” at char {at}: {message}"
    )


def test_characters_beyond_unicode_are_refused() -> None:
    with pytest.raises(FormatError, match="too large"):
        Replacement(r"\x{ffffffff}")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("x*", "-a-b--d-"), ("x*?", "-a-b-x-d-"), ("b|x", "a--d"), ("$", "abxd-"), ("^", "-abxd")],
)
def test_all_matches_are_replaced(pattern: str, expected: str) -> None:
    assert replace_all(re.compile(pattern), "abxd", Replacement("-")) == expected


def test_a_place_is_counted_in_bytes() -> None:
    with pytest.raises(FormatError, match="at char 3: stray"):
        Replacement("é\\")
