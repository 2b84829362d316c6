"""syslinux.cfg: what is generated, and what of a former one stays."""

from __future__ import annotations

import pytest

from ostree.errors import SysrootError
from ostree.formats.boot_entry import BootEntry
from ostree.formats.syslinux import format_syslinux

FIRST = BootEntry.parse(
    "title One (ostree:0)\nlinux /k1\ninitrd /i1\ndevicetree /d1\noptions a=1\n"
)
SECOND = BootEntry.parse("linux /k2\nfdtdir /dtb2\n")

OURS = (
    "LABEL One (ostree:0)\n\tKERNEL /boot/k1\n\tINITRD /boot/i1\n\tDEVICETREE /boot/d1\n"
    "\tAPPEND a=1\nLABEL (Untitled)\n\tKERNEL /boot/k2\n"
)
DEFAULT = "DEFAULT One (ostree:0)\n"


def rewrite(current: str, prefix: str = "/boot") -> str:
    return format_syslinux([FIRST, SECOND], current, prefix=prefix)


def test_an_empty_one_is_filled() -> None:
    assert rewrite("") == DEFAULT + OURS


def test_its_own_output_is_replaced() -> None:
    before = rewrite("").replace("/boot/k", "/boot/ostree/k")

    assert rewrite(before) == DEFAULT + OURS
    assert rewrite(f"X\n{before}") == f"X\n\n{DEFAULT}{OURS}"


def test_without_a_prefix() -> None:
    assert "\tKERNEL /k1\n\tINITRD /i1\n\tDEVICETREE /d1\n" in rewrite("", prefix="")


@pytest.mark.parametrize(
    ("current", "kept"),
    [
        ("TIMEOUT 20\n", "TIMEOUT 20\n\n"),
        ("\n\n\nX\n", "\nX\n"),
        ("LABEL a\n\tKERNEL /k\nX\n", "LABEL a\n\tKERNEL /k\nX\n\n"),
        ("LABEL a\n\tKERNEL /ostree/k\nLABEL b\n\tKERNEL /k", "LABEL b\n\tKERNEL /k\n"),
        ("LABEL a\n\tKERNEL /boot/ostree/k\n\tAPPEND x\nX", "X\n"),
        ("LABEL a\n\tKERNEL /k\n\tKERNEL /ostree/k\nX", "X\n"),
        ("LABEL a\n\tKERNEL  /ostree/k", "LABEL a\n\tKERNEL  /ostree/k\n"),
        ("\tKERNEL /ostree/k", "\tKERNEL /ostree/k\n"),
    ],
)
def test_what_is_not_ours_stays(current: str, kept: str) -> None:
    assert rewrite(current) == kept + DEFAULT + OURS


def test_a_block_inherits_the_kernel_of_the_one_before() -> None:
    """As the reference does, for good or bad."""
    kept = "LABEL a\n\tKERNEL /k\nLABEL b\n\tAPPEND x\n"

    assert rewrite(kept) == kept + "\n" + DEFAULT + OURS
    assert rewrite(kept.replace("/k", "/ostree/k")) == DEFAULT + OURS


@pytest.mark.parametrize(
    ("current", "generated"),
    [
        ("DEFAULT mine\n", False),
        ("DEFAULT ostree:os:0\n", True),
        ("DEFAULT Os (ostree:0)\nDEFAULT mine\n", True),
        ("DEFAULT\n", True),
        ("LABEL a\n\tKERNEL /ostree/k\n\tDEFAULT mine\n", True),
    ],
)
def test_whether_a_default_is_generated(current: str, *, generated: bool) -> None:
    assert (DEFAULT in rewrite(current)) == generated
    assert "DEFAULT mine" not in rewrite(current)


@pytest.mark.parametrize("current", ["LABEL a\n", "LABEL a\n\tX\n", "\tKERNEL /k\nLABEL a"])
def test_a_label_needs_a_kernel(current: str) -> None:
    with pytest.raises(SysrootError, match="No KERNEL argument found after LABEL"):
        rewrite(current)


def test_an_entry_needs_a_kernel() -> None:
    with pytest.raises(SysrootError, match='No "linux" key in bootloader config'):
        format_syslinux([BootEntry.parse("title x\n")], "", prefix="")
