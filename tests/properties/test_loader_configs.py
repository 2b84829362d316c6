"""Configurations of boot loaders, from any boot entries and beside any text."""

from __future__ import annotations

import contextlib
import shlex

from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import SysrootError
from ostree.formats.boot_entry import BootEntry
from ostree.formats.grub import format_grub_config, format_menu_entries, shell_quote
from ostree.formats.syslinux import format_syslinux
from ostree.formats.uenv import format_uenv

VALUE = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=12)
ENTRY = st.fixed_dictionaries(
    {"linux": VALUE.map(lambda text: f"/ostree/os-{text}")},
    optional=dict.fromkeys(("title", "initrd", "devicetree", "options"), VALUE),
)
ENTRIES = st.lists(ENTRY, max_size=3)
LINE = (
    st.sampled_from(
        [
            "",
            "TIMEOUT 20",
            "DEFAULT mine",
            "DEFAULT ostree:0",
            "LABEL a",
            "LABEL (ostree:0)",
            "\tKERNEL /vmlinuz",
            "\tKERNEL /ostree/vmlinuz",
            "\tAPPEND x",
            "\t",
        ]
    )
    | VALUE
)
SYSLINUX = st.lists(LINE, max_size=8).map("\n".join)


def made(values: dict[str, str]) -> BootEntry:
    entry = BootEntry()
    for key, value in values.items():
        entry.set(key, value)
    return entry


@given(ENTRIES, SYSLINUX)
def test_syslinux_finds_its_own_entries_again(entries: list[dict[str, str]], current: str) -> None:
    """From the second time on nothing changes any more."""
    # As titles are made; by it a DEFAULT is recognised.
    titled = [{**values, "title": f"{values.get('title')} (ostree:0)"} for values in entries]
    all_entries = [made(values) for values in titled]
    with contextlib.suppress(SysrootError):
        text = format_syslinux(all_entries, current, prefix="/boot")
        again = format_syslinux(all_entries, text, prefix="/boot")
        assert again == format_syslinux(all_entries, again, prefix="/boot")
        for values in entries:
            assert f"\tKERNEL /boot{values['linux']}\n" in again


@given(ENTRIES, SYSLINUX)
def test_syslinux_keeps_what_belongs_to_nobody(entries: list[dict[str, str]], current: str) -> None:
    with contextlib.suppress(SysrootError):
        text = format_syslinux([made(values) for values in entries], current, prefix="")
        lines = text.split("\n")
        for line in current.split("\n"):
            if line and not line.startswith(("\t", "LABEL ", "DEFAULT ")):
                assert line in lines


@given(st.text())
def test_any_text_is_a_syslinux_config_or_has_a_label_without_kernel(text: str) -> None:
    try:
        format_syslinux([], text, prefix="")
    except SysrootError:
        assert any(line.startswith("LABEL ") for line in text.split("\n"))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_quoting(text: str) -> None:
    assert shlex.split(shell_quote(text)) == [text]


@given(ENTRIES, VALUE, VALUE)
def test_every_entry_has_its_menu_entry(
    entries: list[dict[str, str]], device: str, prepare: str
) -> None:
    all_entries = [made(values) for values in entries]

    menu = format_menu_entries(all_entries, device=device, prepare_root=prepare)
    config = format_grub_config(all_entries, prefix="/boot")

    heads = [line for line in menu.split("\n") if line.startswith("menuentry ")]
    assert len(heads) >= len(entries)
    for index, values in enumerate(entries):
        title = values.get("title", "(Untitled)")
        words = next(w for w in map(split, heads) if w and w[-2:-1] == [f"ostree-{index}-{device}"])
        assert words[1] == title
        assert f"menuentry {shell_quote(title)} {{\n\t linux /boot{values['linux']}" in config


def split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), VALUE, max_size=20))
def test_a_clone_says_the_same(values: dict[str, str]) -> None:
    entry = made(values)
    entry.counters = (3, 1)

    clone = entry.clone()

    assert {key: clone.get(key) for key in clone.keys()} == values  # noqa: SIM118  # no mapping
    assert sorted(clone.to_text().split("\n")) == sorted(entry.to_text().split("\n"))
    assert clone.counters == (0, 0)


def env_import(text: str) -> dict[str, str]:
    """What ``env import -t`` of U-Boot makes of a text: the last assignment of a name counts."""
    variables: dict[str, str] = {}
    for line in text.split("\n"):
        name, equals, value = line.lstrip(" \t").partition("=")
        if name and not name.startswith("#") and equals:
            variables[name] = value
    return variables


@given(ENTRIES, st.none() | st.lists(LINE | st.just("board=x"), max_size=4).map("\n".join))
def test_uboot_imports_what_the_entries_say(
    entries: list[dict[str, str]], system: str | None
) -> None:
    """Whatever the system adds, and however many deployments there are."""
    variables = env_import(format_uenv([made(values) for values in entries], system))

    for index, values in enumerate(entries):
        suffix = str(index + 1) if index else ""
        keys = {"linux": "kernel_image", "initrd": "ramdisk_image", "devicetree": "fdt_file"}
        for key, variable in keys.items():
            if key in values:
                assert variables[variable + suffix] == f"/boot{values[key]}"
        if "options" in values:
            assert variables[f"bootargs{suffix}"] == values["options"]
        assert ("board" in variables) <= (system is not None and "board=x" in system)
    assert f"kernel_image{len(entries) + 1}" not in variables
    assert "kernel_image1" not in variables
