"""Whatever call staging or finishing a deployment dies at, the machine boots, and it can go on.

As :mod:`e2e.test_kill_admin`, on a system that looks booted.  After each interruption:

* the boot files lead to complete deployments, of the old list or of the new one;
* the reference, booted or not, reads the sysroot, and lists the same;
* the command succeeds when it is run once more: nothing that was staged is lost on the way;
* nothing is left over.
"""

from __future__ import annotations

import collections
import datetime as dt
import errno
import importlib
import json
import os
import pkgutil
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

import ostree as package
from cli.running import ostree, succeed
from support import interruptions
from support.bootable import Sample, booted_list, leftovers
from support.simulated_boot import (
    MOUNT_POINTS,
    OURS,
    REFERENCE,
    SimulatedBoot,
    make_removable,
    why_not,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Oracle

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]

MUTABLE = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}
STRIDE = 1 if os.environ.get("OSTREE_KILL_ROUNDS") == "all" else 41
OFFSET = dt.datetime.now(dt.UTC).timetuple().tm_yday

#: Release and kernel of each commit: what is booted, a sub-swap away, a full swap away.
RELEASES = {"booted": ("1", "a"), "near": ("2", "a"), "far": ("3", "b")}

FINALIZE = ("finalize-staged",)
#: What is staged before, the command, and the list after it.
COMMANDS = {
    "finalize-staged": ("far", FINALIZE, ["far", "booted"]),
    "finalize-staged by sub-swap": ("near", FINALIZE, ["near", "booted"]),
    "stage": (None, ("deploy", "--stage", "far"), ["booted"]),
    "stage another": ("near", ("deploy", "--stage", "far"), ["booted"]),
    "lock": ("near", ("lock-finalization",), ["booted"]),
    "deploy over it": ("near", ("deploy", "far"), ["far", "booted"]),
    "undeploy it": ("near", ("undeploy", "0"), ["booted"]),
    "hotfix": (None, ("unlock", "--hotfix"), ["booted", "booted"]),
}


class Lab:
    """A template of a sysroot with a booted deployment, and copies of it that are booted."""

    def __init__(self, directory: Path) -> None:
        self.template, self.root = directory / "template", directory / "root"
        self.kept_run, self.run = directory / "kept", directory / "run"
        self.samples: dict[str, Sample] = {}
        self.commits: dict[str, str] = {}
        self._directory = directory
        self._boot: SimulatedBoot | None = None
        self._make_template()

    def _make_template(self) -> None:
        root, repo = self.template, f"--repo={self.template}/ostree/repo"
        root.mkdir()
        succeed("admin", "init-fs", "--modern", root)
        succeed("config", repo, "set", "core.fsync", "false")
        succeed("admin", "os-init", f"--sysroot={root}", "os")
        for number, (name, (release, kernel)) in enumerate(RELEASES.items()):
            sample, tree = Sample(release, kernel), self._directory / f"tree-{name}"
            sample.write(tree)
            for place in MOUNT_POINTS:
                (tree / place).mkdir(exist_ok=True)
            options = (f"--timestamp=@{1000 + number}", f"--branch={name}", f"--tree=dir={tree}")
            checksum = succeed("commit", repo, *options).strip()
            self.samples[checksum], self.commits[name] = sample, checksum
        (root / "boot/loader.0").mkdir()
        (root / "boot/loader").symlink_to("loader.0")
        (root / "boot/loader.0/uEnv.txt").touch()
        (root / "boot/uEnv.txt").symlink_to("loader/uEnv.txt")
        succeed("admin", "deploy", f"--sysroot={root}", "--os=os", "booted", environ=MUTABLE)
        (root / self.booted / "etc/local").write_text("local\n")

    @property
    def booted(self) -> str:
        return f"ostree/deploy/os/deploy/{self.commits['booted']}.0"

    @property
    def boot(self) -> SimulatedBoot:
        assert self._boot is not None
        return self._boot

    def stage(self, name: str, *, pending: bool) -> None:
        """Have something staged in the template, and maybe something else waiting for a reboot."""
        with SimulatedBoot(self.template, self.booted, self.kept_run) as boot:
            if pending:
                boot.run(*OURS, "admin", "deploy", "booted", environ=MUTABLE)
            boot.run(*OURS, "admin", "deploy", "--stage", name, environ=MUTABLE)

    def reset(self) -> None:
        """Make the sysroot that of the template, and boot it."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", self.template, self.root], check=True)
        self._boot = SimulatedBoot(self.root, self.booted, self.run)
        if self.kept_run.exists():
            shutil.copytree(self.kept_run / "ostree", self.run / "ostree", dirs_exist_ok=True)

    def stop(self) -> None:
        if self._boot is not None:
            self._boot.stop()
            self._boot = None

    def interrupt(self, command: tuple[str, ...], at: int, error: int = 0) -> Outcome:
        """Run a command inside, in a process of its own."""

        def act() -> bytes:
            result = ostree("admin", *command, environ=MUTABLE)
            return json.dumps([result.status, result.err]).encode()

        interrupted = interruptions.interrupt(act, at=at, error=error, before=self.boot.enter)
        err = ""
        if interrupted.report:
            status, err = json.loads(interrupted.report)
            interrupted = interrupted._replace(status=status)
        return Outcome(interrupted, err)


class Outcome:
    """What became of a command, and what it said."""

    def __init__(self, interrupted: interruptions.Interrupted, err: str) -> None:
        self.calls, self.call, self.status, _ = interrupted
        self.err = err


@pytest.fixture
def lab(memory: Path) -> Iterator[Lab]:
    interruptions.require()
    import_everything()
    made = Lab(memory)
    yield made
    made.stop()
    for root in (made.template, made.root):
        make_removable(root)


def import_everything() -> None:
    """Inside, modules cannot be found where they are outside."""
    for floor in ("cli.commands.admin", "sysroot", "repo", "store", "system", "formats", "sign"):
        base = importlib.import_module(f"{package.__name__}.{floor}")
        for module in pkgutil.walk_packages(base.__path__, f"{base.__name__}."):
            importlib.import_module(module.name)


def names_of(listed: list[str], lab: Lab) -> list[str]:
    names = {checksum: name for name, checksum in lab.commits.items()}
    return [names[entry.partition(".")[0]] for entry in listed]


def check(lab: Lab, oracle: Oracle, lists: list[list[str]]) -> list[str]:
    """The list, which is one of ``lists``, after all that must hold has been seen to hold."""
    found = booted_list(lab.root, lab.samples)
    assert names_of(found, lab) in lists
    listed = oracle("admin", "status", f"--sysroot={lab.root}").stdout.splitlines()
    assert [line.split()[1] for line in listed if line.startswith("  os ")] == found
    inside = lab.boot.run(*REFERENCE, "admin", "status").stdout.splitlines()
    bootable = [line for line in inside if line[2:].startswith("os ") and "(staged)" not in line]
    # Killed between two steps, what is finished may still be staged: it is the same deployment.
    assert {line[2:].split()[1] for line in bootable} == set(found)
    return names_of(found, lab)


def staged(lab: Lab) -> str | None:
    """What is staged, as the reference sees it."""
    for line in lab.boot.run(*REFERENCE, "admin", "status").stdout.splitlines():
        if "(staged)" in line:
            return names_of([line[2:].split()[1]], lab)[0]
    return None


def left_over(lab: Lab) -> list[str]:
    """What neither the list nor what is staged needs."""
    name = staged(lab)
    return [
        path
        for path in leftovers(lab.root, lab.samples)
        if name is None or lab.commits[name] not in path
    ]


@pytest.mark.parametrize("how", ["kill", "full", "broken"])
@pytest.mark.parametrize("name", COMMANDS)
def test_at_every_call(lab: Lab, oracle: Oracle, name: str, how: str) -> None:
    before, command, after = COMMANDS[name]
    if before is not None:
        lab.stage(before, pending="sub-swap" in name)
    error = {"kill": 0, "full": errno.ENOSPC, "broken": errno.EIO}[how]
    lab.reset()
    whole = lab.interrupt(command, 0)
    assert whole.status == 0, whole.err
    assert check(lab, oracle, [after]) == after
    final_staged = staged(lab)
    assert left_over(lab) == []
    outcomes: collections.Counter[str] = collections.Counter()
    calls = range(1 + OFFSET % min(STRIDE, whole.calls), whole.calls + 1, STRIDE)

    for at in calls:
        lab.reset()
        result = lab.interrupt(command, at, error)
        try:
            if how == "kill":
                assert result.status == -signal.SIGKILL
            elif result.status:
                assert result.status == 1
                assert result.err.startswith("error: ")
                assert os.strerror(error) in result.err
                outcomes["error"] += 1
                # What failed has changed nothing.
                is_done = names_of(booted_list(lab.root, lab.samples), lab)[0] != "booted"
                assert is_done or staged(lab) in {before, final_staged}
                overlay = (lab.root / lab.booted / ".usr-ovl-work").exists()
                status = lab.boot.run(*REFERENCE, "admin", "status").stdout
                assert overlay == ("Unlocked: hotfix" in status)
            listed = check(lab, oracle, [["booted"], ["booted", "booted"], after])
            outcomes["new" if listed == after else "old"] += 1
            finish(lab, name, command, listed)
            assert check(lab, oracle, [after]) == after
            assert staged(lab) == final_staged
            assert left_over(lab) == []
            assert not (lab.root / "boot/ostree/finalize-failure.stamp").exists()
            if name == "hotfix":
                check_hotfixed(lab)
        except (AssertionError, OSError, subprocess.CalledProcessError) as failure:
            failure.add_note(
                f"{name}, {how} at call {at} of {whole.calls} ({result.call}): {result.err}"
            )
            raise
    print(f"{name}, {how}: {whole.calls} calls, {dict(outcomes)}")
    assert outcomes["old"] + outcomes["new"] == len(calls)


def check_hotfixed(lab: Lab) -> None:
    """The next boot mounts the overlay, and everybody knows."""
    assert (lab.root / lab.booted / ".usr-ovl-work").is_dir()
    origin = lab.root / f"{lab.booted}.origin"
    assert "\nunlocked=hotfix\n" in origin.read_text()
    origins = list(origin.parent.glob("*.origin"))
    assert [path for path in origins if "unlocked" in path.read_text()] == [origin]


def finish(lab: Lab, name: str, command: tuple[str, ...], listed: list[str]) -> None:
    """Do what is left of the command, and clean up."""
    again = [command]
    if name in {"deploy over it", "undeploy it"} and (listed != ["booted"] or staged(lab) is None):
        again = [] if listed == COMMANDS[name][2] else [command]
    if (
        name == "hotfix"
        and "Unlocked: hotfix" in lab.boot.run(*REFERENCE, "admin", "status").stdout
    ):
        again = []
    for argv in [*again, ("cleanup",)]:
        result = lab.interrupt(argv, 0)
        assert (result.status, result.err) == (0, ""), argv
