"""Names of refs, remotes and collections: which are valid, and the words for those that are not."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.refspec import (
    check_collection_id,
    check_new_ref_name,
    check_ref_name,
    check_remote_name,
    format_refspec,
    is_valid_fragment,
    is_valid_ref_name,
    looks_like_checksum,
    parse_refspec,
    split_revision,
)

VALID_FRAGMENTS = ["a", "_x", "1", "é", "²", "Ⅷ", "〇", "a_", "a-", "a.", "a..b", "a" * 300]
INVALID_FRAGMENTS = ["", "-a", ".a", "a b", "a+b", "a~", "a@b", "a^", "a:b", "a/b", "a\u0332", "😀"]


@pytest.mark.parametrize("text", VALID_FRAGMENTS)
def test_valid_fragments(text: str) -> None:
    assert is_valid_fragment(text)


@pytest.mark.parametrize("text", [*INVALID_FRAGMENTS, "a\n", "\n", "a\udcff"])
def test_invalid_fragments(text: str) -> None:
    """A final newline, which upstream lets through, is refused as well."""
    assert not is_valid_fragment(text)


@pytest.mark.parametrize("name", ["a", "a/b", "os/x86_64/stable", "a./b-", "1/2"])
def test_ref_names_are_fragments_joined_by_slashes(name: str) -> None:
    check_ref_name(name)

    assert is_valid_ref_name(name)


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a/./b", "a/.b", "a:b", "a\n", "a\n/b"])
def test_other_ref_names_are_refused(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        check_ref_name(name)

    assert str(caught.value) == f"Invalid ref name {name}"


def test_a_ref_name_that_is_not_utf8_is_refused_without_printing_it() -> None:
    with pytest.raises(FormatError, match=r"^Invalid ref name: not valid UTF-8$"):
        check_ref_name("a\udcff")


def test_a_checksum_is_no_name_for_a_new_ref() -> None:
    name = "0123456789abcdef" * 4

    check_ref_name(name)
    with pytest.raises(FormatError) as caught:
        check_new_ref_name(name)

    assert str(caught.value) == f"Rev name '{name}' looks like a checksum"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", (None, "a")),
        ("a/b", (None, "a/b")),
        ("origin:a", ("origin", "a")),
        ("o.r-1:a/b", ("o.r-1", "a/b")),
    ],
)
def test_refspecs(text: str, parts: tuple[str | None, str]) -> None:
    assert parse_refspec(text) == parts
    assert format_refspec(*parts) == text


@pytest.mark.parametrize("text", ["", ":a", "o:", "o/p:a", "o:a:b", "a b", "a/", "o\n:a", "a\n"])
def test_other_refspecs_are_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_refspec(text)

    assert str(caught.value) == f"Invalid refspec {text}"


@pytest.mark.parametrize("name", ["a/b", "", "a:b", "-x", "a\n"])
def test_remote_names_are_one_fragment(name: str) -> None:
    check_remote_name("origin-1.x")
    with pytest.raises(FormatError) as caught:
        check_remote_name(name)

    assert str(caught.value) == f"Invalid remote name {name}"


@pytest.mark.parametrize("text", ["a.b", "_a._1b", "org.example.Os", "a." + "b" * 253])
def test_collection_ids(text: str) -> None:
    check_collection_id(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.1b", "1a.b", "a..b", ".a.b", "a.b.", "a-b.c", "é.b", "a.b\n", "a." + "b" * 254],
)
def test_other_collection_ids_are_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        check_collection_id(text)

    assert str(caught.value) == f"Invalid collection ID {text}"


@pytest.mark.parametrize(
    ("rev", "parts"),
    [("a", ("a", 0)), ("a^", ("a", 1)), ("o:a/b^^^", ("o:a/b", 3)), ("^", ("", 1)), ("", ("", 0))],
)
def test_carets_at_the_end_are_counted(rev: str, parts: tuple[str, int]) -> None:
    assert split_revision(rev) == parts


def test_only_64_lower_case_hex_digits_look_like_a_checksum() -> None:
    assert looks_like_checksum("0123456789abcdef" * 4)
    assert not looks_like_checksum("0123456789abcdef" * 3)
    assert not looks_like_checksum("0123456789abcdeF" * 4)
    assert not looks_like_checksum("")
