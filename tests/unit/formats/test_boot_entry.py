"""Boot Loader Specification entries."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.boot_entry import (
    BootEntry,
    entry_file_name,
    is_entry_name,
    parse_counters,
    parse_extra_keys,
)


def test_lines_come_in_the_usual_order() -> None:
    entry = BootEntry()
    for key in ("initrd", "linux", "options", "version", "title", "devicetree", "x-more"):
        entry.set(key, key.upper())
    entry.overlay_initrds = ["/o1.img", "/o2.img"]

    assert entry.to_text() == (
        "title TITLE\nversion VERSION\noptions OPTIONS\ndevicetree DEVICETREE\nlinux LINUX\n"
        "initrd INITRD\ninitrd /o1.img\ninitrd /o2.img\nx-more X-MORE\n"
    )


def test_reading() -> None:
    text = (
        "# comment\n\n title indented\ntitle  two blanks\nlinux\t/k\nversion 1\nversion 2\n"
        "nothing\ninitrd /i\ninitrd /o\nÄkey no\n"
    )

    entry = BootEntry.parse(text)

    assert entry.get("title") == " two blanks"
    assert entry.get("linux") == "/k"
    assert entry.get("version") == "2"
    assert entry.get("initrd") == "/i"
    assert entry.overlay_initrds == ["/o"]
    assert list(entry.keys()) == ["title", "linux", "version", "initrd"]


def test_a_copy_is_independent() -> None:
    entry = BootEntry.parse("title a\ninitrd /i\ninitrd /o\n")

    other = entry.copy()
    other.set("title", "b")
    other.overlay_initrds.clear()

    assert entry == BootEntry.parse("title a\ninitrd /i\ninitrd /o\n")


@pytest.mark.parametrize(
    ("key", "value"),
    [("title", "a\nlinux /evil"), ("1key", "x"), ("a b", "x"), ("", "x"), ("a", "\0")],
)
def test_values_that_would_add_lines_are_refused(key: str, value: str) -> None:
    with pytest.raises(FormatError):
        BootEntry().set(key, value)


@pytest.mark.parametrize(
    ("name", "counters"),
    [
        ("ostree-1.conf", (0, 0)),
        ("ostree-1+3.conf", (3, 0)),
        ("ostree-1+2-1.conf", (2, 1)),
        ("ostree-1+x.conf", (0, 0)),
        ("ostree-1+2-.conf", (0, 0)),
        ("ostree-1+1+4-5.conf", (4, 5)),
    ],
)
def test_counters(name: str, counters: tuple[int, int]) -> None:
    assert parse_counters(name) == counters


@pytest.mark.parametrize(
    ("tries", "counters", "name"),
    [
        (0, None, "ostree-2.conf"),
        (0, (2, 1), "ostree-2.conf"),
        (3, None, "ostree-2+3.conf"),
        (3, (0, 0), "ostree-2.conf"),
        (3, (3, 0), "ostree-2+3-0.conf"),
    ],
)
def test_file_names(tries: int, counters: tuple[int, int] | None, name: str) -> None:
    assert entry_file_name(2, tries=tries, counters=counters) == name
    assert is_entry_name(name)


def test_extra_keys() -> None:
    assert sorted(parse_extra_keys("a=1;b=x=y;")) == [("a", "1"), ("b", "x=y")]
    assert parse_extra_keys("") == []
    with pytest.raises(FormatError, match="bls-append-except-default key must be of the form"):
        parse_extra_keys("a=1;b")
