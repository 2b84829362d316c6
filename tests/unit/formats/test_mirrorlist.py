"""Lists of mirrors."""

from __future__ import annotations

from ostree.formats.mirrorlist import parse


def test_what_is_no_url_is_left_out() -> None:
    data = b"\n# comment\nhttp://a/repo/\n  https://b/x  \nftp://c\nnonsense\nHTTP://d\nhttp://\n"

    assert parse(data) == ["http://a/repo", "https://b/x", "HTTP://d"]


def test_bytes_that_are_no_utf8_are_taken_as_they_are() -> None:
    assert parse(b"http://a/\xff") == ["http://a/\udcff"]
