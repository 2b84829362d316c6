"""What runs early in a boot, on systems that look booted."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from compat.booted_twins import Twins
from ostree.formats.booted_state import BootedState
from support.simulated_boot import OURS, why_no_overlay, why_not

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from support.simulated_boot import SimulatedBoot

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
    pytest.mark.skipif(
        shutil.which("ostree", path="/usr/bin") is None,
        reason="the reference command is not installed (Debian: ostree)",
    ),
]
needs_overlay = pytest.mark.skipif(why_no_overlay() is not None, reason=why_no_overlay() or "")


@pytest.fixture
def twins(memory: Path) -> Iterator[Twins]:
    made = Twins(memory)
    yield made
    made.remove()


@pytest.fixture
def boot(twins: Twins) -> SimulatedBoot:
    return twins.boots["ours"]


def admin(boot: SimulatedBoot, *argv: str) -> subprocess.CompletedProcess[str]:
    return boot.run(*OURS, "admin", *argv, check=False)


# remounting -----------------------------------------------------------------------------------


def is_writable(boot: SimulatedBoot, path: str) -> bool:
    return boot.shell(f"touch {path}/probe 2>/dev/null && echo yes || true") == "yes\n"


def test_everything_is_made_writable(boot: SimulatedBoot) -> None:
    boot.shell("mount -o remount,bind,ro /sysroot; mount -o remount,bind,ro /var")

    first, second = admin(boot, "impl-remount"), admin(boot, "impl-remount")

    assert (first.stdout, second.stdout) == ("Remounted rw: /sysroot\nRemounted rw: /var\n", "")
    assert is_writable(boot, "/sysroot")
    assert is_writable(boot, "/var")
    assert not is_writable(boot, "/usr")


def test_sysroot_is_made_read_only(boot: SimulatedBoot) -> None:
    booted = boot.run_directory / "ostree-booted"
    booted.write_bytes(BootedState(sysroot_ro=True).encode())

    result = admin(boot, "impl-remount")

    assert result.stdout == "Remounted ro: /sysroot\n", result.stderr
    assert not is_writable(boot, "/sysroot")
    assert is_writable(boot, "/var")
    assert admin(boot, "status").stdout.startswith("* os ")


def test_the_mark_of_a_boot_is_made(boot: SimulatedBoot) -> None:
    (boot.run_directory / "ostree-booted").unlink()

    assert admin(boot, "impl-remount").returncode == 0

    assert (boot.run_directory / "ostree-booted").stat().st_mode & 0o7777 == 0o640


# what is staged -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "goes"),
    [
        ([], True),
        (["--stage"], True),
        (["--retain"], True),
        (["--not-as-default", "--retain-pending"], False),
    ],
    ids=str,
)
def test_a_plan_tells_what_becomes_of_the_staged_deployment(
    twins: Twins, boot: SimulatedBoot, options: list[str], goes: bool
) -> None:
    (twins.tree / "usr/data").write_text("2")
    twins.commit()
    assert admin(boot, "deploy", "--stage", "os/main").returncode == 0
    before = admin(boot, "status").stdout
    staged = before.split()[1]

    plan = admin(boot, "deploy", "--dry-run", "--json", *options, "os/main")

    removed = json.loads(plan.stdout)["removed"]
    assert [f"{d['checksum']}.{d['serial']}" for d in removed] == ([staged] if goes else [])
    assert admin(boot, "status").stdout == before
    assert admin(boot, "deploy", *options, "os/main").returncode == 0
    assert (f" {staged} (staged)" in admin(boot, "status").stdout) != goes


# keeping /boot mounted -------------------------------------------------------------------------


def test_boot_is_kept_busy(boot: SimulatedBoot) -> None:
    boot.shell("mount -t tmpfs tmpfs /boot/ostree; mkdir -p /boot/ostree/x")
    boot.shell("mount --bind /boot /boot")
    command = " ".join(OURS)
    boot.shell(f"{command} admin finalize-staged --hold >/tmp/out 2>&1 & echo $! >/tmp/pid")
    for _ in range(100):
        held = boot.shell("ls -l /proc/$(cat /tmp/pid)/fd 2>/dev/null | grep -c ' /boot$' || true")
        if held.strip() == "1":
            break
        time.sleep(0.1)

    assert held.strip() == "1"
    assert "busy" in boot.shell("umount /boot 2>&1 || true")
    boot.shell("kill $(cat /tmp/pid)")
    for _ in range(100):
        if boot.shell("umount /boot 2>/dev/null && echo yes || true"):
            return
        time.sleep(0.1)
    pytest.fail("/boot is still busy")


# units ----------------------------------------------------------------------------------------


def test_the_installed_generator_runs(twins: Twins) -> None:
    twins.stop()
    twins.command_line = f"ostree=/ostree/boot.1/os/{'ab' * 32}/0"
    twins.boot()
    boot = twins.boots["ours"]
    # A command at the place that the files name, as on a real system.
    boot.shell(
        f"mkdir /tmp/tree /tmp/units; printf '#!/bin/sh\\nexec {' '.join(OURS)} \"$@\"\\n' >/tmp/ostree"
    )
    boot.shell("chmod +x /tmp/ostree")
    installed = admin(boot, "install-units", "--destdir=/tmp/tree", "--program=/tmp/ostree")
    assert "usr/lib/systemd/system-generators/ostree-system-generator" in installed.stdout

    generator = "/tmp/tree/usr/lib/systemd/system-generators/ostree-system-generator"
    boot.shell(f"{generator} /tmp/units /tmp/early /tmp/late")

    listed = boot.shell("cd /tmp/units; find . ! -type d | sort").split()
    assert "./var.mount" in listed
    assert "./boot.mount" in listed
    assert "What=/sysroot/ostree/deploy/os/var\n" in boot.shell("cat /tmp/units/var.mount")
    assert boot.shell("/tmp/tree/usr/lib/ostree/ostree-remount") == ""


# state overlays -------------------------------------------------------------------------------

NAME = r"usr-share\x2dx"


@pytest.fixture
def shipped(twins: Twins) -> SimulatedBoot:
    """A system that ships ``/usr/opt/tool``."""
    for name in ("usr/opt/tool", "usr/opt/dir/shipped"):
        path = twins.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version 1")
    twins.commit()
    twins.admin("deploy", "os/main")
    twins.boot()
    return twins.boots["ours"]


@needs_overlay
def test_changes_are_kept_until_an_update_brings_others(
    twins: Twins, shipped: SimulatedBoot
) -> None:
    result = admin(shipped, "state-overlay", NAME, "/usr/opt")
    assert (result.returncode, result.stderr) == (0, "")
    shipped.shell(
        "echo mine >/usr/opt/mine; echo changed >/usr/opt/tool; rm /usr/opt/dir/shipped;"
        "echo mine >/usr/opt/dir/mine"
    )
    assert shipped.shell("stat -c %a /usr/opt") == "755\n"
    twins.boot(0)
    boot = twins.boots["ours"]
    assert admin(boot, "state-overlay", NAME, "/usr/opt").returncode == 0
    assert boot.shell("cat /usr/opt/tool; ls /usr/opt/dir") == "changed\nmine\n"

    (twins.tree / "usr/opt/tool").write_text("version 2")
    twins.commit()
    twins.admin("upgrade", "--deploy-only")
    twins.boot(0)
    boot = twins.boots["ours"]
    assert admin(boot, "state-overlay", NAME, "/usr/opt").returncode == 0

    assert boot.shell("cat /usr/opt/tool; echo; ls /usr/opt /usr/opt/dir") == (
        "version 2\n/usr/opt:\ndir\nmine\ntool\n\n/usr/opt/dir:\nmine\nshipped\n"
    )


@needs_overlay
def test_a_mounted_overlay_is_not_mounted_again(shipped: SimulatedBoot) -> None:
    for _ in range(2):
        assert admin(shipped, "state-overlay", NAME, "/usr/opt").returncode == 0

    assert shipped.shell("grep -c ' /usr/opt ' /proc/mounts") == "1\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["name"], "Missing NAME or MOUNTPATH"),
        (["../name", "/usr"], "Invalid name of a state overlay: '../name'"),
        (["..", "/usr"], "Invalid name of a state overlay: '..'"),
        (["name", "/missing"], "Mounting state overlay name: /missing: No such file or directory"),
        (["name", "/etc/a"], "Mounting state overlay name: /etc/a: Not a directory"),
    ],
)
def test_refused_overlays(boot: SimulatedBoot, words: list[str], message: str) -> None:
    result = admin(boot, "state-overlay", *words)

    assert (result.returncode, result.stderr) == (1, f"error: {message}\n")


def test_without_a_booted_system_there_is_no_overlay(boot: SimulatedBoot) -> None:
    (boot.run_directory / "ostree-booted").unlink()

    assert admin(boot, "state-overlay", "name", "/usr").stderr == (
        "error: Must be booted into an OSTree deployment\n"
    )
