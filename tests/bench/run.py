"""How fast our command is, as ratios to the reference command on the same machine.

Both do the same work on the same data, turn by turn: reference, ours, ours, reference.  Each
neighbouring pair gives a ratio of wall-clock times, reference over ours, so that 2.00 means twice
as fast; the median of all pairs is shown.  Absolute seconds depend on the machine and its day, the
ratios much less.

    run.py --ostree .venv/bin/ostree                          all rows
    run.py --ostree .venv/bin/ostree --rows startup,recommit  some
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20
REF = "bench/main"


class Usage(NamedTuple):
    """What one run took: seconds of wall clock and processor, peak memory in MiB."""

    wall: float
    processor: float
    peak: float


class Measured(NamedTuple):
    """A row of the table."""

    name: str
    reference: float
    ours: float
    ratio: float
    low: float
    high: float
    peak: float


class FailureError(Exception):
    """A command failed, or did not do the same work as the other one."""


def execute(command: list[str]) -> Usage:
    """Run a command to its end.

    Raises:
        FailureError: if it fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment()
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailureError(f"{' '.join(command)}: exit status {process.returncode}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def environment() -> dict[str, str]:
    """The caller's, without what would change the commands' defaults."""
    return {key: value for key, value in os.environ.items() if not key.startswith("OSTREE_")}


def ask(command: list[str]) -> str:
    """The output of a command that is not measured."""
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())
    if result.returncode:
        raise FailureError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout.strip()


def make_tree(root: Path, files: int, *, seed: int = 1) -> int:
    """Write a tree like that of an operating system; returns its size in bytes.

    Many small files, few large ones, half of the content compressible, some links and empty
    directories; the same for the same seed.
    """
    chance = random.Random(seed)
    words = [chance.randbytes(chance.randint(2, 12)) for _ in range(2000)]
    total = 0
    for number in range(files):
        directory = root / f"d{number % 97}" / f"s{number % 7}"
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
        total += size
    return total


class Bench:
    """The data all rows share, and a directory for what a run writes."""

    def __init__(self, base: Path, reference: str, files: int) -> None:
        self.base = base
        self.reference = reference
        self.tree = base / "tree"
        self.tree.mkdir()
        self.size = make_tree(self.tree, files)
        self.bare = self._repository("bare")
        self.archive = self._repository("archive")
        self.commit = ask([reference, f"--repo={self.bare}", "rev-parse", REF])
        self.url = ""
        self._number = 0

    def fresh(self) -> Path:
        """A path that does not exist yet."""
        self._number += 1
        return self.base / f"out{self._number}"

    def new_repository(self, mode: str) -> Path:
        """An empty repository."""
        path = self.fresh()
        ask([self.reference, f"--repo={path}", "init", f"--mode={mode}"])
        return path

    def commit_to(self, program: str, repository: Path) -> list[str]:
        """The command that commits the tree."""
        return [
            program,
            f"--repo={repository}",
            "commit",
            f"--branch={REF}",
            "--parent=none",
            "--timestamp=@1700000000",
            f"--owner-uid={os.getuid()}",
            f"--owner-gid={os.getgid()}",
            f"--tree=dir={self.tree}",
        ]

    def check_commit(self, repository: Path) -> None:
        """Make sure that a commit is the one everybody makes of this tree."""
        commit = ask([self.reference, f"--repo={repository}", "rev-parse", REF])
        if commit != self.commit:
            raise FailureError(f"{repository}: commit {commit} instead of {self.commit}")

    def _repository(self, mode: str) -> Path:
        path = self.base / mode
        ask([self.reference, f"--repo={path}", "init", f"--mode={mode}"])
        ask(self.commit_to(self.reference, path))
        ask([self.reference, f"--repo={path}", "summary", "-u"])
        return path


def startup(bench: Bench, program: str) -> Usage:
    """The cheapest useful command, twenty times."""
    command = [program, f"--repo={bench.bare}", "rev-parse", REF]
    runs = [execute(command) for _ in range(20)]
    return Usage(
        sum(run.wall for run in runs),
        sum(run.processor for run in runs),
        max(run.peak for run in runs),
    )


def commit_new(bench: Bench, program: str, mode: str) -> Usage:
    """Commit the tree into an empty repository."""
    repository = bench.new_repository(mode)
    os.sync()
    usage = execute(bench.commit_to(program, repository))
    bench.check_commit(repository)
    shutil.rmtree(repository)
    return usage


def commit_bare(bench: Bench, program: str) -> Usage:
    """Into a bare repository: hash and write."""
    return commit_new(bench, program, "bare")


def commit_archive(bench: Bench, program: str) -> Usage:
    """Into an archive: hash, compress and write."""
    return commit_new(bench, program, "archive")


def recommit(bench: Bench, program: str) -> Usage:
    """Commit the tree once more where every object exists."""
    usage = execute(bench.commit_to(program, bench.bare))
    bench.check_commit(bench.bare)
    return usage


def checkout_hardlink(bench: Bench, program: str) -> Usage:
    """Check the tree out as hard links."""
    destination = bench.fresh()
    os.sync()
    usage = execute([program, f"--repo={bench.bare}", "checkout", "-H", REF, str(destination)])
    shutil.rmtree(destination)
    return usage


def fsck_bare(bench: Bench, program: str) -> Usage:
    """Read and hash every object."""
    return execute([program, f"--repo={bench.bare}", "fsck", "--quiet"])


def pull_http(bench: Bench, program: str) -> Usage:
    """Fetch the commit over loopback into an empty bare repository, from our server."""
    repository = bench.new_repository("bare")
    ask(
        [
            bench.reference,
            f"--repo={repository}",
            "remote",
            "add",
            "--no-gpg-verify",
            "origin",
            bench.url,
        ]
    )
    os.sync()
    usage = execute([program, f"--repo={repository}", "pull", "origin", REF])
    commit = ask([bench.reference, f"--repo={repository}", "rev-parse", f"origin:{REF}"])
    if commit != bench.commit:
        raise FailureError(f"pull gave {commit} instead of {bench.commit}")
    shutil.rmtree(repository)
    return usage


ROWS: dict[str, Callable[[Bench, str], Usage]] = {
    "startup": startup,
    "commit-bare": commit_bare,
    "commit-archive": commit_archive,
    "recommit": recommit,
    "checkout-hardlink": checkout_hardlink,
    "fsck-bare": fsck_bare,
    "pull-http": pull_http,
}


@contextmanager
def serving(bench: Bench, program: str) -> Iterator[str]:
    """Our server over the archive, for both clients alike; gives its address."""
    log = bench.base / "server.log"
    command = [program, "serve", str(bench.archive), "--bind", "127.0.0.1", "--port", "0"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment()
        ) as process,
    ):
        try:
            yield wait_for_address(log, process)
        finally:
            process.terminate()


def wait_for_address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The address a server prints when it is ready.

    Raises:
        FailureError: if it ends first, or after ten seconds.
    """
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        _, _, after = log.read_text().partition("http://")
        if "\n" in after:
            return "http://" + after.split()[0].rstrip("/.,")
        time.sleep(0.02)
    raise FailureError(f"the server is not ready: {log.read_text().strip()}")


def measure(bench: Bench, name: str, program: str, rounds: int) -> Measured:
    """Run a row in the order A B B A, ``rounds`` times, after one unmeasured turn each."""
    row = ROWS[name]
    row(bench, bench.reference)
    row(bench, program)
    theirs: list[Usage] = []
    ours: list[Usage] = []
    for _ in range(rounds):
        theirs.append(row(bench, bench.reference))
        ours.append(row(bench, program))
        ours.append(row(bench, program))
        theirs.append(row(bench, bench.reference))
    ratios = [one.wall / other.wall for one, other in zip(theirs, ours, strict=True)]
    return Measured(
        name,
        median(usage.wall for usage in theirs),
        median(usage.wall for usage in ours),
        median(ratios),
        min(ratios),
        max(ratios),
        max(usage.peak for usage in ours),
    )


def measure_all(arguments: argparse.Namespace, base: Path) -> list[Measured]:
    """Measure the chosen rows, each shown as soon as it is known."""
    program = os.path.abspath(arguments.ostree)
    bench = Bench(base, arguments.reference, arguments.files)
    print(f"{arguments.files} files, {bench.size / MIB:.0f} MiB; {arguments.rounds} rounds A B B A")
    print(f"{'':20}{'reference':>10}{'ours':>10}{'ratio':>8}{'range':>15}{'peak':>10}", flush=True)
    results = []
    for name in arguments.rows:
        if name == "pull-http":
            with serving(bench, program) as bench.url:
                result = measure(bench, name, program, arguments.rounds)
        else:
            result = measure(bench, name, program, arguments.rounds)
        results.append(result)
        span = f"{result.low:.2f}..{result.high:.2f}"
        print(
            f"{name:20}{result.reference:8.3f} s{result.ours:8.3f} s{result.ratio:7.2f}x"
            f"{span:>15}{result.peak:6.0f} MiB",
            flush=True,
        )
    return results


def row_names(text: str) -> list[str]:
    """Split and check the value of ``--rows``."""
    names = text.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such row: {', '.join(unknown)}")
    return names


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="speed as ratios to the reference command")
    parser.add_argument("--ostree", required=True, help="our command")
    parser.add_argument(
        "--reference", default="/usr/bin/ostree", help="the command to compare with"
    )
    parser.add_argument("--rows", type=row_names, default=list(ROWS), help=", ".join(ROWS))
    parser.add_argument("--files", type=int, default=6000, help="files in the tree")
    parser.add_argument("--rounds", type=int, default=3, help="how often A B B A is run")
    parser.add_argument("--json", type=Path, help="write the results there as well")
    arguments = parser.parse_args()
    for program in (arguments.ostree, arguments.reference):
        if not os.access(program, os.X_OK):
            parser.exit(2, f"no such command: {program} (the reference is Debian's ostree)\n")
    with tempfile.TemporaryDirectory(prefix="ostree-bench-") as base:
        try:
            results = measure_all(arguments, Path(base))
        except FailureError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    if arguments.json:
        text = json.dumps([result._asdict() for result in results], indent=1)
        arguments.json.write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
