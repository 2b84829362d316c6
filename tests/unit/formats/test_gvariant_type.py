"""Type strings, signatures and object paths."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.gvariant.type_string import is_object_path, is_signature, is_type, type_info


@pytest.mark.parametrize(
    ("text", "alignment", "size", "depth"),
    [
        ("y", 1, 1, 1),
        ("b", 1, 1, 1),
        ("q", 2, 2, 1),
        ("h", 4, 4, 1),
        ("d", 8, 8, 1),
        ("s", 1, 0, 1),
        ("v", 8, 0, 1),
        ("at", 8, 0, 2),
        ("mq", 2, 0, 2),
        ("()", 1, 1, 1),
        ("(yu)", 4, 8, 2),
        ("(uy)", 4, 8, 2),
        ("((yq)y)", 2, 6, 3),
        ("(ts)", 8, 0, 2),
        ("{sv}", 8, 0, 2),
        ("a{s(ii)}", 4, 0, 4),
    ],
)
def test_size_and_alignment(text: str, alignment: int, size: int, depth: int) -> None:
    """Alignment, fixed size and depth of types of every shape."""
    info = type_info(text)

    assert (info.text, info.alignment, info.size, info.depth) == (text, alignment, size, depth)


def test_members() -> None:
    """Containers know the types inside."""
    info = type_info("(a{sv}aya(say))")

    assert [member.text for member in info.members] == ["a{sv}", "ay", "a(say)"]
    assert info.members[0].element.text == "{sv}"
    assert not info.is_basic
    assert info.members[0].element.members[0].is_basic
    assert repr(info) == "TypeInfo('(a{sv}aya(say))')"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 128 + "y", True),
        ("a" * 129 + "y", False),
        ("(" * 128 + "y" + ")" * 128, True),
        ("(" * 129 + "y" + ")" * 129, False),
        ("a{s" * 64 + "y" + "}" * 64, True),
        ("a{s" * 65 + "y" + "}" * 65, False),
    ],
)
def test_nesting(text: str, expected: bool) -> None:
    """Types may be nested 128 levels deep."""
    assert is_type(text) is expected


def test_length() -> None:
    """Types of more than 64 KiB are refused."""
    with pytest.raises(FormatError, match="too long"):
        type_info("(" + "y" * 65534 + ")")


def test_message_names_the_type() -> None:
    """The error shows the wrong text."""
    with pytest.raises(FormatError, match=r"Not a GVariant type string: 'a\{vs\}'"):
        type_info("a{vs}")


@pytest.mark.parametrize("text", ["", "s", "sa{sv}i", "()", "ah", "s{ss}"])
def test_signatures(text: str) -> None:
    """Any number of types in a row."""
    assert is_signature(text)


@pytest.mark.parametrize("text", ["mi", "(", "a", "*", "sz", "(mi)"])
def test_no_signatures(text: str) -> None:
    """Maybes are not part of signatures."""
    assert not is_signature(text)


@pytest.mark.parametrize("text", ["/", "/a", "/A_9/b"])
def test_object_paths(text: str) -> None:
    """Slashes with letters, digits and underscores between."""
    assert is_object_path(text)


@pytest.mark.parametrize("text", ["", "a", "//", "/a/", "/a//b", "/a-b", "/é"])
def test_no_object_paths(text: str) -> None:
    """Empty elements and other characters are refused."""
    assert not is_object_path(text)
