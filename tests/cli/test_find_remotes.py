"""``ostree find-remotes``."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed
from ostree.repo.repository import Repo
from ostree.transfer.find_remotes import find_remotes
from ostree.transfer.finders.lan import LanFinder
from ostree.transfer.finders.mount import MountFinder
from support.announcements import announcement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Compare

    Commit = Callable[..., str]

APPS, OS = "org.example.Apps", "org.example.Os"


@pytest.fixture
def commit(tmp_path: Path, tree: Path) -> Commit:
    """Commits to a repository of a collection, which is made if need be, and updates its summary."""

    def run(collection: str, branch: str, timestamp: int) -> str:
        repo = tmp_path / collection
        if not repo.exists():
            succeed("init", f"--repo={repo}", "--mode=archive", f"--collection-id={collection}")
        argv = (f"--branch={branch}", f"--timestamp=@{timestamp}", tree)
        checksum = succeed("commit", f"--repo={repo}", *argv).strip()
        succeed("summary", "-u", f"--repo={repo}")
        return checksum

    return run


@pytest.fixture
def device(tmp_path: Path, commit: Commit) -> Path:
    """A repository with a remote for each of two collections, and some that are of no use."""
    commit(APPS, "one", 1000)
    commit(OS, "main", 1000)
    device = tmp_path / "device"
    succeed("init", f"--repo={device}", "--mode=bare-user")
    for name, collection in (("apps", APPS), ("os", OS)):
        add(device, name, f"file://{tmp_path / collection}", collection)
    add(device, "plain", f"file://{tmp_path / OS}", None)
    add(device, "gone", "file:///nowhere", OS)
    return device


def add(device: Path, name: str, url: str, collection: str | None) -> None:
    options = () if collection is None else (f"--collection-id={collection}",)
    succeed("remote", "add", f"--repo={device}", "--no-gpg-verify", name, url, *options)
    (device / f"{name}.trustedkeys.gpg").write_bytes(b"keys")


def find(device: Path, *words: str) -> str:
    return succeed("find-remotes", f"--repo={device}", "--finders=config", *words)


def test_who_has_a_ref(device: Path, tmp_path: Path, commit: Commit) -> None:
    checksum = commit(APPS, "one", 2000)

    out = find(device, APPS, "one")

    lines = out.splitlines()
    assert lines[:4] == [
        f"Result 0: file://{tmp_path / APPS}",
        " - Finder: OstreeRepoFinderConfig",
        " - Keyring: apps.trustedkeys.gpg",
        " - Priority: 100",
    ]
    assert lines[4].startswith(" - Summary last modified: 20")
    assert lines[5:] == [
        " - Refs:",
        f"    - ({APPS}, one) = {checksum}",
        "",
        "1/1 refs were found.",
    ]


def test_refs_that_nobody_has(device: Path) -> None:
    out = find(device, APPS, "one", OS, "main", OS, "nope")

    assert f"    - ({OS}, nope) = (not found)\n" in out
    assert out.endswith(f"2/3 refs were found.\nRefs not found in any remote:\n - ({OS}, nope)\n")
    assert find(device, OS, "nope") == "No results.\n"


def test_who_is_behind_is_left_out(device: Path, tmp_path: Path, commit: Commit) -> None:
    mirror = tmp_path / "mirror"
    shutil.copytree(tmp_path / OS, mirror)
    add(device, "mirror", f"file://{mirror}", OS)
    assert "mirror.trustedkeys.gpg" in find(device, OS, "main")

    commit(OS, "main", 2000)

    assert "mirror.trustedkeys.gpg" not in find(device, OS, "main")


def test_what_cannot_be_verified_is_not_pulled(device: Path, tmp_path: Path) -> None:
    """Signatures are demanded, whatever the remote's configuration says."""
    result = ostree("find-remotes", f"--repo={device}", "--pull", OS, "main")

    assert result.status == 1
    error, hint = result.err.splitlines()
    assert error == f"error: Failed to pull some refs from the remotes: ({OS}, main)"
    assert hint.startswith(f"hint: file://{tmp_path / OS}: ")
    assert succeed("refs", f"--repo={device}") == ""


def volumes(tmp_path: Path, device: Path) -> Path:
    """A volume with a repository behind a link, and things in the way."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "elsewhere").mkdir()
    shutil.copytree(tmp_path / OS, volume / "elsewhere" / "repo")
    links = volume / ".ostree/repos.d"
    links.mkdir(parents=True)
    (links / "00-generated").symlink_to("../../elsewhere/repo")
    (links / "01-again").symlink_to("../../elsewhere/repo")
    (links / "02-broken").symlink_to("nowhere")
    (links / "03-file").write_text("x")
    (links / "04-proc").symlink_to("/proc")
    (links / "05-ours").symlink_to(device)
    (volume / "ostree/repo").mkdir(parents=True)
    (volume / "ostree/repo/config").write_text("[core]\nmode=nonsense\n")
    return volume


def test_volumes_are_searched_for_collections_with_known_keys(device: Path, tmp_path: Path) -> None:
    """Links may lead anywhere on the volume, but not off it; what is broken is passed over."""
    volume = volumes(tmp_path, device)
    finder = MountFinder([str(volume), str(tmp_path / "not mounted")])
    with Repo.open(device) as repo:
        (result,) = find_remotes(repo, [finder], [(OS, "main"), (APPS, "one")])

    commit = succeed("rev-parse", f"--repo={tmp_path / OS}", "main").strip()
    assert result.commits == {(OS, "main"): commit, (APPS, "one"): None}
    offer = result.offer
    assert offer.url == f"file://{volume}/elsewhere/repo"
    assert offer.remote.require_url() == offer.url
    # Two remotes serve the collection; the first by name vouches for it.
    assert offer.remote.name == "gone"
    assert offer.remote.get("gpg-verify") == "false"  # the pull demands it nevertheless
    assert offer.name.endswith("_2Felsewhere_2Frepo_gone.trustedkeys.gpg")


def test_without_keys_nothing_on_a_volume_counts(device: Path, tmp_path: Path) -> None:
    volume = volumes(tmp_path, device)
    for name in ("os", "gone"):
        os.unlink(device / f"{name}.trustedkeys.gpg")

    with Repo.open(device) as repo:
        assert find_remotes(repo, [MountFinder([str(volume)])], [(OS, "main")]) == []


def test_errors(device: Path) -> None:
    repo = f"--repo={device}"

    for words in ((), (OS,)):
        assert misuse("find-remotes", repo, *words) == (
            "error: At least one COLLECTION-ID REF pair must be specified"
        )
    assert misuse("find-remotes", repo, OS, "main", OS) == (
        "error: Only complete COLLECTION-ID REF pairs may be specified"
    )
    assert misuse("find-remotes", repo, "--mirror", OS, "main") == (
        "error: When --mirror is specified, --pull must also be"
    )
    assert misuse("find-remotes", repo, "--finders=", OS, "main") == (
        "error: List of finders in --finders option must not be empty"
    )
    for chosen, name in (("foo", "foo"), ("config,config", "config"), ("config,", "")):
        assert misuse("find-remotes", repo, f"--finders={chosen}", OS, "main") == (
            f"error: Unknown or duplicate finder type given in --finders option: ‘{name}’"
        )
    for bad, message in (
        (("bad", "main"), "Invalid collection ID bad"),
        ((OS, "a b"), "Invalid ref name a b"),
        (("--cache-dir=/nope", OS, "main"), "opendir(/nope): No such file or directory"),
    ):
        assert fail("find-remotes", repo, *bad) == f"error: {message}"


def test_the_finders_can_be_configured(device: Path) -> None:
    succeed("config", f"--repo={device}", "set", "core.default-repo-finders", "mount;")
    assert succeed("find-remotes", f"--repo={device}", OS, "main") == "No results.\n"

    with open(device / "config", "a", encoding="utf-8") as config:
        config.write("\n[core]\ndefault-repo-finders=nonsense\n")

    assert fail("find-remotes", f"--repo={device}", OS, "main") == (
        "error: opening repo: Invalid configured repo-finder 'nonsense'"
    )


@contextmanager
def served(directory: Path, on_summary: Callable[[], object] = lambda: None) -> Iterator[str]:
    """The address of a web server for a directory; something is done when summaries are asked for."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("/summary"):
                on_summary()
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing is of interest."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=directory)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_servers_are_asked_at_the_same_time(device: Path, tmp_path: Path) -> None:
    """Each answers only when the other has been asked, too."""
    both = threading.Barrier(2)
    with served(tmp_path, lambda: both.wait(20)) as url:
        for name in ("left", "right"):
            add(device, name, f"{url}/{OS}", OS)

        out = find(device, OS, "main")

    assert not both.broken
    assert "left.trustedkeys.gpg" in out
    assert "right.trustedkeys.gpg" in out


def test_who_announces_refs_on_the_local_network_is_asked(device: Path, tmp_path: Path) -> None:
    """One that announces more than its summary has is passed over."""
    for number, collection in enumerate((OS, APPS)):
        (tmp_path / str(number)).symlink_to(tmp_path / collection)
    with served(tmp_path) as url, Repo.open(device) as repo:
        port = int(url.rpartition(":")[2])
        services = [announcement(port, index, (OS, "main")) for index in (0, 1, 2)]

        (result,) = find_remotes(repo, [LanFinder(lambda: services)], [(OS, "main")])

    commit = succeed("rev-parse", f"--repo={tmp_path / OS}", "main").strip()
    assert result.commits == {(OS, "main"): commit}
    assert result.offer.url == f"{url}/0"
    assert result.offer.remote.name == "gone"


def test_the_extra_is_named_where_it_is_missing(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)

    result = ostree("find-remotes", f"--repo={device}", "--finders=lan", OS, "main")

    assert result.status == 1
    assert result.err == (
        "error: Finding remotes on the local network needs the Python library zeroconf, "
        "which is not installed\nhint: pip install 'pyostree[lan]'\n"
    )


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        (APPS, "one"),
        (OS, "main"),
        (OS, "nope"),
        ("--finders=mount", OS, "main"),
        ("--pull", OS, "nope"),
        ("bad", "main"),
        ("--cache-dir=/nope", OS, "main"),
    ],
)
def test_output_is_the_references(device: Path, words: tuple[str, ...], compare: Compare) -> None:
    for path in device.glob("*.trustedkeys.gpg"):
        path.unlink()  # the reference wants real ones

    compare("find-remotes", f"--repo={device}", *words)
