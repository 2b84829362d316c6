"""The rules of an SELinux policy; tests/compat compares them with the library's reading."""

from __future__ import annotations

import warnings

import pytest

from ostree.errors import FormatError
from ostree.formats.file_contexts import FileContexts, parse_rules, parse_substitutions

DIRECTORY, REGULAR, LINK = 0o040755, 0o100644, 0o120777


def contexts(text: str, *substitutions: str) -> FileContexts:
    pairs = [parse_substitutions(one.encode()) for one in substitutions]
    return FileContexts(parse_rules(f"/.*\tother\n{text}".encode()), pairs)


def label(text: str, path: str, mode: int = REGULAR) -> str | None:
    found = contexts(text).lookup(path.encode(), mode)
    return None if found is None else found.decode()


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("/a one\n/a two\n", "/a", "two"),
        ("/a.* one\n/a(b)? two\n", "/a", "two"),
        ("/a one\n/a.* two\n", "/a", "one"),
        ("/a\\.b one\n/a.b two\n", "/a.b", "one"),
        ("/a\\.b one\n/a.b two\n", "/axb", "two"),
        ("/a(/.*)? one\n", "/a", "one"),
        ("/a(/.*)? one\n", "/a/b/c", "one"),
        ("/a(/.*)? one\n", "/ab", "other"),
        ("/a/.* one\n", "/a/", "other"),
        ("/a/b one\n", "//a///b//", "one"),
        ("/a/.* one\n", "/a/new\nline", "one"),
        ("/lib(64)?/x one\n", "/lib64/x", "one"),
        ("/lib6?4/x one\n", "/lib4/x", "one"),
        ("/ab*c one\n", "/ac", "one"),
        ("/a{2}b one\n", "/aab", "one"),
        ("/a{,2} one\n", "/a{,2}", "one"),
        ("/[[:digit:]_]+x one\n", "/1_2x", "one"),
        ("/[^[:alpha:]]x one\n", "/9x", "one"),
        ("/[]a]x one\n", "/]x", "one"),
        ("/[[&|~]x one\n", "/[x", "one"),
        ("/\\x62 one\n", "/b", "one"),
        ("/a\\d+ one\n", "/a12", "one"),
        ("^/b$ one\n", "/b", "one"),
        ("/(a|b)/c one\n", "/b/c", "one"),
        # Each alternative outside of groups has one anchor, and all are below the first component.
        ("/a/b|/c one\n", "/a/bx", "one"),
        ("/a/b|/c one\n", "/a/x/c", "one"),
        ("/a/b|/c one\n", "/c", "other"),
        ("  /a   --   one extra words\n# comment\n  # another\n\n", "/a", "one"),
        ("relative one\n", "/relative", "other"),
        ("/a one\n", "/", "other"),
    ],
)
def test_which_rule_counts(rules: str, path: str, expected: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert label(rules, path) == expected


def test_rules_for_a_type() -> None:
    rules = "/a.* any\n/a -d directory\n/a -- <<none>>\n/a -l link\n/a -p pipe\n"

    assert label(rules, "/a", DIRECTORY) == "directory"
    assert label(rules, "/a", LINK) == "link"
    assert label(rules, "/a", REGULAR) is None
    assert label(rules, "/a", 0o020600) == "any"
    assert label(rules, "/a", 0) == "pipe", "without a type the last rule counts"
    assert label("/.* <<none>>\n", "/x") is None


def test_substitutions_count_once_each() -> None:
    rules = "/one/x one\n/two/x two\n/x top\n"

    def found(path: bytes, *substitutions: str) -> bytes | None:
        return contexts(rules, *substitutions).lookup(path, REGULAR)

    assert found(b"/src/x", "/src /one\n") == b"one"
    assert found(b"/srcx/x", "/src /one\n") == b"other"
    assert found(b"/src", "/src /one/x\n") == b"one"
    assert found(b"/src/x", "/src /one\n/src /two\n") == b"two", "the last pair counts"
    assert found(b"/src/x", "/src /one\n/one /two\n") == b"one", "once"
    assert found(b"/src/x", "/src /one\n", "/one /two\n") == b"two", "and once more"
    assert found(b"/src/x", "# /src /one\n/src / more\nalone\n\n") == b"top"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/a\n", "line 2 is missing fields"),
        ("/a -x one\n", "line 2 has invalid file type -x"),
        ("/a one # comment\n", "line 2 has invalid file type one"),
        ("\n/é one\n", "line 3 error due to: Non-ASCII characters found"),
    ],
)
def test_lines_that_are_no_rules(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        contexts(text)

    assert str(caught.value) == message


@pytest.mark.parametrize("expression", ["/a(b", "/a[b", "/a**", "/[[:nope:]]", r"/a\Q", "/a)"])
def test_what_is_no_expression_is_found_when_it_is_asked(expression: str) -> None:
    rules = contexts(f"{expression} one\n")

    assert rules.lookup(b"x", REGULAR) is None
    with pytest.raises(FormatError, match=r"^Invalid expression "):
        rules.lookup(b"/ab", REGULAR)
