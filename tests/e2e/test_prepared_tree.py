"""Prepared trees go the whole way: committed, deployed by us and by the reference, and filled at boot."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.running import succeed
from support.draft_trees import SYSTEMD, Contents, snapshot, write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

MUTABLE = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}

needs_tmpfiles = pytest.mark.skipif(
    not shutil.which("systemd-tmpfiles"), reason="systemd-tmpfiles is not installed (systemd)"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

ROOTFS: Contents = {
    **SYSTEMD,
    "bin/sh": "shell",
    "lib/libc.so.6": "library",
    "lib/modules/6.1/x.ko": "module",
    "boot/vmlinuz-6.1": "kernel",
    "boot/initrd.img-6.1": "ramdisk",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/os-release": "-> ../usr/lib/os-release",
    "usr/lib/os-release": "ID=os\nNAME=Os\nPRETTY_NAME=Os\n",
    "root/.profile": "export X=1\n",
    "home/user/notes": "notes\n",
    "opt/vendor/tool": "tool\n",
    "srv": None,
    "var/cache/empty": None,
    "var/lib/app/data": "data\n",
    "var/lib/app/latest": "-> data",
    "var/log/app.log": "",
    "var/run": "-> ../run",
}


def what_was(path: Path) -> dict[str, tuple[int, int, int, str]]:
    """The state of a plain tree by the paths that it has in a running system."""
    seen = snapshot(path)
    names = {"root": "var/roothome", "home": "var/home", "srv": "var/srv"}
    found = {}
    for old, value in seen.items():
        first, _, rest = old.partition("/")
        place = names.get(first, first)
        if place.startswith("var"):
            found[f"{place}/{rest}".rstrip("/")] = value
    return found


def commit(repo: Path, tree: Path) -> str:
    succeed("init", f"--repo={repo}", "--mode=archive")
    options = ("--branch=os/test", "--owner-uid=0", "--owner-gid=0", "--no-xattrs")
    return succeed("commit", f"--repo={repo}", *options, tree).strip()


def deploy_by_us(sysroot: Path, repo: Path) -> None:
    sysroot.mkdir()
    succeed("admin", "init-fs", "--modern", sysroot)
    succeed("admin", "os-init", f"--sysroot={sysroot}", "test")
    succeed("pull-local", f"--repo={sysroot}/ostree/repo", repo, "os/test")
    succeed("admin", "deploy", f"--sysroot={sysroot}", "--os=test", "os/test", environ=MUTABLE)


def deploy_by_them(sysroot: Path, repo: Path, oracle: Oracle) -> None:
    sysroot.mkdir()
    oracle("admin", "init-fs", "--modern", sysroot)
    oracle("admin", "os-init", f"--sysroot={sysroot}", "test")
    oracle("pull-local", f"--repo={sysroot}/ostree/repo", repo, "os/test")
    arguments = ("admin", "deploy", f"--sysroot={sysroot}", "--os=test", "os/test")
    oracle(*arguments, environ=MUTABLE)


def deployment_of(sysroot: Path) -> Path:
    (found,) = (path for path in (sysroot / "ostree/deploy/test/deploy").iterdir() if path.is_dir())
    return found


@pytest.mark.root
@needs_root
def test_it_is_deployed(tmp_path: Path) -> None:
    rootfs = write_tree(tmp_path / "rootfs", ROOTFS)
    succeed("tree", "prepare", rootfs)
    commit(tmp_path / "repo", rootfs)

    deploy_by_us(tmp_path / "sysroot", tmp_path / "repo")

    deployment = deployment_of(tmp_path / "sysroot")
    assert (deployment / "etc/passwd").read_text() == ROOTFS["etc/passwd"]
    assert (deployment / "bin/sh").read_text() == "shell"
    (kernel,) = (tmp_path / "sysroot/boot/ostree").glob("test-*/vmlinuz-6.1")
    assert kernel.read_text() == "kernel"
    assert (kernel.parent / "initramfs-6.1.img").read_text() == "ramdisk"


@pytest.mark.root
@pytest.mark.oracle
@needs_root
def test_the_reference_deploys_it_alike(tmp_path: Path, oracle: Oracle) -> None:
    rootfs = write_tree(tmp_path / "rootfs", ROOTFS)
    succeed("tree", "prepare", rootfs)
    commit(tmp_path / "repo", rootfs)

    deploy_by_us(tmp_path / "ours", tmp_path / "repo")
    deploy_by_them(tmp_path / "theirs", tmp_path / "repo", oracle)

    ours, theirs = deployment_of(tmp_path / "ours"), deployment_of(tmp_path / "theirs")
    assert ours.name == theirs.name
    assert snapshot(ours) == snapshot(theirs)


@needs_tmpfiles
def test_state_is_as_it_was_when_the_system_is_up(tmp_path: Path) -> None:
    """Same modes, owners, contents and links; systemd-tmpfiles is the judge."""
    rootfs = write_tree(tmp_path / "rootfs", ROOTFS)
    (rootfs / "var/lib/app").chmod(0o2750)
    (rootfs / "var/lib/app/data").chmod(0o640)
    (rootfs / "home/user").chmod(0o700)
    if os.geteuid() == 0:
        os.chown(rootfs / "var/lib/app/data", 12, 34)
        os.chown(rootfs / "home/user", 1000, 1000)
    before = what_was(rootfs)
    succeed("tree", "prepare", rootfs)
    assert os.listdir(rootfs / "var") == []
    snippet = rootfs / "usr/lib/tmpfiles.d/ostree-tree.conf"

    subprocess.run(["systemd-tmpfiles", f"--root={rootfs}", "--create", snippet], check=True)

    after = {path: value for path, value in snapshot(rootfs).items() if path.startswith("var")}
    new = {"var/home", "var/mnt", "var/opt", "var/opt/vendor", "var/roothome", "var/srv", "var"}
    assert {p: v for p, v in after.items() if p not in new} == {
        p: v for p, v in before.items() if p not in new
    }
    assert (rootfs / "opt/vendor/tool").read_text() == "tool\n"
    assert new <= set(after)


def mirror() -> str:
    """Where this machine's own packages come from."""
    listing = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Release: bookworm"]
    listed = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
    return listed.splitlines()[0] if listed else ""


def reaches_the_mirror() -> bool:
    """Whether Debian's packages can be fetched."""
    from urllib.request import urlopen

    try:
        with urlopen(f"{mirror()}dists/bookworm/InRelease", timeout=10):
            return True
    except (OSError, ValueError):
        return False


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of a small Debian, unpacked."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not shutil.which("mmdebstrap"):
        pytest.skip("mmdebstrap is not installed (Debian: mmdebstrap)")
    if not reaches_the_mirror():
        pytest.skip("Debian's packages are not to be reached")
    place = tmp_path_factory.mktemp("debian")
    options = ("--variant=extract", "--include=base-files,base-passwd,systemd-sysv")
    subprocess.run(
        ["mmdebstrap", "--quiet", *options, "--skip=check/empty", "bookworm", place / "rootfs.tar"],
        check=True,
        capture_output=True,
    )
    (place / "rootfs").mkdir()
    subprocess.run(["tar", "-C", place / "rootfs", "-xf", place / "rootfs.tar"], check=True)
    return place / "rootfs"


@pytest.mark.root
@needs_tmpfiles
def test_debian(debian: Path, tmp_path: Path, oracle: Oracle) -> None:
    """Prepared twice, committed, deployed by both; its own and our snippets are read together."""
    write_tree(debian, {"boot/vmlinuz-6.1": "kernel", "boot/initrd.img-6.1": "ramdisk"})
    before = what_was(debian)
    succeed("tree", "prepare", debian)
    commit(tmp_path / "repo", debian)

    again = succeed("tree", "prepare", debian)
    deploy_by_us(tmp_path / "ours", tmp_path / "repo")
    deploy_by_them(tmp_path / "theirs", tmp_path / "repo", oracle)
    snippet = debian / "usr/lib/tmpfiles.d/ostree-tree.conf"
    subprocess.run(["systemd-tmpfiles", f"--root={debian}", "--create", snippet], check=True)

    assert again.splitlines()[-1] == "Nothing to do"
    ours, theirs = deployment_of(tmp_path / "ours"), deployment_of(tmp_path / "theirs")
    assert snapshot(ours) == snapshot(theirs)
    after = snapshot(debian)
    contents = {
        path: v for path, v in before.items() if v[3] and not path.startswith("var/lib/dpkg")
    }
    assert {path: after.get(path) for path in contents} == contents
    assert (debian / "var/lib/dpkg/info").is_dir()
