"""docs/device-guide.md, done: every command of it, but for those that say that they are not run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ostree.formats import mbr
from support.draft_trees import SYSTEMD, Contents, write_tree
from support.image_tools import why_no_images
from support.simulated_boot import OURS, SimulatedBoot, environment, make_removable, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "device-guide.md"
PROGRAM = Path(sys.executable).with_name("ostree")
URL = "http://updates.example.com"

why_skip = why_no_images() or why_not() or ""
if not why_skip and not shutil.which("busybox"):
    why_skip = "busybox is not installed (Debian: busybox-static)"
if not why_skip and not shutil.which("openssl"):
    why_skip = "openssl is not installed (Debian: openssl)"
pytestmark = [pytest.mark.root, pytest.mark.skipif(bool(why_skip), reason=why_skip)]

#: What the guide's first step would have made; the last entries are for the simulated boot.
ROOTFS: Contents = {
    **SYSTEMD,
    "bin/sh": "shell",
    "boot/vmlinuz-6.1": "kernel",
    "etc/fstab": "",
    "lib/modules/6.1/kernel": None,
    "lib/modules/6.1/modules.builtin": "kernel/fs/ext4/ext4.ko\nkernel/fs/overlayfs/overlay.ko\n",
    "usr/lib/os-release": "ID=gateway\nNAME=Gateway\nPRETTY_NAME=Gateway\n",
    "var/lib/gateway/state": "state\n",
    "lib64": None,
    "host": None,
}


class Block(NamedTuple):
    """Commands of the guide.

    Attributes:
        text: As they stand.
        is_run: Whether the guide does not say otherwise.
        on_device: Whether they are for the device.
    """

    text: str
    is_run: bool
    on_device: bool


def blocks() -> list[Block]:
    """All commands of the guide."""
    found = re.findall(
        r"(<!-- not run.*?-->\n)?```sh\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL
    )
    return [Block(text, not note, text.startswith("# on the device\n")) for note, text in found]


def test_the_guide_has_the_blocks_that_are_run_here() -> None:
    """Who adds some has to see to it that they are run."""
    kinds = [("device" if b.on_device else "host") if b.is_run else "-" for b in blocks()]

    assert (
        " ".join(kinds)
        == "- - host host host host host host - - host device device device - device"
    )


@pytest.fixture
def place(memory: Path) -> Iterator[Path]:
    """Where the build machine works: a file system that can be mounted over, and is quick."""
    write_tree(memory / "rootfs", ROOTFS)
    wrapper = memory / "bin" / "ostree"
    wrapper.parent.mkdir()
    wrapper.symlink_to(PROGRAM)
    yield memory
    make_removable(memory / "device")


@pytest.fixture
def server(place: Path) -> Iterator[str]:
    """The guide's server, on a free port."""
    with subprocess.Popen([PROGRAM, "serve", place], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.split(" at ")[1].strip().rstrip("/")
        process.terminate()


class Device:
    """The device: what an image has on its partitions, booted in a namespace."""

    def __init__(self, image: Path, place: Path) -> None:
        self._root = place / "device"
        self._run = place / "run"
        self._root.mkdir()
        with open(image, "rb") as file:
            _, records = mbr.decode(file.read(512))
        _, boot, root, _ = records
        extract(image, root, self._root)
        (self._root / "boot").rmdir()
        (self._root / "boot").mkdir()
        extract(image, boot, self._root / "boot")

    def uenv(self) -> dict[str, str]:
        """What U-Boot would import."""
        text = (self._root / "boot/uEnv.txt").read_text()
        return dict(line.split("=", 1) for line in text.splitlines() if line)

    def boot(self, suffix: str = "") -> SimulatedBoot:
        """Start it as U-Boot would, from the first set or another."""
        arguments = self.uenv()[f"bootargs{suffix}"]
        link = next(word for word in arguments.split() if word.startswith("ostree=")).split("=")[1]
        deployment = os.path.realpath(f"{self._root}{link}")
        boot = SimulatedBoot(
            self._root,
            os.path.relpath(deployment, self._root),
            self._run,
            command_line=arguments,
        )
        command = boot.run_directory / "commands" / "ostree"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {" ".join(OURS)} "$@"\n')
        command.chmod(0o755)
        return boot


def extract(image: Path, record: mbr.MbrRecord, target: Path) -> None:
    """What is in an ext4 partition."""
    part = image.with_suffix(".part")
    with open(image, "rb") as source, open(part, "wb") as file:
        source.seek(record.first * 512)
        file.write(source.read(record.sectors * 512))
    command = ["debugfs", "-R", f"rdump / {target}", str(part)]
    subprocess.run(command, check=True, capture_output=True)
    (target / "lost+found").rmdir()
    part.unlink()


def run_on_host(block: Block, place: Path, url: str) -> None:
    path = f"{place}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text.replace(URL, url)],
        cwd=place,
        env={"PATH": path, "LC_ALL": "C.UTF-8", "HOME": str(place)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, block.text + done.stdout + done.stderr


def run_on_device(block: Block, boot: SimulatedBoot) -> str:
    path = f"/run/commands:{environment()['PATH']}"
    done = boot.run("/bin/sh", "-euc", block.text, environ={"PATH": path}, check=False)
    assert done.returncode == 0, block.text + done.stdout + done.stderr
    return done.stdout


def test_the_guide(place: Path, server: str) -> None:
    commands = [block for block in blocks() if block.is_run]
    on_host = [block for block in commands if not block.on_device]
    upgrade, single_steps, back, drop = (block for block in commands if block.on_device)
    *first_release, second_release = on_host

    for block in first_release:
        run_on_host(block, place, server)
    device = Device(place / "gateway.img", place)

    with device.boot() as boot:
        assert (place / "rootfs/usr/lib/modules/6.1/initramfs.img").stat().st_size > 100_000
        run_on_host(second_release, place, server)
        out = run_on_device(upgrade, boot)
        assert out.startswith("vendor:stable/x86_64/gateway\n")
        assert "  gateway " in out
        assert "(pending)" in out
        assert "* gateway " in out
        assert "(pending)" in run_on_device(single_steps, boot).splitlines()[-1]
    assert "kernel_image2" in device.uenv()

    with device.boot() as boot:
        assert boot.shell("cat /etc/release") == "release 2\n"
        out = run_on_device(back, boot)
        assert "Version: 1" in out.partition("*")[0]
        assert "Version: 2" in out.partition("*")[2]

    # Release 1 is first now, and taken for one that fails: U-Boot starts the second set.
    with device.boot("2") as boot:
        assert boot.shell("cat /etc/release") == "release 2\n"
        run_on_device(drop, boot)
        assert "Version: 1" not in boot.run(*OURS, "admin", "status").stdout
    with device.boot() as boot:
        assert boot.shell("cat /etc/release") == "release 2\n"
