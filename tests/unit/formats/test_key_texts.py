"""Keys as text: GLib's base64, PEM, addresses in the Web Key Directory."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import base64_text, edwards, pem, web_key_directory


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


ORDER_EIGHT = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


@pytest.mark.parametrize(
    "key",
    [
        bytes(32),
        bytes(31) + b"\x80",
        b"\x01" + bytes(31),
        bytes.fromhex(ORDER_EIGHT),
        (2**255 - 19 - int.from_bytes(bytes.fromhex(ORDER_EIGHT), "little")).to_bytes(32, "little"),
        bytes(57),
        b"\x01" + bytes(55) + b"\x80",
        (2**448 - 2**224 - 2).to_bytes(57, "little"),
    ],
)
def test_points_that_are_no_keys(key: bytes) -> None:
    assert edwards.is_of_small_order(key)


def test_the_base_points_are_keys() -> None:
    """Of either curve (RFC 8032 §5.1, §5.2)."""
    assert not edwards.is_of_small_order(b"\x58" + b"\x66" * 31)
    assert not edwards.is_of_small_order(
        bytes.fromhex(
            "14fa30f25b790898adc8d74e2c13bdfdc4397ce61cffd33ad7c2a0051e9c78874098a36c7373ea4b"
            "62c7c9563720768824bcb66e71463f6900"
        )
    )
