"""Files sealed anew after a copy, with a file system that only says it can."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab


@pytest.fixture
def deployed(lab: Lab) -> Lab:
    """One deployment with an image; the repository wants fs-verity."""
    (lab.tree / "usr/link").symlink_to("data")
    lab.commit()
    with lab.open() as sysroot:
        image = sysroot.deploy("stable", stateroot="os").path + "/.ostree.cfs"
        (lab.root / image).write_text("image")
    set_verity(lab, "maybe")
    return lab


def set_verity(lab: Lab, value: str) -> None:
    with lab.open() as sysroot:
        keyfile = sysroot.repo.config.keyfile.copy()
        keyfile.set_string("ex-integrity", "fsverity", value)
        sysroot.repo.save_config(keyfile)


def answer(monkeypatch: pytest.MonkeyPatch, *errors: int) -> list[Path]:
    """Have the kernel answer with these errors in turn, 0 for success; which files were asked."""
    asked: list[Path] = []
    answers = list(errors)

    def ioctl(fd: int, _request: int, _argument: bytes) -> None:
        asked.append(Path(os.readlink(f"/proc/self/fd/{fd}")))
        error = answers.pop(0) if answers else 0
        if error:
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return asked


def regular_objects(lab: Lab) -> set[Path]:
    found = (lab.root / "ostree/repo/objects").glob("*/*")
    return {path for path in found if path.is_file() and not path.is_symlink()}


def test_objects_and_images_are_sealed(deployed: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch)

    with deployed.open() as sysroot:
        count = sysroot.post_copy()

    assert count == len(asked)
    assert set(asked[:-1]) == regular_objects(deployed)
    assert asked[-1].name == ".ostree.cfs"


def test_what_is_sealed_already_is_no_trouble(
    deployed: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, errno.EEXIST, errno.EEXIST)

    with deployed.open() as sysroot:
        assert sysroot.post_copy() == len(asked)
    assert len(asked) > 2


@pytest.mark.parametrize("wanted", ["maybe", "yes"])
def test_a_file_system_that_cannot_is_left_alone(
    deployed: Lab, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_verity(deployed, wanted)
    asked = answer(monkeypatch, errno.EOPNOTSUPP)

    with deployed.open() as sysroot:
        assert sysroot.post_copy() == 0
    assert len(asked) == 1


def test_another_error_is_one(deployed: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, errno.EIO)

    with (
        deployed.open() as sysroot,
        pytest.raises(SysrootError, match=r"^Sealing objects/.*: Input/output error"),
    ):
        sysroot.post_copy()


def test_nothing_is_done_unasked(deployed: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    set_verity(deployed, "no")
    asked = answer(monkeypatch)

    with deployed.open() as sysroot:
        assert sysroot.post_copy() == 0
    assert asked == []
