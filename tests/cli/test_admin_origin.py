"""``admin pin``, ``set-origin`` and ``switch``: what a deployment's origin says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.admin_lab import MUTABLE, AdminLab
from cli.running import fail, misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> AdminLab:
    """A sysroot with one deployment."""
    lab = AdminLab(tmp_path)
    lab.deploy()
    return lab


def test_pinning_and_unpinning(lab: AdminLab) -> None:
    assert lab.admin("pin", "0", "0") == (
        "Deployment 0 is now pinned\nDeployment 0 is already pinned\n"
    )
    assert "    Pinned: yes\n" in lab.admin("status")
    assert lab.admin("pin", "-u", "0") == "Deployment 0 is now unpinned\n"
    assert lab.admin("pin", "--unpin", "0") == "Deployment 0 is already unpinned\n"
    assert lab.origins() == ["[origin]\nrefspec=os/main\n\n[libostree-transient]\n"]


def test_a_pinned_deployment_stays(lab: AdminLab) -> None:
    lab.admin("pin", "0")
    for number in (2, 3, 4):
        lab.commit(number)
        lab.deploy()

    assert lab.versions() == ["4", "3", "1"]


def test_a_deployment_without_origin_is_pinned(lab: AdminLab) -> None:
    next(lab.root.glob("ostree/deploy/os/deploy/*.origin")).unlink()

    lab.admin("pin", "0")

    assert lab.origins() == ["[libostree-transient]\npinned=true\n"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("foo", "Invalid index: foo"),
        ("", "Invalid index: "),
        ("1", "Out of range deployment index 1, expected < 1"),
        ("99999999999999999999", "Index too large: 99999999999999999999"),
        ("booted", "Deployment type not found: booted"),
        ("rollback", "Deployment type not found: rollback"),
    ],
)
def test_what_cannot_be_pinned(lab: AdminLab, word: str, message: str) -> None:
    assert fail("admin", "pin", lab.option, word) == f"error: {message}"


def test_set_origin_adds_a_remote(lab: AdminLab) -> None:
    lab.admin("pin", "0")

    lab.admin("set-origin", "--index=0", "-s", "gpg-verify=false", "far", "http://far/", "b/c")
    lab.admin("set-origin", "--index=0", "--set=x=y", "far", "http://elsewhere/")

    assert lab.origins() == ["[origin]\nrefspec=far:b/c\n"]
    config = (lab.root / "ostree/repo/config").read_text()
    assert '[remote "far"]\nurl=http://far/\ngpg-verify=false\n' in config
    assert "elsewhere" not in config


def test_set_origin_with_a_metalink(lab: AdminLab) -> None:
    lab.admin("set-origin", "--index=0", "far", "metalink=http://far/meta")

    assert "metalink=http://far/meta\n" in (lab.root / "ostree/repo/config").read_text()
    assert lab.origins() == ["[origin]\nrefspec=far:os/main\n"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("far", "http://far/"), "Not currently booted into an OSTree system"),
        (("--index=1", "far", "http://far/"), "Out of range deployment index 1, expected < 1"),
        (("--index=-2", "far", "http://far/"), "Invalid index -2"),
        (("--index=0", "a/b", "http://far/"), "Invalid remote name a/b"),
        (("--index=0", "far", "http://far/", "a b"), "Invalid refspec far:a b"),
        (
            ("--index=0", "far", "http://far/", "--set=x"),
            "Missing '=' in KEY=VALUE for --set",
        ),
    ],
)
def test_origins_that_are_refused(lab: AdminLab, words: tuple[str, ...], message: str) -> None:
    """Nothing is changed then, no remote added."""
    assert fail("admin", "set-origin", lab.option, *words) == f"error: {message}"
    assert lab.origins() == ["[origin]\nrefspec=os/main\n"]
    assert "remote" not in (lab.root / "ostree/repo/config").read_text()


def test_an_origin_of_another_tool_needs_a_branch(lab: AdminLab) -> None:
    next(lab.root.glob("ostree/deploy/os/deploy/*.origin")).write_text("[origin]\nx=y\n")

    assert fail("admin", "set-origin", lab.option, "--index=0", "far", "http://far/") == (
        "error: No host refspec found, branch is required"
    )


def test_switching_between_local_refs(lab: AdminLab) -> None:
    """The old ref goes; what is deployed may be older."""
    lab.commit(0, branch="os/other")

    lines = lab.admin("switch", "--os=os", "os/other").splitlines()

    assert lines[0] == "Copying /etc changes: 0 modified, 0 removed, 0 added"
    assert lines[-1] == "Deleting ref 'os/main'"
    assert lab.versions() == ["0", "1"]
    assert "os/main" not in succeed("refs", lab.repo_option)


@pytest.mark.parametrize("command", ["upgrade", "switch"])
def test_doubts_about_a_new_tree(lab: AdminLab, command: str) -> None:
    """Told, unless nobody wants to know."""
    (lab.tree / "ostree").unlink()
    start = ("admin", command, lab.option, "--os=os")
    said = []
    for number, lint in ((2, "--lint=on"), (3, "--lint=off")):
        branch = f"os/{number}" if command == "switch" else "os/main"
        lab.commit(number, branch=branch)
        words = [branch] if command == "switch" else []
        said.append(ostree(*start, lint, *words, environ=MUTABLE))

    assert [done.status for done in said] == [0, 0]
    assert lab.versions()[0] == "3"
    assert "warning: There is no link /ostree" in said[0].err
    assert said[1].err == ""
    assert misuse(*start, "--lint=perhaps", "os/main") == (
        "error: Invalid value 'perhaps' for --lint: expected on or off"
    )


def test_switching_pulls_from_another_remote(lab: AdminLab, tmp_path: Path) -> None:
    far = tmp_path / "far"
    succeed("init", f"--repo={far}", "--mode=archive")
    succeed("pull-local", f"--repo={far}", lab.root / "ostree/repo", "os/main")
    for name in ("one", "two"):
        succeed("remote", "add", lab.repo_option, name, f"file://{far}", "--no-gpg-verify")
    lab.admin("switch", "--os=os", "one:os/main")

    out = lab.admin("switch", "--os=os", "two:")

    assert out.endswith("Deleting ref 'one:os/main'\n")
    assert lab.admin("status").splitlines()[2] == "    origin refspec: two:os/main"
    assert fail("admin", "switch", lab.option, "--os=os", "os/main", environ=MUTABLE) == (
        "error: Old and new refs are equal: two:os/main"
    )


def test_switching_gets_a_deployment_out_of_the_unconfigured_state(lab: AdminLab) -> None:
    lab.commit(2, branch="os/other")
    next(lab.root.glob("ostree/deploy/os/deploy/*.origin")).write_text(
        "[origin]\nrefspec=os/main\nunconfigured-state=Run setup\n"
    )
    assert fail("admin", "upgrade", lab.option, "--os=os") == (
        "error: origin unconfigured-state: Run setup"
    )

    lab.admin("switch", "--os=os", "os/other")

    assert lab.versions() == ["2", "1"]


def test_switches_that_are_refused(lab: AdminLab) -> None:
    assert misuse("admin", "switch", lab.option) == "error: REFSPEC must be specified"
    for words, message in (
        (("x",), "Not currently booted into an OSTree system and no OS specified"),
        (("--os=nope", "x"), "No previous deployment for OS 'nope'"),
        (("--os=os", "a b"), "Invalid refspec a b"),
        (("--os=os", ":"), "Invalid refspec :os/main"),
        (("--os=os", "nope"), "Refspec 'nope' not found"),
        (("--os=os", "far:"), 'Remote "far" not found'),
    ):
        assert fail("admin", "switch", lab.option, *words) == f"error: {message}"
    assert lab.versions() == ["1"]
