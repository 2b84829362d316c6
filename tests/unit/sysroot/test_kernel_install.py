"""Kernels below ``/boot``: only what is missing, and never half of it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.kernel import boot_checksum, find_kernel
from ostree.sysroot.kernel_install import install_kernel
from ostree.sysroot.tree_files import DirectoryFiles
from support.policies import make_policy

if TYPE_CHECKING:
    from pathlib import Path


class Machine:
    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.tree = self.root / "tree"
        self.modules = self.tree / "usr/lib/modules/5.1"
        (self.root / "boot").mkdir(parents=True)
        (self.modules / "dtb/sub").mkdir(parents=True)
        for name in ("vmlinuz", "initramfs.img", ".vmlinuz.hmac", "dtb/a.dtb", "dtb/sub/b.dtb"):
            (self.modules / name).write_text(f"content of {name}")
        (self.modules / "dtb/link.dtb").symlink_to("a.dtb")
        tree_fd = os.open(self.tree, os.O_RDONLY)
        files = DirectoryFiles(tree_fd)
        self.directory = f"boot/ostree/os-{boot_checksum(files, find_kernel(files))}"
        os.close(tree_fd)
        self.target = self.root / self.directory

    def install(self, *, seal: bool = False) -> None:
        root_fd = os.open(self.root, os.O_RDONLY)
        tree_fd = os.open(self.tree, os.O_RDONLY)
        try:
            install_kernel(
                find_kernel(DirectoryFiles(tree_fd)), tree_fd, self.directory, root_fd, seal=seal
            )
        finally:
            os.close(tree_fd)
            os.close(root_fd)

    def inodes(self) -> dict[str, tuple[int, int]]:
        return {
            str(path.relative_to(self.target)): (path.lstat().st_ino, path.lstat().st_mtime_ns)
            for path in self.target.rglob("*")
            if not path.is_dir()
        }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def refuse_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if ``/boot`` were another file system."""
    link = os.link

    def refuse(source: str, target: str, *, dst_dir_fd: int, **options: int) -> None:
        if not source.startswith("/proc/self/fd/"):
            raise OSError(errno.EXDEV, f"Invalid cross-device link ({options})")
        link(source, target, dst_dir_fd=dst_dir_fd, follow_symlinks=True)

    monkeypatch.setattr(os, "link", refuse)


def test_files_are_linked_and_device_trees_copied(machine: Machine) -> None:
    machine.install()

    assert sorted(machine.inodes()) == [
        ".vmlinuz-5.1.hmac",
        "dtb/a.dtb",
        "dtb/link.dtb",
        "dtb/sub/b.dtb",
        "initramfs-5.1.img",
        "vmlinuz-5.1",
    ]
    assert (machine.target / "vmlinuz-5.1").samefile(machine.modules / "vmlinuz")
    assert (machine.target / "dtb/a.dtb").stat().st_nlink == 1
    assert os.readlink(machine.target / "dtb/link.dtb") == "a.dtb"


def test_on_another_file_system_files_are_copied(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.modules / "vmlinuz").chmod(0o750)
    refuse_links(monkeypatch)

    machine.install()

    copy = machine.target / "vmlinuz-5.1"
    assert copy.read_text() == "content of vmlinuz"
    assert (copy.stat().st_nlink, copy.stat().st_mode & 0o7777) == (1, 0o750)


@pytest.mark.skipif(os.geteuid() != 0, reason="labels are for root to set")
def test_copies_have_the_label_of_boot(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = "/.*\tu:o:other_t:s0\n/boot/vm.*\t--\tu:o:boot_t:s0\n"
    make_policy(machine.tree, contexts=contexts)
    refuse_links(monkeypatch)

    machine.install()

    labels = {
        name: os.getxattr(machine.target / name, "security.selinux").rstrip(b"\0")
        for name in ("vmlinuz-5.1", "initramfs-5.1.img")
    }
    assert labels == {"vmlinuz-5.1": b"u:o:boot_t:s0", "initramfs-5.1.img": b"u:o:other_t:s0"}


@pytest.mark.parametrize("seal", [False, True])
def test_copies_are_sealed_on_demand(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, *, seal: bool
) -> None:
    """Before they have their names, and when nobody can write to them any more."""
    sealed: list[tuple[int, int]] = []

    def enable(fd: int) -> bool:
        sealed.append((fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE, os.fstat(fd).st_nlink))
        return False

    monkeypatch.setattr("ostree.sysroot.kernel_install.enable_verity", enable)
    machine.install(seal=seal)
    assert sealed == []  # links have the seal of what they are linked to

    shutil.rmtree(machine.target)
    refuse_links(monkeypatch)
    machine.install(seal=seal)

    assert sealed == ([(os.O_RDONLY, 0)] * 3 if seal else [])
    assert (machine.target / "vmlinuz-5.1").read_text() == "content of vmlinuz"


@pytest.mark.parametrize("copied", [False, True])
def test_what_is_there_stays_untouched(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, *, copied: bool
) -> None:
    """The configuration that is active refers to it."""
    if copied:
        refuse_links(monkeypatch)
    machine.install()
    before = machine.inodes()

    machine.install()

    assert machine.inodes() == before


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("name", ["vmlinuz-5.1", "initramfs-5.1.img", "dtb/a.dtb", "dtb/link.dtb"])
def test_what_was_cut_off_is_replaced(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str, *, copied: bool
) -> None:
    if copied:
        refuse_links(monkeypatch)
    machine.install()
    whole = (machine.target / name).read_text()
    (machine.target / name).unlink()
    (machine.target / name).write_text(whole[:3])

    machine.install()

    assert (machine.target / name).read_text() == whole
    assert (machine.modules / "vmlinuz").read_text() == "content of vmlinuz"


def test_it_is_not_the_good_one_that_is_replaced(machine: Machine) -> None:
    machine.install()
    (machine.modules / "vmlinuz").unlink()
    (machine.modules / "vmlinuz").write_text("cut")

    with pytest.raises(SysrootError, match=r"the kernel of the deployment has changed$"):
        machine.install()

    assert (machine.target / "vmlinuz-5.1").read_text() == "content of vmlinuz"


def test_a_dangling_link_is_replaced(machine: Machine) -> None:
    machine.target.mkdir(parents=True)
    (machine.target / "vmlinuz-5.1").symlink_to("nowhere")

    machine.install()

    assert not (machine.target / "vmlinuz-5.1").is_symlink()


@pytest.mark.parametrize("name", ["vmlinuz-5.1", ".vmlinuz-5.1.hmac"])
def test_a_directory_in_the_way_is_named(machine: Machine, name: str) -> None:
    (machine.target / name).mkdir(parents=True)

    with pytest.raises(SysrootError, match=rf"^{machine.directory}/{name} is a directory$"):
        machine.install()


def test_a_file_in_place_of_the_directory(machine: Machine) -> None:
    machine.target.parent.mkdir()
    machine.target.write_text("")

    with pytest.raises(NotADirectoryError):
        machine.install()


def test_what_a_killed_program_left_is_removed(machine: Machine) -> None:
    machine.target.mkdir(parents=True)
    (machine.target / ".tmp-0123456789abcdef").write_text("half a kern")

    machine.install()

    assert not list(machine.target.glob(".tmp-*"))
