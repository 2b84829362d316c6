"""Two processes at one repository, one of them the reference: each respects what the other does."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree
from ostree.errors import LockError
from ostree.repo import staging
from ostree.repo.repository import Repo
from ostree.system import locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Oracle

pytestmark = pytest.mark.oracle

ENVIRON = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
BUSY = "failed: Resource temporarily unavailable"


@pytest.fixture
def repo(tmp_path: Path, oracle: Oracle) -> Path:
    """A repository with a commit, where nobody waits for locks."""
    repo = tmp_path / "repo"
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/file").write_text("content\n")
    oracle("init", f"--repo={repo}", "--mode=archive")
    oracle("commit", f"--repo={repo}", "-b", "main", tmp_path / "tree")
    set_timeout(repo, 0)
    return repo


def set_timeout(repo: Path, seconds: int) -> None:
    lines = (repo / "config").read_text().splitlines()
    kept = [line for line in lines if line and not line.startswith("lock-timeout")]
    (repo / "config").write_text("\n".join([*kept, f"lock-timeout-secs={seconds}", ""]))


@pytest.fixture
def committing(repo: Path, tmp_path: Path) -> Iterator[int]:
    """The reference in the middle of a commit: it reads a pipe, of which this is our end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        ["/usr/bin/ostree", f"--repo={repo}", "commit", "-b", "slow", f"--tree=tar={pipe}"],
        env=ENVIRON,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        # It opens the pipe within its transaction.
        writing = os.open(pipe, os.O_WRONLY)
        try:
            yield writing
        finally:
            process.kill()


def test_a_shared_lock_of_ours_keeps_the_reference_from_pruning(
    repo: Path, oracle: Oracle, tmp_path: Path
) -> None:
    with Repo.open(repo) as opened, opened.lock.hold(exclusive=False):
        pruning = oracle("prune", f"--repo={repo}", "--no-prune", check=False)
        committing = oracle(
            "commit", f"--repo={repo}", "-b", "more", tmp_path / "tree", check=False
        )

    assert pruning.stderr == f"error: Locking repo exclusive {BUSY}\n"
    assert committing.returncode == 0


def test_an_exclusive_lock_of_ours_keeps_the_reference_from_all_that_takes_one(
    repo: Path, oracle: Oracle, tmp_path: Path
) -> None:
    with Repo.open(repo) as opened, opened.lock.hold(exclusive=True):
        refused = [
            oracle("commit", f"--repo={repo}", "-b", "more", tmp_path / "tree", check=False).stderr,
            oracle("reset", f"--repo={repo}", "main", "main", check=False).stderr,
        ]
        taken = [
            oracle(*words, f"--repo={repo}", check=False).returncode
            for words in (["refs"], ["fsck"], ["ls", "main"], ["refs", "--create=new", "main"])
        ]

    assert all(f"Locking repo shared {BUSY}" in text for text in refused)
    assert taken == [0, 0, 0, 0]


def test_the_same_commands_of_ours_take_the_same_locks(repo: Path, tmp_path: Path) -> None:
    with Repo.open(repo) as other, other.lock.hold(exclusive=True):
        exclusive = [
            ostree("prune", f"--repo={repo}", "--no-prune").err,
            ostree("commit", f"--repo={repo}", "-b", "more", tmp_path / "tree").err,
            ostree("reset", f"--repo={repo}", "main", "main").err,
        ]
        without = [
            ostree(*words, f"--repo={repo}").status
            for words in (["refs"], ["fsck"], ["ls", "main"], ["refs", "--create=new", "main"])
        ]

    assert f"Locking repo exclusive {BUSY}" in exclusive[0]
    assert all(f"Locking repo shared {BUSY}" in text for text in exclusive[1:])
    assert without == [0, 0, 0, 0]


def test_a_commit_of_the_reference_keeps_us_from_pruning(
    repo: Path, committing: int, tmp_path: Path
) -> None:
    with Repo.open(repo) as opened, pytest.raises(LockError, match="Locking repo exclusive failed"):
        opened.lock.push(exclusive=True)

    assert ostree("commit", f"--repo={repo}", "-b", "more", tmp_path / "tree").status == 0
    os.close(committing)


@pytest.mark.parametrize("timeout", [60, -1])
def test_we_wait_until_the_reference_is_done(repo: Path, committing: int, timeout: int) -> None:
    set_timeout(repo, timeout)
    statuses: list[int] = []
    pruning = threading.Thread(
        target=lambda: statuses.append(ostree("prune", f"--repo={repo}").status)
    )

    pruning.start()
    time.sleep(0.2)
    waiting = not statuses
    os.close(committing)  # an archive of nothing: the commit fails, and the lock is free
    pruning.join(30)

    assert waiting
    assert statuses == [0]


@pytest.mark.parametrize("timeout", [60, -1])
def test_the_reference_waits_until_we_are_done(repo: Path, timeout: int) -> None:
    set_timeout(repo, timeout)
    with Repo.open(repo) as opened:
        opened.lock.push(exclusive=True)

        with subprocess.Popen(
            ["/usr/bin/ostree", f"--repo={repo}", "prune"], env=ENVIRON, stdout=subprocess.DEVNULL
        ) as process:
            time.sleep(0.2)
            waiting = process.poll() is None
            opened.lock.pop()
            process.wait(30)

    assert waiting
    assert process.returncode == 0


def test_inner_locks_convert_the_outer_one_and_back(repo: Path) -> None:
    with Repo.open(repo) as opened, Repo.open(repo) as other:
        with opened.lock.hold(exclusive=False):
            with opened.lock.hold(exclusive=True), pytest.raises(LockError):
                other.lock.push(exclusive=False)
            with other.lock.hold(exclusive=False), pytest.raises(LockError):
                opened.lock.push(exclusive=True)
            with opened.lock.hold(exclusive=False):
                pass  # what failed has left nothing behind
        with other.lock.hold(exclusive=True):
            pass


@pytest.mark.parametrize("line", ["locking=false", "lock-timeout-secs=-2"])
def test_locking_that_is_off_is_off_for_both(repo: Path, oracle: Oracle, line: str) -> None:
    with Repo.open(repo) as opened, opened.lock.hold(exclusive=True):
        with (repo / "config").open("a") as file:
            file.write(f"{line}\n")

        ours = ostree("prune", f"--repo={repo}").status
        theirs = oracle("prune", f"--repo={repo}", check=False).returncode

    assert (ours, theirs) == (0, 0)


# staging directories ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ours", "theirs"])
def test_what_was_interrupted_is_taken_up_and_what_is_stale_removed(
    repo: Path, tmp_path: Path, oracle: Oracle, who: str
) -> None:
    boot = staging.boot_id()
    tmp = repo / "tmp"
    stale = "aa/" + "b" * 62 + ".dirmeta"
    for name, content in (
        (f"staging-{boot}-abcdef", b"staged"),
        ("staging-00000000-1111-2222-3333-444444444444-abcdef", b"of another boot"),
    ):
        (tmp / name / "aa").mkdir(parents=True)
        (tmp / name / stale).write_bytes(content)
    for name in ("old", "young", "cache/old"):
        (tmp / name).parent.mkdir(exist_ok=True)
        (tmp / name).write_text("")
        if name != "young":
            os.utime(tmp / name, (1, 1))
    (tmp / "old-directory/below").mkdir(parents=True)
    os.utime(tmp / "old-directory", (1, 1))

    argv = ("commit", f"--repo={repo}", "-b", "more", str(tmp_path / "tree"))
    if who == "ours":
        assert ostree(*argv).status == 0
    else:
        oracle(*argv)

    assert (repo / "objects" / stale).read_bytes() == b"staged"
    assert sorted(path.name for path in tmp.iterdir()) == ["cache", "young"]
    assert (tmp / "cache/old").exists()


@pytest.mark.parametrize("who", ["ours", "theirs"])
def test_a_staging_directory_in_use_is_left_alone(
    repo: Path, tmp_path: Path, oracle: Oracle, who: str
) -> None:
    name = f"staging-{staging.boot_id()}-abcdef"
    (repo / "tmp" / name / "aa").mkdir(parents=True)
    (repo / "tmp" / name / "aa/object").write_text("")
    lock = os.open(repo / "tmp" / f"{name}-lock", os.O_CREAT | os.O_RDWR, 0o600)
    assert locks.try_lock(lock, exclusive=True)

    argv = ("commit", f"--repo={repo}", "-b", "more", str(tmp_path / "tree"))
    if who == "ours":
        assert ostree(*argv).status == 0
    else:
        oracle(*argv)

    assert (repo / "tmp" / name / "aa/object").exists()
    os.close(lock)
