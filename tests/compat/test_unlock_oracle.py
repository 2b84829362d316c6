"""A writable ``/usr``, by ours and by the reference, on systems that look booted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from compat.booted_twins import Said, Twins
from support.simulated_boot import why_no_overlay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(why_no_overlay() is not None, reason=why_no_overlay() or ""),
]

MODES: list[list[str]] = [[], ["--transient"], ["--hotfix"]]


@pytest.fixture
def twins(memory: Path) -> Iterator[Twins]:
    made = Twins(memory)
    yield made
    made.remove()


def unlock(twins: Twins, *options: str) -> Said:
    """Unlock both; they must say the same."""
    for boot in twins.boots.values():
        boot.shell("mkdir -p /var/tmp")
    theirs = twins.say("theirs", "theirs", "unlock", *options)
    ours = twins.say("ours", "ours", "unlock", *options)
    assert ours == theirs
    return ours


def usr_mount(twins: Twins) -> str:
    return twins.boots["ours"].shell("grep ' /usr overlay ' /proc/mounts || true")


def state_files(twins: Twins, name: str) -> list[str]:
    """The names below ``/run/ostree``: what is in the files differs between releases."""
    run = twins.boots[name].run_directory / "ostree"
    return sorted(str(path.relative_to(run)) for path in run.rglob("*"))


@pytest.mark.parametrize("options", MODES, ids=str)
def test_usr_can_be_written_to(twins: Twins, options: list[str]) -> None:
    said = unlock(twins, *options)

    assert said.status == 0
    for name in ("ours", "theirs"):
        boot = twins.boots[name]
        written = boot.shell("touch /usr/new 2>/dev/null && echo yes || echo no").strip()
        assert written == ("no" if "--transient" in options else "yes")
        assert boot.shell("lsattr -d /sysroot/ostree/deploy/os/deploy/*.0").count("i") == 0
    assert state_files(twins, "ours") == state_files(twins, "theirs")
    assert twins.say("ours", "theirs", "status") == twins.say("ours", "ours", "status")
    assert twins.say("ours", "ours", "status") == twins.say("theirs", "theirs", "status")
    assert unlock(twins, *options).err.startswith("error: Deployment is already in unlocked state")


def test_a_transient_overlay_is_written_to_in_a_namespace(twins: Twins) -> None:
    unlock(twins, "--transient")

    script = "unshare -m sh -c 'mount -o remount,rw /usr && touch /usr/new && ls /usr'"
    assert "new" in twins.boots["ours"].shell(script).split()


@pytest.mark.parametrize("options", MODES, ids=str)
def test_what_a_reboot_leaves(twins: Twins, options: list[str]) -> None:
    unlock(twins, *options)
    for boot in twins.boots.values():
        boot.shell("touch /usr/new 2>/dev/null || true")

    twins.boot(0)

    for name in ("ours", "theirs"):
        kept = "new" in twins.boots[name].shell("ls /usr").split()
        assert kept == ("--hotfix" in options)
    status = twins.admin("status").out
    assert ("Unlocked: hotfix" in status) == ("--hotfix" in options)


def test_a_hotfix_keeps_a_clone_and_ends_with_the_next_update(twins: Twins) -> None:
    twins.admin("deploy", "os/main")
    twins.boot()
    unlock(twins, "--hotfix")
    twins.compare()
    status = twins.admin("status").out
    assert re.search(r"^\* .*\n    Unlocked: hotfix\n.*\n  .* \(rollback\)$", status, re.MULTILINE)
    for boot in twins.boots.values():
        boot.shell("touch /usr/new")

    (twins.tree / "usr/data").write_text("an update")
    twins.commit()
    twins.admin("upgrade", "--deploy-only")
    twins.boot()

    assert "new" not in twins.boots["ours"].shell("ls /usr").split()
    lines = twins.admin("status").out.splitlines()
    assert lines[0].startswith("* ")
    assert lines.index("    Unlocked: hotfix") > lines.index(
        next(line for line in lines if line.endswith("(rollback)"))
    )


def test_a_hotfix_discards_what_is_staged(twins: Twins) -> None:
    (twins.tree / "usr/data").write_text("an update")
    twins.commit()
    twins.admin("deploy", "--stage", "os/main")

    unlock(twins, "--hotfix")

    assert "(staged)" not in twins.admin("status").out
    twins.compare()


def test_a_hotfix_inherits_the_pin(twins: Twins) -> None:
    for root in twins.roots.values():
        for origin in root.glob("ostree/deploy/os/deploy/*.origin"):
            origin.write_text(origin.read_text() + "\n[libostree-transient]\npinned=true\n")

    unlock(twins, "--hotfix")

    assert twins.admin("status").out.count("Pinned: yes") == 2
    twins.compare()


def test_directories_of_a_development_overlay(twins: Twins) -> None:
    """Of 2025.3 and later; the reference here has them below ``/var/tmp``."""
    unlock(twins)

    (upper,) = twins.roots["ours"].glob("ostree/deploy/os/backing/*.0/usr-transient/upper")
    usr = next(twins.roots["ours"].glob("ostree/deploy/os/deploy/*.0/usr"))
    assert upper.stat().st_mode == usr.stat().st_mode
    twins.boots["ours"].shell("echo text >/usr/new")
    assert (upper / "new").read_text() == "text\n"
    twins.boot()
    unlock(twins)
    assert "new" not in twins.boots["ours"].shell("ls /usr").split()


@pytest.mark.parametrize("options", MODES, ids=str)
def test_read_only_mounts_stay_read_only(memory: Path, options: list[str]) -> None:
    twins = Twins(memory, read_only=True)
    try:
        unlock(twins, *options)

        assert usr_mount(twins)
        assert "refused" in twins.boots["ours"].shell("touch /sysroot/x || echo refused")
        if "--transient" not in options:
            twins.boots["ours"].shell("touch /usr/new")
    finally:
        twins.remove()


def test_private_mounts(memory: Path) -> None:
    """The reference says that it succeeded, and nobody sees the overlay; ours mounts it there."""
    twins = Twins(memory, propagation="private")
    try:
        unlock(twins)

        assert usr_mount(twins)
        assert " /usr overlay " not in twins.boots["theirs"].shell("cat /proc/mounts")
    finally:
        twins.remove()


def test_private_and_read_only_mounts(memory: Path) -> None:
    """Nobody would see it, so nothing is changed."""
    twins = Twins(memory, propagation="private", read_only=True)
    try:
        said = twins.say("ours", "ours", "unlock", "--hotfix")

        assert said.status == 1
        assert "would not be seen by the system" in said.err
        assert "hint: run: mount --make-rshared /" in said.err
        assert "Unlocked" not in twins.say("ours", "ours", "status").out
        twins.compare()
    finally:
        twins.remove()


@pytest.mark.parametrize("options", MODES, ids=str)
def test_an_overlay_that_is_refused_changes_nothing(memory: Path, options: list[str]) -> None:
    twins = Twins(memory, layered=True)
    try:
        before = twins.boots["ours"].shell("find /sysroot/ostree/deploy /sysroot/boot | sort")
        said = twins.say("ours", "ours", "unlock", *options)
        after = twins.boots["ours"].shell("find /sysroot/ostree/deploy /sysroot/boot | sort")

        assert said.status == 1
        assert said.err.splitlines()[0] == "error: Failed overlayfs mount: Invalid argument"
        assert said.err.splitlines()[1].startswith("hint: the file system of the sysroot cannot")
        assert [line for line in after.split() if "/backing" not in line] == [
            line for line in before.split() if "/backing" not in line
        ]
        assert "Unlocked" not in twins.say("ours", "ours", "status").out
    finally:
        twins.remove()


def test_nothing_is_booted(twins: Twins) -> None:
    for name in ("ours", "theirs"):
        (twins.boots[name].run_directory / "ostree-booted").unlink()

    for options in [*MODES, ["--hotfix", "--transient"]]:
        assert unlock(twins, *options) == (
            1,
            "",
            "error: Not currently booted into an OSTree system\n",
        )


def test_contradictions(twins: Twins) -> None:
    assert unlock(twins, "--hotfix", "--transient").err == (
        "error: Cannot specify both --hotfix and --transient\n"
    )
    assert twins.say("ours", "ours", "unlock", "word").err.endswith(
        "error: This command takes no extra arguments\n"
    )
