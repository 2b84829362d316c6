"""What a stateroot's /var begins with."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab


def var(lab: Lab) -> Path:
    return lab.root / "ostree/deploy/os/var"


def deploy(lab: Lab) -> Path:
    with lab.open() as sysroot:
        return Path(sysroot.deployment_path(sysroot.deploy("stable", stateroot="os")))


def without_tmpfiles(lab: Lab) -> None:
    (lab.tree / "usr/lib/tmpfiles.d/x.conf").unlink()
    (lab.tree / "usr/lib/tmpfiles.d").rmdir()


def listing(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def test_the_template_is_copied_once(lab: Lab) -> None:
    lab.write("var/lib/data", "template")
    lab.commit()
    mode = stat.S_IMODE(var(lab).stat().st_mode)

    root = deploy(lab)
    copied = var(lab) / "lib/data"
    copied.write_text("mine")
    deploy(lab)

    assert copied.read_text() == "mine"
    assert copied.stat().st_nlink == 1
    assert (root / "var/lib/data").read_text() == "template", "objects are not written to"
    assert stat.S_IMODE(var(lab).stat().st_mode) == mode
    assert listing(var(lab)) == [".ostree-selabeled", "lib"]
    assert listing(var(lab).parent) == ["backing", "deploy", "var"]


@pytest.mark.parametrize("name", [".dot", "lib"])
def test_anything_in_it_counts(lab: Lab, name: str) -> None:
    lab.write("var/lib/data", "template")
    without_tmpfiles(lab)
    lab.commit()
    (var(lab) / name).mkdir()

    deploy(lab)

    assert listing(var(lab)) == sorted([".ostree-selabeled", name])
    assert listing(var(lab) / name) == []


def test_the_usual_directories_only_where_the_tree_cannot_make_them(lab: Lab) -> None:
    (lab.tree / "var").mkdir()
    without_tmpfiles(lab)
    lab.commit()

    deploy(lab)

    assert listing(var(lab)) == [".ostree-selabeled", "lib", "lock", "log", "run", "tmp"]
    assert stat.S_IMODE((var(lab) / "tmp").stat().st_mode) == 0o1777
    assert os.readlink(var(lab) / "lock") == "../run/lock"


def test_a_tree_without_var_seeds_nothing(lab: Lab) -> None:
    without_tmpfiles(lab)
    lab.commit()

    deploy(lab)

    assert listing(var(lab)) == [".ostree-selabeled"]


def test_what_was_cut_off_is_begun_again(lab: Lab) -> None:
    """A /var that is half filled would never be filled: it is filled under another name."""
    lab.write("var/lib/data", "template")
    lab.commit()
    lab.write("var/zzz/last", "gone")
    lab.commit("broken")
    with lab.open() as sysroot:
        store = Path(sysroot.repo.path) / "objects"
    for path in store.glob("*/*.file"):
        if path.read_bytes() == b"gone":
            path.unlink()

    with lab.open() as sysroot, pytest.raises(OSTreeError):
        sysroot.deploy("broken", stateroot="os")
    left = listing(var(lab))
    (var(lab).parent / ".var-seed/junk").mkdir(parents=True, exist_ok=True)
    deploy(lab)

    assert left == []
    assert listing(var(lab)) == [".ostree-selabeled", "lib"]
    assert (var(lab) / "lib/data").read_text() == "template"
    assert ".var-seed" not in listing(var(lab).parent)
