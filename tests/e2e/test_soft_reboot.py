"""A soft reboot prepared, on a system that looks booted and whose deployments have images."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from compat.booted_twins import Twins, boot_target
from ostree.formats.booted_state import BootedState
from ostree.sysroot.immutable import set_immutable
from support.simulated_boot import OURS, why_no_overlay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.simulated_boot import SimulatedBoot

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(why_no_overlay() is not None, reason=why_no_overlay() or ""),
    pytest.mark.skipif(
        shutil.which("ostree", path="/usr/bin") is None,
        reason="the reference command is not installed (Debian: ostree)",
    ),
]
needs_image = pytest.mark.skipif(
    shutil.which("mkfs.erofs") is None, reason="mkfs.erofs is missing (Debian: erofs-utils)"
)
PREFIX = "error: Preparing /run/nextroot for a soft-reboot: "


@pytest.fixture
def twins(memory: Path) -> Iterator[Twins]:
    """Booted from the second deployment of the list; the first has the same kernel."""
    made = Twins(memory)
    (made.tree / "usr/data").write_text("the next release")
    made.commit()
    made.admin("deploy", "os/main")
    yield made
    made.remove()


@pytest.fixture
def boot(twins: Twins) -> SimulatedBoot:
    return twins.boots["ours"]


def admin(boot: SimulatedBoot, *argv: str) -> subprocess.CompletedProcess[str]:
    return boot.run(*OURS, "admin", *argv, check=False)


def configure(boot: SimulatedBoot, text: str = "[composefs]\nenabled=yes\n") -> None:
    boot.shell(f"mkdir -p /etc/ostree; printf '{text}' >/etc/ostree/prepare-root.conf")


DIRECTORIES = ("usr/etc", "etc", "boot", "var", "sysroot")


def make_image(root: Path, directory: Path, directories: Sequence[str] = DIRECTORIES) -> None:
    """Give the first deployment an image, with one file whose content is in the repository."""
    deployment = root / boot_target(root, 0)
    objects = root / "ostree/repo/objects"
    tree = directory / "image"
    for name in directories:
        (tree / name).mkdir(parents=True)
    wanted = (deployment / "usr/data").stat()
    content = next(p for p in objects.glob("*/*.file") if p.stat().st_ino == wanted.st_ino)
    data = tree / "usr/data"
    data.touch()
    os.truncate(data, wanted.st_size)
    os.setxattr(data, "trusted.overlay.metacopy", b"")
    os.setxattr(data, "trusted.overlay.redirect", f"/{content.relative_to(objects)}".encode())
    (tree / "usr/etc/default").write_text("default")
    image = deployment / ".ostree.cfs"
    fd = os.open(deployment.parent, os.O_RDONLY)
    try:
        set_immutable(deployment.name, fd, on=False)
    finally:
        os.close(fd)
    subprocess.run(["mkfs.erofs", "--quiet", image, tree], check=True, capture_output=True)


def prepared(twins: Twins, boot: SimulatedBoot, config: str) -> subprocess.CompletedProcess[str]:
    configure(boot, config)
    make_image(twins.roots["ours"], twins.tree.parent)
    return admin(boot, "prepare-soft-reboot", "0")


@needs_image
def test_the_next_root_is_mounted_and_entered(twins: Twins, boot: SimulatedBoot) -> None:
    result = prepared(twins, boot, "[composefs]\nenabled=yes\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")

    assert boot.shell("cat /run/nextroot/usr/data") == "the next release"
    assert "Read-only" in boot.shell("touch /run/nextroot/usr/x 2>&1 || true")
    assert "Read-only" in boot.shell("touch /run/nextroot/sysroot/x 2>&1 || true")
    assert boot.shell("touch /run/nextroot/etc/x && ls /sysroot/ostree/deploy/os/deploy/*/etc/x")
    boot.shell("touch /sysroot/x && rm /sysroot/x")
    lines = admin(boot, "status").stdout.splitlines()
    assert lines[0].endswith(" (pending) (soft-reboot)")
    facts = json.loads(admin(boot, "status", "--json").stdout)["deployments"]
    assert [fact["soft-reboot-target"] for fact in facts] == [True, False]
    state = BootedState.decode((boot.run_directory / "ostree/nextroot-booted").read_bytes())
    assert (state.composefs, state.sysroot_ro, state.composefs_verity) == (True, True, False)

    environ = {"INVOCATION_ID": "1"}
    assert boot.run(*OURS, "admin", "boot-complete", environ=environ).returncode == 0

    assert (boot.run_directory / "ostree-booted").read_bytes() == state.encode()
    assert not (boot.run_directory / "ostree/nextroot-booted").exists()


@needs_image
@pytest.mark.parametrize(
    "undoing",
    [["prepare-soft-reboot", "--reset"], ["deploy", "--stage", "os/main"], ["undeploy", "0"]],
    ids=lambda words: words[0],
)
def test_what_undoes_it(twins: Twins, boot: SimulatedBoot, undoing: list[str]) -> None:
    assert prepared(twins, boot, "[composefs]\nenabled=yes\n").returncode == 0

    result = admin(boot, *undoing)

    assert result.returncode == 0, result.stderr
    assert "nextroot" not in boot.shell("cat /proc/mounts")
    assert not (boot.run_directory / "ostree/nextroot-booted").exists()
    assert "soft-reboot" not in admin(boot, "status").stdout


@needs_image
def test_a_list_with_the_target_leaves_it(twins: Twins, boot: SimulatedBoot) -> None:
    assert admin(boot, "deploy", "--not-as-default", "--retain", "os/main").returncode == 0
    assert prepared(twins, boot, "[composefs]\nenabled=yes\n").returncode == 0

    assert admin(boot, "undeploy", "2").returncode == 0

    assert "(soft-reboot)" in admin(boot, "status").stdout


@needs_image
def test_an_etc_and_a_root_that_forget(twins: Twins, boot: SimulatedBoot) -> None:
    config = "[composefs]\nenabled=yes\n[etc]\ntransient=true\n[root]\ntransient=true\n"
    result = prepared(twins, boot, config)
    assert (result.returncode, result.stderr) == (0, "")

    boot.shell("touch /run/nextroot/etc/x /run/nextroot/x")

    assert boot.shell("ls /run/nextroot/etc").split() == ["default", "x"]
    state = BootedState.decode((boot.run_directory / "ostree/nextroot-booted").read_bytes())
    assert state.root_transient
    assert state.transient_etc is not None
    assert os.path.basename(state.transient_etc).startswith("transient-etc.")


def test_it_takes_composefs(boot: SimulatedBoot) -> None:
    result = admin(boot, "prepare-soft-reboot", "0")

    assert (result.returncode, result.stderr) == (
        1,
        f"{PREFIX}soft reboot not supported without composefs\n",
    )
    assert not (boot.run_directory / "ostree/nextroot-booted").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("[composefs]\nenabled=yes\n", "composefs: failed to mount: "),
        ("[composefs]\nenabled=signed\n", "soft reboot is not supported with signed composefs"),
        ("[composefs]\nenabled=perhaps\n", "Invalid value 'perhaps' of composefs.enabled"),
    ],
)
def test_what_fails_leaves_nothing(boot: SimulatedBoot, config: str, message: str) -> None:
    configure(boot, config)

    result = admin(boot, "prepare-soft-reboot", "0")

    assert result.returncode == 1
    assert result.stderr.startswith(f"{PREFIX}{message}")
    assert "nextroot" not in boot.shell("cat /proc/mounts")
    assert not (boot.run_directory / "ostree/nextroot-booted").exists()


@needs_image
def test_what_failed_can_be_looked_at(twins: Twins, boot: SimulatedBoot) -> None:
    configure(boot)
    # The last mount fails: there is no place for it.
    make_image(twins.roots["ours"], twins.tree.parent, DIRECTORIES[:-1])
    argv = [*OURS, "admin", "prepare-soft-reboot", "0"]

    result = boot.run(*argv, environ={"OSTREE_SKIP_NEXTROOT_CLEANUP": "1"}, check=False)

    assert result.stderr == f"{PREFIX}/run/nextroot/sysroot: No such file or directory\n"
    assert "/run/nextroot/etc" in boot.shell("cat /proc/mounts")
    assert admin(boot, "prepare-soft-reboot", "0").returncode == 1
    assert "nextroot" not in boot.shell("cat /proc/mounts")


def test_another_kernel(twins: Twins, boot: SimulatedBoot) -> None:
    configure(boot)
    assert admin(boot, "deploy", "--karg-append=more", "os/main").returncode == 0

    result = admin(boot, "prepare-soft-reboot", "0")

    assert (
        result.stderr == f"{PREFIX}Cannot soft-reboot to deployment with different kernel state\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["1"], "Cannot prepare for soft-reboot currently booted deployment 1"),
        (["7"], "Out of range deployment index 7, expected < 2"),
        (["x"], "Invalid index: x"),
    ],
)
def test_refused_indexes(boot: SimulatedBoot, words: list[str], message: str) -> None:
    assert admin(boot, "prepare-soft-reboot", *words).stderr == f"error: {message}\n"


def test_nothing_is_booted(boot: SimulatedBoot) -> None:
    (boot.run_directory / "ostree-booted").unlink()

    assert admin(boot, "prepare-soft-reboot", "0").stderr == (
        "error: Not currently booted into an OSTree system\n"
    )
