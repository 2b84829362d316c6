"""Two repositories that get the same commands, one by each program, and what may be compared."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from cli.running import ostree as run_ours

REFERENCE = "/usr/bin/ostree"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
#: In the words of a command: the directory of the program that runs it.
SIDE = "{side}"

_COMMITS = re.compile(r"[0-9a-f]{64}(?:, [0-9a-f]{64})+")
_TEMPORARY = re.compile(r"(checkout-union-|tmp\.|tmp-)[A-Za-z0-9_]+")
#: Where the programs may differ: which of several mistakes is found first depends on the order of
#: directory entries or objects, and one context is newer than the reference at hand.
_MAY_DIFFER = (
    (re.compile(r"Conflict: .* exists under"), "Conflict under"),
    (re.compile(r"is referenced by '.*'"), "is referenced"),
    (re.compile(r"Loading commit for ref [^:]*:(?:[^ :]*:)?"), "Loading commit:"),
    (re.compile(r"Can't replace (?:file|directory) with (?:file|directory): .*"), "conflict"),
    (re.compile(r"Content object [0-9a-f]{64}: invalid mode \d+ with bits \d+"), "bad mode"),
    (re.compile(r"Commit [0-9a-f]{64}: Commit has no requested ref .*"), "not bound"),
    (re.compile(r"(?:openat\(.*\)|open\(O_TMPFILE\)): Not a directory"), "Not a directory"),
    (re.compile(r"Ref ‘.*’ in bindings for commit .*"), "bad back reference"),
    (re.compile(r"Opening usr/lib/modules: "), ""),
)
#: What the reference refuses and we do: a copy that is there already, made readable by the first
#: checkout, is identical to what the second one would make; and a link may lead upwards (ADR 19),
#: where the path is one of another commit.
_WE_CAN = ("error: Copy checkout of ", "error: No such file or directory: /..")
_FREED = re.compile(r"\d[\d.]*\W(?:bytes|[kM]B)(?= freed)|(?<=freeing )\d.*")


class Outcome(NamedTuple):
    """What a command did: its exit status (0 or 1), output and last line of complaint."""

    status: int
    out: str
    error: str


class Difference(Exception):  # noqa: N818 - it is what the test looks for
    """The two programs did not do the same."""


class World:
    """A directory with ``ours/repo``, ``theirs/repo`` and room for what commands make."""

    def __init__(self, base: Path, mode: str, *, collection: str | None) -> None:
        self.base = base
        self.mode = mode
        self.log: list[str] = []
        self.sorted_lines = False
        for side in ("ours", "theirs"):
            (base / side).mkdir(parents=True)
        more = [f"--collection-id={collection}"] if collection else []
        self.both("init", f"--repo={SIDE}/repo", f"--mode={mode}", *more)
        self.both("config", f"--repo={SIDE}/repo", "set", "core.fsync", "false")

    def remove(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.base, ignore_errors=True)

    def remove_directories(self, name: str) -> None:
        """Delete the directories of that name on both sides."""
        for side in ("ours", "theirs"):
            shutil.rmtree(self.base / side / name, ignore_errors=True)

    # running ----------------------------------------------------------------------------------

    def both(self, *words: str, only_status: bool = False) -> Outcome:
        """Run a command on either side and compare what can be seen of it.

        ``only_status`` is for commands that may fail in several ways, of which each program finds
        another one first.

        Raises:
            Difference: naming what differs.
        """
        self.log.append(" ".join(words))
        theirs = self._theirs(words)
        ours = self._ours(words)
        if theirs.status < 0:  # the reference aborts on an assertion; we have to fail properly
            if ours.status != 1 or not ours.error.startswith("error: "):
                raise self._difference("the reference aborts, we do not fail", ours, theirs)
            return ours
        if theirs.error.startswith(_WE_CAN):
            return theirs
        if only_status and ours.status == theirs.status != 0:
            return ours
        for part, (mine, yours) in zip(
            Outcome._fields, zip(ours, theirs, strict=True), strict=True
        ):
            if mine != yours:
                raise self._difference(part, ours, theirs)
        return ours

    def tidy(self) -> None:
        """Have both forget what a command that failed halfway may have stored."""
        words = ("prune", f"--repo={SIDE}/repo")
        self.log.append(" ".join(words))
        self._theirs(words)
        self._ours(words)

    def _difference(self, what: str, ours: Outcome, theirs: Outcome) -> Difference:
        history = "\n  ".join(self.log)
        return Difference(
            f"{what} differs after (mode {self.mode}, in {self.base}):\n  {history}\n"
            f"ours:   {ours}\ntheirs: {theirs}"
        )

    def _ours(self, words: tuple[str, ...]) -> Outcome:
        place = str(self.base / "ours")
        result = run_ours(*(word.replace(SIDE, place) for word in words))
        return self._outcome(result.status, result.out, result.err, place)

    def _theirs(self, words: tuple[str, ...]) -> Outcome:
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

    def _outcome(self, status: int, out: str, err: str, place: str) -> Outcome:
        def plain(text: str) -> str:
            text = text.replace(place, SIDE)
            text = _TEMPORARY.sub(r"\1", text)
            if self.mode == "archive":  # sizes tell how well each program compresses
                text = _FREED.sub("some", text)
            return _COMMITS.sub(lambda match: ", ".join(sorted(match[0].split(", "))), text)

        errors = [line for line in plain(err).splitlines() if line.startswith("error: ")]
        for pattern, common in _MAY_DIFFER:
            errors = [pattern.sub(common, line) for line in errors]
        shown = plain(out)
        if self.sorted_lines:
            shown = "\n".join(sorted(shown.splitlines()))
        return Outcome(status, shown, errors[-1] if errors else "")

    # comparing --------------------------------------------------------------------------------

    def compare_repositories(self, name: str = "repo") -> None:
        """Raises Difference unless both have the same objects, refs, marks and configuration."""
        ours, theirs = (self._inventory(side, name) for side in ("ours", "theirs"))
        if ours == theirs:
            return
        names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        shown = "\n  ".join(
            f"{name}: ours {ours.get(name)!r}, theirs {theirs.get(name)!r}" for name in names[:20]
        )
        raise Difference(
            f"repositories differ (mode {self.mode}, in {self.base}):\n  {shown}\nafter\n  "
            + "\n  ".join(self.log)
        )

    def _inventory(self, side: str, name: str) -> dict[str, object]:
        repo = self.base / side / name
        found: dict[str, object] = {}
        for part in ("objects", "refs", "state", "extensions"):
            for directory, subdirectories, names in os.walk(repo / part):
                # Directories of refs stay when they are empty; those of objects do not tell much.
                shown = names if part == "objects" else [*names, *subdirectories]
                for entry in shown:
                    path = Path(directory, entry)
                    found[str(path.relative_to(repo))] = self._describe(path, part)
        found["config"] = (repo / "config").read_text()
        # The reference leaves marks of commits that it has deleted, or never had.
        return {
            key: value for key, value in found.items() if not _is_stray_mark(key, repo / "objects")
        }

    def _describe(self, path: Path, part: str) -> object:
        info = path.lstat()
        mode = stat.S_IMODE(info.st_mode)
        if stat.S_ISLNK(info.st_mode):
            return ("link", info.st_uid, info.st_gid, os.readlink(path))
        if stat.S_ISDIR(info.st_mode):
            return ("directory", mode)
        if part != "objects":
            return ("file", mode, path.read_bytes())
        attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
        # The bytes of compressed content are nobody's business (§3.3).
        size = None if path.suffix == ".filez" else info.st_size
        touched = path.suffix == ".file" and int(info.st_mtime) != 0
        return ("object", mode, info.st_uid, info.st_gid, size, attributes, touched)

    def compare_directories(self, name: str, *, is_new: bool) -> None:
        """Raises Difference unless the directories of that name on both sides are the same.

        Where something was there before, a link that replaces another one is not given its owner
        by the reference, and what is identical may stay or be replaced.
        """
        ours, theirs = (self._snapshot(side, name, is_new=is_new) for side in ("ours", "theirs"))
        if ours == theirs:
            return
        names = sorted(path for path in {*ours, *theirs} if ours.get(path) != theirs.get(path))
        shown = "\n  ".join(
            f"{path!r}: ours {ours.get(path)!r}, theirs {theirs.get(path)!r}" for path in names[:10]
        )
        raise Difference(
            f"{name} differs (mode {self.mode}, in {self.base}):\n  {shown}\nafter\n  "
            + "\n  ".join(self.log)
        )

    def _snapshot(self, side: str, name: str, *, is_new: bool) -> dict[str, object]:
        root = self.base / side / name
        objects = {
            Path(directory, entry).lstat().st_ino
            for directory, _, entries in os.walk(self.base / side / "repo")
            for entry in entries
        }
        found: dict[str, object] = {}
        for directory, subdirectories, names in os.walk(root):
            for entry in [".", *subdirectories, *names]:
                path = Path(directory, entry)
                info = path.lstat()
                body: object = None
                if stat.S_ISREG(info.st_mode):
                    body = path.read_bytes()
                elif stat.S_ISLNK(info.st_mode):
                    body = os.readlink(path)
                attributes = {
                    key: os.getxattr(path, key, follow_symlinks=False)
                    for key in os.listxattr(path, follow_symlinks=False)
                }
                has_owner = is_new or not stat.S_ISLNK(info.st_mode)
                found[os.path.relpath(path, root)] = (
                    oct(info.st_mode),
                    (info.st_uid, info.st_gid) if has_owner else None,
                    attributes,
                    body,
                    is_new and info.st_ino in objects,  # whether it is a hard link to an object
                    is_new and stat.S_ISREG(info.st_mode) and int(info.st_mtime) == 0,
                )
        return found


def _is_stray_mark(name: str, objects: Path) -> bool:
    """Whether it is the mark of a partial commit that is not there."""
    if not name.endswith(".commitpartial"):
        return False
    checksum = Path(name).stem
    return not (objects / checksum[:2] / f"{checksum[2:]}.commit").exists()
