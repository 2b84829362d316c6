"""What paths in archives mean (repository format §6.5)."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.repo.archive_paths import parse_pathname_filter, relative_path, split_path


@pytest.mark.parametrize(
    ("stored", "relative"),
    [
        ("f", "f"),
        ("/usr/f", "usr/f"),
        ("//f", "f"),
        ("./f", "f"),
        (".//f", "f"),
        ("././f", "f"),
        ("/./f", "f"),
        ("/../x", "x"),
        ("/../../x", "x"),
        ("//../x", "x"),
        ("/../", ""),
        ("", ""),
        ("./", ""),
        (".", "."),
        ("/", ""),
        ("d/", "d/"),
        ("...", "..."),
        ("/..x", "..x"),
        ("a//f", "a//f"),
    ],
)
def test_a_path_is_relative_to_the_root_of_the_archive(stored: str, relative: str) -> None:
    assert relative_path(stored) == relative


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("../evil", "../evil"),
        ("a/../f", "a/../f"),
        ("/a/../../x", "a/../../x"),
        ("..", ".."),
        ("/..", ".."),
        ("../", "../"),
        ("./../x", "../x"),
        ("/./../x", "../x"),
        ("/.././../x", "../x"),
        ("a/..", "a/.."),
    ],
)
def test_no_path_leads_up(stored: str, shown: str) -> None:
    with pytest.raises(FormatError) as caught:
        relative_path(stored)

    assert str(caught.value) == (
        f"While making relative path \"{shown}\":Invalid uplink '..' in path {shown}"
    )


def test_names_of_a_path() -> None:
    assert split_path("a//./b/") == ["a", "b"]
    assert split_path("") == []
    assert split_path(".") == []
    with pytest.raises(FormatError, match=r"^Invalid uplink '..' in path a/\.\.$"):
        split_path("a/../")


def test_a_filter_replaces_every_match() -> None:
    rename = parse_pathname_filter(r"^(etc)/,usr/\1/")

    assert rename("etc/etc/f") == "usr/etc/etc/f"
    assert rename("src/etc/f") == "src/etc/f"
    assert parse_pathname_filter("a,b,c")("xax") == "xb,cx"
    assert parse_pathname_filter("^,foo/")("f") == "foo/f"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("etc", "Missing ',' in --tar-pathname-filter"),
        (
            "(etc,x",
            (
                "--tar-pathname-filter: Error while compiling regular expression ‘(etc’ at char 4: "
                "missing terminating )"
            ),
        ),
        (
            r"e,\q",
            (
                "--tar-pathname-filter: Error while parsing replacement text “\\q” at char 1: "
                "unknown escape sequence"
            ),
        ),
    ],
)
def test_a_filter_that_is_none(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_pathname_filter(text)

    assert str(caught.value) == message
