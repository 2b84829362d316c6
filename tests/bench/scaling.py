"""What a file costs when there are very many: time and memory per file of a commit and a pull.

Neither may grow with the number of files.  The files are small (100 to 1000 bytes, no two alike),
a hundred in a directory, and nothing is synced.

    python -m bench.scaling --ostree .venv/bin/ostree --files 10000,100000

A million files take 5 GiB of memory as a tree, and as much again for each repository; where that
is too much, ``--dir`` can be a file system that keeps small files in their inodes:

    mkfs.ext4 -O inline_data -I 1024 -N 6000000 image
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.measuring import FailureError, Usage, ask, execute

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = "main"
_PER_DIRECTORY, _DIRECTORIES = 100, 100


class Step(NamedTuple):
    """A command that was run on a number of files."""

    name: str
    files: int
    usage: Usage


def write_tree(root: Path, files: int) -> None:
    """A tree of small files that are all different."""
    chance = random.Random(files)
    for first in range(0, files, _PER_DIRECTORY):
        number = first // _PER_DIRECTORY
        directory = f"{root}/{number // _DIRECTORIES}/{number % _DIRECTORIES}"
        os.makedirs(directory)
        for file in range(first, min(files, first + _PER_DIRECTORY)):
            with open(f"{directory}/file-{file}", "wb", buffering=0) as opened:
                opened.write(file.to_bytes(8, "little") + chance.randbytes(92 + file % 900))


def new_repository(program: str, path: Path, mode: str) -> Path:
    """An empty repository that is not synced."""
    ask([program, f"--repo={path}", "init", f"--mode={mode}"])
    for key, value in (("fsync", "false"), ("min-free-space-percent", "0")):
        ask([program, f"--repo={path}", "config", "set", f"core.{key}", value])
    return path


def steps(program: str, base: Path, files: int, *, cached: bool) -> Iterator[Step]:
    """Everything with one number of files; trees go as soon as they are not needed."""
    tree, archive, target = base / "tree", base / "archive", base / "target"
    write_tree(tree, files)
    new_repository(program, archive, "archive")
    commit = [program, f"--repo={archive}", "commit", f"--branch={REF}", f"--tree=dir={tree}"]
    yield Step("commit", files, execute(commit))
    if cached:
        yield Step("commit again, with stat cache", files, execute([*commit, "--stat-cache"]))
        yield Step("and again", files, execute([*commit, "--stat-cache"]))
    shutil.rmtree(tree)
    new_repository(program, target, "bare-user")
    add = [program, f"--repo={target}", "remote", "add", "--no-gpg-verify", "origin"]
    ask([*add, f"file://{archive}"])
    pull = [program, f"--repo={target}", "pull", "origin", REF]
    yield Step("pull", files, execute(pull))
    yield Step("fsck", files, execute([program, f"--repo={target}", "fsck", "--quiet"]))
    shutil.rmtree(target)
    new_repository(program, target, "bare-user")
    local = [program, f"--repo={target}", "pull-local", str(archive), REF]
    yield Step("pull-local", files, execute(local))
    shutil.rmtree(target)
    shutil.rmtree(archive)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scaling", description="what a file costs")
    parser.add_argument("--ostree", required=True, help="the command")
    parser.add_argument("--files", default="10000,100000", help="how many, separated by commas")
    parser.add_argument("--dir", type=Path, default=Path("/dev/shm"), help="where to work")
    parser.add_argument(
        "--no-stat-cache", action="store_true", help="for commands that have no stat cache"
    )
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.ostree)
    print(f"{'':32}{'files':>10}{'wall':>11}{'processor':>11}{'per file':>11}{'peak':>10}")
    try:
        for number in arguments.files.split(","):
            with tempfile.TemporaryDirectory(prefix="ostree-scaling-", dir=arguments.dir) as base:
                show(steps(program, Path(base), int(number), cached=not arguments.no_stat_cache))
    except FailureError as error:
        print(f"scaling: {error}", file=sys.stderr)
        return 1
    return 0


def show(done: Iterator[Step]) -> None:
    """One line for each command."""
    for step in done:
        usage = step.usage
        per_file = usage.processor / step.files * 1e6
        print(
            f"{step.name:32}{step.files:10}{usage.wall:9.1f} s{usage.processor:9.2f} s"
            f"{per_file:8.0f} us{usage.peak:6.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
