"""The staged deployment in the list, its lock, and what takes its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostree.errors import FormatError, SysrootError
from ostree.formats.boot_entry import BootEntry
from ostree.formats.staged_state import DeploymentReference, StagedState
from ostree.sysroot import staged
from ostree.sysroot.boot_config import extra_keys_of
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.deployment_list import Retention
from ostree.sysroot.finalizing import find_merge
from ostree.sysroot.layout import MAX_TEXT
from ostree.sysroot.shutdown_service import start_service
from ostree.system.files import open_directory
from ostree.types import Checksum

COMMIT, BOOT = Checksum("ab" * 32), "ef" * 32


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    directory.mkdir()
    return directory


def make_state(serial: int = 0, **more: object) -> StagedState:
    target = DeploymentReference("os", COMMIT, serial, BOOT)
    return StagedState(target, **more)  # type: ignore[arg-type]


def make(serial: int = 0, stateroot: str = "os") -> Deployment:
    return Deployment(stateroot=stateroot, checksum=COMMIT, serial=serial, bootcsum=BOOT)


def load(root: Path, run: Path, listed: list[Deployment] | None = None) -> Deployment | None:
    fd = open_directory(root)
    try:
        return staged.load_staged(fd, str(run), listed or [])
    finally:
        os.close(fd)


def make_directory(root: Path, serial: int = 0) -> None:
    (root / make(serial).path).mkdir(parents=True)


def test_nothing_is_staged_without_a_state_file(run: Path, tmp_path: Path) -> None:
    assert load(tmp_path, run) is None
    assert staged.read_state(str(run)) is None


def test_what_is_staged_is_in_the_list(run: Path, tmp_path: Path) -> None:
    make_directory(tmp_path, 2)
    state = make_state(2, arguments=["a", "b=c"], extra_keys=[("x", "y")])
    state.overlay_initrds = ["12" * 32]
    staged.write_state(str(run), state)

    found = load(tmp_path, run)

    assert found is not None
    assert found.staged
    assert not found.finalization_locked
    assert found.key == ("os", COMMIT, 2)
    assert str(found.kernel_arguments) == "a b=c"
    assert found.entry.get("x") == "y"
    assert found.entry.overlay_initrds == [f"/ostree/initramfs-overlays/{'12' * 32}.img"]


def test_without_its_directory_nothing_is_staged(run: Path, tmp_path: Path) -> None:
    staged.write_state(str(run), make_state())

    assert load(tmp_path, run) is None


def test_what_has_a_boot_entry_is_not_staged_any_more(run: Path, tmp_path: Path) -> None:
    make_directory(tmp_path)
    staged.write_state(str(run), make_state())

    assert load(tmp_path, run, [make(0, "other"), make(1)]) is not None
    assert load(tmp_path, run, [make(0)]) is None


def test_a_state_file_that_is_too_large(run: Path, tmp_path: Path) -> None:
    (run / "ostree").mkdir()
    (run / "ostree/staged-deployment").write_bytes(b"x" * (MAX_TEXT + 1))

    with pytest.raises(FormatError, match="Loading staged deployment: File is larger than"):
        load(tmp_path, run)


def test_the_state_file_is_readable_for_everybody(run: Path) -> None:
    staged.write_state(str(run), make_state())

    assert (run / "ostree/staged-deployment").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize("by_key", [True, False])
def test_both_locks_hold_and_are_opened(run: Path, tmp_path: Path, by_key: bool) -> None:
    make_directory(tmp_path)
    staged.write_state(str(run), make_state(locked=by_key))
    if not by_key:
        staged.set_lock_file(str(run), locked=True)
    found = load(tmp_path, run)
    assert found is not None
    assert found.finalization_locked

    changed = staged.set_finalization_lock(str(run), locked=False)
    again = staged.set_finalization_lock(str(run), locked=False)

    assert (changed, again) == (True, False)
    found = load(tmp_path, run)
    assert found is not None
    assert not found.finalization_locked
    assert not staged.has_lock_file(str(run))


def test_locking_uses_both_ways(run: Path) -> None:
    staged.write_state(str(run), make_state())

    assert staged.set_finalization_lock(str(run), locked=True)

    state = staged.read_state(str(run))
    assert state is not None
    assert state.locked
    assert (run / "ostree/staged-deployment-locked").stat().st_mode & 0o7777 == 0o640
    assert not staged.set_finalization_lock(str(run), locked=True)


def test_nothing_to_lock(run: Path) -> None:
    with pytest.raises(SysrootError, match=r"^No staged deployment$"):
        staged.set_finalization_lock(str(run), locked=True)


def test_what_was_set_aside_is_gone_afterwards(run: Path) -> None:
    staged.write_state(str(run), make_state())
    staged.set_lock_file(str(run), locked=True)

    with staged.set_aside(str(run), lambda: False):
        assert staged.read_state(str(run)) is None

    assert list((run / "ostree").iterdir()) == []


def test_what_was_set_aside_is_back_after_a_failure(run: Path) -> None:
    staged.write_state(str(run), make_state())
    staged.set_lock_file(str(run), locked=True)

    with pytest.raises(SysrootError), staged.set_aside(str(run), lambda: False):
        raise SysrootError("no space")

    assert staged.read_state(str(run)) is not None
    assert staged.has_lock_file(str(run))


def test_what_was_set_aside_stays_away_if_the_list_was_replaced(run: Path) -> None:
    """The failure came after that."""
    staged.write_state(str(run), make_state())
    staged.set_lock_file(str(run), locked=True)

    with pytest.raises(SysrootError), staged.set_aside(str(run), lambda: True):
        raise SysrootError("the old link cannot be removed")

    assert list((run / "ostree").iterdir()) == []


def test_the_merge_deployment_has_to_be_listed() -> None:
    state = make_state(merge=DeploymentReference("os", COMMIT, 1, BOOT))
    merge = make(1)

    assert find_merge(state, [make(0), merge]) is merge
    assert find_merge(make_state(), [merge]) is None
    with pytest.raises(
        SysrootError, match=f"^Failed to find merge deployment {COMMIT}.1 for staged$"
    ):
        find_merge(state, [make(0), make(1, "other")])


def test_only_foreign_keys_are_taken_over() -> None:
    entry = BootEntry.parse(
        "title t\nversion 1\noptions o\nlinux l\ninitrd i\nfdtdir d\naboot a\nabootcfg c\n"
        "devicetree d\nx-mine 1\ngrub_users $x\n"
    )

    assert extra_keys_of(entry) == [("x-mine", "1"), ("grub_users", "$x")]


@pytest.mark.parametrize(
    ("retention", "message"),
    [
        (Retention(pending=True), "--stage cannot currently be combined with --retain arguments"),
        (Retention(rollback=True), "--stage cannot currently be combined with --retain arguments"),
        (
            Retention(not_as_default=True),
            "--stage cannot currently be combined with --not-as-default",
        ),
    ],
)
def test_what_cannot_be_said_of_a_staged_deployment(retention: Retention, message: str) -> None:
    with pytest.raises(SysrootError, match=f"^{message}$"):
        retention.check_staging()
    Retention(everything=True).check_staging()


def test_without_systemd_no_service_is_started(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(run))

    start_service(str(run))


@pytest.mark.parametrize("status", [0, 5])
def test_the_service_is_started(run: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    (run / "systemd/system").mkdir(parents=True)
    program = run / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >{run}/words\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(run))

    if status:
        with pytest.raises(SysrootError, match="exited with code 5"):
            start_service(str(run))
    else:
        start_service(str(run))

    assert Path(run / "words").read_text() == "start --quiet ostree-finalize-staged.service\n"


def test_a_missing_systemctl_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "systemd/system").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(run))

    with pytest.raises(SysrootError, match=r"^Failed to start .*: systemctl: No such file"):
        start_service(str(run))
