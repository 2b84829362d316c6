"""Two sysroots that are booted and treated alike, one by each program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Literal, NamedTuple

from compat.test_sysroot_oracle import make_tree, reference, snapshot
from support.simulated_boot import (
    MOUNT_POINTS,
    OURS,
    REFERENCE,
    SimulatedBoot,
    make_removable,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Who = Literal["ours", "theirs"]
PROGRAMS = {"ours": OURS, "theirs": REFERENCE}


class Said(NamedTuple):
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


class Twins:
    """Two copies of a sysroot with one deployment each, both booted.

    Args:
        directory: Where to make them.
        propagation: As of :class:`SimulatedBoot`.
        read_only: As of :class:`SimulatedBoot`.
        layered: As of :class:`SimulatedBoot`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        propagation: str = "shared",
        read_only: bool = False,
        layered: bool = False,
    ) -> None:
        self.tree = directory / "tree"
        self.roots: dict[str, Path] = {}
        self.boots: dict[str, SimulatedBoot] = {}
        self._directory = directory
        self.command_line = "root=/dev/vda1 quiet"
        self._options: dict[str, object] = {
            "propagation": propagation,
            "read_only": read_only,
            "layered": layered,
        }
        self._time = 1_000_000
        self._make(directory / "theirs")
        for name in ("theirs", "ours"):
            self.roots[name] = directory / name
        subprocess.run(
            ["cp", "-a", "--reflink=auto", self.roots["theirs"], self.roots["ours"]], check=True
        )
        self.boot()

    def _make(self, root: Path) -> None:
        make_tree(self.tree)
        for name in MOUNT_POINTS:
            (self.tree / name).mkdir(exist_ok=True)
        root.mkdir()
        reference("admin", "init-fs", root)
        reference("config", f"--repo={root}/ostree/repo", "set", "core.fsync", "false")
        reference("admin", "os-init", f"--sysroot={root}", "os")
        self.roots["theirs"] = root
        self.commit()
        reference(
            "admin",
            "deploy",
            f"--sysroot={root}",
            "--os=os",
            "--karg-append=root=LABEL=x",
            "--karg-append=quiet",
            "os/main",
        )

    def commit(self, *, version: str | None = None) -> None:
        """Commit the tree to ``os/main`` in both repositories."""
        self._time += 100
        for root in self.roots.values():
            reference(
                "commit",
                f"--repo={root}/ostree/repo",
                "--branch=os/main",
                "--owner-uid=0",
                "--owner-gid=0",
                f"--timestamp=@{self._time}",
                "--subject=x",
                f"--tree=dir={self.tree}",
                *([] if version is None else [f"--add-metadata-string=version={version}"]),
            )

    # the machine ------------------------------------------------------------------------------

    def boot(self, index: int = 0) -> None:
        """Boot both from the deployment at a place of the list, as a boot loader does."""
        self.stop()
        for name, root in self.roots.items():
            self.boots[name] = SimulatedBoot(
                root,
                boot_target(root, index),
                self._directory / f"run-{name}",
                command_line=self.command_line,
                **self._options,  # type: ignore[arg-type]
            )

    def stop(self) -> None:
        """Switch both off."""
        for boot in self.boots.values():
            boot.stop()
        self.boots.clear()

    def remove(self) -> None:
        """Switch both off and let them be removed."""
        self.stop()
        for root in self.roots.values():
            make_removable(root)
            shutil.rmtree(root)

    # commands ---------------------------------------------------------------------------------

    def say(self, name: Who, program: Who, *argv: str) -> Said:
        """Run a command of one of the programs in one of the sysroots."""
        result = self.boots[name].run(*PROGRAMS[program], "admin", *argv, check=False)
        return Said(result.returncode, without_pruning(result.stdout), result.stderr)

    def admin(self, *argv: str) -> Said:
        """The same command in both; they must say the same and leave the same."""
        theirs, ours = self.say("theirs", "theirs", *argv), self.say("ours", "ours", *argv)
        assert ours.status == theirs.status, (argv, theirs, ours)
        assert without_count(ours.out) == without_count(theirs.out), (argv, theirs, ours)
        if theirs.status:
            assert last_line(ours.err).endswith(last_line(theirs.err).removeprefix("error: "))
        self.compare()
        return ours

    def edit(self, change: Callable[[Path], None]) -> None:
        """Change the running ``/etc`` of both."""
        for root, boot in ((self.roots[name], boot) for name, boot in self.boots.items()):
            running = boot.shell("readlink -f /proc/self/root; stat -c %i /").split()[-1]
            for path in root.glob("ostree/deploy/*/deploy/*.*"):
                if path.is_dir() and str(path.stat().st_ino) == running:
                    change(path / "etc")

    def compare(self) -> None:
        """Make sure that both are alike, with all that is in ``/run/ostree``."""
        ours, theirs = self.facts("ours"), self.facts("theirs")
        # The reference forgets refs beyond the end of a list that became shorter.
        theirs["refs"] = without_forgotten(theirs["refs"], ours["refs"])
        different = {
            key: (ours.get(key), theirs.get(key))
            for key in sorted(ours.keys() | theirs.keys())
            if ours.get(key) != theirs.get(key)
        }
        assert not different, f"ours and theirs: {different}"

    def facts(self, name: Who) -> dict[str, object]:
        """All that must be alike."""
        found = snapshot(self.roots[name])
        run = self.boots[name].run_directory / "ostree"
        for path in sorted(run.rglob("*")):
            if path.is_file():
                info = path.stat()
                found[f"run/{path.relative_to(run)}"] = (oct(info.st_mode), path.read_bytes())
        return found


def without_forgotten(theirs: object, ours: object) -> object:
    assert isinstance(theirs, dict)
    assert isinstance(ours, dict)
    return {
        name: value
        for name, value in theirs.items()
        if name in ours or re.fullmatch(r"ostree/\d/\d/\d+", name) is None
    }


def boot_target(root: Path, index: int) -> str:
    """The deployment that a boot entry leads to, by its place, relative to the sysroot."""
    entries = sorted(
        (root / "boot/loader/entries").iterdir(),
        key=lambda path: -int(re.findall(r"^version (\d+)$", path.read_text(), re.MULTILINE)[0]),
    )
    (link,) = re.findall(r"ostree=/(\S+)", entries[index].read_text())
    return os.path.relpath(os.path.realpath(root / link), os.path.realpath(root))


def without_pruning(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "Freed objects" not in line)


def without_count(text: str) -> str:
    """The reference counts a staged deployment that stays as one that goes."""
    return re.sub("(deployment count change): -\\d+", r"\1: fewer", text)


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""
