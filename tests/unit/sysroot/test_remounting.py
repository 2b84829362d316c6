"""What is remounted early in a boot."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.formats.booted_state import BootedState
from ostree.sysroot.remounting import Remount, label_upper, plan_remounts
from ostree.system.selinux import ATTRIBUTE, Policy
from support.policies import CONTEXTS, make_policy

if TYPE_CHECKING:
    from pathlib import Path

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


def labels_of(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted(root.rglob("*")):
        try:
            value = os.getxattr(path, ATTRIBUTE.decode(), follow_symlinks=False)
        except OSError:
            continue
        found[str(path.relative_to(root))] = value.rstrip(b"\0").decode().split(":")[2]
    return found


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="labels are set by root")
def test_what_was_written_before_the_policy_was_loaded_is_labelled(tmp_path: Path) -> None:
    for directory in ("upper", "merged"):
        (tmp_path / directory / "sub").mkdir(parents=True)
        for name in ("shadow", "sub/written"):
            (tmp_path / directory / name).touch()
        (tmp_path / directory / "link").symlink_to("shadow")
    (tmp_path / "upper/gone").touch()  # as a whiteout
    (tmp_path / "merged/shipped").touch()
    contexts = CONTEXTS + "/etc/shadow\t--\tsystem_u:object_r:shadow_t:s0\n"
    make_policy(tmp_path / "tree", contexts=contexts)
    policy = Policy.open(tmp_path / "tree")
    assert policy is not None

    label_upper(policy, str(tmp_path / "upper"), str(tmp_path / "merged"))

    assert labels_of(tmp_path / "merged") == {
        "link": "etc_t",
        "shadow": "shadow_t",
        "sub": "etc_t",
        "sub/written": "etc_t",
    }
    assert labels_of(tmp_path / "upper") == {}
