"""Showing commands and their output, running the server, and leaving nothing behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

_LONG = struct.calcsize("l")
_GETFLAGS = 0x80006601 | _LONG << 16
_SETFLAGS = 0x40006602 | _LONG << 16
_IMMUTABLE = 0x10


class DemoError(Exception):
    """A step did not do what it has to."""


class Console:
    """Runs commands in the demo's directory, each shown before its output.

    Attributes:
        place: The directory; paths in commands are relative to it.
        environ: The environment of the commands.
    """

    def __init__(self, place: str, program: str) -> None:
        self.place = place
        directory = os.path.dirname(os.path.abspath(program))
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith("OSTREE_")}
        self.environ["PATH"] = f"{directory}:{os.environ.get('PATH', os.defpath)}"
        self.is_terminal = sys.stdout.isatty()
        self._step = 0
        self._status_shown = False

    def title(self, text: str) -> None:
        """Begin a step."""
        self._step += 1
        self.say(f"\n{self._bold(f'=== {self._step}. {text}')}")

    def say(self, text: str) -> None:
        """Print a line."""
        self.status("")
        print(text, flush=True)

    def proves(self, text: str) -> None:
        """Say what has just been shown."""
        self.say(f"--> {text}")

    def status(self, text: str) -> None:
        """Show a line that the next one replaces; on a terminal only."""
        if self.is_terminal and (text or self._status_shown):
            print(f"\r\033[K{text}", end="", flush=True)
            self._status_shown = bool(text)

    def command(self, text: str) -> None:
        """Show a command line."""
        self.say(self._bold(f"$ {text}"))

    def export(self, name: str, value: str) -> None:
        """Set a variable for the commands that follow."""
        self.command(f"export {name}={shlex.quote(value)}")
        self.environ[name] = value

    def run(self, *command: str) -> str:
        """Show and run a command; its output is shown and returned.

        Raises:
            DemoError: if it fails.
        """
        return self._run(shlex.join(command), command)

    def run_shell(self, line: str) -> str:
        """The same with a line for the shell."""
        return self._run(line, ("sh", "-c", line))

    def run_live(self, *command: str) -> None:
        """Show and run a command that draws its own progress."""
        self.command(shlex.join(command))
        result = subprocess.run(
            command, cwd=self.place, env=self.environ, stdin=subprocess.DEVNULL, check=False
        )
        if result.returncode:
            raise DemoError(f"{shlex.join(command)}: exit status {result.returncode}")

    def ask(self, *command: str) -> str:
        """The output of a command that is not part of the show."""
        result = subprocess.run(
            command,
            cwd=self.place,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise DemoError(f"{shlex.join(command)}: {result.stderr.strip()}")
        return result.stdout.strip()

    def path(self, relative: str) -> str:
        """The full path of something in the demo's directory."""
        return os.path.join(self.place, relative)

    def _run(self, shown: str, command: Sequence[str]) -> str:
        self.command(shown)
        lines = []
        with subprocess.Popen(
            command,
            cwd=self.place,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                lines.append(line)
        if process.returncode:
            raise DemoError(f"{shown}: exit status {process.returncode}")
        return "".join(lines)

    def _bold(self, text: str) -> str:
        return f"\033[1m{text}\033[0m" if self.is_terminal else text


class Server:
    """``ostree serve`` in the background, on a port of its own choice; ended with the block."""

    def __init__(self, console: Console, repository: str) -> None:
        self._console = console
        self._command = ["ostree", "serve", repository, "--bind", "127.0.0.1", "--port", "0"]
        self._log = console.path("server.log")
        self._process: subprocess.Popen[str] | None = None
        self._output: TextIO | None = None

    def __enter__(self) -> Self:
        self._console.command(f"{shlex.join(self._command)} &")
        self._output = open(self._log, "w", encoding="utf-8")
        self._process = subprocess.Popen(
            self._command,
            cwd=self._console.place,
            env=self._console.environ,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._output is not None:
            self._output.close()

    def url(self, *, timeout: float = 20) -> str:
        """The address it says that it serves; waits for it.

        Raises:
            DemoError: if it ends or says nothing in ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            text = self._read_log()
            for line in text.splitlines(keepends=True):
                start = line.find("http://")
                if start >= 0 and line.endswith("\n"):
                    self._console.say(line.rstrip())
                    return line[start:].split()[0].rstrip("/.,")
            if self._process is None or self._process.poll() is not None:
                raise DemoError(f"the server ended: {text.strip()}")
            time.sleep(0.02)
        raise DemoError(f"the server did not say its address in {timeout:.0f} s")

    def _read_log(self) -> str:
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()


def remove_tree(path: str) -> None:
    """Remove a directory with all below, deployments marked immutable included."""
    for directory, names, _ in os.walk(path):
        _make_mutable(directory)
        for name in names:
            full = os.path.join(directory, name)
            if not os.path.islink(full):
                with contextlib.suppress(OSError):
                    os.chmod(full, 0o700)
    shutil.rmtree(path)


def _make_mutable(directory: str) -> None:
    """Take the immutable flag away, which a deployment's root has if root made it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            packed = fcntl.ioctl(descriptor, _GETFLAGS, bytes(_LONG))
            flags = int.from_bytes(packed[:4], sys.byteorder)
            if flags & _IMMUTABLE:
                word = (flags & ~_IMMUTABLE).to_bytes(4, sys.byteorder)
                fcntl.ioctl(descriptor, _SETFLAGS, word.ljust(_LONG, b"\0"))
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def timed(times: dict[str, float], name: str) -> Iterator[None]:
    """Note in ``times`` how many seconds the block takes."""
    start = time.monotonic()
    yield
    times[name] = times.get(name, 0) + time.monotonic() - start


def check(condition: Callable[[], bool], promise: str) -> None:
    """Stop the demo if what it is about to claim is not so.

    Raises:
        DemoError: naming the promise that is not kept.
    """
    try:
        kept = condition()
    except OSError as error:
        raise DemoError(f"not so: {promise} ({error})") from error
    if not kept:
        raise DemoError(f"not so: {promise}")
