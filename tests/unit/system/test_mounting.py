"""The mount table, and what a thread of its own may do."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from ostree.system.mounting import apart, find_mount, mount, parse_mountinfo, read_mounts, unmount

if TYPE_CHECKING:
    from pathlib import Path

TABLE = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 8:1 /usr /usr ro,relatime shared:1 master:7 - ext4 /dev/sda1 rw
31 30 0:40 / /usr rw,relatime - overlay overlay rw,lowerdir=usr,upperdir=.usr-ovl-upper
32 22 0:41 / /with\040blank rw - tmpfs tmpfs rw,size=1k
nonsense
33 22 0:41 / /short - x
"""


def test_the_table() -> None:
    table = parse_mountinfo(TABLE)

    assert [(m.path, m.kind, m.shared) for m in table] == [
        ("/", "ext4", True),
        ("/usr", "ext4", True),
        ("/usr", "overlay", False),
        ("/with blank", "tmpfs", False),
    ]
    assert table[1].options == ["ro", "relatime"]
    assert table[2].super_options == ["rw", "lowerdir=usr", "upperdir=.usr-ovl-upper"]


@pytest.mark.parametrize(
    ("path", "place"),
    [("/", 0), ("/usr", 2), ("/usr/lib", 2), ("/usrx", 0), ("/with blank/x", 3)],
)
def test_the_mount_of_a_path(path: str, place: int) -> None:
    table = parse_mountinfo(TABLE)

    assert find_mount(table, path) is table[place]


def test_no_mount_at_all() -> None:
    assert find_mount([], "/usr") is None


def test_the_real_table() -> None:
    found = find_mount(read_mounts(), "/proc/self")

    assert found is not None
    assert found.kind == "proc"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="unshare(2) needs root")
def test_a_thread_of_its_own(tmp_path: Path) -> None:
    before = os.getcwd()

    def act() -> str:
        os.chdir(tmp_path)
        return os.getcwd()

    assert apart(act) == str(tmp_path)
    assert os.getcwd() == before


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="unshare(2) needs root")
def test_errors_come_back() -> None:
    def act() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        apart(act)


def test_errors_name_the_target(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")

    with pytest.raises(OSError, match="missing") as of_mount:
        mount(None, missing, "tmpfs")
    with pytest.raises(OSError, match="missing") as of_unmount:
        unmount(missing)

    assert {of_mount.value.errno, of_unmount.value.errno} <= {errno.ENOENT, errno.EPERM}
