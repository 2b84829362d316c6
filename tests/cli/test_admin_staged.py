"""Commands about staged deployments where nothing is booted; for the others see compat and e2e."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, succeed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    os.path.exists("/run/ostree-booted"), reason="this machine was booted by OSTree"
)


@pytest.mark.parametrize("command", ["finalize-staged", "boot-complete"])
@pytest.mark.parametrize("word", ["--help", "--bogus", "--sysroot=/nonexistent"])
def test_shutdown_and_boot_of_other_systems_are_not_disturbed(command: str, word: str) -> None:
    assert succeed("admin", command, word) == ""


def test_there_is_nothing_to_lock(tmp_path: Path) -> None:
    succeed("admin", "init-fs", tmp_path)

    for option in ([], ["-u"]):
        argv = ("admin", "lock-finalization", f"--sysroot={tmp_path}", *option)
        assert fail(*argv) == "error: No staged deployment"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--retain-pending", "--stage cannot currently be combined with --retain arguments"),
        ("--retain-rollback", "--stage cannot currently be combined with --retain arguments"),
        ("--not-as-default", "--stage cannot currently be combined with --not-as-default"),
    ],
)
def test_what_stays_cannot_be_said_of_a_staged_deployment(
    option: str, message: str, tmp_path: Path
) -> None:
    succeed("admin", "init-fs", tmp_path)

    argv = ("admin", "deploy", f"--sysroot={tmp_path}", "--stage", option, "x")
    assert fail(*argv) == f"error: {message}"
