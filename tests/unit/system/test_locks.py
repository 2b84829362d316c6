"""Locks of open file descriptions: between descriptors, between processes, and given back."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from typing import TYPE_CHECKING

import pytest

from ostree.errors import LockError
from ostree.system import locks
from support import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
    import os, sys
    from ostree.system import locks
    fd = os.open(sys.argv[1], os.O_RDWR)
    assert locks.try_lock(fd, exclusive=sys.argv[2] == "exclusive")
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def descriptors(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Two open file descriptions of one file."""
    path = tmp_path / "lock"
    path.touch()
    one, two = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
    yield one, two
    os.close(one)
    os.close(two)


def test_shared_locks_go_together(descriptors: tuple[int, int]) -> None:
    one, two = descriptors

    assert locks.try_lock(one, exclusive=False)
    assert locks.try_lock(two, exclusive=False)
    assert not locks.try_lock(one, exclusive=True)


def test_an_exclusive_lock_is_alone_until_it_is_converted(descriptors: tuple[int, int]) -> None:
    one, two = descriptors

    assert locks.try_lock(one, exclusive=True)
    assert not locks.try_lock(two, exclusive=False)
    assert locks.try_lock(one, exclusive=False)
    assert locks.try_lock(two, exclusive=False)


def test_closing_another_descriptor_gives_nothing_away(
    descriptors: tuple[int, int], tmp_path: Path
) -> None:
    one, two = descriptors
    assert locks.try_lock(one, exclusive=True)

    os.close(os.open(tmp_path / "lock", os.O_RDWR))

    assert not locks.try_lock(two, exclusive=True)
    locks.unlock(one)
    assert locks.try_lock(two, exclusive=True)


@pytest.mark.parametrize("kind", ["shared", "exclusive"])
def test_another_process_is_kept_out(
    descriptors: tuple[int, int], tmp_path: Path, kind: str
) -> None:
    one, _ = descriptors
    with processes.start(HOLD, tmp_path / "lock", kind) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"

        assert locks.try_lock(one, exclusive=False) == (kind == "shared")
        assert not locks.try_lock(one, exclusive=True)
        holder.stdin.close()
        holder.wait()
        assert locks.try_lock(one, exclusive=True)


def test_waiting_ends_with_the_time(descriptors: tuple[int, int]) -> None:
    one, two = descriptors
    assert locks.try_lock(one, exclusive=True)

    with pytest.raises(LockError) as caught:
        locks.wait_lock(two, exclusive=False, seconds=0, what="Locking it")

    assert str(caught.value) == "Locking it failed: Resource temporarily unavailable"


def test_waiting_tries_once_a_second(
    descriptors: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = descriptors
    assert locks.try_lock(one, exclusive=True)
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            locks.unlock(one)

    monkeypatch.setattr("time.sleep", sleep)
    locks.wait_lock(two, exclusive=True, seconds=9, what="Locking it")

    assert naps == [1, 1, 1]


def test_who_waits_for_ever_waits_in_the_kernel(
    descriptors: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the reference does: it has the lock the moment that it is free."""
    one, two = descriptors
    assert locks.try_lock(one, exclusive=True)
    monkeypatch.setattr("time.sleep", None)
    waiting = threading.Thread(
        target=locks.wait_lock,
        args=(two,),
        kwargs={"exclusive": True, "seconds": -1, "what": "Locking it"},
    )

    waiting.start()
    waiting.join(0.1)
    still_waiting = waiting.is_alive()
    locks.unlock(one)
    waiting.join(30)

    assert still_waiting
    assert not waiting.is_alive()
    assert not locks.try_lock(one, exclusive=False)


def test_file_systems_without_such_locks_get_others(
    descriptors: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = descriptors

    def refuse(_fd: int, _command: int, _argument: bytes) -> bytes:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(fcntl, "fcntl", refuse)

    assert locks.try_lock(one, exclusive=True)
    assert not locks.try_lock(two, exclusive=False)
    locks.unlock(one)
    assert locks.try_lock(two, exclusive=False)
