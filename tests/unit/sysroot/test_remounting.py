"""What is remounted early in a boot."""

from __future__ import annotations

import pytest

from ostree.formats.booted_state import BootedState
from ostree.sysroot.remounting import Remount, plan_remounts

ALL = dict.fromkeys(("/", "/sysroot", "/etc", "/var"), True)


@pytest.mark.parametrize(
    ("state", "read_only", "plan"),
    [
        (BootedState(), [], []),
        (BootedState(), ["/sysroot", "/var", "/etc"], [("/sysroot", True), ("/var", True)]),
        (BootedState(), ["/", "/sysroot", "/var"], []),
        (BootedState(sysroot_ro=True), [], [("/sysroot", False)]),
        (
            BootedState(sysroot_ro=True),
            ["/etc", "/var"],
            [("/sysroot", False), ("/etc", True), ("/var", True)],
        ),
        (
            BootedState(sysroot_ro=True, transient_etc="/run/x"),
            ["/sysroot", "/etc", "/var"],
            [("/var", True)],
        ),
        (
            BootedState(composefs=True, sysroot_ro=True),
            ["/", "/var"],
            [("/sysroot", False), ("/var", True)],
        ),
    ],
)
def test_plan(state: BootedState, read_only: list[str], plan: list[tuple[str, bool]]) -> None:
    writable = {**ALL, **dict.fromkeys(read_only, False)}

    assert plan_remounts(state, writable) == [Remount(*change) for change in plan]


def test_what_is_missing_or_a_link_is_left_alone() -> None:
    assert plan_remounts(BootedState(sysroot_ro=True), {"/": True}) == []
