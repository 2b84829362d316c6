"""Random edits of ``/etc`` and random new defaults, merged by us and by the reference.

``PYOSTREE_ETC_MERGES=3000`` tries more of them, ``PYOSTREE_SEED`` repeats one.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from compat import etc_material
from ostree.errors import OSTreeError
from ostree.events import Message
from ostree.sysroot.etc_conflicts import describe_conflicts
from ostree.sysroot.settings import SysrootSettings
from ostree.sysroot.sysroot import Sysroot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.events import Event
    from ostree.sysroot.deploying import DeployOptions

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="owners of files and device nodes take root"),
]

COUNT = int(os.environ.get("PYOSTREE_ETC_MERGES", "40"))
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "OSTREE_SYSROOT_OPTS": "skip-sync",
    "OSTREE_SYSROOT_DEBUG": "mutable-deployments",
}
#: What the reference is stopped by and we are not: newer releases ignore devices and pipes, too.
#: And where it gives up: something was to be removed below what is no directory any more,
#: or the new default has a dangling link for a directory, which we make where the link leads.
GIVES_UP = re.compile(
    r"Cannot copy non-regular/non-symlink file"
    r"|unlinkat\(.*\): Not a directory$"
    r"|opendir\(.*\): No such file or directory$"
)
#: The reference writes wherever a link in the new default leads.
LINK_OUT = "newly defaults to a link out of /etc, cannot merge"
#: What we look for before anything is merged, and the reference when it comes to it: something else
#: may have stopped it before.
BEFORE_ALL = "newly defaults to directory"
#: The reference names the call in front of them.
SAME_REASONS = (": Not a directory", ": Too many levels of symbolic links")


class Side:
    """A sysroot whose stateroot ``os`` is deployed to by one program."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def etc(self) -> bytes:
        """The configuration of the first deployment."""
        with Sysroot.open(self.root) as sysroot:
            path = sysroot.deployment_path(sysroot.deployments[0])
        return os.fsencode(path) + b"/etc"


class Lab:
    """Two sysroots, and a repository that both take commits from."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ours = Side(directory / "ours")
        self.theirs = Side(directory / "theirs")
        self.tree = directory / "tree"
        _make_tree(self.tree)
        for side in (self.ours, self.theirs):
            side.root.mkdir()
            reference("admin", "init-fs", side.root)
            reference("admin", f"--sysroot={side.root}", "os-init", "os")
            reference("config", f"--repo={side.root}/ostree/repo", "set", "core.fsync", "false")

    def commit(self, etc: bytes, branch: str) -> None:
        default = self.tree / "usr/etc"
        os.rename(etc, default)
        for side in (self.ours, self.theirs):
            repo = f"--repo={side.root}/ostree/repo"
            tree = f"--tree=dir={self.tree}"
            reference("commit", repo, f"--branch={branch}", "-s", "x", "--timestamp=@1", tree)
        shutil.rmtree(default)

    def deploy_ours(self, branch: str, *, merge: bool) -> str | None:
        settings = SysrootSettings(immutable=False)
        options: DeployOptions = {"stateroot": "os", "merge": merge, "prune": False}
        told: list[Event] = []
        with Sysroot.open(self.ours.root, settings=settings, on_event=told.append) as sysroot:
            foreseen = None
            with contextlib.suppress(OSTreeError):  # then the deployment fails, too
                foreseen = describe_conflicts(sysroot.plan_deploy(branch, **options).conflicts)
            try:
                sysroot.deploy(branch, **options)
            except OSTreeError as error:
                return str(error)
        texts = [event.text for event in told if isinstance(event, Message)]
        conflicts = [text for text in texts if text.startswith("Changed in /etc here")]
        assert foreseen is not None
        assert conflicts == ([foreseen] if foreseen else [])
        return None

    def deploy_theirs(self, branch: str, *, merge: bool) -> str | None:
        words = [] if merge else ["--no-merge"]
        place = f"--sysroot={self.theirs.root}"
        return reference(
            "admin", "deploy", place, "--os=os", "--no-prune", *words, branch, check=False
        )


def reference(*words: str | Path, check: bool = True) -> str | None:
    """The reference command; what it complains of, if it fails."""
    result = subprocess.run(
        ["/usr/bin/ostree", *(os.fspath(word) for word in words)],
        check=False,
        capture_output=True,
        env=ENVIRONMENT,
    )
    error = result.stderr.decode("utf-8", "surrogateescape").strip()
    if check:
        assert result.returncode == 0, error
    return error.splitlines()[-1].removeprefix("error: ") if result.returncode else None


def _make_tree(path: Path) -> None:
    modules = path / "usr/lib/modules/5.10"
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_text("kernel")
    (path / "usr/lib/os-release").write_text("ID=test\n")
    (path / "usr/lib/tmpfiles.d").mkdir()


@pytest.fixture
def lab(tmp_path: Path, oracle: object) -> Iterator[Lab]:
    yield Lab(tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_random_merges_agree(lab: Lab) -> None:
    """The same files, contents, modes, owners, attributes and times, or the same refusal."""
    given = os.environ.get("PYOSTREE_SEED")
    first = int(given) if given else random.SystemRandom().randrange(1 << 40)

    outcomes = []
    for seed in [first] if given else range(first, first + COUNT):
        try:
            outcomes.append(merge_once(lab, random.Random(seed)))
        except BaseException as error:
            error.add_note(f"PYOSTREE_SEED={seed} repeats this one")
            raise

    print({outcome: outcomes.count(outcome) for outcome in set(outcomes)})
    if not given:
        assert "merged" in outcomes


def merge_once(lab: Lab, chance: random.Random) -> str:
    """One random merge; how it ended, on both sides."""
    old, new = (os.fsencode(lab.directory / name) for name in ("old", "new"))
    for path in (old, new):
        shutil.rmtree(path, ignore_errors=True)
    etc_material.make_default(chance, old)
    subprocess.run(["cp", "-a", old, new], check=True)
    etc_material.change(chance, new, local=False)
    lab.commit(old, "old")
    lab.commit(new, "new")
    for deploy in (lab.deploy_ours, lab.deploy_theirs):
        assert deploy("old", merge=False) is None
    etc_material.change(chance, lab.theirs.etc, local=True)
    shutil.rmtree(lab.ours.etc)
    subprocess.run(["cp", "-a", lab.theirs.etc, lab.ours.etc], check=True)

    ours, theirs = (deploy("new", merge=True) for deploy in (lab.deploy_ours, lab.deploy_theirs))

    if ours is None and theirs is None:
        mine, yours = (etc_material.describe(side.etc) for side in (lab.ours, lab.theirs))
        differing = {path for path in {*mine, *yours} if mine.get(path) != yours.get(path)}
        shown = [(path, mine.get(path), yours.get(path)) for path in sorted(differing)]
        assert not shown
        return "merged"
    if ours is not None and LINK_OUT in ours:
        return "link out"
    if ours is None and theirs is not None:
        assert GIVES_UP.search(theirs), theirs
        return "only we merge"
    assert (ours is None) == (theirs is None), (ours, theirs)
    assert ours is not None
    assert theirs is not None, ours
    if BEFORE_ALL in ours:
        assert "During /etc merge: " in theirs
        return "refused"
    both = [reason for reason in SAME_REASONS if reason in ours and reason in theirs]
    assert both or ours.endswith(theirs), (ours, theirs)
    return "refused"
