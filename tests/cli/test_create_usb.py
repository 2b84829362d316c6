"""``ostree create-usb``."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

COLLECTION = "org.example.Os"
FINDER = "/usr/libexec/installed-tests/libostree/repo-finder-mount"


@pytest.fixture
def local(tmp_path: Path, tree: Path) -> Path:
    """A repository that has fetched two refs of a collection."""
    origin = tmp_path / "origin"
    succeed("init", f"--repo={origin}", "--mode=archive", f"--collection-id={COLLECTION}")
    for branch in ("main", "other"):
        succeed("commit", f"--repo={origin}", f"--branch={branch}", tree)
    local = tmp_path / "local"
    succeed("init", f"--repo={local}", "--mode=bare-user")
    options = ("--no-gpg-verify", f"--collection-id={COLLECTION}")
    succeed("remote", "add", f"--repo={local}", *options, "far", f"file://{origin}")
    succeed("pull", f"--repo={local}", "far", "main", "other")
    return local


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """The root directory of a volume."""
    stick = tmp_path / "stick"
    stick.mkdir()
    return stick


def copy(local: Path, stick: Path, *words: str) -> str:
    return succeed("create-usb", f"--repo={local}", stick, *words)


def refs(repo: Path) -> dict[str, str]:
    """The mirrored refs of the collection, with their commits."""
    directory = repo / "refs/mirrors" / COLLECTION
    return {path.name: path.read_text().strip() for path in directory.iterdir()}


def test_refs_are_copied_and_listed_in_a_summary(local: Path, stick: Path) -> None:
    out = copy(local, stick, COLLECTION, "main", COLLECTION, "other")

    assert out == (
        f"Copied 2/2 refs successfully from ‘{local}’ to ‘.ostree/repo’ repository in ‘{stick}’.\n"
    )
    repo = stick / ".ostree/repo"
    assert refs(repo) == {
        name: succeed("rev-parse", f"--repo={local}", f"far:{name}").strip()
        for name in ("main", "other")
    }
    assert f"* ({COLLECTION}, main)" in succeed("summary", "-v", f"--repo={repo}")
    succeed("fsck", f"--repo={repo}")


def test_more_refs_join_those_that_are_there(local: Path, stick: Path) -> None:
    copy(local, stick, COLLECTION, "main")

    copy(local, stick, COLLECTION, "other")

    assert set(refs(stick / ".ostree/repo")) == {"main", "other"}


def test_a_place_of_its_own_gets_one_link(local: Path, stick: Path) -> None:
    """Upstream adds another link each time."""
    for _ in range(2):
        copy(local, stick, "--destination-repo=some/where", COLLECTION, "main")
    copy(local, stick, "--destination-repo=else", COLLECTION, "main")

    links = stick / ".ostree/repos.d"
    assert {link.name: os.readlink(link) for link in links.iterdir()} == {
        "00-generated": "../../some/where",
        "01-generated": "../../else",
    }
    assert refs(links / "00-generated") == refs(stick / "some/where")


def test_well_known_places_need_no_link(local: Path, stick: Path) -> None:
    for place in ("ostree/repo", ".ostree/repo"):
        copy(local, stick, f"--destination-repo={place}", COLLECTION, "main")

    assert not (stick / ".ostree/repos.d").exists()


def test_a_stale_summary_does_not_count(
    local: Path, stick: Path, tmp_path: Path, tree: Path
) -> None:
    """Upstream would copy what the summary says, or find no ref."""
    succeed("summary", "-u", f"--repo={local}")
    succeed("commit", f"--repo={tmp_path / 'origin'}", "--branch=main", "--timestamp=@5", tree)
    succeed("pull", f"--repo={local}", "far", "main")

    copy(local, stick, COLLECTION, "main")

    current = succeed("rev-parse", f"--repo={local}", "far:main").strip()
    assert refs(stick / ".ostree/repo") == {"main": current}


def test_another_commit_can_be_copied(local: Path, stick: Path) -> None:
    commit = succeed("rev-parse", f"--repo={local}", "far:main").strip()

    copy(local, stick, f"--commit={commit}", COLLECTION, "main")

    assert refs(stick / ".ostree/repo") == {"main": commit}
    absent = "0" * 64
    assert fail(
        "create-usb", f"--repo={local}", f"--commit={absent}", stick, COLLECTION, "main"
    ) == (f"error: Importing {absent}.commit: linkat: No such file or directory")


def test_nothing_outside_the_volume_is_written(local: Path, stick: Path, tmp_path: Path) -> None:
    """Whatever the destination is called, and wherever links on the volume lead."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (stick / ".ostree").mkdir()
    (stick / ".ostree/repo").symlink_to(outside)
    (stick / "link").symlink_to(tmp_path)

    for options in (
        (),
        ("--destination-repo=../outside",),
        ("--destination-repo=link/outside",),
        (f"--destination-repo={outside}",),
    ):
        message = misuse("create-usb", f"--repo={local}", *options, stick, COLLECTION, "main")
        assert message == "error: --destination-repo must be a descendent of MOUNT-PATH"

    assert list(outside.iterdir()) == []


def test_not_onto_itself(local: Path, stick: Path) -> None:
    shutil.copytree(local, stick / "repo", symlinks=True)

    message = misuse(
        "create-usb",
        f"--repo={stick / 'repo'}",
        "--destination-repo=repo",
        stick,
        COLLECTION,
        "main",
    )

    assert message == "error: --destination-repo must not be the source repository"


def test_errors(local: Path, stick: Path) -> None:
    repo = f"--repo={local}"

    assert misuse("create-usb", repo) == "error: A MOUNT-PATH must be specified"
    for incomplete in ((), (COLLECTION,)):
        assert misuse("create-usb", repo, stick, *incomplete) == (
            "error: At least one COLLECTION-ID REF pair must be specified"
        )
    assert misuse("create-usb", repo, stick, COLLECTION, "main", COLLECTION) == (
        "error: Only complete COLLECTION-ID REF pairs may be specified"
    )
    pair = (COLLECTION, "main")
    assert misuse("create-usb", repo, "--commit=x", stick, *pair, *pair) == (
        "error: The --commit option can only be used when a single COLLECTION-ID REF pair is "
        "specified"
    )
    for words, message in (
        ((stick, COLLECTION, "nope"), f"Collection–ref ({COLLECTION}, nope) not found"),
        ((stick, "bad", "main"), "Invalid collection ID bad"),
        ((stick, COLLECTION, "a b"), "Invalid ref name a b"),
        (("/nope", COLLECTION, "main"), "opendir(/nope): No such file or directory"),
    ):
        assert fail("create-usb", repo, *words) == f"error: {message}"
    assert list(stick.iterdir()) == []


@pytest.mark.oracle
def test_a_volume_is_the_references(local: Path, tmp_path: Path, oracle: Oracle) -> None:
    words = ("--destination-repo=some/where", "stick", COLLECTION, "main")
    before = os.getcwd()
    volumes = {}
    for name in ("ours", "theirs"):
        (tmp_path / name / "stick").mkdir(parents=True)
        os.chdir(tmp_path / name)
        try:
            run = succeed if name == "ours" else lambda *argv: oracle(*argv).stdout
            said = run("create-usb", f"--repo={local}", *words)
        finally:
            os.chdir(before)
        stick = tmp_path / name / "stick"
        found = {
            str(path.relative_to(stick)): (
                os.readlink(path) if path.is_symlink() else path.is_dir()
            )
            for path in stick.rglob("*")
            if path.parts[-2:] != ("tmp", "cache")
        }
        volumes[name] = said, found, (stick / "some/where/config").read_text()

    assert volumes["ours"] == volumes["theirs"]


@pytest.mark.oracle
def test_the_references_finder_finds_it(local: Path, stick: Path) -> None:
    if not os.path.exists(FINDER):
        pytest.skip("the reference's test program is not installed (Debian: ostree-tests)")
    (local / "far.trustedkeys.gpg").write_bytes(b"")
    copy(local, stick, COLLECTION, "main")

    done = subprocess.run(
        [FINDER, local, stick, COLLECTION, "main"], check=True, capture_output=True, text=True
    )

    commit = succeed("rev-parse", f"--repo={local}", "far:main").strip()
    assert f"far.trustedkeys.gpg {COLLECTION} main {commit}" in done.stdout
