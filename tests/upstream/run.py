"""Upstream's installed shell tests against our command.

The Debian package ``ostree-tests`` installs the tests of release 2022.7.  Each runs in a directory,
a home and, as root, a network of its own, with our command first in PATH.  They print TAP, which is
counted: a test passes if it exits with 0, reports as much as it planned, and nothing as ``not ok``.

We follow 2026.4, where boot entries are called ``ostree-1.conf``, not ``ostree-1-OS.conf``; the
tests run from a copy in which those names are adapted.

    run.py --ostree .venv/bin/ostree                       all tests
    run.py --ostree .venv/bin/ostree test-refs test-pull*  some
    run.py --ostree .venv/bin/ostree --expected            those that expected.txt claims
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

SCRIPTS = Path("/usr/libexec/installed-tests/libostree")
METADATA = Path("/usr/share/installed-tests/libostree")
HTTPD = Path("/usr/libexec/libostree/ostree-trivial-httpd")
EXPECTED = Path(__file__).with_name("expected.txt")

#: ``ostree-1-testos.conf``; since 2024.5 the name of a boot entry has no state root.
OLD_ENTRY = re.compile(rb"\bostree-([0-9]+)-(?:testos|otheros)\.conf")

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MARK = "OSTREE_INSTALLED_TEST"


class Tap(NamedTuple):
    """What a test said about itself."""

    planned: int | None
    passed: int
    failed: int
    skipped: int
    reason: str


class Result(NamedTuple):
    """How one test went; ``status`` is pass, fail, skip or timeout."""

    name: str
    status: str
    points: int
    seconds: float
    detail: str


def parse_tap(output: str) -> Tap:
    """Read the Test Anything Protocol among other lines."""
    planned: int | None = None
    passed = failed = skipped = 0
    reason = ""
    for line in output.splitlines():
        if plan := re.match(r"1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?$", line, re.IGNORECASE):
            planned = int(plan[1])
            reason = plan[2] or reason
        elif line.startswith("not ok"):
            failed += 1
            reason = reason or line
        elif re.match(r"ok\b", line):
            if skip := re.search(r"#\s*skip\S*\s*(.*)", line, re.IGNORECASE):
                skipped += 1
                reason = reason or skip[1]
            else:
                passed += 1
        elif line.startswith("Bail out!"):
            failed += 1
            reason = line
    return Tap(planned, passed, failed, skipped, reason)


def last_word(output: str) -> str:
    """The last line that a test wrote, before the key agent that it stops says good-bye."""
    for line in reversed(output.splitlines()):
        if line.strip() and "gpg-connect-agent" not in line and line != "OK closing connection":
            return line.strip()
    return ""


def judge(name: str, output: str, code: int | None, seconds: float) -> Result:
    """Turn output and exit status (None: out of time) into a result."""
    tap = parse_tap(output)
    last = last_word(output)
    if code is None:
        status, detail = "timeout", last
    elif code == 77 or (code == 0 and tap.planned == 0):
        status, detail = "skip", tap.reason or last
    elif code or tap.failed:
        status, detail = "fail", tap.reason if tap.failed else f"exit status {code}: {last}"
    elif tap.planned is None or tap.passed + tap.skipped < tap.planned:
        said = tap.passed + tap.skipped
        status, detail = "fail", f"{said} of {tap.planned or 'an unknown number of'} points"
    elif tap.skipped and not tap.passed:
        status, detail = "skip", tap.reason
    else:
        status, detail = "pass", tap.reason
    return Result(name, status, tap.passed, round(seconds, 2), detail.strip())


class Suite:
    """The adapted copy of the tests, and the command they are to call."""

    def __init__(self, base: Path, program: Path, *, own_httpd: bool, timeout: float) -> None:
        self.base = base
        self.timeout = timeout
        self.scripts = base / "installed-tests" / "libostree"
        self.isolated = can_isolate()
        shutil.copytree(SCRIPTS, self.scripts, symlinks=True)
        for path in self.scripts.glob("*.sh"):
            path.write_bytes(OLD_ENTRY.sub(rb"ostree-\1.conf", path.read_bytes()))
        (base / "bin").mkdir()
        (base / "bin" / "ostree").symlink_to(program.absolute())
        if not own_httpd and HTTPD.exists():
            # The tests look for it here, relative to themselves; else they call `ostree trivial-httpd`.
            (base / "libostree").mkdir()
            (base / "libostree" / HTTPD.name).symlink_to(HTTPD)

    def run(self, name: str, log: Path | None = None) -> Result:
        """Run one test to its end or its time limit, then end all it started."""
        place = Path(tempfile.mkdtemp(prefix="t", dir=self.base))
        for directory in ("work", "home", "run", "tmp"):
            (place / directory).mkdir(mode=0o700)
        mark = secrets.token_hex(8)
        environ = {
            "PATH": f"{self.base / 'bin'}:{SYSTEM_PATH}",
            "HOME": str(place / "home"),
            "TMPDIR": str(place / "tmp"),
            "XDG_RUNTIME_DIR": str(place / "run"),
            "LANG": "C.UTF-8",
            "USER": os.environ.get("USER", "nobody"),
            MARK: mark,
        }
        output = place / "output"
        start = time.monotonic()
        with output.open("wb") as stream:
            code = self._execute(name, place / "work", environ, stream.fileno())
        end_marked(mark)
        text = output.read_text(encoding="utf-8", errors="replace")
        if log is not None:
            (log / f"{name}.log").write_text(text, encoding="utf-8")
        remove(place)
        return judge(name, text, code, time.monotonic() - start)

    def _execute(self, name: str, work: Path, environ: dict[str, str], output: int) -> int | None:
        command = [str(self.scripts / name)]
        if self.isolated:
            script = 'ip link set lo up && exec "$@"'
            command = ["unshare", "--net", "sh", "-c", script, "sh", *command]
        with subprocess.Popen(
            command,
            cwd=work,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                return process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                return None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def can_isolate() -> bool:
    """Whether a test can have a network of its own, so that it meets nobody on a port."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0


def end_marked(mark: str) -> None:
    """End the processes with this mark in their environment: what one test left running."""
    wanted = f"{MARK}={mark}".encode()
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (directory / "environ").read_bytes().split(b"\0"):
                    os.kill(int(directory.name), signal.SIGKILL)


def remove(place: Path) -> None:
    """Remove a test's directory, whatever modes it has left there."""
    for directory, names, _ in os.walk(place):
        for name in names:
            full = os.path.join(directory, name)
            if not os.path.islink(full):
                with contextlib.suppress(OSError):
                    os.chmod(full, 0o700)
    shutil.rmtree(place, ignore_errors=True)


def all_tests() -> list[str]:
    """The installed tests that call the command; compiled ones and JavaScript use the library."""
    names = (path.name.removesuffix(".test") for path in METADATA.glob("*.test"))
    return sorted(name for name in names if name.endswith((".sh", ".py")))


def expected_tests() -> list[str]:
    """The tests that expected.txt claims we pass."""
    lines = (line.partition("#")[0].strip() for line in EXPECTED.read_text().splitlines())
    return [line for line in lines if line]


def select(patterns: list[str]) -> list[str]:
    """The tests that any pattern matches, with or without ``.sh``; all for no pattern."""
    if not patterns:
        return all_tests()
    return [
        name
        for name in all_tests()
        if any(
            fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(Path(name).stem, pattern)
            for pattern in patterns
        )
    ]


def show(results: list[Result]) -> None:
    """Print the totals, and what expected.txt does not know yet."""
    count = dict.fromkeys(("pass", "fail", "timeout", "skip"), 0)
    for result in results:
        count[result.status] += 1
    points = sum(result.points for result in results if result.status == "pass")
    print(
        f"{count['pass']} of {len(results)} tests pass, {points} points; "
        f"{count['fail']} fail, {count['timeout']} out of time, {count['skip']} skipped"
    )
    unclaimed = {result.name for result in results if result.status == "pass"}
    unclaimed -= set(expected_tests())
    if unclaimed:
        print("passing but not in expected.txt:", *sorted(unclaimed))


def show_one(result: Result) -> None:
    """Print a line of the table as soon as it is known."""
    print(
        f"{result.status:8}{result.points:4} {result.seconds:7.1f} s  {result.name:45}"
        f"{result.detail[:100]}".rstrip(),
        flush=True,
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="upstream's installed tests against a command")
    parser.add_argument("tests", nargs="*", help="names or patterns; default: all")
    parser.add_argument("--ostree", type=Path, required=True, help="the command to test")
    parser.add_argument("--expected", action="store_true", help="the tests expected.txt claims")
    parser.add_argument("--own-httpd", action="store_true", help="serve with the command, too")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one test")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at a time")
    parser.add_argument("--log-dir", type=Path, help="keep each test's output here")
    parser.add_argument("--json", metavar="FILE", help="results as JSON; - for standard output")
    arguments = parser.parse_args()
    if not SCRIPTS.is_dir():
        parser.exit(2, "upstream's tests are not installed (Debian package ostree-tests)\n")
    if not os.access(arguments.ostree, os.X_OK):
        parser.exit(2, f"no such command: {arguments.ostree}\n")
    return arguments


def main() -> int:
    """Run the selection; 0 if all of it passes."""
    arguments = parse_arguments()
    names = select(expected_tests() if arguments.expected else arguments.tests)
    if arguments.expected and not expected_tests():
        names = []
    if arguments.log_dir is not None:
        arguments.log_dir.mkdir(parents=True, exist_ok=True)
    quiet = arguments.json == "-"
    results = []
    # A short path: the sockets of gpg-agent lie below it, and their names are limited.
    with tempfile.TemporaryDirectory(prefix="it", ignore_cleanup_errors=True) as base:
        suite = Suite(
            Path(base), arguments.ostree, own_httpd=arguments.own_httpd, timeout=arguments.timeout
        )
        with ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
            for result in pool.map(lambda name: suite.run(name, arguments.log_dir), names):
                results.append(result)
                if not quiet:
                    show_one(result)
    if quiet:
        json.dump([result._asdict() for result in results], sys.stdout, indent=1)
    else:
        show(results)
        if arguments.json:
            text = json.dumps([result._asdict() for result in results], indent=1)
            Path(arguments.json).write_text(f"{text}\n", encoding="utf-8")
    return 0 if all(result.status == "pass" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
