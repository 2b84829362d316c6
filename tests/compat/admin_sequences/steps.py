"""Random ``admin`` commands that make sense, mostly, in the state the ones before have left."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from compat.admin_sequences.material import System, edit_etc, set_up_bootloader
from compat.admin_sequences.world import SIDES, AdminWorld, Departed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BRANCHES = ("os/stable", "os/testing")
BOOTLOADERS = ("none", "uboot", "syslinux")
STATEROOTS = ("os", "other")
_WORDS = ("quiet", "debug", "console=ttyS0", "root=LABEL=r", "x=1", "x=2", "init=/bin/sh", "empty=")


class AdminWalk:
    """One sequence of commands.

    Args:
        seed: Decides everything about it.
        base: A directory that is not there yet.
    """

    def __init__(self, seed: int, base: Path) -> None:
        self.chance = random.Random(seed)
        self.world = AdminWorld(base)
        self.time = 1_600_000_000
        self.stateroots: list[str] = []
        self.commits: list[str] = []
        #: Branches with a commit that says where they go on.
        self.ended: set[str] = set()
        self.system = System(self.chance, base / "tree")
        kind = self.chance.choice(BOOTLOADERS)
        self.world.log.append(f"boot loader: {kind}")
        for side in SIDES:
            set_up_bootloader(kind, base / side / "boot")

    def run(self, steps: int) -> None:
        """Take so many steps and compare the sysroots after each, until one departs on purpose.

        Raises:
            Difference: the two programs did not do the same.
        """
        self.os_init()
        for branch in BRANCHES:
            self.commit(branch)
        self.deploy()
        with suppress(Departed):
            for _ in range(steps):
                self._choose()()
                self.world.compare()

    def _choose(self) -> Callable[[], object]:
        choices: list[tuple[Callable[[], object], int]] = [
            (self.commit, 5),
            (self.deploy, 8),
            (self.edit_etc, 6),
            (self.configure, 1),
            (self.upgrade, 6),
            (self.undeploy, 4),
            (self.os_init, 1),
            (self.switch, 2),
            (self.pin, 2),
            (self.set_origin, 1),
            (self.set_default, 2),
            (self.cleanup, 2),
            (self.set_kargs, 2),
            (self.edit_kargs, 1),
            (self.config_diff, 2),
            (self.status, 2),
            (self.world.exchange, 1),
            (self.litter, 1),
        ]
        actions, weights = zip(*choices, strict=True)
        action: Callable[[], object] = self.chance.choices(actions, weights)[0]
        return action

    # choosing ---------------------------------------------------------------------------------

    def _some(self, *options: str, probability: float = 0.2) -> list[str]:
        return [option for option in options if self.chance.random() < probability]

    def _stateroot(self) -> str:
        return self.chance.choice(self.stateroots)

    def _used_stateroot(self) -> str:
        """One that has deployments, mostly."""
        used = sorted({path.split("/")[2] for path in self.world.deployments()})
        return self.chance.choice(used) if used else self._stateroot()

    def _index(self) -> str:
        count = len(self.world.deployments())
        if self.chance.random() < 0.05:
            return str(count)
        return str(self.chance.randrange(count)) if count else "0"

    def _rev(self) -> str:
        names = [*BRANCHES, *(f"origin:{branch}" for branch in BRANCHES), *self.commits[-2:]]
        return "nosuch" if self.chance.random() < 0.03 else self.chance.choice(names)

    # what happens meanwhile -------------------------------------------------------------------

    def commit(self, branch: str | None = None) -> None:
        """The vendor makes a new version, which may be fetched already."""
        chance = self.chance
        name = branch or chance.choice(BRANCHES)
        self.system.change()
        self.time += chance.randint(1, 1000) * chance.choice([1, 1, 1, -1])
        words = [f"--repo={self.world.source}", f"--branch={name}", f"--timestamp=@{self.time}"]
        version = self.system.version
        if version is not None:
            words.append(f"--add-metadata-string=version={version}")
        if chance.random() < 0.04 and not branch:
            target = chance.choice(BRANCHES)
            words.append(f"--add-metadata-string=ostree.endoflife-rebase={target}")
            self.ended.add(name)
        self.world.log.append(f"commit {name} at {self.time}, version {version}")
        tree = f"--tree=dir={self.system.path}"
        self.commits.append(self.world.reference("commit", *words, "--subject=x", tree))
        if branch is not None or chance.random() < 0.7:
            self.world.both_repositories("pull-local", str(self.world.source), name)
        if branch is not None or chance.random() < 0.3:
            self.world.both_repositories(
                "pull-local", "--remote=origin", str(self.world.source), name
            )

    def edit_etc(self) -> None:
        """The user edits the configuration of a deployment."""
        paths = self.world.deployments()
        if not paths:
            return
        path = self.chance.choice(paths[:2])
        seed = self.chance.random()
        self.world.log.append(f"edit {path}/etc")
        for side in SIDES:
            edit_etc(random.Random(seed), self.world.base / side / path / "etc")

    def configure(self) -> None:
        """The administrator changes the configuration of the system's repository."""
        value = self.chance.choice(["key1=value1;grub_users=root", "x-third=3", "a=1;b=2;c=3;d=4"])
        self.world.both_repositories("config", "set", "sysroot.bls-append-except-default", value)

    # commands ---------------------------------------------------------------------------------

    def os_init(self) -> None:
        """A stateroot; 2022.7 fills its ``/var``, newer releases leave it empty (§1.4)."""
        name = self.chance.choice(STATEROOTS)
        if self.world.both("os-init", name).status:
            return
        self.stateroots.append(name)
        ours, theirs = (self.world.base / side / f"ostree/deploy/{name}/var" for side in SIDES)
        shutil.rmtree(ours)
        # With something in it, a commit's /var does not count for either of them (§7.4).
        shutil.copytree(theirs, ours, symlinks=True)

    def deploy(self) -> None:
        """Deploy something, with some options."""
        chance = self.chance
        stateroot = self._stateroot()
        words = self._some("--retain", "--retain-pending", "--retain-rollback", "--not-as-default")
        words += self._some("--no-prune", "--no-merge")
        words += self._some("--karg-none", "--karg-proc-cmdline", probability=0.07)
        if chance.random() < 0.2:
            words += [f"--karg={word}" for word in chance.sample(_WORDS, 2)]
        if chance.random() < 0.3:
            words += [f"--karg-append={word}" for word in chance.sample(_WORDS, 2)]
        there = self.world.kernel_arguments(stateroot)
        once = [word for word in there if _is_alone(word, there)]
        # 2022.7 fails for one that is not there, newer releases do not mind (§18.3).
        if once and len(words) == 0 and chance.random() < 0.3:
            words.append(f"--karg-delete={chance.choice(once)}")
        if chance.random() < 0.1:
            text = f"[origin]\nrefspec=origin:{chance.choice(BRANCHES)}\n\n[more]\nkey=value\n"
            path = self.world.base / "given.origin"
            path.write_text(text)
            words.append(f"--origin-file={path}")
        if chance.random() < 0.97:
            words.insert(0, f"--os={stateroot}")
        self._tidy(self.world.both("deploy", *words, self._rev()))

    def upgrade(self) -> None:
        """Upgrade from wherever the origin says."""
        words = self._some("--allow-downgrade", "--deploy-only", probability=0.4)
        words += self._some("--pull-only", probability=0.1)
        # The reference leaves a ref to a commit that is not there, and fails then.
        present = [commit for commit in self.commits if self.world.has_commit(commit)]
        if present and self.chance.random() < 0.15:
            words.append(f"--override-commit={self.chance.choice(present)}")
        self._tidy(self.world.both("upgrade", f"--os={self._used_stateroot()}", *words))

    def switch(self) -> None:
        """Follow another branch, or another remote."""
        if self.ended.issuperset(BRANCHES):
            return
        # One that has ended may lead back: the reference deletes the ref then that it follows.
        branches = [branch for branch in BRANCHES if branch not in self.ended]
        targets = [*branches, *(f"origin:{branch}" for branch in branches)]
        target = self.chance.choice(targets if self.ended else [*targets, "origin:"])
        self._tidy(self.world.both("switch", f"--os={self._used_stateroot()}", target))

    def undeploy(self) -> None:
        """Remove a deployment."""
        self.world.both("undeploy", self._index())

    def pin(self) -> None:
        """Pin or unpin a deployment."""
        self.world.both("pin", *self._some("-u", probability=0.4), self._index())

    def set_origin(self) -> None:
        """Have a deployment follow something else."""
        remote = self.chance.choice(["origin", "second"])
        words = self._some(self.chance.choice(BRANCHES), probability=0.6)
        url = f"file://{self.world.source}"
        self.world.both(
            "set-origin", f"--index={self._index()}", "--set=gpg-verify=false", remote, url, *words
        )

    def set_default(self) -> None:
        """Move a deployment to the front; the reference at hand has no such command."""
        self.world.ours_on_both("set-default", self._index())

    def cleanup(self) -> None:
        """Remove what is not needed."""
        self.world.both("cleanup")

    def set_kargs(self) -> None:
        """Change the kernel arguments of the first deployment."""
        if not self.world.deployments():
            return  # the reference aborts on that
        words = self._some("--merge", probability=0.6)
        words += self._some("--import-proc-cmdline", probability=0.1)
        if self.chance.random() < 0.4:
            words.append(f"--replace={self.chance.choice(_WORDS)}")
        if self.chance.random() < 0.4:
            words.append(f"--append={self.chance.choice(_WORDS)}")
        self.world.both("instutil set-kargs", *words, *self._some(*_WORDS))

    def edit_kargs(self) -> None:
        """Add kernel arguments to all deployments in place."""
        word = self.chance.choice(_WORDS)
        self.world.both("kargs edit-in-place", f"--append-if-missing={word}")

    def config_diff(self) -> None:
        """What was changed in ``/etc``, in whatever order the directories have."""
        self.world.both("config-diff", f"--os={self._used_stateroot()}", sort=True)

    def status(self) -> None:
        """List the deployments."""
        self.world.both("status", *self._some("--print-current-dir", "--verify"))

    def litter(self) -> None:
        """Things of others lie about."""
        self.world.log.append("litter")
        for side in SIDES:
            base = self.world.base / side
            for name in (
                "boot/loader/entries/foreign.conf",
                "boot/loader/note",
                "boot/ostree/x/y",
                "boot/ostree/initramfs-overlays/old.img",
                "ostree/deploy/os/note",
            ):
                path = base / name
                if path.parent.is_dir() or name.startswith("boot/ostree"):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text("title foreign\n")

    def _tidy(self, outcome: object) -> None:
        """What a failed deployment leaves for the next cleanup is each program's business."""
        if getattr(outcome, "status", 0):
            self.world.both("cleanup")


def _is_alone(word: str, words: list[str]) -> bool:
    """Whether it is the only kernel argument with its key, and none of ours."""
    key = word.partition("=")[0]
    keys = [other.partition("=")[0] for other in words]
    return key not in {"ostree", "init", ""} and keys.count(key) == 1
