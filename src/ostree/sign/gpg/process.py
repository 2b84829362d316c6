"""Running ``gpg``: in a home of its own, without network and agent, or in the user's."""

from __future__ import annotations

from contextlib import contextmanager

from ostree.errors import SignatureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The file of a home's keyring.
RING = "pubring.gpg"
_PROGRAM = "gpg"
_STATUS = b"[GNUPG:] "
#: For every run: nobody is asked anything, status lines come on standard output.
_ALWAYS = ("--batch", "--no-tty", "--display-charset", "utf-8", "--status-fd", "1")
#: For runs in a home of their own: what a key is worth is decided by its being there.
_ISOLATED = (
    "--no-options",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--no-auto-check-trustdb",
    "--no-permission-warning",
    "--trust-model",
    "always",
    "--no-default-keyring",
)


class GpgOutput:
    """What a run of ``gpg`` left.

    Attributes:
        code: Its exit status.
        text: Its standard output, less status lines.
        statuses: Its status lines as words, the keyword first.
        log: What it said to people.
    """

    __slots__ = ("code", "log", "statuses", "text")

    def __init__(self, code: int, output: bytes, log: bytes) -> None:
        lines = output.split(b"\n")
        self.code = code
        self.text = b"\n".join(line for line in lines if not line.startswith(_STATUS))
        self.statuses = [
            decode(line[len(_STATUS) :]).split(" ") for line in lines if line.startswith(_STATUS)
        ]
        self.log = log.decode("utf-8", "replace")

    def find(self, keyword: str) -> list[str] | None:
        """The words of the first status line with that keyword."""
        return next((words for words in self.statuses if words[0] == keyword), None)

    def last_line(self) -> str:
        """The last thing it said, without the program's name."""
        lines = self.log.strip().splitlines() or [f"exit status {self.code}"]
        return lines[-1].removeprefix(f"{_PROGRAM}: ")


def decode(data: bytes) -> str:
    """Text of ``gpg``: UTF-8, unless somebody put something else into a user ID."""
    return data.decode("utf-8", "surrogateescape")


def run_gpg(
    arguments: Sequence[str], *, home: str | None = None, data: bytes | memoryview = b""
) -> GpgOutput:
    """Run ``gpg`` in the user's home, or another one with keys and configuration.

    Raises:
        SignatureError: if there is no such program.
    """
    place = ("--homedir", home) if home is not None else ()
    return _run((*_ALWAYS, *place, *arguments), data)


class GpgHome:
    """A directory that a run of ``gpg`` has for itself.

    Attributes:
        path: The directory.
    """

    __slots__ = ("_has_agent", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._has_agent = False

    def run(
        self, *arguments: str, data: bytes | memoryview = b"", agent: bool = False
    ) -> GpgOutput:
        """Run ``gpg`` on this home's keyring.

        Args:
            arguments: What to do.
            data: Its standard input.
            agent: Whether an agent for secret keys may be started.

        Raises:
            SignatureError: if there is no such program.
        """
        self._has_agent = self._has_agent or agent
        isolated = _ISOLATED if agent else (*_ISOLATED, "--no-autostart")
        ring = f"gnupg-ring:{self._ring_path}"
        home = ("--homedir", self.path, "--keyring", ring)
        return _run((*_ALWAYS, *isolated, *home, *arguments), data)

    def close(self) -> None:
        """End what was started in it."""
        if self._has_agent:
            import subprocess

            subprocess.run(
                ("gpgconf", "--homedir", self.path, "--kill", "all"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )

    @property
    def _ring_path(self) -> str:
        return f"{self.path}/{RING}"

    def read(self, name: str) -> bytes:
        """The content of a file there."""
        with open(f"{self.path}/{name}", "rb") as file:
            return file.read()

    def write(self, name: str, content: bytes) -> str:
        """Put a file there; returns its path."""
        path = f"{self.path}/{name}"
        with open(path, "wb") as file:
            file.write(content)
        return path


@contextmanager
def gpg_home(ring: bytes = b"") -> Iterator[GpgHome]:
    """A temporary home with these keys; gone when the block ends."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ostree-gpg-") as path:
        home = GpgHome(path)
        home.write(RING, ring)
        try:
            yield home
        finally:
            home.close()


def _run(arguments: Sequence[str], data: bytes | memoryview) -> GpgOutput:
    import subprocess

    try:
        done = subprocess.run(
            (_PROGRAM, *arguments), input=data, capture_output=True, check=False, close_fds=True
        )
    except OSError as error:
        raise SignatureError(
            f"GPG: Unable to run {_PROGRAM}: {error.strerror}",
            hint="install GnuPG (package gnupg, or gpg)",
        ) from error
    return GpgOutput(done.returncode, done.stdout, done.stderr)
