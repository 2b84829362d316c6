"""What boot loaders are given by us and by the reference, for random lists of deployments.

Each seed makes two sysroots of one history: commits with and without initramfs, device trees and
variables of the system, deployed, undeployed and given arguments in random order, while somebody
edits the boot loader's configuration and the boot entries.  After every step all of ``/boot`` and
the bootlinks have to be the same; where one command fails the other has to, with the same words.

``PYOSTREE_BOOTLOADER_SEEDS`` says how many seeds each boot loader gets.
"""

from __future__ import annotations

import os
import random
import re
import sys
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree
from compat.test_sysroot_oracle import clear_immutable, describe, make_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Oracle

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the reference gives files to root"),
]

SEEDS = int(os.environ.get("PYOSTREE_BOOTLOADER_SEEDS", "2"))
STEPS = 12
KINDS = ("syslinux", "uboot", "grub2", "grub2-efi", "none", "auto")
ENVIRON = {"OSTREE_SYSROOT_OPTS": "skip-sync", "OSTREE_SYSROOT_DEBUG": "mutable-deployments"}

#: What a system's ``grub2-mkconfig`` does, in short: its ostree script asks the command.
GENERATOR = """#!/bin/sh
set -e
{
    echo "# EFI: $_OSTREE_GRUB2_IS_EFI"
    GRUB2_BOOT_DEVICE_ID='(hd0,1) it'"'"'s'
    GRUB2_PREPARE_ROOT_CACHE='set root=x'
    export GRUB2_BOOT_DEVICE_ID GRUB2_PREPARE_ROOT_CACHE
    $TESTED_OSTREE admin instutil grub2-generate
} > "$2"
"""

SYSLINUX_LINES = (
    "TIMEOUT 20",
    "",
    "# a comment",
    "DEFAULT mine",
    "DEFAULT ostree:os:0",
    "DEFAULTS",
    "LABEL mine",
    "LABEL Os 1 (ostree:0)",
    "\tKERNEL /vmlinuz",
    "\tKERNEL /ostree/os-x/vmlinuz",
    "\tKERNEL /boot/ostree/os-x/vmlinuz",
    "\tAPPEND root=/dev/sda1",
    "\tDEFAULT x",
)


class Twins:
    """Two sysroots with the same history."""

    def __init__(self, directory: Path, oracle: Oracle, kind: str, seed: int) -> None:
        self.oracle = oracle
        self.kind = kind
        self.random = random.Random(f"{kind} {seed}")
        self.directory = directory
        self.ours = directory / "ours"
        self.theirs = directory / "theirs"
        self.source = directory / "source"
        self.generator = directory / "generator"
        self.generator.write_text(GENERATOR)
        self.generator.chmod(0o755)
        self.commits: list[str] = []
        oracle("init", f"--repo={self.source}", "--mode=archive")
        for root in self.both():
            root.mkdir()
            oracle("admin", "init-fs", root)
            oracle("config", f"--repo={root}/ostree/repo", "set", "core.fsync", "false")
            for name in ("os", "other"):
                oracle("admin", "os-init", f"--sysroot={root}", name)
            self._set_up(root)

    def both(self) -> Iterator[Path]:
        yield self.ours
        yield self.theirs

    def _set_up(self, root: Path) -> None:
        boot = root / "boot"
        if self.kind in {"syslinux", "uboot"}:
            (boot / "loader.0").mkdir()
            (boot / "loader").symlink_to("loader.0")
        if self.kind == "syslinux":
            (boot / "syslinux").mkdir()
            (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
            (boot / "loader/syslinux.cfg").write_text("")
        elif self.kind == "uboot":
            (boot / "loader/uEnv.txt").write_text("")
        elif self.kind == "grub2":
            (boot / "grub2").mkdir()
            (boot / "grub2/grub.cfg").symlink_to("../loader/grub.cfg")
        elif self.kind == "grub2-efi":
            (boot / "efi/EFI/vendor").mkdir(parents=True)
            (boot / "efi/EFI/vendor/grub.cfg").write_text("old\n")
        elif self.kind == "none":
            self.oracle("config", f"--repo={root}/ostree/repo", "set", "sysroot.bootloader", "none")

    # steps ------------------------------------------------------------------------------------

    def run(self, *words: str) -> None:
        """One command by both; the same words come out, and the same state."""
        grub = {"OSTREE_GRUB2_EXEC": str(self.generator)}
        environ = {**ENVIRON, **grub, "PATH": os.environ["PATH"]}
        ours = ostree(
            "admin",
            f"--sysroot={self.ours}",
            *words,
            environ={
                **environ,
                "TESTED_OSTREE": f"{sys.executable} -m ostree",
                "OSTREE_SYSROOT": str(self.ours),
            },
        )
        theirs = self.oracle(
            "admin",
            f"--sysroot={self.theirs}",
            *words,
            check=False,
            environ={
                **environ,
                "TESTED_OSTREE": "/usr/bin/ostree",
                "OSTREE_SYSROOT": str(self.theirs),
            },
        )
        assert ours.status == theirs.returncode, (words, ours.err, theirs.stderr)
        assert told(ours.out) == told(theirs.stdout), words
        assert reason(ours.err) == reason(theirs.stderr), words
        if ours.status and words != ("cleanup",):
            # How much a command left that failed depends on when it found out that it must.
            self.run("cleanup")
        assert self.state(self.ours) == self.state(self.theirs), words

    def state(self, root: Path) -> dict[str, object]:
        """All of ``/boot``, with the names of boot entries as they are now, and bootlinks."""
        found: dict[str, object] = {}
        for top in (root / "boot", *sorted(root.glob("ostree/boot.*"))):
            for path in [top, *top.rglob("*")]:
                name = re.sub(
                    r"(entries/ostree-\d+)-[^/]*\.conf$", r"\1.conf", str(path.relative_to(root))
                )
                facts = describe(str(path))
                if path.is_file() and not path.is_symlink():
                    # A deployment that failed leaves more names with the reference than with us;
                    # what shows whether a file was copied is whether it has any but this one.
                    facts = (*facts[:3], facts[3] != 1, *facts[4:])
                found[name] = facts
        return found

    def commit(self) -> None:
        tree = self.directory / f"tree-{len(self.commits)}"
        version = f"{self.random.randrange(4)}.{self.random.randrange(3)}"
        make_tree(tree, kernel=version)
        modules = tree / "usr/lib/modules" / version
        self._vary_kernel(tree, modules)
        if self.random.random() < 0.4:
            path = tree / "usr/lib/ostree-boot"
            path.mkdir(exist_ok=True)
            text = self.random.choice(["a=1\n", "a=1\n\n\nb=2", "", "\n\n", "# é\n"])
            (path / "uEnv.txt").write_text(text)
        names = ["Os", 'Os\'s "best" $x', "Ös 1"]
        (tree / "usr/lib/os-release").write_text(
            f"PRETTY_NAME={quote(self.random.choice(names))}\n"
        )
        words = [f"--tree=dir={tree}", "--branch=branch", f"--timestamp=@{len(self.commits) + 1}"]
        if self.random.random() < 0.8:
            words.append(f"--add-metadata-string=version={self.random.randrange(3)}")
        result = self.oracle("commit", f"--repo={self.source}", *words, check=False)
        assert result.returncode == 0, result.stderr
        made = result.stdout.strip()
        for root in self.both():
            self.oracle("pull-local", f"--repo={root}/ostree/repo", self.source, made)
            self.oracle(
                "refs", f"--repo={root}/ostree/repo", f"--create=r{len(self.commits)}", made
            )
        self.commits.append(made)

    def _vary_kernel(self, tree: Path, modules: Path) -> None:
        """With and without initramfs and device trees, where they are now and where they were."""
        chance = self.random.random
        if chance() < 0.2:
            (modules / "initramfs.img").unlink()
        elif chance() < 0.2:
            (modules / "initramfs.img").rename(modules / "initramfs")
        if chance() < 0.3:
            (modules / ".vmlinuz.hmac").write_text("hmac")
        trees = chance()
        if trees < 0.3:
            (modules / "devicetree").write_text(f"dt {self.random.randrange(3)}")
        elif trees < 0.5:
            (modules / "dtb/sub").mkdir(parents=True)
            (modules / "dtb/sub/a.dtb").write_text(f"a {self.random.randrange(3)}")
            # No links: the second time, the reference fails because they are there.
            (modules / "dtb/b.dtb").write_text("b")
        if chance() < 0.3:
            self._add_legacy_kernel(tree / self.random.choice(["usr/lib/ostree-boot", "boot"]))
            if chance() < 0.5:
                (modules / "vmlinuz").unlink()

    def _add_legacy_kernel(self, directory: Path) -> None:
        """Beside the other one, or instead of it; names carry the checksum, or two."""
        directory.mkdir(exist_ok=True)
        checksum = f"{self.random.randrange(3)}" * 64
        for kind, share in (("vmlinuz", 0.9), ("initramfs", 0.6), ("devicetree", 0.3)):
            if self.random.random() < share:
                other = "f" * 64 if self.random.random() < 0.1 else checksum
                (directory / f"{kind}-3.6-{other}").write_text(f"{kind} {other}")
        (directory / "vmlinuz-without").write_text("no checksum")

    def deploy(self) -> None:
        if len(self.commits) < 6:
            self.commit()
        words = [f"--os={self.random.choice(['os', 'os', 'other'])}"]
        options = ("--retain", "--not-as-default", "--karg-append=x=1", "--karg=root=/dev/a")
        words += [option for option in options if self.random.random() < 0.3]
        self.run("deploy", *words, self.random.choice(self.commits))

    def undeploy(self) -> None:
        self.run("undeploy", str(self.random.randrange(4)))

    def change_arguments(self) -> None:
        self.run("instutil", "set-kargs", "--merge", f"--append=n={self.random.randrange(9)}")

    def edit_configuration(self) -> None:
        """Somebody edits the file of the boot loader."""
        lines = self.random.choices(SYSLINUX_LINES, k=self.random.randrange(8))
        text = "\n".join(lines) + self.random.choice(["", "\n"])
        name = {"syslinux": "syslinux.cfg", "uboot": "uEnv.txt", "grub2": "grub.cfg"}.get(self.kind)
        for root in self.both():
            if name is not None and (root / "boot/loader").exists():
                (root / "boot/loader" / name).write_text(text)

    def edit_entry(self) -> None:
        """Somebody adds a key to a boot entry, or takes one away that is not vital."""
        number = self.random.randrange(1, 4)
        key = self.random.choice(["x-a", "grub_users", "architecture", "title", "machine-id"])
        value = self.random.choice(["1", "a  b", "\ttab", "é"])
        drop = self.random.random() < 0.3
        for root in self.both():
            for path in sorted(root.glob(f"boot/loader/entries/ostree-{number}*.conf")):
                lines = path.read_text().splitlines()
                lines = [line for line in lines if not (drop and line.startswith(f"{key} "))]
                if not drop:
                    lines.append(f"{key} {value}")
                path.write_text("\n".join(lines) + "\n")

    def configure(self) -> None:
        pairs = [f"k{n}=v{n}" for n in range(self.random.randrange(1, 12))]
        for root in self.both():
            key = "sysroot.bls-append-except-default"
            self.oracle("config", f"--repo={root}/ostree/repo", "set", key, ";".join(pairs))


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def told(out: str) -> list[str]:
    """What was printed, without what only one of them says."""
    return [
        line
        for line in out.splitlines()
        if not line.startswith(("Freed objects", "Changed in /etc"))
    ]


def reason(err: str) -> str:
    """The last of the causes."""
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    return (
        lines[0].rpartition("Bootloader write config: ")[2].removeprefix("error: ") if lines else ""
    )


@pytest.fixture
def twins_of(tmp_path: Path, oracle: Oracle) -> Iterator[Callable[[str, int], Twins]]:
    yield lambda kind, seed: Twins(tmp_path, oracle, kind, seed)
    clear_immutable(tmp_path)


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("kind", KINDS)
def test_random_lists(twins_of: Callable[[str, int], Twins], kind: str, seed: int) -> None:
    twins = twins_of(kind, seed)
    steps = [twins.deploy] * 4 + [twins.undeploy, twins.change_arguments, twins.edit_entry]
    steps += [twins.edit_configuration] * 2 + [twins.configure]
    twins.deploy()

    for _ in range(STEPS):
        twins.random.choice(steps)()
    twins.edit_configuration()
    twins.deploy()
