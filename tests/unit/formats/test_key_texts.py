"""Keys as text: GLib's base64, PEM, addresses in the Web Key Directory."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import base64_text, pem, web_key_directory


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("AAAA", bytes(3)),
        ("AAA=", bytes(2)),
        ("AA==", bytes(1)),
        ("AAA", b""),
        ("AAAAAA", bytes(3)),
        ("A A\nA!A", bytes(3)),
        ("=AAA", bytes(3)),
        ("AA=A", bytes(2)),
        ("AAAABB==CCCC", b"\0\0\0\x04\x08\x20\x82"),
        ("AB==CD==", b"\0\x08"),
        ("====", bytes(1)),
    ],
)
def test_base64(text: str, data: bytes) -> None:
    """What GLib makes of it (compared with GLib itself in tests/compat)."""
    assert base64_text.decode(text) == data


def test_pem_blocks() -> None:
    text = "x\n-----BEGIN A B-----\r\n AA\n\nAA \n-----END A B-----\n-----END x-----\n" * 2

    assert list(pem.blocks(text)) == [("A B", bytes(3))] * 2
    assert list(pem.blocks("")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-----BEGIN A-----\n-----END B-----\n", "Unmatched PEM header"),
        ("-----BEGIN A-----\nAAAA\n", "PEM trailer not found"),
        ("-----BEGIN A-----\n-----BEGIN A-----\n", "PEM trailer not found"),
    ],
)
def test_broken_pem(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        list(pem.blocks(text))


@pytest.mark.parametrize(
    ("local", "name"),
    [
        ("one", "9an53zghjrwynjhbwza4fj5hzpj3taeg"),
        ("exq", "59pe75kmnhnau9kbtx7fn5xnfnd8uu16"),
        ("REV", "yx1yj9estfyh95ca6tufe4ybgdqamfwm"),
        ("vector", "yj6bntitzdh1qu14ju6zifc6gkfdr5gs"),
    ],
)
def test_the_hash_of_an_address(local: str, name: str) -> None:
    """Vectors of the format document; letters are taken in lower case."""
    assert web_key_directory.address_hash(local) == name


def test_the_urls_of_an_address() -> None:
    advanced, direct = web_key_directory.urls("Ve%ctor@Example.org")

    path = f"{web_key_directory.address_hash('ve%ctor')}?l=Ve%25ctor"
    known = ".well-known/openpgpkey"
    assert advanced == f"https://openpgpkey.Example.org/{known}/example.org/hu/{path}"
    assert direct == f"https://Example.org/{known}/hu/{path}"


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c"])
def test_no_address(address: str) -> None:
    with pytest.raises(FormatError, match=f'Invalid email address "{address}"'):
        web_key_directory.urls(address)
