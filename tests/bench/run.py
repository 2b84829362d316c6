"""How fast our command is, as ratios to the reference command on the same machine.

Both do the same work on the same data, turn by turn: reference, ours, ours, reference.  Each
neighbouring pair gives a ratio of wall-clock times, reference over ours, so that 2.00 means twice
as fast; the median of all pairs is shown.  Absolute seconds depend on the machine and its day, the
ratios much less.  Where the reference is not installed our times are shown alone.

    python -m bench.run --ostree .venv/bin/ostree                      all rows
    python -m bench.run --ostree .venv/bin/ostree --rows recommit      some
    python -m bench.run --ostree .venv/bin/ostree --tree /usr/share    a real tree
    python -m bench.run --ostree .venv/bin/ostree --markdown           a table for a page

The data is in memory (``--dir``), so that no disk disturbs; rows that end in ``-sync`` work on a
disk (``--disk``) with ``core.fsync=true``, and are left out where that is memory, too.  What they
write stays there until the end, 9 GB of it by default; after that, ext4 takes minutes until it is as
quick as before.  The reference's deployments freeze that file system for a moment: for
``admin-deploy-sync`` mount one of its own, like an image with ``mount -o loop``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.material import Material
from bench.measuring import FailureError, Measured, alone, environment, in_turns
from bench.rows import OVER_HTTP, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFERENCE = "/usr/bin/ostree"
_IN_MEMORY = {"tmpfs", "ramfs"}


@contextmanager
def serving(data: Material, program: str) -> Iterator[str]:
    """Our server over the archive, for both clients alike; gives its address."""
    log = data.base / "server.log"
    command = [program, "serve", str(data.served()), "--bind", "127.0.0.1", "--port", "0"]
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


class Table:
    """Prints rows as they come, for a terminal or a page."""

    def __init__(self, *, markdown: bool, with_reference: bool) -> None:
        self._markdown = markdown
        titles = ("reference", "ours", "ratio", "range") if with_reference else ("seconds",)
        self._columns = (
            "",
            *titles,
            *(("memory",) if not with_reference else ("memory", "theirs")),
        )

    def begin(self) -> None:
        """The titles."""
        self._line(self._columns)
        if self._markdown:
            self._line(["---" for _ in self._columns])

    def row(self, row: Measured) -> None:
        """One row."""
        if row.ratio is None:
            self._line((row.name, f"{row.ours:.3f} s", f"{row.peak:.0f} MiB"))
            return
        self._line(
            (
                row.name,
                f"{row.reference:.3f} s",
                f"{row.ours:.3f} s",
                f"{row.ratio:.2f}x",
                f"{row.low:.2f}..{row.high:.2f}",
                f"{row.peak:.0f} MiB",
                f"{row.reference_peak:.0f} MiB",
            )
        )

    def _line(self, cells: tuple[str, ...] | list[str]) -> None:
        if self._markdown:
            print(f"| {' | '.join(cells)} |", flush=True)
        else:
            print(f"{cells[0]:24}" + "".join(f"{cell:>13}" for cell in cells[1:]), flush=True)


def machine() -> str:
    """The machine in one line."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{model}, {len(os.sched_getaffinity(0))} processors, {memory:.0f} GiB; "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def file_system(path: Path) -> str:
    """The kind of file system that a directory is on."""
    command = ["stat", "--file-system", "--format=%T", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return said.replace("ext2/ext3", "ext2/3/4")  # which share a magic number


def measure_all(arguments: argparse.Namespace, data: Material) -> list[Measured]:
    """Measure the chosen rows, each shown as soon as it is known."""
    program = os.path.abspath(arguments.ostree)
    table = Table(markdown=arguments.markdown, with_reference=arguments.reference is not None)
    table.begin()
    results = []
    with ExitStack() as stack:
        for name in arguments.rows:
            if name in OVER_HTTP and not data.url:
                data.url = stack.enter_context(serving(data, program))
            ours = partial(ROWS[name], data, program)
            if arguments.reference is None:
                result = alone(name, ours, arguments.rounds)
            else:
                theirs = partial(ROWS[name], data, arguments.reference)
                result = in_turns(name, theirs, ours, arguments.rounds)
            results.append(result)
            table.row(result)
    return results


def row_names(text: str) -> list[str]:
    """Split and check the value of ``--rows``."""
    names = text.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such row: {', '.join(unknown)}")
    return names


def parse() -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        prog="bench", description="speed as ratios to the reference command"
    )
    parser.add_argument("--ostree", required=True, help="our command")
    parser.add_argument(
        "--reference", help=f"the command to compare with ({_REFERENCE}, if it is there)"
    )
    parser.add_argument("--rows", type=row_names, help=", ".join(ROWS))
    parser.add_argument("--files", type=int, default=6000, help="files in the tree")
    parser.add_argument("--tree", type=Path, help="a real tree instead, like /usr/share")
    parser.add_argument("--rounds", type=int, default=3, help="how often A B B A is run")
    parser.add_argument("--dir", type=Path, help="where to work (/dev/shm, if that is there)")
    parser.add_argument(
        "--disk", type=Path, default=Path("/var/tmp"), help="where rows that sync work (/var/tmp)"
    )
    parser.add_argument("--markdown", action="store_true", help="print a table for a page")
    parser.add_argument("--json", type=Path, help="write the results there as well")
    arguments = parser.parse_args()
    if arguments.reference is None and os.access(_REFERENCE, os.X_OK):
        arguments.reference = _REFERENCE
    for program in (arguments.ostree, arguments.reference):
        if program is not None and not os.access(program, os.X_OK):
            parser.exit(2, f"no such command: {program}\n")
    if arguments.dir is None and os.access("/dev/shm", os.W_OK):
        arguments.dir = Path("/dev/shm")
    if arguments.rows is None:
        on_disk = file_system(arguments.disk) not in _IN_MEMORY
        arguments.rows = [name for name in ROWS if on_disk or not name.endswith("-sync")]
    return arguments


def main() -> int:
    """Measure and print."""
    arguments = parse()
    with (
        tempfile.TemporaryDirectory(prefix="ostree-bench-", dir=arguments.dir) as base,
        tempfile.TemporaryDirectory(prefix="ostree-bench-", dir=arguments.disk) as disk,
    ):
        try:
            maker = arguments.reference or os.path.abspath(arguments.ostree)
            data = Material(Path(base), Path(disk), maker, arguments.files, arguments.tree)
            print(f"{machine()}; disk: {file_system(Path(disk))}.")
            where = f"{arguments.tree}: " if arguments.tree else ""
            turns = "A B B A" if arguments.reference else "A A"
            print(f"{where}{data.description}; {arguments.rounds} rounds {turns}.\n", flush=True)
            results = measure_all(arguments, data)
        except FailureError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    if arguments.json:
        text = json.dumps([result._asdict() for result in results], indent=1)
        arguments.json.write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
