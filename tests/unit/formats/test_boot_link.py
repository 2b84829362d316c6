"""The path in ``ostree=`` and where it leads."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.boot_link import (
    BootLink,
    check_stateroot,
    format_bootlink_target,
    parse_boot_link,
    parse_bootlink_target,
)

CSUM = "0123456789abcdef" * 4


def test_round_trip() -> None:
    link = BootLink(1, "my", CSUM, 3)

    assert parse_boot_link(str(link)) == link
    assert str(link) == f"/ostree/boot.1/my/{CSUM}/3"


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"/ostree/boot.2/os/{CSUM}/0",
        f"/ostree/boot.1.1/os/{CSUM}/0",
        f"ostree/boot.1/os/{CSUM}/0",
        f"/ostree/boot.1/../{CSUM}/0",
        f"/ostree/boot.1/os/../{CSUM}/0",
        "/ostree/boot.1/os/../0",
        f"/ostree/boot.1//{CSUM}/0",
        f"/ostree/boot.1/os/{CSUM}/x",
        f"/ostree/boot.1/os/{CSUM}/..",
        f"/ostree/boot.1/os/{CSUM}/0/",
        f"/ostree/boot.1/os/{CSUM}/" + "1" * 30,
    ],
)
def test_what_is_no_link_of_ours_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_boot_link(text)

    assert str(caught.value) == (
        f"Invalid ostree= argument '{text}', "
        "expected ostree=/ostree/boot.BOOTVERSION/OSNAME/BOOTCSUM/TREESERIAL"
    )


def test_target_round_trip() -> None:
    target = format_bootlink_target("os", f"{CSUM}.2")

    assert target == f"../../../deploy/os/deploy/{CSUM}.2"
    assert parse_bootlink_target(target, "os") == (CSUM, 2)


@pytest.mark.parametrize(
    "target",
    [
        f"../../../../etc/{CSUM}.0",
        f"/ostree/deploy/os/deploy/{CSUM}.0",
        f"../../../deploy/other/deploy/{CSUM}.0",
        "../../../deploy/os/deploy/..",
        "../../../deploy/os/deploy/",
        "",
    ],
)
def test_a_target_outside_its_stateroot_is_refused(target: str) -> None:
    with pytest.raises(FormatError):
        parse_bootlink_target(target, "os")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a\nb", "x" * 256, "a\0b"])
def test_stateroots_are_one_word_and_one_component(name: str) -> None:
    with pytest.raises(FormatError):
        check_stateroot(name)
