"""Whatever call a command dies at, or the disk fails in, the boot loader finds whole deployments.

Boot entries and ``uEnv.txt`` are looked at by ``test_kill_admin.py``; here it is ``syslinux.cfg``,
a ``grub.cfg`` that counts, and what is on an EFI system partition and does not change in the same
moment as ``boot/loader`` does: a ``grub.cfg``, and systemd-boot's entries.  After that the sysroot boots; it boots after a cleanup, and after the command
was run again, and then what it boots is the new list.

The suite takes every 15th call, others every day; ``OSTREE_KILL_ROUNDS=all`` takes all of them.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from cli.running import ostree, succeed
from ostree.formats.grub import format_grub_config
from ostree.sysroot.loading import load_entries
from support import interruptions
from support.bootable import Sample

pytestmark = pytest.mark.root

MUTABLE = {
    "OSTREE_SYSROOT_DEBUG": "mutable-deployments",
    "OSTREE_SYSROOT_OPTS": "skip-sync",
    "OSTREE_GRUB2_EXEC": "generator",
}
STRIDE = 1 if os.environ.get("OSTREE_KILL_ROUNDS") == "all" else 15
OFFSET = dt.datetime.now(dt.UTC).timetuple().tm_yday
RELEASES = (("1", "a"), ("2", "b"), ("3", "c"))

_ENTRY = r"options (.*)\nlinux (\S+)\n"
#: What the boot loader reads, and how it names kernel and arguments.
CONFIGS = {
    "systemd-boot": ("boot/efi/loader/loader.conf", _ENTRY),
    "syslinux": ("boot/syslinux/syslinux.cfg", r"\tKERNEL (\S+)\n(?:\t.*\n)*?\tAPPEND (.*)\n"),
    "grub2-counting": ("boot/grub/grub.cfg", r"\t linux (\S+) (.*)\n"),
    "grub2-efi": ("boot/efi/EFI/vendor/grub.cfg", r"\t linux (\S+) (.*)\n"),
}


class Lab:
    """A template of a sysroot with two deployments and a third commit, and a copy of it."""

    def __init__(self, directory: Path, kind: str) -> None:
        self.template, self.root = directory / "template", directory / "root"
        self.path, self.pattern = CONFIGS[kind]
        self.has_copies = kind == "systemd-boot"
        self.samples: dict[str, Sample] = {}
        self.template.mkdir()
        succeed("admin", "init-fs", "--modern", self.template)
        succeed("admin", "os-init", f"--sysroot={self.template}", "os")
        config = self.template / self.path
        config.parent.mkdir(parents=True)
        self.environ = dict(MUTABLE)
        if kind in {"grub2-efi", "systemd-boot"}:
            config.write_text("")
        else:
            (self.template / "boot/loader.0").mkdir()
            (self.template / "boot/loader").symlink_to("loader.0")
            (self.template / "boot/loader.0" / config.name).write_text("")
            config.symlink_to(f"../loader/{config.name}")
        if kind == "grub2-counting":
            del self.environ["OSTREE_GRUB2_EXEC"]
        if kind == "systemd-boot":
            self._configure("bootloader", kind)
        if kind in {"grub2-counting", "systemd-boot"}:
            self._configure("boot-counting-tries", "3")
        for number, (release, kernel) in enumerate(RELEASES):
            self._add(directory, number, release, kernel)

    def _configure(self, key: str, value: str) -> None:
        repo = f"--repo={self.template}/ostree/repo"
        succeed("config", repo, "set", f"sysroot.{key}", value)

    def _add(self, directory: Path, number: int, release: str, kernel: str) -> None:
        sample, tree = Sample(release, kernel), directory / f"tree-{release}"
        sample.write(tree)
        options = (f"--timestamp=@{1000 + number}", "--branch=main", f"--tree=dir={tree}")
        commit = succeed("commit", f"--repo={self.template}/ostree/repo", *options).strip()
        self.samples[commit] = sample
        if number < 2:
            self.deploy(self.template)

    def deploy(self, root: Path) -> None:
        succeed("admin", "deploy", f"--sysroot={root}", "--os=os", "main", environ=self.environ)

    def reset(self) -> None:
        if self.root.exists():
            shutil.rmtree(self.root)
        subprocess.run(["cp", "-a", self.template, self.root], check=True)

    def booted(self) -> list[str]:
        """The commits that the boot loader can start, in its order, each checked to be whole."""
        if not self.has_copies:
            entries = re.findall(self.pattern, (self.root / self.path).read_text())
            return [self._check(kernel, arguments) for kernel, arguments in entries]
        copies = list((self.root / "boot/efi/loader/entries").glob("*.conf"))
        copies.sort(
            key=lambda path: [int(n) for n in re.findall(r"-(\d+)", path.name)], reverse=True
        )
        found = [re.search(self.pattern, path.read_text()) for path in copies]
        return [self._check(f"/boot/efi{entry[2]}", entry[1]) for entry in found if entry]

    def settled(self, found: list[str]) -> list[str]:
        """What the machine starts first, where entries of two lists can be there at a time."""
        return found[:1] if self.has_copies else found

    def _check(self, kernel: str, arguments: str) -> str:
        link = re.search(r"ostree=/(\S+)", arguments)
        assert link, arguments
        deployment = (self.root / link[1]).resolve()
        commit = deployment.name.partition(".")[0]
        sample = self.samples[commit]
        path = self.root / kernel.lstrip("/")
        assert path.read_text() == sample.files["usr/lib/modules/6.1/vmlinuz"]
        for name, text in sample.files.items():
            assert (deployment / name).read_text() == text, name
        return commit


def generate(argv: list[str], *, environ: dict[str, str], **_options: object) -> None:
    """What ``grub2-mkconfig`` would do, in this process, where its calls count."""
    output = Path(argv[argv.index("-o") + 1])
    root_fd = os.open(output.parents[4], os.O_RDONLY)
    entries = load_entries(root_fd, int(environ["_OSTREE_GRUB2_BOOTVERSION"]))
    os.close(root_fd)
    output.write_text(format_grub_config(entries, prefix="/boot"))


@pytest.mark.parametrize("error", [0, errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("kind", CONFIGS)
def test_at_every_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, error: int
) -> None:
    interruptions.require()
    monkeypatch.setattr("ostree.sysroot.bootloaders.mkconfig.run_program", generate)
    lab = Lab(tmp_path, kind)
    first, second, third = lab.samples
    old, new = [second, first], [third, second]

    def act() -> bytes:
        argv = ("admin", "deploy", f"--sysroot={lab.root}", "--os=os", "main")
        return b"done" if ostree(*argv, environ=lab.environ).status == 0 else b"failed"

    lab.reset()
    assert lab.booted() == old
    whole = interruptions.interrupt(act, at=0)
    assert (whole.report, lab.booted()) == (b"done", new)

    outcomes = {"old": 0, "new": 0}
    for at in range(1 + OFFSET % STRIDE, whole.calls + 1, STRIDE):
        lab.reset()
        interrupted = interruptions.interrupt(act, at=at, error=error)
        try:
            if error:
                assert interrupted.report in {b"done", b"failed"}
            else:
                assert interrupted.call is None or interrupted.status == -signal.SIGKILL
            found = lab.settled(lab.booted())
            assert found in (lab.settled(old), lab.settled(new))
            outcomes["new" if found == lab.settled(new) else "old"] += 1
            succeed("admin", "cleanup", f"--sysroot={lab.root}", environ=lab.environ)
            assert lab.booted() in (old, new)
            assert lab.settled(lab.booted()) in (found, lab.settled(new))
            if lab.booted() == old:
                lab.deploy(lab.root)
            assert lab.booted() == new
        except (AssertionError, OSError) as failure:
            failure.add_note(f"error {error} at call {at} of {whole.calls} ({interrupted.call})")
            raise
    print(f"{kind}, error {error}: {whole.calls} calls, {outcomes}")
    assert sum(outcomes.values()) == len(range(1 + OFFSET % STRIDE, whole.calls + 1, STRIDE))
