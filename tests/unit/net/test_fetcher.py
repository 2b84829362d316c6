"""Requests, URLs and the other values of the fetcher interface."""

from __future__ import annotations

import pytest

from ostree.errors import FetchError
from ostree.net.curl_error import curl_error
from ostree.net.fetcher import (
    FetcherOptions,
    MemorySink,
    Request,
    check_headers,
    check_url,
    displayed_url,
    status_error,
    too_large_error,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host/a@b:c", "http://host/a@b:c"),
        ("http://user:secret@host/x", "http://user@host/x"),
        ("http://user@host:80/x", "http://user@host:80/x"),
        ("https://user:se@cr:et@host?q=1", "https://user@host?q=1"),
        ("https://user:secret@host", "https://user@host"),
        ("http://:secret@host#a", "http://@host#a"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("no url", "no url"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert displayed_url(url) == shown


def test_no_message_shows_a_password() -> None:
    url = "http://user:secret@host/x"

    texts = [
        str(status_error(url, 500)),
        str(too_large_error(url, 5)),
        str(curl_error(url, 7)),
        repr(Request(url)),
    ]

    assert [text for text in texts if "secret" in text] == []


def test_urls_with_nul_are_refused() -> None:
    with pytest.raises(FetchError):
        check_url("http://host/a\0b")


@pytest.mark.parametrize("header", [("A\r\nB", "x"), ("A", "x\nB: y"), ("", "x"), ("A:", "x")])
def test_headers_cannot_break_out_of_their_line(header: tuple[str, str]) -> None:
    with pytest.raises(FetchError, match="Invalid HTTP header"):
        check_headers([header])


def test_the_user_agent_names_upstreams_version() -> None:
    assert FetcherOptions().user_agent == "libostree/2026.4"
    assert FetcherOptions(user_agent_extra="demo/1").user_agent == "libostree/2026.4 demo/1"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (6, "Couldn't resolve host name"),
        (7, "Couldn't connect to server"),
        (18, "Transferred a partial file"),
        (60, "SSL peer certificate or SSH remote key was not OK"),
        (12345, "Unknown error"),
    ],
)
def test_transport_errors_have_upstreams_words(code: int, text: str) -> None:
    assert str(curl_error("http://h/x", code)) == f"While fetching http://h/x: [{code}] {text}"


def test_a_memory_sink_starts_afresh() -> None:
    sink = MemorySink()
    sink.write(b"one")
    sink.write(b"two")
    assert sink.value() == b"onetwo"

    sink.restart()

    assert sink.value() == b""
