"""What a deployment would do, and that it does just that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import NotFoundError, SysrootError
from ostree.formats.boot_entry import BootEntry
from ostree.sysroot.deployment_list import Retention, SwapKind
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions

if TYPE_CHECKING:
    from ostree.sysroot.deploy_plan import DeployPlan
    from ostree.sysroot.deploying import DeployOptions
    from unit.sysroot.conftest import Lab


def everything(lab: Lab) -> list[tuple[str, int, int]]:
    """All files below the sysroot, with inodes and times of change."""
    found = []
    for path, directories, files in os.walk(lab.root):
        for name in directories + files:
            info = os.lstat(os.path.join(path, name))
            found.append((os.path.join(path, name), info.st_ino, info.st_ctime_ns))
    return sorted(found)


def plan(lab: Lab, **options: object) -> DeployPlan:
    given: DeployOptions = {"stateroot": "os", **options}  # type: ignore[typeddict-item]
    with lab.open() as sysroot:
        return sysroot.plan_deploy("stable", **given)


def deploy(lab: Lab, **options: object) -> None:
    given: DeployOptions = {"stateroot": "os", **options}  # type: ignore[typeddict-item]
    with lab.open() as sysroot:
        sysroot.deploy("stable", **given)


def objects(lab: Lab) -> int:
    return sum(1 for path in (lab.root / "ostree/repo/objects").rglob("*") if path.is_file())


def set_up_uboot(lab: Lab) -> None:
    (lab.root / "boot/loader.0").mkdir()
    (lab.root / "boot/loader").symlink_to("loader.0")
    (lab.root / "boot/loader.0/uEnv.txt").touch()
    lab.write("usr/lib/ostree-boot/uEnv.txt", "board=x\n")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kernel_arguments": KernelArgumentOptions(append=["quiet"])},
        {"retention": Retention(everything=True)},
        {"retention": Retention(not_as_default=True)},
        {"merge": False},
        {"prune": False},
    ],
)
@pytest.mark.parametrize("kernel", ["kernel", "another"])
def test_it_comes_as_planned(lab: Lab, options: dict[str, object], kernel: str) -> None:
    set_up_uboot(lab)
    for number in range(2):
        lab.write("usr/data", str(number))
        lab.commit(version="1")
        deploy(lab, kernel_arguments=KernelArgumentOptions(append=[f"number={number}"]))
    lab.write("usr/lib/modules/5.1/vmlinuz", kernel)
    lab.write("usr/data", "new")
    lab.commit(version="1")
    before, count = everything(lab), objects(lab)
    kernels = set(os.listdir(lab.root / "boot/ostree"))

    foreseen = plan(lab, **options)
    untouched = everything(lab) == before
    deploy(lab, **options)

    assert untouched
    with lab.open() as sysroot:
        assert [d.key for d in sysroot.deployments] == [d.key for d in foreseen.deployments]
        assert sysroot.bootversion == foreseen.boot.bootversion
        assert sysroot.subbootversion == foreseen.boot.subbootversion
    for path, target in foreseen.boot.bootlinks:
        assert os.readlink(lab.root / path) == target
    assert foreseen.boot.kind is SwapKind.FULL
    assert sorted(os.path.basename(file.path) for file in foreseen.boot.entries) == lab.entries()
    for file in (*foreseen.boot.entries, *foreseen.bootloader_files):
        assert (lab.root / file.path).read_bytes() == file.data
    planned = {kernel.directory: kernel for kernel in foreseen.kernels}
    gone = {os.path.basename(path) for path, _ in foreseen.boot_directories}
    new = {os.path.basename(path) for path, k in planned.items() if not k.is_installed}
    assert set(os.listdir(lab.root / "boot/ostree")) == (kernels | new) - gone
    for directory, kernel_plan in planned.items():
        assert sorted(os.listdir(lab.root / directory)) == sorted(kernel_plan.files)
    freed = 0 if foreseen.pruned is None else foreseen.pruned.deleted
    assert count - objects(lab) == freed


def test_a_sub_swap(lab: Lab) -> None:
    for number in range(2):
        lab.write("usr/data", str(number))
        lab.commit()
        deploy(lab)
    lab.write("usr/data", "new")
    lab.commit()

    foreseen = plan(lab)
    deploy(lab)

    assert foreseen.boot.kind is SwapKind.SUB
    assert (foreseen.kernels, foreseen.boot.entries, foreseen.bootloader_files) == ((), (), ())
    for path, target in foreseen.boot.bootlinks:
        assert os.readlink(lab.root / path) == target


def test_a_list_is_told(lab: Lab) -> None:
    lab.commit(version="7")

    foreseen = plan(lab)

    assert (foreseen.new.index, foreseen.new.serial, foreseen.removed) == (0, 0, ())
    entry = BootEntry.parse((foreseen.boot.entries[0].data or b"").decode())
    assert entry.get("title") == "Test OS 7 (ostree:0)"
    (kernel,) = foreseen.kernels
    assert (kernel.is_installed, kernel.size) == (False, len("kernel") + len("initramfs"))
    (space,) = foreseen.space
    assert space.name == "the sysroot"
    assert space.problem is None
    assert [finding.name for finding in foreseen.findings] == ["sysroot", "ostree-link"]


def test_what_would_fail(lab: Lab) -> None:
    (lab.tree / "usr/lib/modules/5.1/vmlinuz").unlink()
    lab.commit()

    with pytest.raises(SysrootError, match="Failed to find kernel"):
        plan(lab)
    lab.write("usr/lib/modules/5.1/vmlinuz", "kernel")
    lab.commit()
    with pytest.raises(SysrootError, match="No such stateroot: other"):
        plan(lab, stateroot="other")
    with lab.open() as sysroot, pytest.raises(NotFoundError):
        sysroot.plan_deploy("nowhere", stateroot="os")
