"""The files that a distribution installs."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.system_files import install, system_files

if TYPE_CHECKING:
    from pathlib import Path

UNITS = "usr/lib/systemd/system"


def test_all_files_are_installed(tmp_path: Path) -> None:
    assert install(str(tmp_path), "/usr/bin/ostree") == [
        "usr/lib/ostree/ostree-remount",
        f"{UNITS}-generators/ostree-system-generator",
        f"{UNITS}/ostree-boot-complete.service",
        f"{UNITS}/ostree-finalize-staged-hold.service",
        f"{UNITS}/ostree-finalize-staged.service",
        f"{UNITS}/ostree-health-check.service",
        f"{UNITS}/ostree-remount.service",
        f"{UNITS}/ostree-state-overlay@.service",
        "usr/lib/tmpfiles.d/ostree-tmpfiles.conf",
    ]

    for file in system_files("/usr/bin/ostree"):
        path = tmp_path / file.path
        assert path.read_bytes() == file.data
        assert path.stat().st_mode & 0o7777 == file.mode
        assert (file.mode == 0o755) == ("generator" in file.path or file.path.endswith("-remount"))


def test_installing_again_replaces(tmp_path: Path) -> None:
    first = install(str(tmp_path), "/usr/bin/ostree")

    assert install(str(tmp_path), "/opt/bin/ostree") == first
    text = (tmp_path / UNITS / "ostree-finalize-staged.service").read_text()
    assert "ExecStop=/opt/bin/ostree admin finalize-staged\n" in text
    assert "@OSTREE@" not in text


@pytest.mark.parametrize("program", ["ostree", "", "/a b", "/a%b", "/a\nExecStart=/x", "/$x"])
def test_a_program_that_units_cannot_name(program: str, tmp_path: Path) -> None:
    with pytest.raises(SysrootError, match="is no absolute path that units can name"):
        install(str(tmp_path), program)
    assert list(tmp_path.iterdir()) == []


def test_a_tree_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SysrootError, match="missing: No such file or directory"):
        install(str(tmp_path / "missing"), "/usr/bin/ostree")


def test_something_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "usr").write_text("a file")

    with pytest.raises(SysrootError, match=r"^usr/lib/ostree/ostree-remount: Not a directory$"):
        install(str(tmp_path), "/usr/bin/ostree")


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    install(str(tmp_path), "/bin/true")
    for path in tmp_path.rglob("*.service"):
        # What they run is not on this machine.
        path.write_text(re.sub(r"=(\+?)/usr/lib/ostree/\S+", r"=\1/bin/true", path.read_text()))
    units = sorted(str(path) for path in tmp_path.rglob("*.service"))
    template = next(unit for unit in units if "@" in unit)
    instance = template.replace("@.", "@usr-lib-opt.")
    (tmp_path / UNITS / instance).write_text((tmp_path / UNITS / template).read_text())
    units[units.index(template)] = instance

    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=one", *units],
        check=False,
        capture_output=True,
        text=True,
    )

    ours = [line for line in result.stderr.splitlines() if "ostree" in line]
    assert ours == []
    assert result.returncode == 0, result.stderr
