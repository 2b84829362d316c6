"""``admin config-diff --conflicts`` and ``--json``, and what a deployment says of conflicts."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from cli.admin_lab import MUTABLE, AdminLab
from cli.running import ostree
from ostree.sysroot.config_diff import choose_versions
from ostree.sysroot.deployment import Deployment
from ostree.types import Checksum

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="deploying gives files to root"),
]


@pytest.fixture
def lab(tmp_path: Path) -> AdminLab:
    return AdminLab(tmp_path)


def etc(lab: AdminLab) -> Path:
    (path,) = (lab.root / "ostree/deploy/os/deploy").glob("*.0/etc")
    return path


def upgrade(lab: AdminLab) -> tuple[str, str]:
    """Commit the tree and deploy it; output and complaints."""
    lab.commit(2)
    result = ostree("admin", "deploy", lab.option, "--os=os", "os/main", environ=MUTABLE)
    assert result.status == 0
    return result.out, result.err


def test_conflicts_are_told_once_on_deploying_and_listed_afterwards(lab: AdminLab) -> None:
    for name in ("gone", "same", "theirs"):
        (lab.tree / "usr/etc" / name).write_text("default\n")
    lab.commit(1)
    lab.deploy()
    here = etc(lab)
    (here / "conf").write_text("local\n")
    (here / "gone").unlink()
    (here / "mine").write_text("mine\n")
    (here / "both").write_text("mine\n")
    (here / "same").write_text("equal\n")
    for name in ("conf", "gone", "theirs", "both"):
        (lab.tree / "usr/etc" / name).write_text("new default\n")
    (lab.tree / "usr/etc/same").write_text("equal\n")
    os.utime(here / "same", ns=(0, 0))
    lab.commit(2)
    planned = lab.deploy("--dry-run")
    document = json.loads(lab.deploy("--dry-run", "--json"))

    out, err = upgrade(lab)

    assert out.splitlines()[0] == "Copying /etc changes: 2 modified, 1 removed, 2 added"
    assert err == (
        "Changed in /etc here and in the new default, kept as here: 3 paths: both, conf, gone\n"
    )
    listed = lab.admin("config-diff", "--os=os", "--conflicts")
    assert listed == "AA   both\nMM   conf\nDM   gone\n"
    told = planned.partition("Changed in /etc here and in the new default, kept as here:\n")[2]
    assert told.startswith(
        "  both (added here, added there)\n"
        "  conf (modified here, modified there)\n"
        "  gone (removed here, modified there)\n"
        "Space in "
    )
    assert [entry["path"] for entry in document["conflicts"]] == ["both", "conf", "gone"]


def test_what_the_vendor_dropped_is_a_conflict_if_it_was_changed(lab: AdminLab) -> None:
    lab.deploy()
    (etc(lab) / "conf").write_text("local\n")
    (lab.tree / "usr/etc/conf").unlink()
    (lab.tree / "usr/etc/other").write_text("x")

    _, err = upgrade(lab)

    assert err.endswith(": 1 path: conf\n")
    assert lab.admin("config-diff", "--os=os", "--conflicts") == "MD   conf\n"


def test_without_conflicts_nothing_is_said(lab: AdminLab) -> None:
    lab.deploy()
    (etc(lab) / "mine").write_text("mine\n")
    assert lab.admin("config-diff", "--os=os", "--conflicts") == "", "there is no other version"
    (lab.tree / "usr/etc/conf").write_text("new default\n")

    _, err = upgrade(lab)

    assert err == ""
    assert lab.admin("config-diff", "--os=os", "--conflicts") == ""


def test_documents(lab: AdminLab) -> None:
    lab.deploy()
    name = os.fsdecode(b"\xff")
    (etc(lab) / name).write_text("")

    plain = json.loads(lab.admin("config-diff", "--os=os", "--json"))
    whole = json.loads(lab.admin("config-diff", "--os=os", "--json", "--conflicts"))

    assert plain == {"changes": [{"change": "added", "path": "\\xff", "path_base64": "/w=="}]}
    assert whole["conflicts"] == []
    assert (whole["old"], whole["new"]) == (None, None)
    assert whole["deployment"]["index"] == 0


def deployment(version: int, *, serial: int = 0, stateroot: str = "os") -> Deployment:
    checksum = Checksum(f"{version:064x}")
    return Deployment(stateroot=stateroot, checksum=checksum, serial=serial, bootcsum="")


def test_between_which_versions_changes_are_looked_for() -> None:
    new, again, old = deployment(2), deployment(2, serial=1), deployment(1)
    other = deployment(3, stateroot="other")

    assert choose_versions([new, old], old) == (old, new), "up to the next one"
    assert choose_versions([new, old], new) == (old, new), "since the one before"
    assert choose_versions([other, again, new, other, old], new) == (old, new)
    assert choose_versions([again, new, other], new) is None
