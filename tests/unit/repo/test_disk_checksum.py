"""Checksums of single files on the disk (repository format §10.4)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ostree.errors import FormatError
from ostree.repo.disk_checksum import DiskChecksums

if TYPE_CHECKING:
    from pathlib import Path

IS_ROOT = os.geteuid() == 0


class Vector(NamedTuple):
    checksum: str
    mode: int
    owner: tuple[int, int] = (0, 0)
    kind: str = "file"
    content: bytes = b"x"
    xattrs: tuple[tuple[str, bytes], ...] = ()


TARGET = "tärget/ü".encode()
VECTORS = [
    Vector("ef59c0ea1d18f9257d6260a40ce9cea9a44e4469d11942571b106b569bc26188", 0o640, (1000, 1001)),
    Vector("3168f4d201f9f3d84807f2231e5855dba6ca96f3637ec7562a3c57d0cfd0fbb2", 0o4755),
    Vector("f7c2276fdccc230d914884aa377244d2cdf7ca495833d11970d6b63c19a2ec8e", 0o1644),
    Vector("2496da1ddc57940c72f221f274d5e5428f437a2b7a7468b24b9cc55536ced766", 0),
    Vector(
        "8c37f707c9b0c6633a66ef2229f1a934b99e50c580f5c6710def5f42ca7d4797",
        0o644,
        xattrs=(("user.z", b"1"), ("user.a", b"2"), ("user.empty", b"")),
    ),
    Vector(
        "3dbc46aa55e269ce3fa7ad5c8f805578306c0d49aa24db916cd2a5d8438611ed",
        0o644,
        xattrs=(("trusted.t", b"v"),),
    ),
    Vector(
        "cb0ef64089664d11d29d927e89ebaf559d2e6b81d75198596ca9edc09f8c7f5b",
        0o644,
        xattrs=(("user.big", b"B" * 300),),
    ),
    Vector("f24b34d4e9f943f1e762ca67d408291066d36af856ac2245cd34bbc527cecde5", 0o444, content=b""),
    Vector(
        "db82ff5f3ad86e6abe43c313bbf8db98c51a2882f3d2118271486cddeef09e91",
        0o600,
        content=bytes(range(256)) * 4096,
    ),
    Vector(
        "ea85bdc41d26c675b61a49b3638d6aa399f0b903209d5d6d5c71420197213fd6",
        0o777,
        kind="link",
        content=TARGET,
    ),
    Vector(
        "e34355839772a90f2e0a0ab3025b3d2f772e0b3fa3a589279620a7bfe84e9724",
        0o777,
        (5, 6),
        kind="link",
        content=TARGET,
    ),
    Vector(
        "3b5158e408598cabcd5e58604ed8f9cfdebe0c6686c049325fbda5f441d97585",
        0o777,
        (5, 6),
        kind="link",
        content=TARGET,
        xattrs=(("trusted.s", b"v"),),
    ),
    Vector(
        "e9db9247c799cf40971a8535d2c79867f1a5cb164b8025378f80a04fb3c398cb",
        0o1777,
        (5, 6),
        kind="directory",
    ),
    Vector(
        "04ae3625c158447587430e63ef34cadd449c303eb49b428fadf67a578ffe1c45",
        0o755,
        kind="directory",
        xattrs=(("user.k", b"val"),),
    ),
    Vector(
        "9831eb8106d9d8986437bb1ed7f7e25affd30a630be9cefa3c200b3a5b40af76",
        0o2775,
        kind="directory",
    ),
]


def make(path: Path, vector: Vector) -> None:
    if vector.kind == "link":
        os.symlink(vector.content, os.fsencode(path))
    elif vector.kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(vector.content)
    os.chown(path, *vector.owner, follow_symlinks=False)
    for name, value in vector.xattrs:
        os.setxattr(path, name, value, follow_symlinks=False)
    if vector.kind != "link":
        path.chmod(vector.mode)


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="setting owners takes root")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.checksum[:8])
def test_the_vectors(vector: Vector, tmp_path: Path) -> None:
    make(tmp_path / "it", vector)

    assert DiskChecksums().of(str(tmp_path / "it"), os.lstat(tmp_path / "it")) == vector.checksum


def test_overridden_owners_are_as_if_they_were_the_files_own(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"x")
    (tmp_path / "it").chmod(0o640)
    os.setxattr(tmp_path / "it", "user.x", b"1")
    checksums = DiskChecksums(with_xattrs=False, owner_uid=1000, owner_gid=1001)

    found = checksums.of(str(tmp_path / "it"), os.lstat(tmp_path / "it"))

    assert found == "ef59c0ea1d18f9257d6260a40ce9cea9a44e4469d11942571b106b569bc26188"


def test_entries_of_a_directory_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "it").symlink_to("x")
    os.setxattr(tmp_path, "user.x", b"1")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        by_name = DiskChecksums().of("it", os.lstat(tmp_path / "it"), dir_fd=fd)
        itself = DiskChecksums().of(".", os.lstat(tmp_path), dir_fd=fd)
    finally:
        os.close(fd)

    assert by_name == DiskChecksums().of(str(tmp_path / "it"), os.lstat(tmp_path / "it"))
    assert itself == DiskChecksums().of(str(tmp_path), os.lstat(tmp_path))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """What the reference gives for a pipe: metadata only."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    checksums = DiskChecksums(owner_uid=0, owner_gid=0)

    found = checksums.of(str(tmp_path / "pipe"), os.lstat(tmp_path / "pipe"))

    assert found == "7a014da393cf0061a0c2eca2efb6c127b88bad219f9e529c4390d0ac63b9ff22"


def test_a_target_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    os.symlink(b"\xff", os.fsencode(tmp_path / "it"))

    with pytest.raises(FormatError, match="Invalid UTF-8 in symlink target"):
        DiskChecksums().of(str(tmp_path / "it"), os.lstat(tmp_path / "it"))
