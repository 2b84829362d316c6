"""os-release and titles."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError, SysrootError
from ostree.formats.os_release import boot_title, parse_os_release, unquote


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("two words", "two words"),
        ('"double $x"', "double $x"),
        ("'single \"inside\"'", 'single "inside"'),
        (r'"a \"b\" \\ \n \$"', r'a "b" \ \n $'),
        (r"back\ slash", "back slash"),
        ("pre'mid'\"post\"", "premidpost"),
        ("a\\\nb", "ab"),
    ],
)
def test_unquote(text: str, value: str) -> None:
    assert unquote(text) == value


@pytest.mark.parametrize("text", ["'open", '"open', "end\\", '"end\\'])
def test_unbalanced_quotes_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        unquote(text)


def test_parse() -> None:
    text = '# NAME=no\nNAME="x y"\nBAD="open\n no equals\nNAME=last\nA=b=c\n'

    assert parse_os_release(text) == {"NAME": "last", "A": "b=c"}


@pytest.mark.parametrize(
    ("release", "version", "stateroot", "title"),
    [
        ({"PRETTY_NAME": "Test OS", "ID": "t"}, None, None, "Test OS (ostree:0)"),
        ({"ID": "t"}, "42", None, "t 42 (ostree:0)"),
        ({"PRETTY_NAME": "Test 42.1"}, "42", None, "Test 42.1 (ostree:0)"),
        ({"PRETTY_NAME": "Test"}, "", "os", "Test (ostree:os:0)"),
        ({"PRETTY_NAME": "Test"}, "1\nlinux /evil", None, "Test 1 linux /evil (ostree:0)"),
    ],
)
def test_title(
    release: dict[str, str], version: str | None, stateroot: str | None, title: str
) -> None:
    assert boot_title(release, version=version, stateroot=stateroot, index=0) == title


def test_no_name() -> None:
    with pytest.raises(SysrootError, match="No PRETTY_NAME or ID in /etc/os-release"):
        boot_title({"NAME": "x"}, version=None, stateroot=None, index=0)
