"""Names of entries: which there are, and the words for those that there cannot be."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.filename import check_filename, decode_filename, encode_filename


@pytest.mark.parametrize("name", ["a", "...", "..a", " ", "\n", "é", "x" * 255, "-", "a\\b"])
def test_ordinary_names_pass(name: str) -> None:
    check_filename(name)

    assert decode_filename(encode_filename(name)) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "Invalid self-referential filename '.'"),
        ("..", "Invalid path uplink filename '..'"),
        ("a/b", "Invalid / in filename a/b"),
        ("/", "Invalid / in filename /"),
        ("", "Invalid empty filename"),
        ("a\0b", "Invalid empty filename"),
    ],
)
def test_other_names_are_refused_in_upstreams_words(name: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        check_filename(name)

    assert str(caught.value) == message


def test_names_on_disk_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(FormatError) as caught:
        encode_filename("caf\udce9")

    assert str(caught.value) == "Invalid UTF-8 in filename caf\ufffd"


def test_names_in_objects_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(FormatError) as caught:
        decode_filename(b"caf\xe9")

    assert str(caught.value) == "Invalid UTF-8 in filename caf\ufffd"
    assert caught.value.offset == 3
