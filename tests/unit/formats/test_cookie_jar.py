"""Netscape cookie jars."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.cookie_jar import Cookie, format_jar, parse


def test_a_jar_holds_what_was_put_into_it() -> None:
    cookies = [
        Cookie(".example.com", "/", "name", "value", expires=2584479182),
        Cookie("host", "/p", "", "", expires=0, secure=True),
    ]

    text = format_jar(cookies)

    assert text == (
        ".example.com\tTRUE\t/\tFALSE\t2584479182\tname\tvalue\nhost\tFALSE\t/p\tTRUE\t0\t\t\n"
    )
    assert format_jar(parse(text)) == text


def test_lines_without_a_cookie_are_left_out() -> None:
    text = "# comment\n\na\tFALSE\t/\tFALSE\tsoon\tn\tv\nb\tFALSE\t/\tFALSE\t1\tn\tv\tmore\n"

    assert [(cookie.domain, cookie.value) for cookie in parse(text)] == [("b", "v")]


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\0"])
def test_a_field_cannot_end_early(character: str) -> None:
    with pytest.raises(FormatError):
        Cookie("host", "/", "name", f"a{character}b", expires=0).to_line()
