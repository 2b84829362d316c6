"""The sysroot's lock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ostree.sysroot.lock import SysrootLock

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab


def test_the_file_exists_while_it_is_held(lab: Lab) -> None:
    path = lab.root / "ostree/lock"

    with lab.open() as sysroot, sysroot.lock(), sysroot.lock():
        assert path.stat().st_mode & 0o777 == 0o600

    assert not path.exists()


def test_a_leftover_file_does_no_harm(lab: Lab) -> None:
    (lab.root / "ostree/lock").touch()

    with lab.open() as sysroot, sysroot.lock():
        pass

    assert not (lab.root / "ostree/lock").exists()


def test_one_at_a_time(lab: Lab) -> None:
    """Whoever waits says so, and gets a lock that is the current one."""
    inside: list[str] = []

    def wait() -> None:
        with lab.open() as sysroot, sysroot.lock():
            inside.append("second")

    with lab.open() as sysroot:
        with sysroot.lock():
            thread = threading.Thread(target=wait)
            thread.start()
            deadline = time.monotonic() + 10
            while not lab.lines and time.monotonic() < deadline:
                time.sleep(0.01)
            inside.append("first")
        thread.join()

    assert inside == ["first", "second"]
    assert lab.lines == ["Waiting for sysroot lock..."]
    assert not (lab.root / "ostree/lock").exists()


def test_release_without_acquire_is_harmless(lab: Lab) -> None:
    SysrootLock(-1).release()

    assert not (lab.root / "ostree/lock").exists()
