"""A deployment recorded write by write, and every state that a power cut could have left.

Runs in a mount namespace of its own: mounts that somebody else copies would keep loop devices, and
with them old content, alive.
"""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from support.bootable import Sample, check_deployment
from support.write_log import WriteLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MIB = 1 << 20
_BOOT, _ROOT = (1 * _MIB, 24 * _MIB), (25 * _MIB, 96 * _MIB)
_SIZE = 122 * _MIB
_SOME = 40


class Recording:
    """A disk with two ext4 file systems, and what a deployment writes to it.

    Args:
        directory: For images and logs.
        what: ``full swap``, ``sub-swap`` (a deployment that changes nothing in ``/boot``) or
            ``undeploy``.
    """

    def __init__(self, directory: Path, what: str) -> None:
        self._directory = directory
        self._disk, self._base = directory / "disk.img", directory / "base.img"
        self._log = directory / "log"
        self._samples: dict[str, Sample] = {}
        self._what = what
        kernels = "aaa" if what == "sub-swap" else "abc"
        self._releases = [Sample(str(number), kernel) for number, kernel in enumerate(kernels)]
        self._limit = 0

    # recording --------------------------------------------------------------------------------

    def record(self) -> None:
        """Change a system of two deployments, and write down what that does to the disk."""
        with self._disk.open("wb") as file:
            file.truncate(_SIZE)
        for offset, size in (_BOOT, _ROOT):
            self._run(
                "/sbin/mkfs.ext4",
                "-q",
                "-F",
                "-E",
                f"offset={offset}",
                self._disk,
                f"{size >> 10}k",
            )
        with self._mounted(self._disk) as root:
            self._set_up(root)
        shutil.copyfile(self._disk, self._base)
        with self._log.open("wb") as file:
            file.truncate(1 << 30)  # Sparse; the driver does not make it longer.
        with self._exported() as disk, self._mounted(disk) as root:
            if self._what == "undeploy":
                self._ostree("admin", "undeploy", f"--sysroot={root}", "0")
            else:
                self._deploy(root, 2)
            # What the kernel writes later by itself belongs to it, what an unmount writes not.
            time.sleep(1)
            log = WriteLog(self._log)
            self._limit = len(log.entries)
            log.close()

    def _set_up(self, root: Path) -> None:
        self._ostree("admin", "init-fs", "--modern", root)
        self._ostree("admin", "os-init", f"--sysroot={root}", "os")
        (root / "boot/loader.0").mkdir()
        (root / "boot/loader").symlink_to("loader.0")
        (root / "boot/loader.0/uEnv.txt").touch()
        (root / "boot/uEnv.txt").symlink_to("loader/uEnv.txt")
        for number, sample in enumerate(self._releases):
            tree = self._directory / f"tree-{number}"
            sample.write(tree)
            repo = f"--repo={root}/ostree/repo"
            checksum = self._ostree("commit", repo, "-b", f"release-{number}", tree).strip()
            self._samples[checksum] = sample
        for number in range(2):
            self._deploy(root, number)
            for etc in root.glob("ostree/deploy/os/deploy/*/etc"):
                (etc / "local").write_text("local\n")

    def _deploy(self, root: Path, number: int) -> None:
        self._ostree("admin", "deploy", f"--sysroot={root}", "--os=os", f"release-{number}")

    @contextlib.contextmanager
    def _exported(self) -> Iterator[Path]:
        """The disk as a file all writes to which are logged."""
        exported = self._directory / "exported.img"
        exported.touch()
        nodes = (
            f"driver=file,node-name=f0,filename={self._disk}",
            "driver=raw,node-name=r0,file=f0",
            f"driver=file,node-name=f1,filename={self._log}",
            "driver=raw,node-name=l0,file=f1",
            (
                "driver=blklogwrites,node-name=d0,file=r0,log=l0,log-sector-size=512,"
                "log-super-update-interval=1"
            ),
        )
        export = f"type=fuse,id=e0,node-name=d0,writable=on,mountpoint={exported}"
        arguments = [word for node in nodes for word in ("--blockdev", node)]
        daemon = subprocess.Popen(["qemu-storage-daemon", *arguments, "--export", export])
        try:
            while exported.stat().st_size == 0 and daemon.poll() is None:
                time.sleep(0.05)
            yield exported
        finally:
            daemon.terminate()
            daemon.wait()

    # checking ---------------------------------------------------------------------------------

    def check(self, *, every_state: bool) -> None:
        """Look at states; print those that do not boot, and at last how many there were."""
        log = WriteLog(self._log, self._limit)
        states = list(log.states(random.Random(1)))
        step = 1 if every_state else max(1, len(states) // _SOME)
        seen = bad = 0
        outcomes: dict[str, int] = {}
        state = self._directory / "state.img"
        for name, entries in states[::step]:
            seen += 1
            self._run("cp", "--sparse=always", self._base, state)
            with state.open("r+b") as image:
                log.apply(entries, image)
            try:
                found = self._boot(state)
            except (AssertionError, OSError, KeyError, subprocess.CalledProcessError) as error:
                bad += 1
                print(f"{name}: {error!r}")
            else:
                outcomes[found] = outcomes.get(found, 0) + 1
        print(f"{len(log.entries)} entries, {len(states)} states; boots {outcomes}")
        log.close()
        print(seen, bad)

    def _boot(self, image: Path) -> str:
        """What U-Boot and then Linux would do; which releases can be booted."""
        with self._mount(image, _BOOT, self._directory / "seen", "ro,noload") as boot:
            text = (boot / "uEnv.txt").resolve(strict=True).read_text()
            values = dict(line.split("=", 1) for line in text.splitlines() if line)
            suffixes = [key.removeprefix("bootargs") for key in values if "bootargs" in key]
            kernels = [
                (
                    (boot / values[f"kernel_image{suffix}"].removeprefix("/boot/")).read_text(),
                    (boot / values[f"ramdisk_image{suffix}"].removeprefix("/boot/")).read_text(),
                )
                for suffix in suffixes
            ]
        assert suffixes[:1] == [""]
        found = []
        with self._mounted(image) as root:
            for suffix, (kernel, ramdisk) in zip(suffixes, kernels, strict=True):
                match = re.search(r"ostree=/(\S+)", values[f"bootargs{suffix}"])
                assert match
                deployment = (root / match[1]).resolve(strict=True)
                sample = self._samples[deployment.name.partition(".")[0]]
                check_deployment(deployment, sample)
                modules = "usr/lib/modules/6.1"
                assert kernel == sample.files[f"{modules}/vmlinuz"]
                assert ramdisk == sample.files[f"{modules}/initramfs.img"]
                found.append(str(self._releases.index(sample)))
        for offset, _ in (_BOOT, _ROOT):
            self._run("/sbin/e2fsck", "-fn", f"{image}?offset={offset}")
        return "+".join(found)

    # mounts and programs ----------------------------------------------------------------------

    @contextlib.contextmanager
    def _mounted(self, image: Path) -> Iterator[Path]:
        """Both file systems, with their journals replayed."""
        where = self._directory / "root"
        with self._mount(image, _ROOT, where, "rw") as root:
            (root / "boot").mkdir(exist_ok=True)
            with self._mount(image, _BOOT, root / "boot", "rw"):
                yield root

    @contextlib.contextmanager
    def _mount(
        self, image: Path, part: tuple[int, int], where: Path, options: str
    ) -> Iterator[Path]:
        where.mkdir(exist_ok=True)
        offset, size = part
        options = f"loop,offset={offset},sizelimit={size},{options}"
        self._run("mount", "-t", "ext4", "-o", options, image, where)
        try:
            yield where
        finally:
            self._run("umount", where)

    def _ostree(self, *arguments: str | Path) -> str:
        return self._run(sys.executable, "-m", "ostree", *arguments)

    def _run(self, *command: str | Path) -> str:
        return subprocess.run(
            [str(word) for word in command], check=True, capture_output=True, text=True
        ).stdout
