"""Lines of tmpfiles.d, and systemd-tmpfiles as their reader."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.tmpfiles import TmpfilesLine, format_line, made_paths

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    "plain",
    "two words",
    'quo"te',
    "apo'strophe",
    "back\\slash",
    "100%d",
    "é",
    "\udcff",
    "t\tb",
]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (TmpfilesLine("d", "/var/log", 0o755, 0, 4), "d /var/log 0755 0 4 -"),
        (TmpfilesLine("d", "/var/tmp", 0o1777, 0, 0), "d /var/tmp 1777 0 0 -"),
        (TmpfilesLine("L", "/var/run", argument="../run"), "L /var/run - - - - ../run"),
        (TmpfilesLine("L", "/var/a b", argument="100% c"), 'L "/var/a b" - - - - 100%% c'),
        (TmpfilesLine("f", '/var/"\\', 0o600, 1, 2), 'f "/var/\\"\\\\" 0600 1 2 -'),
    ],
)
def test_lines(line: TmpfilesLine, text: str) -> None:
    assert format_line(line) == text
    assert list(made_paths(text)) == [line.path]


@pytest.mark.parametrize(
    "line",
    [
        TmpfilesLine("d", "/var/a\nb", 0o755, 0, 0),
        TmpfilesLine("L", "/var/a", argument="b\nc"),
        TmpfilesLine("L", "/var/a", argument="b "),
        TmpfilesLine("L", "/var/a", argument="b\\x"),
    ],
)
def test_what_no_line_can_say_is_refused(line: TmpfilesLine) -> None:
    with pytest.raises(FormatError):
        format_line(line)


def test_what_makes_nothing_is_left_out() -> None:
    text = "# d /a\n\nz /b 0755\nx /c\nD! /d/ 0755\nd\nd /e/%b\nq '/f g'\nr! /h\n"

    assert list(made_paths(text)) == ["/d", "/f g"]


@given(
    st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs", "Zl", "Zp", "Cc"]))
)
def test_every_path_is_read_as_it_was_written(name: str) -> None:
    path = f"/var/{name}x"

    assert list(made_paths(format_line(TmpfilesLine("d", path, 0o755, 0, 0)))) == [path]


@pytest.mark.skipif(
    not shutil.which("systemd-tmpfiles"), reason="systemd-tmpfiles is not installed (systemd)"
)
def test_systemd_reads_them(tmp_path: Path) -> None:
    """Names that need quotes, links that need none, and modes with all bits."""
    uid, gid = os.getuid(), os.getgid()
    lines = [TmpfilesLine("d", "/var", 0o755, uid, gid)]
    lines += [TmpfilesLine("d", f"/var/{name}", 0o2710, uid, gid) for name in NAMES]
    lines += [TmpfilesLine("L", f"/var/{n}/link", argument='../ %x/"y') for n in NAMES]
    snippet = tmp_path / "all.conf"
    text = "".join(f"{format_line(line)}\n" for line in lines)
    snippet.write_bytes(text.encode("utf-8", "surrogateescape"))
    root = tmp_path / "root"
    root.mkdir()

    subprocess.run(["systemd-tmpfiles", f"--root={root}", "--create", snippet], check=True)

    assert sorted(os.listdir(root / "var")) == sorted(NAMES)
    for name in NAMES:
        path = root / "var" / name
        assert path.stat().st_mode & 0o7777 == 0o2710
        assert os.readlink(path / "link") == '../ %x/"y'
