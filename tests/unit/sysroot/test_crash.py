"""Interrupted at any step, a sysroot has the old list or the new one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from unit.sysroot.conftest import Lab

CALLS = ("rename", "symlink", "unlink", "rmdir", "mkdir", "link", "fchmod")


class PowerCutError(BaseException):
    """Nothing catches it."""


class Cutter:
    """Lets a number of changing calls through and then none."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 1 << 30
        self.count = 0
        for name in CALLS:
            patch.setattr(os, name, self._wrap(getattr(os, name)))

    def _wrap(self, call: Callable[..., None]) -> Callable[..., None]:
        def wrapped(*arguments: Any, **keywords: Any) -> None:
            if self.left <= 0:
                raise PowerCutError
            self.left -= 1
            self.count += 1
            call(*arguments, **keywords)

        return wrapped


@pytest.mark.parametrize("what", ["full swap", "sub swap", "undeploy"])
def test_every_cut_leaves_one_of_the_two_lists(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    cutter = Cutter(monkeypatch)
    counter = 0

    def prepare() -> None:
        nonlocal counter
        cutter.left = 1 << 30
        with lab.open() as sysroot:
            while sysroot.deployments:
                sysroot.undeploy(0)
            for _ in range(2):
                lab.write("usr/data", str(counter))
                lab.write("usr/lib/modules/5.1/vmlinuz", "kernel")
                lab.commit(version="1")
                counter += 1
                sysroot.deploy("stable", stateroot="os")
        if what == "full swap":
            lab.write("usr/lib/modules/5.1/vmlinuz", f"kernel {counter}")
        lab.write("usr/data", f"new {counter}")
        lab.commit(version="1")

    def act() -> None:
        with lab.open() as sysroot:
            if what == "undeploy":
                sysroot.undeploy(0)
            else:
                sysroot.deploy("stable", stateroot="os")

    prepare()
    cutter.count = 0
    act()
    total = cutter.count
    outcomes = set()

    for cut in range(0, total, max(1, total // 40)):
        prepare()
        before = lab.names()
        cutter.left = cut
        with pytest.raises(PowerCutError):
            act()
        cutter.left = 1 << 30
        after = lab.names()
        is_new = after != before
        outcomes.add(is_new)
        if is_new:
            assert after == (before[1:] if what == "undeploy" else [after[0], before[0]])
        check_bootable(lab)
        if not is_new:
            act()
        check_bootable(lab)

    assert outcomes == {False, True}


def check_bootable(lab: Lab) -> None:
    """Every boot entry leads to a kernel and a deployment."""
    for name in lab.entries():
        text = (lab.root / "boot/loader/entries" / name).read_text()
        values = dict(line.split(" ", 1) for line in text.splitlines())
        assert (lab.root / "boot" / values["linux"].lstrip("/")).is_file()
        assert (lab.root / "boot" / values["initrd"].lstrip("/")).is_file()
        link = values["options"].split("ostree=")[1].split(" ")[0]
        assert (lab.root / link.lstrip("/") / "etc/a").is_file()
