"""Files that a user names for output."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from ostree.system.output_file import OutputFile


def test_nothing_is_seen_before_it_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    with OutputFile(str(path)) as file:
        file.write(b"new content")
        assert path.read_text() == "old"
        file.finish()

    assert path.read_text() == "new content"
    assert file.is_regular
    assert os.listdir(tmp_path) == ["out"]


def test_what_is_not_finished_is_gone(tmp_path: Path) -> None:
    with OutputFile(str(tmp_path / "out")) as file:
        file.write(b"half")

    assert os.listdir(tmp_path) == []


def test_modes_are_as_users_expect(tmp_path: Path) -> None:
    """A new file follows the umask, an old one keeps its mode."""
    old = tmp_path / "old"
    old.write_text("")
    old.chmod(0o640)
    umask = os.umask(0o027)
    try:
        for name in ("old", "new"):
            with OutputFile(str(tmp_path / name)) as file:
                file.finish()
    finally:
        os.umask(umask)

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "new")]
    assert modes == [0o640, 0o640]


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to("there/file")

    with OutputFile(str(tmp_path / "out")) as file:
        file.write(b"x")
        file.finish()

    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"x"


def test_pipes_are_written_directly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    received: list[bytes] = []
    reader = threading.Thread(
        target=lambda: received.append((tmp_path / "pipe").read_bytes()), daemon=True
    )
    reader.start()

    with OutputFile(str(tmp_path / "pipe")) as file:
        file.write(b"x")
        file.finish()
    reader.join(timeout=30)

    assert not file.is_regular
    assert received == [b"x"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


WRITE_AS_ORDINARY_USER = """
import os, sys
from ostree.system.output_file import OutputFile
if os.geteuid() == 0:
    os.seteuid(65534)
with OutputFile(sys.argv[1]) as file:
    file.write(b"new")
    file.finish()
"""


def test_a_writable_file_in_a_directory_that_is_not() -> None:
    with tempfile.TemporaryDirectory() as place:  # an ordinary user may not walk to tmp_path
        path = Path(place) / "out"
        path.write_text("old and long")
        path.chmod(0o666)
        os.chmod(place, 0o555)

        subprocess.run([sys.executable, "-c", WRITE_AS_ORDINARY_USER, path], check=True)

        os.chmod(place, 0o755)
        assert path.read_text() == "new"


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OutputFile(str(tmp_path / "absent" / "out"))
    with pytest.raises(IsADirectoryError):
        OutputFile(str(tmp_path))
