"""Two sysroots that get the same commands, one by each program, and what may be compared."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from cli.running import ostree as run_ours

REFERENCE = "/usr/bin/ostree"
SWITCHES = {
    "OSTREE_SYSROOT_OPTS": "skip-sync",
    # Deployments could not be removed by the test otherwise; the attribute has a test of its own.
    "OSTREE_SYSROOT_DEBUG": "mutable-deployments",
}
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    **SWITCHES,
}
#: In the words of a command: the directory of the program that runs it.
SIDE = "{side}"
SIDES = ("ours", "theirs")

#: Lines of output that newer releases do not have, or have otherwise.
_OLD_LINES = (
    # Written to the journal since 2026.4 (§10).
    (re.compile(r"^Freed objects: .*\n", re.MULTILINE), ""),
    # A ref without remote is no ref of the remote "(null)" (§18.10).
    (re.compile(r"'\(null\):"), "'"),
    # One word of the message changed (§18.2).
    (re.compile(r"initialized as OSTree root$", re.MULTILINE), "initialized as OSTree stateroot"),
)
#: The reference cannot remove from ``/etc`` what was in a directory that is a file by default now;
#: for us nothing is left to do (ADR 24).
GONE_ALREADY = "what is to be removed is gone already"
#: Errors that both have to give, whatever the words: the reference names the call that failed.
_CALLS = (
    (re.compile(r"unlinkat\([^)]*\): Not a directory$"), GONE_ALREADY),
    (re.compile(r"(?:\w+\([^)]*\)|\w+): Not a directory$"), "Not a directory"),
    # 2022.7 has one word less here (§18.9).
    (re.compile(r" --reboot or --kexec$"), " --reboot"),
)
#: Names of boot entries: the stateroot is no part of them since 2024.5 (§5.1).
_ENTRY = re.compile(r"(entries/ostree-\d+)-[^/]*\.conf$")


class Outcome(NamedTuple):
    """What a command did: its exit status (0 or 1), output and last line of complaint."""

    status: int
    out: str
    error: str


class Difference(Exception):  # noqa: N818 - it is what the test looks for
    """The two programs did not do the same."""


class Departed(Exception):  # noqa: N818 - nothing went wrong
    """The reference gave up where we go on, for a reason that is on record: the end of a sequence."""


class AdminWorld:
    """A directory with the sysroots ``ours`` and ``theirs``, and ``source``, a repository."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.source = base / "source"
        self.log: list[str] = []
        base.mkdir(parents=True)
        for side in SIDES:
            (base / side).mkdir()
        self.reference("init", f"--repo={self.source}", "--mode=archive")
        self.both("init-fs", SIDE)
        for side in SIDES:
            repo = f"--repo={base / side}/ostree/repo"
            self.reference("config", repo, "set", "core.fsync", "false")
            url = f"file://{self.source}"
            self.reference("remote", "add", repo, "--no-gpg-verify", "origin", url)

    def remove(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.base, ignore_errors=True)

    # running ----------------------------------------------------------------------------------

    def reference(self, *words: str) -> str:
        """Prepare something with the reference; what it prints."""
        result = subprocess.run(
            [REFERENCE, *words], check=True, capture_output=True, text=True, env=ENVIRONMENT
        )
        return result.stdout.strip()

    def both(self, command: str, *words: str, sort: bool = False) -> Outcome:
        """Run an ``admin`` command on either side and compare what can be seen of it.

        ``sort`` is for output whose order is that of directory entries.

        Raises:
            Difference: naming what differs.
            Departed: the sysroots need not be the same any more.
        """
        first = command.split() if command == "init-fs" else [*command.split(), f"--sysroot={SIDE}"]
        return self._compare("admin", *first, *words, sort=sort)

    def both_repositories(self, command: str, *words: str) -> Outcome:
        """The same for a command about the system's repository."""
        return self._compare(*command.split(), f"--repo={SIDE}/ostree/repo", *words)

    def ours_on_both(self, command: str, *words: str) -> None:
        """Run a command that only we have on both sysroots."""
        self.log.append(" ".join([command, *words, "(ours on both)"]))
        outcomes = [
            self.run_ours((*command.split(), f"--sysroot={SIDE}", *words), side, ("admin",))
            for side in SIDES
        ]
        if outcomes[0] != outcomes[1]:
            raise self._difference("what we do", *outcomes)
        self._name_as_the_reference(self.base / "theirs/boot/loader/entries")

    @staticmethod
    def _name_as_the_reference(entries: Path) -> None:
        """Give boot entries that we wrote the old names (§5.1).

        ``kargs edit-in-place`` of the reference does not find them otherwise and makes new ones
        beside them (§22.37).
        """
        for path in entries.glob("ostree-*.conf") if entries.is_dir() else []:
            link = re.search(r"ostree=/ostree/boot\.\d/([^/]+)/", path.read_text())
            if re.fullmatch(r"ostree-\d+", path.stem) and link is not None:
                path.rename(path.with_name(f"{path.stem}-{link[1]}.conf"))

    def _compare(self, *words: str, sort: bool = False) -> Outcome:
        self.log.append(" ".join(words))
        theirs = self.run_theirs(words)
        ours = self.run_ours(words, "ours")
        if sort:
            ours, theirs = (
                one._replace(out="\n".join(sorted(one.out.splitlines()))) for one in (ours, theirs)
            )
        if theirs.status < 0:  # the reference aborts on an assertion; we have to fail properly
            if ours.status != 1 or not ours.error.startswith("error: "):
                raise self._difference("the reference aborts, we do not fail", ours, theirs)
            return ours
        if ours.status == 0 and theirs.error.endswith(f"During /etc merge: {GONE_ALREADY}"):
            raise Departed
        if ours[:2] != theirs[:2] or not _is_same_error(ours.error, theirs.error):
            raise self._difference("outcome", ours, theirs)
        return ours

    def _difference(self, what: str, ours: object, theirs: object) -> Difference:
        return Difference(
            f"{what} differs (in {self.base}) after\n  "
            + "\n  ".join(self.log)
            + f"\nours:   {ours}\ntheirs: {theirs}"
        )

    def run_ours(
        self, words: tuple[str, ...], side: str = "ours", before: tuple[str, ...] = ()
    ) -> Outcome:
        place = str(self.base / side)
        line = [word.replace(SIDE, place) for word in (*before, *words)]
        result = run_ours(*line, environ=SWITCHES)
        return self._outcome(result.status, result.out, result.err, place)

    def run_theirs(self, words: tuple[str, ...]) -> Outcome:
        place = str(self.base / "theirs")
        result = subprocess.run(
            [REFERENCE, *(word.replace(SIDE, place) for word in words)],
            capture_output=True,
            check=False,
            env=ENVIRONMENT,
        )
        out, err = (
            data.decode("utf-8", "surrogateescape") for data in (result.stdout, result.stderr)
        )
        return self._outcome(result.returncode, out, err, place)

    @staticmethod
    def _outcome(status: int, out: str, err: str, place: str) -> Outcome:
        out = out.replace(place, SIDE)
        for pattern, text in _OLD_LINES:
            out = pattern.sub(text, out)
        errors = [line for line in err.replace(place, SIDE).splitlines() if "error: " in line]
        error = errors[-1] if errors else ""
        for pattern, text in _CALLS:
            error = pattern.sub(text, error)
        return Outcome(status, out, error)

    # looking ----------------------------------------------------------------------------------

    def deployments(self) -> list[str]:
        """The directories of our deployments in the order of the list, relative to the sysroot."""
        return [path for path, _ in self._entries()]

    def kernel_arguments(self, stateroot: str) -> list[str]:
        """Those of our first deployment of a stateroot; nothing if there is none."""
        for path, options in self._entries():
            if path.split("/")[2] == stateroot:
                return options
        return []

    def _entries(self) -> list[tuple[str, list[str]]]:
        found = []
        entries = self.base / "ours/boot/loader/entries"
        for path in entries.glob("ostree-*.conf") if entries.is_dir() else []:
            text = path.read_text()
            version = re.search(r"^version (\d+)$", text, re.MULTILINE)
            options = re.search(r"^options (.*)$", text, re.MULTILINE)
            link = re.search(r"ostree=(\S+)", text)
            if version is None or link is None or options is None:
                raise Difference(f"no boot entry: {path}: {text}")
            target = os.path.realpath(f"{self.base}/ours{link[1]}")
            place = os.path.relpath(target, self.base / "ours")
            found.append((-int(version[1]), place, options[1].split(" ")))
        return [(place, options) for _, place, options in sorted(found)]

    def has_commit(self, checksum: str) -> bool:
        """Whether a commit is in our system's repository."""
        objects = self.base / "ours/ostree/repo/objects"
        return (objects / checksum[:2] / f"{checksum[2:]}.commit").exists()

    def exchange(self) -> None:
        """Have each program go on with the sysroot that the other one has made."""
        self.log.append("exchange the sysroots")
        ours, theirs, aside = (self.base / name for name in (*SIDES, "aside"))
        ours.rename(aside)
        theirs.rename(ours)
        aside.rename(theirs)
        self._name_as_the_reference(theirs / "boot/loader/entries")

    # comparing --------------------------------------------------------------------------------

    def compare(self) -> None:
        """Raises Difference unless both sysroots hold the same."""
        ours, theirs = (self._inventory(side) for side in SIDES)
        if ours == theirs:
            return
        names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        shown = "\n  ".join(
            f"{name}:\n    ours   {ours.get(name)!r}\n    theirs {theirs.get(name)!r}"
            for name in names[:12]
        )
        raise Difference(
            f"sysroots differ (in {self.base}):\n  {shown}\nafter\n  " + "\n  ".join(self.log)
        )

    def _inventory(self, side: str) -> dict[str, object]:
        root = self.base / side
        found: dict[str, object] = {}
        for directory, below, names in os.walk(root):
            relative = os.path.relpath(directory, root)
            below[:] = [
                name
                for name in below
                if not (_is_left_out(relative, name) or _is_left_empty(directory, relative, name))
            ]
            for name in [*below, *names]:
                path = os.path.join(directory, name)
                key = _ENTRY.sub(r"\1.conf", os.path.normpath(f"{relative}/{name}"))
                if key not in _LEFT_OUT:
                    found[key] = self._describe(path, key)
        return found

    def _describe(self, path: str, key: str) -> tuple[object, ...]:
        info = os.lstat(path)
        facts: tuple[object, ...] = (oct(info.st_mode), info.st_uid, info.st_gid)
        if stat.S_ISLNK(info.st_mode):
            return (*facts, os.readlink(path))
        if not stat.S_ISREG(info.st_mode):
            return facts
        if key.startswith("ostree/repo/objects/"):
            return ("object",)
        content = Path(path).read_bytes()
        attributes = tuple((name, os.getxattr(path, name)) for name in sorted(os.listxattr(path)))
        shown: object = hashlib.md5(content).digest()
        if key.startswith(("boot/loader", "ostree/repo/refs", "ostree/repo/config")):
            shown = content.decode("utf-8", "surrogateescape")
        elif key.endswith(".origin"):
            # The reference keeps an empty line where a group, or a key, has gone or come.
            shown = [line for line in content.decode().splitlines() if line]
        return (*facts, info.st_nlink, attributes, shown)


def _is_same_error(ours: str, theirs: str) -> bool:
    """Whether two errors are one; which steps are named in front differs by release (§21)."""
    short, long = sorted((text.removeprefix("error: ") for text in (ours, theirs)), key=len)
    return short == long or (short != "" and long.endswith(f": {short}"))


#: What is a matter of a moment, or of one program only.
_LEFT_OUT = frozenset({"ostree/lock", "ostree/repo/.lock"})


def _is_left_out(parent: str, name: str) -> bool:
    path = os.path.normpath(f"{parent}/{name}")
    return (
        # Caches, and the temporary files of pulls.
        path in {"ostree/repo/tmp", "ostree/repo/state"}
        # Only newer releases have it (§1.2).
        or re.fullmatch(r"ostree/deploy/[^/]+/backing", path) is not None
    )


def _is_left_empty(directory: str, parent: str, name: str) -> bool:
    """Whether it is a stateroot's directory of deployments, with none in it.

    The reference makes it before it finds out that there is no such commit; we find out first.
    """
    path = os.path.normpath(f"{parent}/{name}")
    if re.fullmatch(r"ostree/deploy/[^/]+/deploy", path) is None:
        return False
    return not os.listdir(os.path.join(directory, name))
