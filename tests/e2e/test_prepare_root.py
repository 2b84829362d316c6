"""The same preparation in a distribution's ramdisk, and without any."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.running import succeed as run_ostree
from ostree.boot.scripts import read_script
from support.fake_machine import COMMIT, STATEROOT, TARGET, FakeMachine, require_machine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.root

DEPLOYMENT = f"/ostree/deploy/{STATEROOT}/deploy/{COMMIT}.0"
PROGRAM = f"{TARGET}/usr/lib/ostree/ostree-prepare-root"


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path, require_machine())


class TestWithoutRamdisk:
    """The kernel mounts the disk and starts the program that is in the deployment."""

    @pytest.fixture
    def machine(self, machine: FakeMachine) -> FakeMachine:
        run_ostree("ramdisk", "install", f"--root={machine.deployment}", "no-ramdisk")
        for name in ("dev", "proc", "sysroot"):
            (machine.sysroot / name).mkdir()
        return machine

    def test_the_deployment_is_started(self, machine: FakeMachine) -> None:
        started = machine.start("init=" + PROGRAM, kind="disk", init=PROGRAM)

        assert started.facts is not None, started.messages
        assert started.facts["pid"] == ["1"]
        assert started.facts["writable"] == ["/", "/etc", "/var", "/sysroot", "/boot"]
        assert started.mounts["/"].root == DEPLOYMENT
        assert started.mounts["/var"].root == f"/ostree/deploy/{STATEROOT}/var"
        assert started.mounts["/sysroot"].root == "/"
        assert "ro" in started.mounts["/usr"].options
        # Commands of a system without systemd tell by it that the system is one of ostree's.
        assert started.facts["state"][0]
        assert not [where for where in started.mounts if where.startswith("/run/")]

    def test_it_can_be_started_again(self, machine: FakeMachine, tmp_path: Path) -> None:
        """Nothing is left on the disk that would be in the way."""
        machine.start(kind="disk", init=PROGRAM)

        started = machine.start(kind="disk", init=PROGRAM, disk=tmp_path / "disk.img")

        assert started.facts is not None, started.messages

    def test_the_disk_may_be_read_only(self, machine: FakeMachine) -> None:
        started = machine.start(kind="disk", init=PROGRAM, mode="ro")

        assert started.facts is not None, started.messages
        assert "writable" not in started.facts

    def test_the_repository_says_that_sysroot_is_read_only(self, machine: FakeMachine) -> None:
        (machine.sysroot / "ostree/repo/config").write_text("[sysroot]\nreadonly=true\n")

        started = machine.start(kind="disk", init=PROGRAM)

        assert started.facts is not None, started.messages
        assert started.facts["writable"] == ["/", "/etc", "/var", "/boot"]

    def test_a_hotfix_is_mounted(self, machine: FakeMachine) -> None:
        for name in (".usr-ovl-upper", ".usr-ovl-work"):
            (machine.deployment / name).mkdir()

        started = machine.start(kind="disk", init=PROGRAM)

        assert started.facts is not None, started.messages
        assert "/usr" in started.facts["writable"]

    @pytest.mark.parametrize(
        ("arguments", "target", "expected"),
        [
            ("", None, "No ostree target found; expected ostree=/ostree/boot.N/..."),
            ("", "/ostree/boot.0/x", "Couldn't find specified OSTree root '/ostree/boot.0/x'"),
            ("ostree.prepare-root.composefs=yes", TARGET, "composefs needs a ramdisk"),
        ],
    )
    def test_it_says_why_it_gives_up(
        self, machine: FakeMachine, arguments: str, target: str | None, expected: str
    ) -> None:
        started = machine.start(arguments, target=target, kind="disk", init=PROGRAM)

        assert started.facts is None
        assert f"ostree-prepare-root: {expected}\n" in started.messages
        assert started.status == 1

    def test_init_and_target_have_to_agree(self, machine: FakeMachine) -> None:
        other = machine.deployment.with_suffix(".1")
        shutil.copytree(machine.deployment, other, symlinks=True)
        (machine.sysroot / "ostree/other").symlink_to(f"deploy/{STATEROOT}/deploy/{COMMIT}.1")

        started = machine.start(target="/ostree/other", kind="disk", init=PROGRAM)

        assert started.facts is None
        assert "init= and ostree= name different deployments" in started.messages


DISTRIBUTION = """#!/bin/sh
export PATH=/bin:/sbin
mount -t tmpfs tmpfs /run
mount "$(sed 's/.*root=\\([^ ]*\\).*/\\1/' /proc/cmdline)" /sysroot || exit 3
sh /usr/lib/ostree/ostree-prepare-root /sysroot || exit 4
for directory in dev proc sys run; do mount --move /$directory /sysroot/$directory; done
exec switch_root -c /dev/console /sysroot /sbin/init
"""


class TestInDistributionsRamdisk:
    """``ostree-prepare-root SYSROOT``, called with the physical root mounted there."""

    def test_with_busybox(self, machine: FakeMachine) -> None:
        library = machine.ramdisk / "usr/lib/ostree"
        (library / "prepare-root.sh").write_bytes(read_script("prepare-root.sh"))
        (library / "ostree-prepare-root").write_bytes(read_script("ostree-prepare-root.sh"))
        init = machine.ramdisk / "init2"
        init.write_text(DISTRIBUTION)
        init.chmod(0o755)

        started = machine.start(init="/init2")

        assert started.facts is not None, started.messages
        assert started.facts["writable"] == ["/", "/etc", "/var", "/sysroot", "/boot"]
        assert started.mounts["/"].root == DEPLOYMENT
        assert started.mounts["/sysroot"].root == "/"

    @pytest.mark.parametrize("shell", ["dash", "bash"])
    @pytest.mark.parametrize("configuration", ["", "[sysroot]\nreadonly=true\n"])
    def test_with_programs_of_a_distribution(
        self, machine: FakeMachine, tmp_path: Path, shell: str, configuration: str
    ) -> None:
        """Of util-linux and coreutils, whose options differ from busybox's here and there."""
        if not shutil.which(shell):
            pytest.skip(f"{shell} is not installed")
        machine.make_disk()
        (machine.sysroot / "unused").mkdir()
        (tmp_path / "sysroot.mnt").mkdir()
        for name in ("prepare-root.sh", "ostree-prepare-root.sh"):
            (tmp_path / name).write_bytes(read_script(name))
        (tmp_path / "repository").write_text(configuration)
        script = """
            set -e
            mount --make-rprivate /
            mount -t tmpfs tmpfs /run
            mount -o loop disk.img sysroot.mnt
            cp repository sysroot.mnt/ostree/repo/config
            "$1" ./ostree-prepare-root.sh sysroot.mnt "quiet ostree=$2" >&2
            cd sysroot.mnt
            for place in . usr etc var sysroot boot; do
                if touch $place/probe 2>/dev/null; then echo $place; rm $place/probe; fi
            done
            cat etc/local var/kept
        """
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", shell, TARGET],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )

        assert done.returncode == 0, done.stderr
        places = [".", "etc", "var", *([] if configuration else ["sysroot"]), "boot"]
        assert done.stdout.split("\n") == [*places, "of the machine", "in var", ""]

    def test_failure_is_told_by_the_status(self, tmp_path: Path) -> None:
        require_machine()
        for name in ("prepare-root.sh", "ostree-prepare-root.sh"):
            (tmp_path / name).write_bytes(read_script(name))

        done = subprocess.run(
            ["sh", tmp_path / "ostree-prepare-root.sh", tmp_path, "quiet"],
            check=False,
            capture_output=True,
            text=True,
        )

        assert done.returncode == 1
        assert done.stderr.startswith("ostree-prepare-root: No ostree target found")
