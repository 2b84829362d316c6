"""uEnv.txt and the joining of lines."""

from __future__ import annotations

import pytest

from ostree.errors import SysrootError
from ostree.formats.boot_entry import BootEntry
from ostree.formats.loader_lines import join_lines
from ostree.formats.uenv import format_uenv

FIRST = BootEntry.parse("linux /k1\ninitrd /i1\noptions a=1\ndevicetree /d1\n")
SECOND = BootEntry.parse("linux /k2\nfdtdir /dtb2\noptions b\n")
THIRD = BootEntry.parse("linux /k3\n")


def test_variables_of_three_entries() -> None:
    assert format_uenv([FIRST, SECOND, THIRD], None) == (
        "kernel_image=/boot/k1\nramdisk_image=/boot/i1\nfdt_file=/boot/d1\nbootargs=a=1\n"
        "kernel_image2=/boot/k2\nfdtdir2=/boot/dtb2\nbootargs2=b\n"
        "kernel_image3=/boot/k3\n"
    )


def test_the_systems_variables_follow_the_first_arguments() -> None:
    assert format_uenv([FIRST, SECOND], "x=1\n\ny=2\n") == (
        "kernel_image=/boot/k1\nramdisk_image=/boot/i1\nfdt_file=/boot/d1\nbootargs=a=1\n"
        "x=1\n\ny=2\n\n"
        "kernel_image2=/boot/k2\nfdtdir2=/boot/dtb2\nbootargs2=b\n"
    )


def test_no_entries_no_lines() -> None:
    assert format_uenv([], None) == ""


def test_a_kernel_is_required() -> None:
    with pytest.raises(SysrootError, match='No "linux" key in bootloader config'):
        format_uenv([BootEntry.parse("options a\n")], None)


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ([], ""),
        (["", "a"], "a\n"),
        (["a", "", "b", "", "", "c", ""], "a\n\nb\nc\n"),
        (["a\n\n\nb"], "a\n\n\nb\n"),
    ],
)
def test_only_one_empty_line_survives(elements: list[str], text: str) -> None:
    assert join_lines(elements) == text
