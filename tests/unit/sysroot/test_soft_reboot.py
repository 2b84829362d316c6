"""Which deployments a soft reboot can lead to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.formats.boot_entry import BootEntry
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.soft_reboot import has_same_kernel, is_prepared, reset
from ostree.types import Checksum

if TYPE_CHECKING:
    from pathlib import Path


def make(options: str | None, bootcsum: str = "ab") -> Deployment:
    entry = BootEntry()
    if options is not None:
        entry.set("options", options)
    return Deployment(
        stateroot="os", checksum=Checksum("cd" * 32), serial=0, bootcsum=bootcsum, entry=entry
    )


@pytest.mark.parametrize(
    ("target", "same"),
    [
        (make("root=x ostree=/other quiet"), True),
        (make("ostree=/other root=x quiet"), True),
        (make("root=x quiet"), True),
        (make(None), True),
        (make("root=x"), False),
        (make("quiet root=x"), False),
        (make("root=x quiet more"), False),
        (make(""), False),
        (make("root=x ostree=/other quiet", "ef"), False),
        (make(None, "ef"), False),
    ],
)
def test_only_what_the_running_kernel_would_do_for(target: Deployment, same: bool) -> None:
    assert has_same_kernel(make("root=x ostree=/one quiet"), target) == same


def test_nothing_is_prepared(tmp_path: Path) -> None:
    assert not is_prepared(str(tmp_path))


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="entering namespaces needs root")
def test_what_was_prepared_is_forgotten(tmp_path: Path) -> None:

    state = tmp_path / "ostree/nextroot-booted"
    state.parent.mkdir()
    state.touch()

    assert is_prepared(str(tmp_path))
    reset(str(tmp_path))

    assert not state.exists()
    reset(str(tmp_path))
