"""Archives through libarchive: what is read is what was written, whatever the format."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, RepoError
from ostree.system import archive
from ostree.system.archive import ArchiveEntry, ArchiveReader, ArchiveWriter
from support.archives import ROOT, Entry, file, hardlink, symlink, tar

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
)


def read_all(source: str | int) -> list[tuple[ArchiveEntry, bytes]]:
    found = []
    with ArchiveReader(source) as reader:
        while (entry := reader.next_entry()) is not None:
            parts = []
            while part := reader.read(1000):
                parts.append(part)
            found.append((entry, b"".join(parts)))
    return found


def test_everything_about_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    attributes = (("SCHILY.xattr.user.a", "1"), ("LIBARCHIVE.xattr.user.b", "Ag=="))
    path.write_bytes(
        tar(
            ROOT,
            file("f", b"x" * 2500, 0o4755, uid=3, gid=70000),
            Entry("é", data=b"", pax=attributes),
            symlink("s", "ö"),
            hardlink("h", "f"),
        )
    )

    (root, _), (big, content), (named, _), (link, _), (hard, _) = read_all(str(path))

    assert (root.path, root.mode) == (b"./", 0o040755)
    assert (big.path, big.mode, big.uid, big.gid, big.size) == (b"f", 0o104755, 3, 70000, 2500)
    assert content == b"x" * 2500
    assert named.path == "é".encode()
    assert sorted(named.xattrs) == [(b"user.a", b"1"), (b"user.b", b"\x02")]
    assert (link.mode, link.symlink, link.hardlink) == (0o120777, "ö".encode(), None)
    assert (hard.hardlink, hard.size) == (b"f", 0)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_recognised(compress: object, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(compress(tar(file("f", b"content"))))  # type: ignore[operator]

    assert [content for _, content in read_all(str(path))] == [b"content"]


def test_other_formats_are_recognised(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("dir/", "")
        file.writestr("dir/f", "content")

    found = read_all(str(tmp_path / "a.zip"))

    assert [(entry.path, content) for entry, content in found] == [
        (b"dir/", b""),
        (b"dir/f", b"content"),
    ]


def test_a_descriptor_is_read_and_left_open(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar(file("f")))
    fd = os.open(tmp_path / "a.tar", os.O_RDONLY)

    found = read_all(fd)

    assert [entry.path for entry, _ in found] == [b"f"]
    os.close(fd)


def test_holes_are_zeros(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.write(b"start")
        file.seek(300_000)
        file.write(b"end")
    subprocess.run(
        ["tar", "-C", tmp_path, "-S", "--format=gnu", "-cf", tmp_path / "a.tar", "sparse"],
        check=True,
    )

    ((entry, content),) = read_all(str(tmp_path / "a.tar"))

    assert entry.size == 300_003
    assert content == sparse.read_bytes()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"hello" * 1000)
    absent = tmp_path / "absent"

    with pytest.raises(RepoError, match="open_filename: Unrecognized archive format"):
        ArchiveReader(str(tmp_path / "garbage"))
    with pytest.raises(RepoError, match=f"open_filename: Failed to open '{absent}'"):
        ArchiveReader(str(absent))
    with pytest.raises(RepoError, match="open_filename: Error reading '"):
        ArchiveReader(str(tmp_path))


def test_damage_is_found(tmp_path: Path) -> None:
    whole = tar(file("f", b"x" * 5000), file("g", b"y"))
    (tmp_path / "short").write_bytes(whole[:3000])
    damaged = bytearray(whole)
    damaged[512 + 5120 + 3] ^= 1  # in the name of the second entry
    (tmp_path / "bad").write_bytes(bytes(damaged))

    with pytest.raises(CorruptionError, match="Truncated tar archive"):
        read_all(str(tmp_path / "short"))
    with pytest.raises(CorruptionError, match="Damaged tar archive"):
        read_all(str(tmp_path / "bad"))


def test_names_are_bytes_in_any_locale(tmp_path: Path) -> None:
    """In the C locale libarchive cannot convert the names of a PAX archive, and need not."""
    (tmp_path / "a.tar").write_bytes(tar(file("é"), symlink("ü", "ö"), hardlink("ä", "é")))
    program = (
        "import sys\n"
        "from ostree.system.archive import ArchiveReader\n"
        "with ArchiveReader(sys.argv[1]) as reader:\n"
        "    while (e := reader.next_entry()) is not None:\n"
        "        print(ascii((e.path, e.symlink, e.hardlink)))\n"
    )

    printed = {}
    for locale in ("C", "C.UTF-8"):
        result = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "a.tar"],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": locale},
        )
        assert result.stderr == ""
        printed[locale] = result.stdout

    assert printed["C"] == printed["C.UTF-8"]
    assert ascii("é".encode()) in printed["C"]


def written(*entries: ArchiveEntry, content: bytes = b"", pad: bool = False) -> bytes:
    out: list[bytes] = []
    with ArchiveWriter(out.append, pad=pad) as writer:
        for entry in entries:
            writer.add(entry)
            if entry.size:
                writer.write(content)
        writer.finish()
    return b"".join(out)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    long = b"n" * 150
    data = written(
        ArchiveEntry(b"./", 0o040755, uid=1, gid=2, mtime=77),
        ArchiveEntry(long, 0o100600, size=5),
        ArchiveEntry(b"s", 0o120777, symlink=long),
        ArchiveEntry(b"h", 0o100600, hardlink=long),
        content=b"12345",
    )
    (tmp_path / "a.tar").write_bytes(data)

    with tarfile.open(tmp_path / "a.tar") as file:
        root, regular, link, hard = file.getmembers()
        extracted = file.extractfile(regular)
        assert extracted is not None
        assert extracted.read() == b"12345"

    assert (root.uid, root.gid, root.mtime, root.mode) == (1, 2, 77, 0o755)
    assert (regular.name, link.linkname, hard.linkname) == (long.decode(),) * 3
    assert data[257:265] == b"ustar  \0"


def test_the_last_record_is_filled_on_request() -> None:
    entry = ArchiveEntry(b"f", 0o100644)

    assert len(written(entry)) == 1536
    assert len(written(entry, pad=True)) == 10240


def test_an_error_of_the_receiver_comes_out() -> None:
    def full(_data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with ArchiveWriter(full, pad=False) as writer:
        for _ in range(19):  # what a record holds, less one
            writer.add(ArchiveEntry(b"f", 0o100644))
        with pytest.raises(OSError, match="No space left"):
            writer.add(ArchiveEntry(b"f", 0o100644))


def test_an_archive_that_is_given_up_ends_where_it_is() -> None:
    out: list[bytes] = []
    with ArchiveWriter(out.append, pad=True) as writer:
        writer.add(ArchiveEntry(b"f", 0o100644))

    assert out == []


def test_too_much_content_is_an_error() -> None:
    with ArchiveWriter(lambda _: None, pad=False) as writer:
        writer.add(ArchiveEntry(b"f", 0o100644, size=2))
        with pytest.raises(RepoError, match="longer than its header"):
            writer.write(b"123")


def test_a_missing_library_is_named() -> None:
    program = (
        "import sys\n"
        "sys.modules['libarchive'] = None\n"
        "from ostree.errors import OSTreeError\n"
        "from ostree.system import archive\n"
        "try:\n"
        "    archive.ArchiveReader('x')\n"
        "except OSTreeError as error:\n"
        "    print(error.message, error.hint)\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert result.stdout.startswith("Archives need libarchive, which cannot be loaded: ")
    assert "Debian: libarchive13" in result.stdout


def test_the_library_is_found_without_ldconfig(tmp_path: Path) -> None:
    """Small systems have neither that nor a compiler to ask."""
    (tmp_path / "a.tar").write_bytes(tar(file("f")))
    program = (
        "import ctypes.util, sys\n"
        "ctypes.util.find_library = lambda name: None\n"
        "from ostree.system.archive import ArchiveReader\n"
        "with ArchiveReader(sys.argv[1]) as reader:\n"
        "    print(reader.next_entry().path)\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "a.tar"],
        check=True,
        capture_output=True,
        text=True,
    )

    assert result.stdout == "b'f'\n"
