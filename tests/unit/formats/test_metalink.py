"""Metalink documents.  The messages, places included, are the reference's (verified with 2022.7)."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.metalink import MAX_SIZE, parse

SHA256 = "a" * 64
SHA512 = "b" * 128
SIZE = "<size>123</size>"
HASH = f'<hash type="sha256">{SHA256}</hash>'
URL = (
    '<url protocol="http" type="http" location="US" preference="100">http://host/repo/summary</url>'
)


def document(
    *, size: str = SIZE, hashes: str = HASH, urls: str = URL, name: str = "summary"
) -> bytes:
    """A metalink with one file."""
    file = (
        f'<file name="{name}">{size}<verification>{hashes}</verification>'
        f"<resources>{urls}</resources></file>"
    )
    return f"<metalink><files>{file}</files></metalink>".encode()


def problem(data: bytes) -> str:
    """The message about a document that is refused."""
    with pytest.raises(FormatError) as caught:
        parse(data)
    return str(caught.value)


def test_size_hash_and_urls_are_found() -> None:
    found = parse(document(urls=URL + URL.replace("http://host", "https://other")))

    assert (found.size, found.algorithm, found.digest) == (123, "sha256", SHA256)
    assert found.urls == ["http://host/repo/summary", "https://other/repo/summary"]


def test_the_longer_hash_is_preferred_and_unknown_ones_are_skipped() -> None:
    hashes = f'<hash type="md5">x</hash><hash type="sha512">{SHA512}</hash>{HASH}'

    found = parse(document(hashes=hashes))

    assert (found.algorithm, found.digest) == ("sha512", SHA512)


def test_the_first_file_called_summary_counts() -> None:
    first = document(name="other", size="<size>1</size>").partition(b"</files>")[0]
    second = document().partition(b"<files>")[2].partition(b"</files>")[0]
    third = document(size="<size>9</size>").partition(b"<files>")[2]

    assert parse(first + second + third).size == 123


def test_unknown_elements_are_skipped_with_all_that_is_in_them() -> None:
    nested = b'<x><files><file name="summary"><size>5</size></file></files></x>'

    assert parse(document().replace(b"<files>", nested + b"<files>")).size == 123


def test_other_protocols_and_what_is_no_url_are_skipped() -> None:
    urls = (
        URL.replace('protocol="http"', 'protocol="rsync"')
        + URL.replace("http://host/repo/summary", "not a url")
        + URL.replace("http://host", "http://last")
    )

    assert parse(document(urls=urls)).urls == ["http://last/repo/summary"]


def test_a_size_is_read_as_c_does() -> None:
    assert parse(document(size="<size> 12 bytes</size>")).size == 12


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"bacon\n", "Error on line 1 char 1: Document must begin with an element (e.g. <book>)"),
        (b"", "No <file> element found"),
        (b"<metalink><files>", "No <file> element found"),
        (b"<other></other>", "No <file> element found"),
        (document(name="x"), "No <file name='summary'> found"),
        (document(urls=""), "No <url method='http'> elements found"),
        (document(hashes="", urls=""), "No <verification> hash for sha256 or sha512 found"),
        (
            document(hashes=HASH.replace("a" * 64, "A" * 64)),
            "Invalid hash digest for sha256",
        ),
        (document(hashes='<hash type="sha512">abc</hash>'), "Invalid hash digest for sha512"),
        (
            document(size="<size>0</size>"),
            "Error on line 1 char {}: No <size> element found or it is zero",
        ),
        (
            document(hashes='<hash type="md5">x</hash>'),
            "Error on line 1 char {}: No <verification> element with known <hash type=> found",
        ),
        (
            document(urls=URL.replace(' location="US"', "")),
            "Error on line 1 char {}: element 'url' requires attribute 'location'",
        ),
        (
            document(urls=URL.replace("<url", "\n<url foo='>'")),
            "Error on line 2 char {}: attribute 'foo' invalid for element 'url'",
        ),
        (
            document().replace(b' name="summary"', b""),
            "Error on line 1 char 24: element 'file' requires attribute 'name'",
        ),
    ],
)
def test_what_is_wrong_is_named(data: bytes, message: str) -> None:
    """The place of an element is where its tag ends."""
    end = data.find(b'">http:') + 2
    newline = data.rfind(b"\n", 0, end)
    column = end + 1 if newline < 0 else end - newline + 1

    assert problem(data) == message.format(column)


def test_entities_cannot_be_declared() -> None:
    bomb = b'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><metalink>&b;</metalink>'

    assert problem(bomb) == "Entity “a” is declared"


def test_a_document_has_a_limit() -> None:
    assert "more than" in problem(b" " * (MAX_SIZE + 1))
