"""An operation recorded write by write, and every state that a power cut could have left.

Runs in a mount namespace of its own: mounts that somebody else copies would keep loop devices, and
with them old content, alive.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import stat
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from support.bootable import check_deployment, leftovers
from support.forked_command import preload
from support.power_disk import LAYOUTS, Disk, copy
from support.power_operations import COMMANDS, OPERATIONS, System, Vendor
from support.write_log import WriteLog, count_entries, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.write_log import State

#: What a state that is not as it has to be makes the checks raise.
_BAD = (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError)


class Outcome(NamedTuple):
    """What became of a number of states.

    Attributes:
        states: How many there were.
        different: How many different trees they were, once the journals were replayed.
        booted: How many of them boot which releases, by what U-Boot sees.
        bad: What is wrong with those that do not, or that cannot be gone on from.
    """

    states: int
    different: int
    booted: dict[str, int]
    bad: list[str]


class PowerCuts:
    """One operation on one system.

    Args:
        directory: For images and logs, preferably in memory.
        operation: A name in ``OPERATIONS``.
        layout: A name in ``LAYOUTS``.
        same_kernel: Whether only bootlinks change.
        careless: Whether objects are not synced and the journal is not emptied, which leaves states
            that have to be found bad.
    """

    def __init__(
        self,
        directory: Path,
        operation: str,
        layout: str,
        *,
        same_kernel: bool,
        careless: bool = False,
    ) -> None:
        self._directory = directory
        self._operation = OPERATIONS[operation]
        self._layout = LAYOUTS[layout]
        self._vendor = Vendor(directory, same_kernel=same_kernel)
        self._careless = careless
        self._base = directory / "base.img"
        self._log = directory / "log"
        self._range = (0, 0)
        #: Those that were checked in full, by :func:`fingerprint`.
        self._seen: set[bytes] = set()

    def run(self, *, losses: int, sample: int | None = None) -> Outcome:
        """Record the operation, and look at states.

        Args:
            losses: How many states with losses for each flush.
            sample: Look at about that many states only.
        """
        preload(*COMMANDS)
        with self._vendor.serving() as self._vendor.port:
            self._record()
            return self._check(losses, sample)

    # recording --------------------------------------------------------------------------------

    def _record(self) -> None:
        disk = self._disk("disk.img")
        disk.make()
        with disk.mounted() as root:
            system = System(root, self._vendor)
            system.set_up()
            self._operation.prepare(system)
            if self._careless:
                system.sync_no_objects()
        copy(disk.image, self._base)
        exported = self._disk("exported.img")
        with (
            recorded(disk.image, self._log, exported.image),
            exported.mounted() as root,
        ):
            system = System(root, self._vendor, careless=self._careless)
            self._operation.begin(system)
            start = count_entries(self._log)
            self._operation.act(system)
            if self._careless:
                system.sync_names()
            # What the kernel writes later by itself belongs to it, what an unmount writes not.
            time.sleep(1.5)
            self._range = (start, count_entries(self._log))

    def _disk(self, name: str) -> Disk:
        return Disk(self._directory / name, self._layout, self._directory)

    # checking ---------------------------------------------------------------------------------

    def _check(self, losses: int, sample: int | None) -> Outcome:
        start, end = self._range
        log = WriteLog(self._log, end)
        states = list(log.states(random.Random(1), losses=losses, start=start))
        if sample is not None:
            states = states[:: max(1, len(states) // sample)]
        booted: Counter[str] = Counter()
        bad = []
        for state, disk in self._disks(log, states):
            try:
                booted[self._check_state(disk)] += 1
            except _BAD as error:
                bad.append(f"{state.name}: {error!r}")
        log.close()
        return Outcome(len(states), len(self._seen), dict(booted), bad)

    def _disks(self, log: WriteLog, states: list[State]) -> Iterator[tuple[State, Disk]]:
        """The disk in each of the states; for each it is the same file."""
        applied = 0
        disk = self._disk("state.img")
        for state in states:
            if state.settled > applied:
                with self._base.open("r+b") as image:
                    log.apply(log.entries[applied : state.settled], image)
                applied = state.settled
            copy(self._base, disk.image)
            with disk.image.open("r+b") as image:
                log.apply(state.later, image)
            yield state, disk

    def _check_state(self, disk: Disk) -> str:
        """Do what U-Boot and then Linux would do; gives the releases that can be booted."""
        with disk.unreplayed_boot() as boot:
            choices = read_choices(boot)
        with disk.mounted() as root:
            system = System(root, self._vendor)
            found = [self._check_choice(root, choice) for choice in choices]
            system.booted()
            seen = fingerprint(root)
        disk.check()
        if seen not in self._seen:
            self._go_on(disk)
            self._seen.add(seen)
        return "+".join(found)

    def _check_choice(self, root: Path, choice: Choice) -> str:
        """What U-Boot starts finds the deployment that belongs to it, whole."""
        match = re.search(r"(?:^| )ostree=/(\S+)", choice.arguments)
        assert match, choice.arguments
        deployment = (root / match[1]).resolve(strict=True)
        sample = self._vendor.samples[deployment.name.partition(".")[0]]
        check_deployment(deployment, sample)
        modules = "usr/lib/modules/6.1"
        assert choice.kernel == sample.files[f"{modules}/vmlinuz"]
        assert choice.ramdisk == sample.files[f"{modules}/initramfs.img"]
        assert choice.device_tree == sample.files[f"{modules}/dtb/board.dtb"]
        return str(self._vendor.releases.index(sample))

    def _go_on(self, disk: Disk) -> None:
        """Everything in the repository is whole, and the operation can be made again."""
        with disk.mounted() as root:
            system = System(root, self._vendor, boot="second")
            system.repo("fsck", "--quiet")
            pulled = self._vendor.commits[system.pulled()]
            partial = {path.stem for path in (root / "ostree/repo/state").glob("*.commitpartial")}
            assert pulled not in partial
            self._operation.act(system)
            self._operation.check(system)
            system.repo("fsck", "--quiet")
            system.admin("cleanup")
            left = set(leftovers(root, self._vendor.samples)) - {"boot/lost+found"}
            assert not left, left
        disk.check()


class Choice(NamedTuple):
    """What U-Boot starts: what it has read, and the kernel's command line."""

    kernel: str
    ramdisk: str
    device_tree: str
    arguments: str


def read_choices(boot: Path) -> list[Choice]:
    """What ``uEnv.txt`` makes U-Boot start, and what it falls back to.

    Raises:
        OSError: a file that it names is not there, or has a hole in it.
        KeyError: it names none.
    """
    text = (boot / "uEnv.txt").resolve(strict=True).read_text()
    values = dict(line.split("=", 1) for line in text.splitlines() if line)
    suffixes = [key.removeprefix("bootargs") for key in values if key.startswith("bootargs")]
    assert suffixes[:1] == [""], text

    def read(variable: str, name: str = "") -> str:
        return (boot / values[variable].removeprefix("/boot/") / name).read_text()

    return [
        Choice(
            kernel=read(f"kernel_image{suffix}"),
            ramdisk=read(f"ramdisk_image{suffix}"),
            device_tree=read(f"fdtdir{suffix}", "board.dtb"),
            arguments=values[f"bootargs{suffix}"],
        )
        for suffix in suffixes
    ]


def fingerprint(root: Path) -> bytes:
    """The same for trees that differ in times and numbers of inodes at most.

    What is told apart: names, content, links, owners, permissions and extended attributes.
    """
    hasher = hashlib.sha256()
    known: dict[tuple[int, int], bytes] = {}
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted([*names, *files]):
            path = f"{directory}/{name}"
            status = os.lstat(path)
            key = (status.st_dev, status.st_ino)
            if key not in known:
                known[key] = _facts(path, status)
            hasher.update(b"%s %d " % (os.fsencode(path), status.st_nlink))
            hasher.update(known[key])
    return hasher.digest()


def _facts(path: str, status: os.stat_result) -> bytes:
    facts: list[object] = [status.st_mode, status.st_uid, status.st_gid]
    for name in os.listxattr(path, follow_symlinks=False):
        facts += [name, os.getxattr(path, name, follow_symlinks=False)]
    if stat.S_ISLNK(status.st_mode):
        facts.append(os.readlink(path))
    elif stat.S_ISREG(status.st_mode):
        with open(path, "rb", buffering=0) as file:
            facts.append(hashlib.sha256(file.readall()).digest())
    return hashlib.sha256(repr(facts).encode()).digest()
