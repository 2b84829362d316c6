"""Archives in the newc form, read by the programs that others read them with."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import cpio

names = st.binary(min_size=1, max_size=40).filter(
    lambda name: not set(b"/\0") & set(name) and name not in {b".", b"..", b"TRAILER!!!"}
)
times = st.integers(0, 0xFFFFFFFF)
permissions = st.integers(0, 0o7777)


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[cpio.Entry, bytes]]:
    """Entries, parents before what is in them."""
    members: list[tuple[cpio.Entry, bytes]] = []
    directories = [b""]
    taken = set()
    for name in draw(st.lists(names, max_size=8, unique=True)):
        parent = draw(st.sampled_from(directories))
        path = parent + b"/" + name if parent else name
        taken.add(path)
        mode = draw(permissions)
        kind = draw(st.sampled_from("fld"))
        if kind == "d":
            members.append((cpio.Entry(path, stat.S_IFDIR | 0o700 | mode), b""))
            directories.append(path)
        elif kind == "l":
            target = draw(names)
            members.append((cpio.Entry(path, stat.S_IFLNK | 0o777, len(target)), target))
        else:
            content = draw(st.binary(max_size=600))
            members.append((cpio.Entry(path, stat.S_IFREG | mode, len(content)), content))
    return members


def archive(members: list[tuple[cpio.Entry, bytes]], mtime: int = 0) -> bytes:
    out = bytearray()
    for inode, (entry, content) in enumerate(members, start=1):
        out += cpio.encode_header(entry, inode=inode, mtime=mtime)
        out += content + cpio.padding(len(content))
    return bytes(out + cpio.encode_trailer(len(out)))


def read_back(directory: bytes, entry: cpio.Entry) -> tuple[int, bytes]:
    path = os.path.join(directory, entry.name)
    info = os.lstat(path)
    if stat.S_ISLNK(info.st_mode):
        return info.st_mode, os.readlink(path)
    if stat.S_ISDIR(info.st_mode):
        return info.st_mode, b""
    os.chmod(path, 0o600)
    return info.st_mode, Path(os.fsdecode(path)).read_bytes()


PROGRAMS = {
    "cpio": ("cpio", ["cpio", "--extract", "--quiet", "--preserve-modification-time"]),
    "bsdcpio": ("libarchive-tools", ["bsdcpio", "-i", "-m", "--quiet"]),
    "busybox": ("busybox-static", ["busybox", "cpio", "-i", "-m"]),
}


@pytest.mark.parametrize("program", PROGRAMS)
@settings(max_examples=40, deadline=None)
@given(members=trees(), mtime=times)
def test_others_unpack_what_was_put_in(
    program: str, members: list[tuple[cpio.Entry, bytes]], mtime: int
) -> None:
    package, command = PROGRAMS[program]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} (Debian: {package}) is not installed")
    data = archive(members, mtime)

    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(command, input=data, cwd=directory, check=True, capture_output=True)

        root = os.fsencode(directory)
        found = [read_back(root, entry) for entry, _ in members]
        for entry, _ in members:
            if stat.S_ISREG(entry.mode):
                assert int(os.lstat(os.path.join(root, entry.name)).st_mtime) == mtime

    expected = [(entry.mode, content) for entry, content in members]
    if os.geteuid() != 0:
        # Set-user-ID bits are not for everybody to set.
        found, expected = (
            [(mode & ~0o7000, data) for mode, data in row] for row in (found, expected)
        )
    assert found == expected


@given(trees(), times)
def test_every_part_is_aligned(members: list[tuple[cpio.Entry, bytes]], mtime: int) -> None:
    assert len(archive(members, mtime)) % 512 == 0
    for entry, _ in members:
        assert len(cpio.encode_header(entry, inode=1, mtime=mtime)) % 4 == 0


@pytest.mark.parametrize("name", [b"", b"/etc", b"a\0b", b"TRAILER!!!"])
def test_a_name_that_no_archive_can_have_is_refused(name: bytes) -> None:
    with pytest.raises(FormatError, match="Invalid name in an archive"):
        cpio.encode_header(cpio.Entry(name, 0o100644), inode=1, mtime=0)


def test_a_file_that_is_too_large_is_refused() -> None:
    entry = cpio.regular_file("large", 1 << 32, 0o644)

    with pytest.raises(FormatError, match="large does not fit in an archive: 4294967296"):
        cpio.encode_header(entry, inode=1, mtime=0)
