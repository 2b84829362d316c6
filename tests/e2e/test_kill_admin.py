"""Whatever call an ``admin`` command dies at, or the disk fails in, the machine boots.

Each command is run again and again: killed at its first call that changes a file system, at its
second, and so on; then with a full disk, and with a failing one, at each in turn.  After each:

* the boot files lead to complete deployments, of the old list or of the new one;
* the reference reads the sysroot, lists the same deployments, and finds its repository whole;
* the command succeeds when it is run once more, and nothing is left over.

The suite takes every 15th call, others every day; ``OSTREE_KILL_ROUNDS=all`` takes all of them.
"""

from __future__ import annotations

import collections
import datetime as dt
import errno
import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree, succeed
from support import interruptions
from support.bootable import Sample, booted_list, leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

pytestmark = [pytest.mark.oracle, pytest.mark.root]

MUTABLE = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}
STRIDE = 1 if os.environ.get("OSTREE_KILL_ROUNDS") == "all" else 15
OFFSET = dt.datetime.now(dt.UTC).timetuple().tm_yday

#: Release and kernel of each commit.
RELEASES = (("1", "a"), ("2", "b"), ("3", "b"), ("4", "c"), ("5", "b"))
COMMANDS = {
    "deploy": ("deploy", "--os=os", "--karg-append=quiet", "new"),
    "deploy by sub-swap": ("deploy", "--os=os", "newer"),
    "deploy retaining": ("deploy", "--os=os", "--retain", "new"),
    "upgrade": ("upgrade", "--os=os"),
    "undeploy 0": ("undeploy", "0"),
    "undeploy 1": ("undeploy", "1"),
    "set-default": ("set-default", "1"),
    "cleanup": ("cleanup",),
    "rollback": ("rollback", "--os=os"),
    "switch": ("switch", "--os=os", "near:"),
    "set-kargs": ("instutil", "set-kargs", "--merge", "quiet"),
    "pin": ("pin", "0"),
    "set-origin": ("set-origin", "--index=0", "far", "http://ignored", "other"),
}


class Lab:
    """A template of a sysroot with two deployments, and copies of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.template, self.root = directory / "template", directory / "root"
        self.samples: dict[str, Sample] = {}
        self._make_remote()
        self._make_template()

    def _make_remote(self) -> None:
        remote = self.directory / "remote"
        succeed("init", f"--repo={remote}", "--mode=archive")
        self.commits = []
        for number, (release, kernel) in enumerate(RELEASES):
            sample, tree = Sample(release, kernel), self.directory / f"tree-{release}"
            sample.write(tree)
            options = (f"--timestamp=@{1000 + number}", "--branch=main", f"--tree=dir={tree}")
            checksum = succeed("commit", f"--repo={remote}", *options).strip()
            self.samples[checksum] = sample
            self.commits.append(checksum)

    def _make_template(self) -> None:
        root, repo = self.template, f"--repo={self.template}/ostree/repo"
        root.mkdir()
        succeed("admin", "init-fs", "--modern", root)
        succeed("admin", "os-init", f"--sysroot={root}", "os")
        (root / "boot/loader.0").mkdir()
        (root / "boot/loader").symlink_to("loader.0")
        (root / "boot/loader.0/uEnv.txt").touch()
        (root / "boot/uEnv.txt").symlink_to("loader/uEnv.txt")
        url = f"file://{self.directory}/remote"
        succeed("remote", "add", repo, "far", url, "--no-gpg-verify")
        for commit in self.commits[:2]:
            succeed("pull", repo, "far", f"main@{commit}")
            succeed("refs", repo, "--force", "--create=far:main", commit)
            argv = ("admin", "deploy", f"--sysroot={root}", "--os=os", "far:main")
            succeed(*argv, environ=MUTABLE)
            etc = root / f"ostree/deploy/os/deploy/{commit}.0/etc"
            (etc / "local").write_text("local\n")
        for name, commit in zip(("same", "new", "newer"), self.commits[2:], strict=True):
            succeed("pull", repo, "far", f"main@{commit}")
            succeed("refs", repo, f"--create={name}", commit)
        succeed("refs", repo, "--force", "--create=far:main", self.commits[1])

    def prepare(self, name: str) -> None:
        """Bring the template into the state that a command needs."""
        if name == "cleanup":
            self._leave_things()
        if name == "switch":
            url = f"file://{self.directory}/remote"
            repo = f"--repo={self.template}/ostree/repo"
            succeed("remote", "add", repo, "near", url, "--no-gpg-verify")
        if name == "deploy by sub-swap":
            argv = ("admin", "deploy", f"--sysroot={self.template}", "--os=os", "same")
            succeed(*argv, environ=MUTABLE)

    def _leave_things(self) -> None:
        """What interrupted commands have left, for a cleanup."""
        root = self.template
        deployments = root / "ostree/deploy/os/deploy"
        unlisted = f"{self.commits[1]}.7"
        shutil.copytree(deployments / f"{self.commits[1]}.0", deployments / unlisted, symlinks=True)
        (deployments / f"{unlisted}.origin").write_text("[origin]\nrefspec=x\n")
        (root / f"ostree/deploy/os/backing/{unlisted}/root-transient").mkdir(parents=True)
        active = os.readlink(root / "boot/loader")
        other = f"loader.{1 - int(active[-1])}"
        shutil.copytree(root / "boot" / active, root / "boot" / other)
        (root / "boot/loader.tmp").symlink_to(other)
        shutil.copytree(
            root / f"boot/ostree/os-{Sample('1', 'a').bootcsum}",
            root / f"boot/ostree/os-{'0' * 64}",
        )
        (root / f"ostree/boot.{other[-1]}.1/os").mkdir(parents=True)
        (root / f"ostree/boot.{other[-1]}").symlink_to(f"boot.{other[-1]}.1")

    def reset(self) -> None:
        """Make the sysroot that of the template."""
        if self.root.exists():
            shutil.rmtree(self.root)
        subprocess.run(["cp", "-a", self.template, self.root], check=True)

    def argv(self, command: tuple[str, ...]) -> tuple[str, ...]:
        verb, *words = command
        return ("admin", verb, f"--sysroot={self.root}", *words)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    interruptions.require()
    return Lab(tmp_path)


def run_interrupted(
    lab: Lab, command: tuple[str, ...], at: int, error: int = 0
) -> tuple[interruptions.Interrupted, str]:
    """Run it in a process of its own; what became of it, and what it said on standard error."""

    def act() -> bytes:
        result = ostree(*lab.argv(command), environ=MUTABLE)
        return json.dumps([result.status, result.err]).encode()

    interrupted = interruptions.interrupt(act, at=at, error=error)
    if not interrupted.report:
        return interrupted, ""
    status, err = json.loads(interrupted.report)
    return interrupted._replace(status=status), err


def check(lab: Lab, oracle: Oracle, lists: list[list[str]]) -> list[str]:
    """The list, which is one of ``lists``, after all that must hold has been seen to hold.

    Serials do not count: what a killed command has left may still have the first one.
    """
    found = booted_list(lab.root, lab.samples)
    assert commits(found) in [commits(names) for names in lists]
    listed = oracle("admin", "status", f"--sysroot={lab.root}").stdout.splitlines()
    names = [line.split()[1] for line in listed if line.startswith("  os ")]
    assert names == found
    oracle("fsck", "-q", f"--repo={lab.root}/ostree/repo")
    return found


def commits(names: list[str]) -> list[str]:
    return [name.partition(".")[0] for name in names]


def finish(lab: Lab, command: tuple[str, ...], *, is_new: bool) -> None:
    """Run the command again, or what is left of it, and clean up."""
    again = ("cleanup",) if is_new else command
    result = ostree(*lab.argv(again), environ=MUTABLE)
    assert (result.status, result.err) == (0, "")


@pytest.mark.parametrize("how", ["kill", "full", "broken"])
@pytest.mark.parametrize("name", COMMANDS)
def test_at_every_call(lab: Lab, oracle: Oracle, name: str, how: str) -> None:
    command = COMMANDS[name]
    lab.prepare(name)
    error = {"kill": 0, "full": errno.ENOSPC, "broken": errno.EIO}[how]
    lab.reset()
    before = check(lab, oracle, [booted_list(lab.root, lab.samples)])
    whole, err = run_interrupted(lab, command, 0)
    assert (whole.status, err) == (0, "")
    lists = [before, booted_list(lab.root, lab.samples)]
    check(lab, oracle, lists)
    assert leftovers(lab.root, lab.samples) == []
    outcomes: collections.Counter[str] = collections.Counter()

    for at in range(1 + OFFSET % STRIDE, whole.calls + 1, STRIDE):
        lab.reset()
        interrupted, err = run_interrupted(lab, command, at, error)
        try:
            if interrupted.call is None:
                outcomes["not reached"] += 1
            elif how == "kill":
                assert interrupted.status == -signal.SIGKILL
            else:
                assert interrupted.status in {0, 1}
                if interrupted.status:
                    assert err.startswith("error: ")
                    assert os.strerror(error) in err
                    outcomes["error"] += 1
            found = check(lab, oracle, lists)
            is_new = commits(found) == commits(lists[1])
            outcomes["new" if is_new else "old"] += 1
            finish(lab, command, is_new=is_new)
            check(lab, oracle, lists[1:])
            assert leftovers(lab.root, lab.samples) == []
        except (AssertionError, OSError, subprocess.CalledProcessError) as failure:
            failure.add_note(
                f"{name}, {how} at call {at} of {whole.calls} ({interrupted.call}): {err}"
            )
            raise
    print(f"{name}, {how}: {whole.calls} calls, {dict(outcomes)}")
    assert outcomes["old"] + outcomes["new"] == len(
        range(1 + OFFSET % STRIDE, whole.calls + 1, STRIDE)
    )
