"""Boot entries of any content."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.boot_entry import BootEntry, entry_file_name, parse_counters
from ostree.formats.boot_link import parse_boot_link, parse_bootlink_target
from ostree.formats.os_release import parse_os_release
from ostree.formats.uenv import format_uenv

KEY = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True) | st.sampled_from(
    ["title", "version", "options", "linux", "initrd", "devicetree", "fdtdir"]
)
VALUE = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=20)


@given(st.dictionaries(KEY, VALUE), st.lists(VALUE, max_size=3))
def test_round_trip(values: dict[str, str], overlays: list[str]) -> None:
    entry = BootEntry()
    for key, value in values.items():
        entry.set(key, value)
    if "initrd" in values:
        entry.overlay_initrds = overlays

    again = BootEntry.parse(entry.to_text())

    assert again == entry
    assert BootEntry.parse(again.to_text()) == again


@given(st.text())
def test_any_text_is_an_entry(text: str) -> None:
    entry = BootEntry.parse(text)

    assert BootEntry.parse(entry.to_text()) == entry


@given(st.text())
def test_parsers_refuse_or_accept(text: str) -> None:
    parse_os_release(text)
    parse_counters(text)
    with contextlib.suppress(FormatError):
        assert str(parse_boot_link(text)) == text
    with contextlib.suppress(FormatError):
        parse_bootlink_target(text, "os")


@given(st.integers(1, 1000), st.integers(0, 5), st.integers(0, 9), st.integers(0, 9))
def test_counters_survive(number: int, tries: int, left: int, done: int) -> None:
    name = entry_file_name(number, tries=tries, counters=(left, done))

    assert parse_counters(name) == ((left, done) if tries else (0, 0))


@given(st.lists(st.dictionaries(KEY, VALUE), max_size=3), st.none() | st.text(max_size=20))
def test_every_kernel_gets_its_variable(entries: list[dict[str, str]], system: str | None) -> None:
    made = []
    for values in entries:
        entry = BootEntry()
        for key, value in {"linux": "/k", **values}.items():
            entry.set(key, value)
        made.append(entry)

    text = format_uenv(made, system)

    assert text.count("kernel_image") >= len(made)
