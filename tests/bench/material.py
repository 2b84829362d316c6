"""The trees and repositories that the rows work on, each made when a row first needs it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench.measuring import MIB, FailureError, ask

if TYPE_CHECKING:
    from pathlib import Path

#: The refs of the two releases.
ONE, TWO = "bench/one", "bench/two"
_KERNEL = "usr/lib/modules/6.1.0-bench"
_REFS = 2000


def make_tree(root: Path, files: int, *, seed: int = 1) -> None:
    """Write a tree like that of an operating system, the same for the same seed.

    Many small files, few large ones, half of the content compressible, some links.
    """
    chance = random.Random(seed)
    words = [chance.randbytes(chance.randint(2, 12)) for _ in range(2000)]
    for number in range(files):
        directory = root / f"usr/share/d{number % 97}/s{number % 7}"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"file-{number}"
        if number % 15 == 0:
            path.symlink_to(f"../s0/file-{number - 1}")
            continue
        size = min(int(chance.lognormvariate(8, 1.8)), 8 * MIB)
        if number % 2:
            text = b"".join(chance.choices(words, k=size // 7 + 1))[:size]
        else:
            text = chance.randbytes(size)
        path.write_bytes(text)
        path.chmod(0o755 if number % 5 == 0 else 0o644)
    modules = root / _KERNEL
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_bytes(chance.randbytes(6 * MIB))
    (modules / "initramfs.img").write_bytes(chance.randbytes(8 * MIB))
    (root / "usr/etc").mkdir()
    (root / "usr/lib/os-release").write_text("ID=bench\nPRETTY_NAME=Bench\n")


def change_tree(root: Path, *, seed: int = 2) -> None:
    """Make the next release of a tree: 6 % of the files patched, 1 % gone, 1 % new."""
    chance = random.Random(seed)
    for directory, names, entries in os.walk(root):
        names.sort()
        for name in sorted(entries):
            path = os.path.join(directory, name)
            roll = chance.random()
            if roll > 0.08 or not os.path.isfile(path) or os.path.islink(path):
                continue
            if roll < 0.06:
                _patch(path, chance)
            elif roll < 0.07:
                os.unlink(path)
            else:
                with open(f"{path}.new", "wb") as file:
                    file.write(chance.randbytes(chance.randint(10, 20_000)))


def _patch(path: str, chance: random.Random) -> None:
    with open(path, "rb") as file:
        content = bytearray(file.read())
    for _ in range(1 + len(content) // 4000):
        at = chance.randrange(len(content) + 1)
        content[at : at + chance.randint(0, 24)] = chance.randbytes(chance.randint(1, 32))
    with open(path, "wb") as file:
        file.write(content)


class Material:
    """The data that all rows share, and places for what a run writes.

    Args:
        base: An empty directory, in memory if that is to be measured.
        disk: An empty directory on a disk, for the rows that sync.
        maker: The command that makes repositories.
        files: Files of the tree.
        tree: A real tree in place of that.
    """

    def __init__(self, base: Path, disk: Path, maker: str, files: int, tree: Path | None) -> None:
        self.base = base
        self.disk = disk
        self.maker = maker
        self.url = ""
        self._number = 0
        self.one = tree or base / "one"
        if tree is None:
            make_tree(self.one, files)
        self._two = base / "two"

    @property
    def description(self) -> str:
        """How much it is."""
        files = size = 0
        for directory, _, names in os.walk(self.one):
            files += len(names)
            size += sum(os.lstat(os.path.join(directory, name)).st_size for name in names)
        return f"{files} files, {size / MIB:.0f} MiB"

    @property
    def two(self) -> Path:
        """The next release of the tree."""
        if not self._two.exists():
            subprocess.run(["cp", "-a", f"{self.one}/.", self._two], check=True)
            change_tree(self._two)
        return self._two

    def fresh(self, *, on_disk: bool = False) -> Path:
        """A path that does not exist yet."""
        self._number += 1
        return (self.disk if on_disk else self.base) / f"out{self._number}"

    def remove(self, path: Path) -> None:
        """Remove what a run has made, unless it is on the disk.

        There it stays until the end: when thousands of inodes were freed in the last minutes ext4
        passes them all over, one by one, for each new file.
        """
        if not path.is_relative_to(self.disk):
            shutil.rmtree(path)

    def new_repository(self, mode: str, *, sync: bool = False) -> Path:
        """An empty repository; one that is synced is on the disk."""
        path = self.fresh(on_disk=sync)
        ask([self.maker, f"--repo={path}", "init", f"--mode={mode}"])
        if not sync:
            ask([self.maker, f"--repo={path}", "config", "set", "core.fsync", "false"])
        return path

    def commit(self, program: str, repository: Path, ref: str = ONE) -> list[str]:
        """The command that commits a release."""
        tree = self.one if ref == ONE else self.two
        return [
            program,
            f"--repo={repository}",
            "commit",
            f"--branch={ref}",
            "--parent=none",
            "--timestamp=@1700000000",
            f"--owner-uid={os.getuid()}",
            f"--owner-gid={os.getgid()}",
            f"--tree=dir={tree}",
        ]

    def check(self, repository: Path, ref: str, at: str) -> None:
        """Make sure that a commit is the one everybody makes of the tree.

        Raises:
            FailureError: if it is another one.
        """
        made = ask([self.maker, f"--repo={repository}", "rev-parse", ref])
        if made != self.rev(at):
            raise FailureError(f"{repository}: {ref} is {made} instead of {self.rev(at)}")

    def rev(self, ref: str) -> str:
        """The checksum of a release."""
        return ask([self.maker, f"--repo={self.repository('bare')}", "rev-parse", ref])

    def repository(self, mode: str) -> Path:
        """A repository with both releases and a summary."""
        path = self.base / f"repo-{mode}"
        if not path.exists():
            ask([self.maker, f"--repo={path}", "init", f"--mode={mode}"])
            ask([self.maker, f"--repo={path}", "config", "set", "core.fsync", "false"])
            for ref in (ONE, TWO):
                ask(self.commit(self.maker, path, ref))
            ask([self.maker, f"--repo={path}", "summary", "-u"])
        return path

    def served(self) -> Path:
        """An archive with both releases and a delta from one to the other."""
        path = self.base / "served"
        if not path.exists():
            shutil.copytree(self.repository("archive"), path, symlinks=True)
            command = [self.maker, f"--repo={path}", "static-delta", "generate"]
            ask([*command, f"--from={ONE}", f"--to={TWO}"])
            ask([self.maker, f"--repo={path}", "summary", "-u"])
        return path

    def many_refs(self) -> Path:
        """An archive with two thousand refs."""
        path = self.base / "refs"
        if not path.exists():
            shutil.copytree(self.repository("archive"), path, symlinks=True)
            directory = path / "refs/heads/app"
            directory.mkdir()
            text = f"{self.rev(ONE)}\n"
            for number in range(_REFS):
                (directory / f"name{number}").write_text(text)
        return path

    def known(self) -> Path:
        """A bare repository whose stat cache has the tree."""
        path = self.base / "known"
        if not path.exists():
            ask([self.maker, f"--repo={path}", "init", "--mode=bare"])
            for key in ("fsync=false", "pyostree-stat-cache=true"):
                name, _, value = key.partition("=")
                ask([self.maker, f"--repo={path}", "config", "set", f"core.{name}", value])
        return path
