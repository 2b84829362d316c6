"""Random commands that make sense, mostly, in the state that the ones before have left."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from compat.sequences.material import Tree, make_tar, make_tree
from compat.sequences.world import SIDE, Outcome, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPO = f"--repo={SIDE}/repo"
MODES = ("bare", "archive", "bare-user", "bare-user-only")
_BRANCHES = ("main", "dev", "x/y", "x/z", "os/stable")
_NOWHERE = "0" * 64


class Walk:
    """One sequence of commands.

    Args:
        seed: Decides everything about it.
        base: A directory that is not there yet.
    """

    def __init__(self, seed: int, base: Path) -> None:
        self.chance = random.Random(seed)
        self.mode = self.chance.choice(MODES)
        collection = "org.example.Os" if self.chance.random() < 0.2 else None
        self.world = World(base, self.mode, collection=collection)
        self.time = 1_000_000
        self.branches: dict[str, str] = {}
        self.commits: list[str] = []
        #: Whether several refs may have one history: what the reference keeps then depends on the
        #: order in which it visits them.
        self.overlaps = False
        self.checkouts: list[str] = []
        self._number = 0
        canonical = self.mode == "bare-user-only" and self.chance.random() < 0.8
        self.trees = [
            make_tree(self.chance, base / f"tree{n}", canonical=canonical) for n in range(3)
        ]
        self.tar = base / "some.tar"
        self.tar_paths = make_tar(self.chance, self.tar)

    def run(self, steps: int) -> None:
        """Take so many steps, then compare everything once more and check both repositories.

        Raises:
            Difference: the two programs did not do the same.
        """
        self.commit()
        for _ in range(steps):
            self._choose()()
        if self.chance.random() < 0.2:
            self.damage()  # last: how soon a missing object is noticed is each program's business
        self.world.compare_repositories()
        self.world.both("fsck", REPO, "-q", "-a")

    def _choose(self) -> Callable[[], object]:
        choices: list[tuple[Callable[[], object], int]] = [
            (self.commit, 8),
            (self.checkout, 8),
            (self.diff, 4),
            (self.ls, 3),
            (self.show, 3),
            (self.refs, 4),
            (self.prune, 3),
            (self.fsck, 2),
            (self.reset, 1),
            (self.cat, 1),
            (self.config, 1),
            (self.pull_local, 2),
        ]
        actions, weights = zip(*choices, strict=True)
        action: Callable[[], object] = self.chance.choices(actions, weights)[0]
        return action

    # choosing ---------------------------------------------------------------------------------

    def _maybe(self, probability: float, *words: str) -> list[str]:
        return list(words) if self.chance.random() < probability else []

    def _some(self, *options: str, probability: float = 0.25) -> list[str]:
        return [option for option in options if self.chance.random() < probability]

    def _rev(self) -> str:
        candidates = [*self.branches, *self.commits[-3:]]
        if self.branches:
            candidates.append(self.chance.choice([*self.branches]) + "^")
        if self.chance.random() < 0.05:
            candidates = ["nosuch", _NOWHERE, "b/../c", *(c[:8] for c in self.commits[:1])]
        return self.chance.choice(candidates or self.commits or ["nosuch"])

    def _name(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    def _path(self) -> str:
        tree = self.chance.choice(self.trees)
        return self.chance.choice([*tree.paths, "/", "/nosuch"])

    def _write(self, kind: str, lines: list[str]) -> str:
        path = self.world.base / self._name(kind)
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)

    # commands ---------------------------------------------------------------------------------

    def commit(self) -> None:
        """Commit something, with some options."""
        self.time += self.chance.randint(1, 1000)
        branch = self.chance.choice(_BRANCHES)
        words = ["commit", REPO, f"--timestamp=@{self.time}"]
        orphan = self.chance.random() < 0.1
        words += ["--orphan"] if orphan else ["-b", branch]
        words += self._maybe(0.4, "-s", "A subject") + self._maybe(0.2, "-m", "A body\n\nof lines")
        words += self._maybe(0.1, "--parent=none")
        words += self._maybe(0.05, f"--parent={_NOWHERE}")
        words += self._maybe(0.2, "--add-metadata-string=version=1.2")
        words += self._maybe(0.1, "--add-metadata=n=uint32 7")
        words += self._maybe(0.1, "--add-detached-metadata-string=d=1")
        words += self._maybe(0.05, "--keep-metadata=version")
        words += self._maybe(0.1, "--bind-ref=zeta")
        words += self._maybe(0.05, "--owner-uid=7", "--owner-gid=8")
        words += self._maybe(0.15, *self._rules())
        words += self._some(
            "--no-bindings",
            "--skip-if-unchanged",
            "--canonical-permissions",
            "--mode-ro-executables",
            "--no-xattrs",
            "--table-output",
            "--link-checkout-speedup",
            "--fsync=false",
            probability=0.12,
        )
        words += self._maybe(0.05, "--bootable")
        if self.mode != "archive":  # where it tells how well each program compresses
            words += self._maybe(0.1, "--generate-sizes")
        if "--table-output" in words and {"--skip-if-unchanged", "--generate-sizes"} & {*words}:
            # Of an unchanged tree the reference prints whatever is in memory, and with sizes it
            # counts what it looks at in committed trees.
            words.remove("--table-output")
        outcome = self.world.both(*words, *self._sources())
        if outcome.status:
            self.world.tidy()
        self.world.compare_repositories()
        self._remember(outcome, None if orphan else branch)

    def _remember(self, outcome: Outcome, branch: str | None) -> None:
        if outcome.status:
            return
        checksum = outcome.out.split("\n")[0].removeprefix("Commit: ")
        self.commits.append(checksum)
        if branch is not None:
            self.branches[branch] = checksum

    def _rules(self) -> list[str]:
        tree = self.chance.choice(self.trees)
        paths = tree.paths or ["/nosuch"]
        if self.chance.random() < 0.5:
            chosen = self.chance.sample(paths, min(len(paths), 2))
            return [f"--skip-list={self._write('skip', chosen)}"]
        lines = [
            self.chance.choice(["2048", "=420", "1"]) + " " + self.chance.choice(paths)
            for _ in range(2)
        ]
        return [f"--statoverride={self._write('stat', lines)}"]

    def _sources(self) -> list[str]:
        kind = self.chance.random()
        tree = str(self.chance.choice(self.trees).path)
        if kind < 0.45:
            return [f"--tree=dir={tree}"]
        if kind < 0.5:
            return [tree]
        if kind < 0.65:
            other = str(self.chance.choice(self.trees).path)
            return [f"--tree=dir={tree}", f"--tree=dir={other}"]
        if kind < 0.75 and self.commits:
            return [f"--base={self._rev()}", f"--tree=dir={tree}"]
        if kind < 0.85 and self.commits:
            return [f"--tree=ref={self._rev()}", *self._maybe(0.5, f"--tree=dir={tree}")]
        if kind < 0.92 and self.checkouts:
            source = f"--tree=dir={SIDE}/{self.chance.choice(self.checkouts)}"
            return [source, *self._some("-I", "--link-checkout-speedup", probability=0.5)]
        return [f"--tree=tar={self.tar}", *self._maybe(0.3, "--tar-autocreate-parents")]

    def checkout(self) -> None:
        """Check out something, sometimes over something."""
        words = ["checkout", REPO]
        name = self._name("co")
        if self.checkouts and self.chance.random() < 0.4:
            name = self.chance.choice(self.checkouts)
            words += [self.chance.choice(["--union", "--union-add", "--union-identical", "-U"])]
        words += self._some("-U", probability=0.5)
        words += self._some("-C", "-M", "-z", "--disable-cache", "--whiteouts", probability=0.1)
        words += self._some("-H", probability=0.25)
        if self.chance.random() < 0.2:
            words += [f"--subpath={self._path()}"]
        if self.chance.random() < 0.1:
            words += [f"--skip-list={self._write('coskip', [self._path()])}"]
        # Of several files that are not identical the first in another order is named (ADR 19).
        several = "--union-identical" in words
        outcome = self.world.both(*words, self._rev(), f"{SIDE}/{name}", only_status=several)
        if outcome.status:
            # How far it came is a matter of the order of entries.
            self.world.remove_directories(name)
            if name in self.checkouts:
                self.checkouts.remove(name)
            return
        is_new = name not in self.checkouts
        self.world.compare_directories(name, is_new=is_new)
        if is_new:
            self.checkouts.append(name)
        else:  # owners of links may differ from now on
            self.checkouts.remove(name)

    def diff(self) -> None:
        """Compare revisions."""
        words = ["diff", REPO, *self._some("--fs-diff", "--no-xattrs")]
        revs = [self._rev(), *self._maybe(0.8, self._rev())]
        known = len(revs) == 2 and all(rev in self.branches for rev in revs)
        if self.mode != "archive" and known:
            # In archives it tells how well each program compresses; and of a commit that is not
            # there the reference counts no objects, while we say that it is missing.
            words += self._maybe(0.5, "--stats")
        self.world.both(*words, *revs)

    def ls(self) -> None:
        """List a commit."""
        words = ["ls", REPO, *self._some("-d", "-R", "-C", "-X", "--nul-filenames-only")]
        self.world.both(*words, self._rev(), *self._maybe(0.5, self._path()))

    def show(self) -> None:
        """Show a commit, its history or what its name means."""
        command = self.chance.choice(["show", "log", "rev-parse"])
        words = [command, REPO]
        if command == "show":
            words += self.chance.choice(
                [
                    [],
                    ["--raw"],
                    ["-B"],
                    ["--print-metadata-key=version"],
                    ["--print-detached-metadata-key=d"],
                    ["--print-sizes"],
                ]
            )
        elif command == "log":
            words += self._some("--raw")
        self.world.both(*words, self._rev())

    def refs(self) -> None:
        """List, make, or delete refs."""
        kind = self.chance.random()
        name = self.chance.choice([*_BRANCHES, "new", "x"])
        self.overlaps = self.overlaps or 0.3 <= kind < 0.75
        if kind < 0.3:
            # Sorted by us and by newer releases; the reference at hand has the order of its table.
            self._sorted("refs", REPO, *self._maybe(0.5, "x"), *self._some("--list"))
        elif kind < 0.6:
            rev = self._rev()
            outcome = self.world.both("refs", REPO, f"--create={name}", *self._some("--force"), rev)
            if not outcome.status:
                self.branches[name] = self.world.both("rev-parse", REPO, name).out.strip()
        elif kind < 0.75:
            alias = self._name("alias")
            target = self.chance.choice([*self.branches] or ["nosuch"])
            self.world.both("refs", REPO, f"--create={alias}", "-A", target)
        else:
            outcome = self.world.both("refs", REPO, "--delete", name)
            if not outcome.status:
                for branch in [*self.branches]:
                    if branch == name or branch.startswith(f"{name}/"):
                        del self.branches[branch]
        self.world.compare_repositories()

    def _sorted(self, *words: str) -> None:
        world = self.world
        plain = world.sorted_lines
        world.sorted_lines = True
        try:
            world.both(*words)
        finally:
            world.sorted_lines = plain

    def prune(self) -> None:
        """Prune, mostly for real."""
        words = ["prune", REPO, *self._some("--no-prune", "--commit-only", probability=0.2)]
        kind = self.chance.random()
        if kind < 0.3:
            words += ["--refs-only", f"--depth={self.chance.choice([0, -1])}"]
        elif kind < 0.4:
            words += [f"--keep-younger-than=@{self.time - self.chance.randint(0, 2000)}"]
        elif kind < 0.5 and self.branches:
            words += [f"--only-branch={self.chance.choice([*self.branches])}", "--depth=0"]
        elif kind < 0.6 and self.branches and not self.overlaps:
            words += [
                f"--retain-branch-depth={self.chance.choice([*self.branches])}=-1",
                "--depth=0",
            ]
        elif kind < 0.7 and self.commits:
            words += [f"--delete-commit={self.chance.choice(self.commits)}"]
        self.world.both(*words)
        self.world.compare_repositories()

    def fsck(self) -> None:
        """Verify, and sometimes delete what is bad."""
        # Not --add-tombstones, with which the reference deletes the child of a missing commit.
        options = self._some("-q", "-a", "--delete", probability=0.2)
        options += self._some("--verify-bindings", probability=0.1)
        # Alone it does not imply the other one with the reference, whatever its help says.
        options += self._maybe(0.1, "--verify-bindings", "--verify-back-refs")
        # Of several commits with bad bindings each names the one that its hash table gives first.
        self.world.both("fsck", REPO, *options, only_status="--verify-bindings" in options)
        self.world.compare_repositories()

    def damage(self) -> None:
        """Lose or change a content object on both sides, then look what fsck makes of it."""
        objects = sorted(
            str(path.relative_to(self.world.base / "ours/repo/objects"))
            for path in (self.world.base / "ours/repo/objects").glob("*/*.file*")
            if path.is_file() and not path.is_symlink()
        )
        if not objects:
            return
        name = self.chance.choice(objects)
        is_lost = self.chance.random() < 0.5
        self.world.log.append(f"({'lose' if is_lost else 'change'} {name})")
        for side in ("ours", "theirs"):
            path = self.world.base / side / "repo/objects" / name
            if is_lost:
                path.unlink()
            else:
                _replace(path)
        self.world.both("fsck", REPO, "-a", "--delete")
        self.world.compare_repositories()

    def reset(self) -> None:
        """Point a ref elsewhere."""
        self.overlaps = True
        branch = self.chance.choice([*self.branches, "nosuch"])
        outcome = self.world.both("reset", REPO, branch, self._rev())
        if not outcome.status:
            self.branches[branch] = self.world.both("rev-parse", REPO, branch).out.strip()
        self.world.compare_repositories()

    def cat(self) -> None:
        """Print a file."""
        # Not links: the reference looks for an entry called ".." where they lead upwards.
        tree = self.chance.choice(self.trees)
        path = self.chance.choice([*tree.regular, *tree.directories, "/nosuch"])
        self.world.both("cat", REPO, self._rev(), path)

    def config(self) -> None:
        """Read, set or unset a harmless key."""
        words = self.chance.choice(
            [
                ["get", "core.mode"],
                ["get", "core.nosuch"],
                ["set", "core.some-key", "a value"],
                ["unset", "core.some-key"],
                ['--group=remote "o"', "set", "url", "http://127.0.0.1/"],
            ]
        )
        self.world.both("config", REPO, *words)
        self.world.compare_repositories()

    def pull_local(self) -> None:
        """Copy into a second repository, of any mode."""
        name = self._name("repo")
        mode = self.chance.choice(MODES)
        self.world.both("init", f"--repo={SIDE}/{name}", f"--mode={mode}")
        words = ["pull-local", f"--repo={SIDE}/{name}", f"{SIDE}/repo"]
        words += self._some("--untrusted", probability=0.3)
        if self.overlaps:  # the reference looks at one ref of each commit only
            words += ["--disable-verify-bindings"]
        words += self._maybe(0.3, f"--depth={self.chance.choice([-1, 0, 1])}")
        words += self._maybe(0.3, "--commit-metadata-only")
        words += self._maybe(0.6, self.chance.choice([*self.branches, "nosuch"]))
        if self.world.both(*words, only_status=True).status == 0:
            self.world.compare_repositories(name)


def _replace(path: Path) -> None:
    """Another content with the same metadata, in a file of its own: links must not see it."""
    info = path.stat()
    attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    body = path.read_bytes()
    changed = body[:-1] + bytes([body[-1] ^ 1]) if body else b"x"
    path.unlink()
    path.write_bytes(changed)
    os.chown(path, info.st_uid, info.st_gid)
    for name, value in attributes.items():
        os.setxattr(path, name, value)
    path.chmod(info.st_mode & 0o7777)
    os.utime(path, ns=(0, 0))


__all__ = ["Tree", "Walk"]
