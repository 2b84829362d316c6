"""``ostree pull``, ``remote refs`` and ``remote summary``, from a server of our own."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed
from ostree.server.serve import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Compare
    from conftest import Oracle


@pytest.fixture
def url(repo: Path, oracle: Oracle) -> Iterator[str]:
    """Where the repository is served."""
    oracle("summary", "-u", f"--repo={repo}")
    ready = threading.Event()
    found: list[str] = []
    stops: list[Callable[[], None]] = []

    def note(url: str) -> None:
        found.append(url)
        ready.set()

    thread = threading.Thread(
        target=serve, args=(repo,), kwargs={"on_ready": note, "on_stoppable": stops.append}
    )
    thread.start()
    assert ready.wait(10)
    yield found[0]
    stops[0]()
    thread.join(10)


@pytest.fixture
def device(tmp_path: Path, url: str) -> Path:
    """A repository with the remote ``origin``."""
    device = tmp_path / "device"
    succeed("init", f"--repo={device}", "--mode=bare-user")
    succeed("remote", "add", f"--repo={device}", "origin", url, "--no-gpg-verify")
    return device


def test_a_ref_is_fetched(repo: Path, device: Path) -> None:
    out = succeed("pull", f"--repo={device}", "origin", "main")

    assert " content objects fetched; " in out
    assert out.endswith(" content written\n")
    assert out.count("\n") == 1
    assert succeed("rev-parse", f"--repo={device}", "origin:main") == succeed(
        "rev-parse", f"--repo={repo}", "main"
    )
    succeed("fsck", f"--repo={device}")


def test_an_up_to_date_ref_says_so(device: Path) -> None:
    succeed("pull", f"--repo={device}", "origin:main")

    out = succeed("pull", f"--repo={device}", "origin:main")

    assert out.startswith("0 metadata, 0 content objects fetched; ")


def test_configured_branches_are_the_default(device: Path) -> None:
    nothing = fail("pull", f"--repo={device}", "origin")
    succeed("config", f"--repo={device}", '--group=remote "origin"', "set", "branches", "main;")

    succeed("pull", f"--repo={device}", "origin")

    assert nothing == "error: No configured branches for remote origin"
    assert succeed("refs", f"--repo={device}") == "origin:main\n"


def test_history_comes_if_asked_for(repo: Path, device: Path) -> None:
    succeed("pull", f"--repo={device}", "--depth", "-1", "origin", "main")

    theirs = succeed("log", f"--repo={repo}", "main")
    assert succeed("log", f"--repo={device}", "origin:main") == theirs


def test_a_mirror_has_the_refs_themselves(repo: Path, device: Path, url: str) -> None:
    mirror = device.with_name("mirror")
    succeed("init", f"--repo={mirror}", "--mode=archive")
    succeed("remote", "add", f"--repo={mirror}", "origin", url, "--no-gpg-verify")

    succeed("pull", f"--repo={mirror}", "--mirror", "origin")

    assert succeed("refs", "-r", f"--repo={mirror}") == succeed("refs", "-r", f"--repo={repo}")


def test_refs_of_a_remote(repo: Path, device: Path) -> None:
    commit = succeed("rev-parse", f"--repo={repo}", "main")

    assert succeed("remote", "refs", f"--repo={device}", "origin") == "origin:main\n"
    assert succeed("remote", "refs", f"--repo={device}", "-r", "origin") == f"origin:main\t{commit}"


def test_the_summary_of_a_remote(repo: Path, device: Path) -> None:
    for option in ("", "--raw", "--list-metadata-keys", "--print-metadata-key=ostree.summary.mode"):
        remote = succeed("remote", "summary", f"--repo={device}", "origin", *option.split())
        local = succeed("summary", f"--repo={repo}", *(option or "-v").split())

        # Only of a local summary is it known that nobody signed it.
        assert remote == local.removesuffix("Summary is unsigned\n")


def test_errors(device: Path) -> None:
    assert misuse("pull", f"--repo={device}") == "error: REMOTE must be specified"
    assert fail("pull", f"--repo={device}", "nope", "x") == 'error: Remote "nope" not found'
    assert fail("pull", f"--repo={device}", "--http-header=x", "origin", "main") == (
        "error: Missing '=' in --http-header"
    )
    assert fail("pull", f"--repo={device}", "origin", "nope") == (
        "error: No such branch 'nope' in repository summary"
    )
    assert fail("pull", f"--repo={device}", "file:///x") == "error: Invalid refspec file:///x"
    assert fail("pull", f"--repo={device}", "--depth=abc", "origin") == (
        "error: Cannot parse integer value “abc” for --depth"
    )


def test_objects_at_hand_are_counted_by_themselves(repo: Path, device: Path) -> None:
    out = succeed("pull", f"--repo={device}", "-L", repo, "origin", "main")

    assert " 0 content objects fetched (6 meta, 5 content local); " in out
    assert fail("pull", f"--repo={device}", "-L", "/nope", "origin", "main") == (
        "error: opening repo: opendir(/nope): No such file or directory"
    )


def test_signatures_are_demanded_unless_told_otherwise(device: Path, url: str) -> None:
    succeed("remote", "add", f"--repo={device}", "signed", url)

    message = fail("pull", f"--repo={device}", "signed", "main")

    assert message.startswith("error: Commit ")
    assert message.endswith(
        ": GPG verification enabled, but no signatures found "
        "(use gpg-verify=false in remote config to disable)"
    )


def test_a_dry_run_tells_and_fetches_nothing(device: Path) -> None:
    line = succeed("pull", f"--repo={device}", "--dry-run", "origin", "main")
    document = json.loads(
        succeed("pull", f"--repo={device}", "--dry-run", "--json", "origin", "main")
    )

    metadata, content = document["metadata"], document["content"]
    assert line == (
        f"Dry run: {metadata['objects']} metadata ({metadata['bytes']} bytes), "
        f"{content['objects']} content objects (size unknown) to fetch\n"
    )
    assert content["objects"] == content["objects_of_unknown_size"] > 0
    assert fail("rev-parse", f"--repo={device}", "origin:main")
    assert "0 metadata" not in succeed("pull", f"--repo={device}", "origin", "main")


def test_json_is_for_dry_runs(device: Path) -> None:
    assert fail("pull", f"--repo={device}", "--json", "origin", "main") == (
        "error: --json requires --dry-run"
    )


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        ("pull", "--mirror", "plain"),
        ("pull", "--cache-dir=/nowhere", "local"),
        ("pull", "--localcache-repo=/nowhere", "local"),
        ("pull", "--url=ftp://user:secret@host/x", "local"),
        ("pull", "--url=nonsense", "local"),
        ("pull", "ftp", "main"),
        ("remote", "refs", "--cache-dir=/nowhere", "local"),
        ("remote", "summary", "ftp"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_found_before_anything_is_fetched(
    tmp_path: Path, repo: Path, compare: Compare, words: tuple[str, ...]
) -> None:
    mirror = tmp_path / "mirror"
    succeed("init", f"--repo={mirror}", "--mode=archive")
    for name, *rest in (
        ("local", f"file://{repo}", "main"),
        ("plain", f"file://{repo}"),
        ("ftp", "ftp://host/x"),
    ):
        succeed("remote", "add", f"--repo={mirror}", "--no-gpg-verify", name, *rest)

    compare(*words, f"--repo={mirror}")


def test_a_mirror_of_configured_branches_needs_no_summary(
    tmp_path: Path, repo: Path, url: str
) -> None:
    (repo / "summary").unlink()
    for number, address in enumerate((url, f"file://{repo}")):
        mirror = tmp_path / str(number)
        succeed("init", f"--repo={mirror}", "--mode=archive")
        succeed("remote", "add", f"--repo={mirror}", "--no-gpg-verify", "origin", address, "main")

        succeed("pull", f"--repo={mirror}", "--mirror", "origin")

        assert succeed("refs", f"--repo={mirror}") == "main\n"
