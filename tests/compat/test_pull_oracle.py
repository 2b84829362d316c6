"""Pulls leave the same repository as the reference command's, in both directions."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.repo import summary
from ostree.repo.repository import Repo
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.transfer.pull_local import pull_local
from simulator.lying_server import LyingServer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from ostree.transfer.options import PullResult

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="keeping the owners of the trees needs root"),
]

MODES = ("bare", "archive", "bare-user", "bare-user-only")


def make_tree(path: Path, *, extra: str = "") -> None:
    """Files small, empty and large, links, several directories."""
    (path / "usr/bin").mkdir(parents=True, exist_ok=True)
    (path / "etc").mkdir(exist_ok=True)
    (path / "usr/bin/tool").write_bytes(b"#!/bin/sh\n" + os.urandom(4000))
    (path / "usr/bin/tool").chmod(0o755)
    (path / "usr/bin/link").unlink(missing_ok=True)
    (path / "usr/bin/link").symlink_to("tool")
    (path / "usr/empty").write_bytes(b"")
    (path / "usr/large").write_bytes(b"compressible " * 400_000)
    (path / "usr/random").write_bytes(os.urandom(1_300_000))
    (path / f"etc/conf{extra}").write_text(f"value={extra}\n")


@pytest.fixture
def source(oracle: Oracle, tmp_path: Path) -> Path:
    """An archive repository of the reference with two commits on main."""
    repo = tmp_path / "source"
    oracle("init", f"--repo={repo}", "--mode=archive")
    for number in (1, 2):
        make_tree(tmp_path / "tree", extra=str(number))
        oracle(
            "commit",
            f"--repo={repo}",
            "-b",
            "main",
            f"--timestamp=@{number}000",
            "--canonical-permissions",
            tmp_path / "tree",
        )
    return repo


def new_repo(oracle: Oracle, path: Path, mode: str, url: str | None = None) -> Path:
    """An empty repository, with a remote ``origin`` if there is a URL for it."""
    oracle("init", f"--repo={path}", f"--mode={mode}")
    if url is not None:
        oracle("remote", "add", f"--repo={path}", "--no-gpg-verify", "origin", url)
    return path


def contents(repo: Path) -> dict[str, object]:
    """Every object with what counts of it, refs and marks of partial commits."""
    found: dict[str, object] = {}
    for top in ("objects", "refs", "state"):
        for directory, _, names in os.walk(repo / top):
            for name in names:
                path = os.path.join(directory, name)
                found[os.path.relpath(path, repo)] = signature(path)
    return found


def signature(path: str) -> object:
    info = os.lstat(path)
    if stat.S_ISLNK(info.st_mode):
        return os.readlink(path)
    attributes = {name: os.getxattr(path, name) for name in sorted(os.listxattr(path))}
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".filez"):  # another compressor may have made it
        data = b""
    return stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, attributes, data


def counts(result: PullResult) -> str:
    verb = "imported" if result.local else "fetched"
    return f"{result.metadata} metadata, {result.content} content objects {verb}"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("with_summary", [False, True])
def test_http_pull_like_the_reference(
    oracle: Oracle, tmp_path: Path, source: Path, mode: str, *, with_summary: bool
) -> None:
    """From the reference's repository, into each mode."""
    if with_summary:
        oracle("summary", "-u", f"--repo={source}")
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", mode, server.url)
        ours = new_repo(oracle, tmp_path / "ours", mode, server.url)
        oracle("pull", f"--repo={theirs}", "origin", "main")

        with Repo.open(ours) as repo:
            pull(repo, "origin", ["main"])

    assert contents(ours) == contents(theirs)
    assert oracle("fsck", f"--repo={ours}").returncode == 0


def test_reference_pulls_from_ours(oracle: Oracle, tmp_path: Path, source: Path) -> None:
    """A mirror that we made and whose summary we wrote is as good as the original."""
    with LyingServer(source) as server, Repo.create(tmp_path / "mirror", "archive") as mirror:
        mirror.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        pull(mirror, "origin", ["main"], PullOptions(mirror=True, depth=-1))
        summary.regenerate(mirror)
    with LyingServer(tmp_path / "mirror") as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "bare", server.url)

        oracle("pull", f"--repo={theirs}", "--depth=-1", "origin", "main")

    assert oracle("fsck", f"--repo={theirs}").returncode == 0
    listed = oracle("log", f"--repo={theirs}", "origin:main").stdout
    assert listed.count("commit ") == 2


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["--depth=1"], PullOptions(depth=1)),
        (["--depth=-1"], PullOptions(depth=-1)),
        (["--commit-metadata-only"], PullOptions(commit_metadata_only=True)),
        (
            ["--commit-metadata-only", "--depth=5"],
            PullOptions(commit_metadata_only=True, depth=5),
        ),
        (["--subpath=/usr/bin"], PullOptions(subpaths=["/usr/bin"])),
        (["--subpath=/usr/large"], PullOptions(subpaths=["/usr/large"])),
        (["--subpath=/etc", "--subpath=/usr/bin"], PullOptions(subpaths=["/etc", "/usr/bin/"])),
        (["--mirror"], PullOptions(mirror=True)),
        (["--bareuseronly-files"], PullOptions(bareuseronly_files=True)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options(
    oracle: Oracle, tmp_path: Path, source: Path, arguments: list[str], options: PullOptions
) -> None:
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "bare", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "bare", server.url)
        oracle("pull", f"--repo={theirs}", *arguments, "origin", "main")

        with Repo.open(ours) as repo:
            pull(repo, "origin", ["main"], options)

    assert contents(ours) == contents(theirs)


def test_a_part_is_completed_by_a_whole_pull(oracle: Oracle, tmp_path: Path, source: Path) -> None:
    with LyingServer(source) as server:
        ours = new_repo(oracle, tmp_path / "ours", "bare", server.url)
        with Repo.open(ours) as repo:
            pull(repo, "origin", ["main"], PullOptions(subpaths=["/etc"]))
            pull(repo, "origin", ["main"])

    assert "no errors found" in oracle("fsck", f"--repo={ours}").stdout
    assert os.listdir(ours / "state") == []


def test_mirror_everything(oracle: Oracle, tmp_path: Path, source: Path) -> None:
    """All refs, those of other collections too, and the summary with its validators."""
    oracle("commit", f"--repo={source}", "-b", "os/other", tmp_path / "tree/etc")
    oracle("summary", "-u", f"--repo={source}")
    (source / "summary.sig").write_bytes(b"")
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "archive", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "archive", server.url)
        oracle("pull", f"--repo={theirs}", "--mirror", "origin")

        with Repo.open(ours) as repo:
            pull(repo, "origin", [], PullOptions(mirror=True))

    assert contents(ours) == contents(theirs)
    assert (ours / "summary").read_bytes() == (theirs / "summary").read_bytes()
    assert (ours / "summary.sig").exists() == (theirs / "summary.sig").exists()
    assert os.stat(ours / "summary").st_mtime == os.stat(theirs / "summary").st_mtime
    assert os.getxattr(ours / "summary", "user.etag") == os.getxattr(
        theirs / "summary", "user.etag"
    )


def test_mirror_of_a_collection(oracle: Oracle, tmp_path: Path) -> None:
    """Refs of a collection that is not ours go below ``refs/mirrors``."""
    origin = tmp_path / "origin"
    make_tree(tmp_path / "tree")
    oracle("init", f"--repo={origin}", "--mode=archive", "--collection-id=org.example.Os")
    oracle("commit", f"--repo={origin}", "-b", "main", tmp_path / "tree")
    oracle("summary", "-u", f"--repo={origin}")
    with LyingServer(origin) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "archive", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "archive", server.url)
        for refs in (["main"], []):
            oracle("pull", f"--repo={theirs}", "--mirror", "origin", *refs)

            with Repo.open(ours) as repo:
                pull(repo, "origin", refs, PullOptions(mirror=True))

            assert contents(ours) == contents(theirs)


@pytest.mark.parametrize("to_mode", MODES)
@pytest.mark.parametrize("from_mode", MODES)
@pytest.mark.parametrize("untrusted", [False, True])
def test_pull_local_like_the_reference(
    oracle: Oracle, tmp_path: Path, source: Path, from_mode: str, to_mode: str, *, untrusted: bool
) -> None:
    """Between all modes: the same objects, shared or converted."""
    between = new_repo(oracle, tmp_path / "between", from_mode)
    oracle("pull-local", f"--repo={between}", "--depth=-1", source)
    theirs = new_repo(oracle, tmp_path / "theirs", to_mode)
    ours = new_repo(oracle, tmp_path / "ours", to_mode)
    option = ["--untrusted"] if untrusted else []
    said = oracle("pull-local", f"--repo={theirs}", *option, between).stdout

    with Repo.open(ours) as repo:
        result = pull_local(repo, between, options=PullOptions(untrusted=untrusted))

    assert contents(ours) == contents(theirs)
    assert said.startswith(counts(result))
    assert links(ours) == links(theirs)
    assert oracle("fsck", f"--repo={ours}").returncode == 0


def links(repo: Path) -> dict[str, int]:
    """How many names each object's file has: which ones are shared with the source."""
    found = {}
    for directory, _, names in os.walk(repo / "objects"):
        for name in names:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, repo)] = os.lstat(path).st_nlink
    return found


def test_pull_local_into_a_remote_with_history(
    oracle: Oracle, tmp_path: Path, source: Path
) -> None:
    theirs = new_repo(oracle, tmp_path / "theirs", "bare-user")
    ours = new_repo(oracle, tmp_path / "ours", "bare-user")
    oracle("pull-local", f"--repo={theirs}", "--remote=far", "--depth=-1", source, "main")

    with Repo.open(ours) as repo:
        options = PullOptions(override_remote_name="far", depth=-1)
        pull_local(repo, source, ["main"], options)

    assert contents(ours) == contents(theirs)


@pytest.mark.parametrize("mode", ["bare", "archive"])
def test_file_remote(oracle: Oracle, tmp_path: Path, source: Path, mode: str) -> None:
    """A ``file://`` remote is a local source; a stale summary decides there too."""
    oracle("summary", "-u", f"--repo={source}")
    with Repo.open(source) as repo:
        parent = repo.load_commit(repo.resolve("main")).parent
        repo.refs.set("main", parent)
    theirs = new_repo(oracle, tmp_path / "theirs", mode, f"file://{source}")
    ours = new_repo(oracle, tmp_path / "ours", mode, f"file://{source}")
    said = oracle("pull", f"--repo={theirs}", "origin", "main").stdout

    with Repo.open(ours) as repo:
        result = pull(repo, "origin", ["main"])

    assert contents(ours) == contents(theirs)
    assert said.startswith(counts(result))


@pytest.mark.parametrize("cache_mode", ["bare", "archive"])
@pytest.mark.parametrize("mode", ["bare", "archive"])
def test_objects_of_a_local_cache_are_not_fetched(
    oracle: Oracle, tmp_path: Path, source: Path, mode: str, cache_mode: str
) -> None:
    """Shared or converted like those of a local source; what is lacking comes from the server."""
    with LyingServer(source) as server:
        cache = new_repo(oracle, tmp_path / "cache", cache_mode)
        oracle("pull-local", f"--repo={cache}", source, oracle_parent(oracle, source))
        theirs = new_repo(oracle, tmp_path / "theirs", mode, server.url)
        ours = new_repo(oracle, tmp_path / "ours", mode, server.url)
        said = oracle("pull", f"--repo={theirs}", f"--localcache-repo={cache}", "origin", "main")
        before = len(server.requests)

        with Repo.open(ours) as repo:
            empty = str(new_repo(oracle, tmp_path / "empty", "bare"))
            options = PullOptions(localcache_repos=[empty, str(cache)])
            result = pull(repo, "origin", ["main"], options)

    assert contents(ours) == contents(theirs)
    assert links(ours) == links(theirs)
    assert f"({result.cached_metadata} meta, {result.cached_content} content local)" in said.stdout
    requested = [path for path in server.paths()[before:] if path.endswith(".filez")]
    assert len(requested) == result.content > 0


def oracle_parent(oracle: Oracle, repo: Path) -> str:
    """The commit before the last one of ``main``."""
    return oracle("rev-parse", f"--repo={repo}", "main^").stdout.strip()


def test_a_commit_of_a_local_cache_comes_with_its_detached_metadata(
    oracle: Oracle, tmp_path: Path, source: Path
) -> None:
    commit = oracle("rev-parse", f"--repo={source}", "main").stdout.strip()
    with Repo.open(source) as repo, repo.transaction() as transaction:
        transaction.write_detached(repo.resolve("main"), b"")
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "bare", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "bare", server.url)
        oracle("pull", f"--repo={theirs}", "-L", source, "origin", "main")
        before = len(server.requests)

        with Repo.open(ours) as repo:
            pull(repo, "origin", ["main"], PullOptions(localcache_repos=[str(source)]))

    assert contents(ours) == contents(theirs)
    assert (ours / f"objects/{commit[:2]}/{commit[2:]}.commitmeta").exists()
    assert not any("/objects/" in path for path in server.paths()[before:])
    assert os.listdir(ours / "state") == []


def test_a_trusted_server_is_believed_by_a_mirror_only(
    oracle: Oracle, tmp_path: Path, source: Path
) -> None:
    """What it sends is stored as it comes: not even compressed again."""
    for path in (source / "objects").rglob("*.filez"):
        path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    options = PullOptions(mirror=True, http_trusted=True)
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "archive", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "archive", server.url)
        bare = new_repo(oracle, tmp_path / "bare", "bare", server.url)
        said = oracle("pull", f"--repo={theirs}", "--mirror", "--http-trusted", "origin", "main")

        with Repo.open(ours) as repo:
            result = pull(repo, "origin", ["main"], options)
        with Repo.open(bare) as repo, pytest.raises(OSTreeError):
            pull(repo, "origin", ["main"], options)
        with Repo.open(ours) as repo, pytest.raises(OSTreeError):
            pull(repo, "origin", ["main"], PullOptions(http_trusted=True, depth=1))

    assert f"metadata, {result.content} content objects fetched" in said.stdout
    assert said.stdout.endswith("; 0 bytes content written\n")
    assert result.content_bytes_written == 0
    for path in (source / "objects").rglob("*.filez"):
        copy = ours / path.relative_to(source)
        if copy.exists():
            assert copy.read_bytes() == path.read_bytes()


def failure(
    oracle: Oracle, theirs: Path, ours: Path, arguments: list[str], options: PullOptions
) -> tuple[str, str]:
    """The messages with which the reference and we refuse a pull."""
    refused = oracle("pull", f"--repo={theirs}", *arguments, check=False)
    assert refused.returncode == 1
    words = [word for word in arguments if not word.startswith("-")]
    with Repo.open(ours) as repo, pytest.raises(OSTreeError) as caught:
        pull(repo, words[0], words[1:], options)
    return refused.stderr.strip(), f"error: {caught.value}"


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["nowhere", "main"], PullOptions()),
        (["origin"], PullOptions()),
        (["origin", "a b"], PullOptions()),
        (["origin", "main@zz"], PullOptions()),
        (
            ["--timestamp-check-from-rev=nothing", "origin", "main"],
            PullOptions(timestamp_check_from_rev="nothing"),
        ),
        (["--mirror", "origin"], PullOptions(mirror=True)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusals(
    oracle: Oracle, tmp_path: Path, source: Path, arguments: list[str], options: PullOptions
) -> None:
    """In the words of the reference."""
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "bare", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "bare", server.url)

        said, ours_said = failure(oracle, theirs, ours, arguments, options)

    assert ours_said == said


def test_refusals_that_need_a_summary(oracle: Oracle, tmp_path: Path, source: Path) -> None:
    oracle("summary", "-u", f"--repo={source}")
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "bare", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "bare", server.url)

        said, ours_said = failure(oracle, theirs, ours, ["origin", "none"], PullOptions())

    assert ours_said == said


def test_downgrade(oracle: Oracle, tmp_path: Path, source: Path) -> None:
    with LyingServer(source) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "bare", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "bare", server.url)
        for path in (theirs, ours):
            oracle("pull", f"--repo={path}", "origin", "main")
        with Repo.open(source) as repo:
            repo.refs.set("main", repo.load_commit(repo.resolve("main")).parent)
        for arguments, options in (
            (["-T", "origin", "main"], PullOptions(timestamp_check=True)),
            (
                ["--timestamp-check-from-rev=origin:main", "origin", "main"],
                PullOptions(timestamp_check_from_rev="origin:main"),
            ),
        ):
            said, ours_said = failure(oracle, theirs, ours, arguments, options)

            assert ours_said == said
            assert "chronologically older" in said
    with Repo.open(ours) as repo:
        assert repo.load_commit(repo.resolve("origin:main")).timestamp == 2000


def test_mode_of_the_source(oracle: Oracle, tmp_path: Path, source: Path) -> None:
    """A bare repository cannot be pulled from over HTTP."""
    bare = new_repo(oracle, tmp_path / "bare", "bare")
    oracle("pull-local", f"--repo={bare}", source)
    oracle("summary", "-u", f"--repo={bare}")
    with LyingServer(bare) as server:
        theirs = new_repo(oracle, tmp_path / "theirs", "bare", server.url)
        ours = new_repo(oracle, tmp_path / "ours", "bare", server.url)

        said, ours_said = failure(oracle, theirs, ours, ["origin", "main"], PullOptions())

    assert ours_said == said


@pytest.mark.parametrize("to_mode", ["bare", "archive"])
def test_untrusted_finds_corruption(
    oracle: Oracle, tmp_path: Path, source: Path, to_mode: str
) -> None:
    """The damaged object is named in the reference's words; trusted pulls do not look."""
    between = new_repo(oracle, tmp_path / "between", "bare")
    oracle("pull-local", f"--repo={between}", source)
    with Repo.open(between) as repo:
        victim = next(path for path in (between / "objects").rglob("*.file") if is_regular(path))
        del repo
    victim.write_bytes(b"damaged")
    theirs = new_repo(oracle, tmp_path / "theirs", to_mode)
    ours = new_repo(oracle, tmp_path / "ours", to_mode)
    said = oracle("pull-local", f"--repo={theirs}", "--untrusted", between, check=False).stderr

    with Repo.open(ours) as repo, pytest.raises(OSTreeError) as caught:
        pull_local(repo, between, options=PullOptions(untrusted=True))

    assert f"error: {caught.value}\n" == said
    with Repo.open(ours) as repo:
        assert repo.refs.all() == {}
        pull_local(repo, between)


def is_regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size > 0


def test_pull_local_of_a_missing_commit(oracle: Oracle, tmp_path: Path, source: Path) -> None:
    theirs = new_repo(oracle, tmp_path / "theirs", "bare")
    ours = new_repo(oracle, tmp_path / "ours", "bare")
    for arguments in (["0" * 64], ["nothing"], ["bad name"]):
        said = oracle("pull-local", f"--repo={theirs}", source, *arguments, check=False).stderr

        with Repo.open(ours) as repo, pytest.raises(OSTreeError) as caught:
            pull_local(repo, source, arguments)

        assert f"error: {caught.value}\n" == said
    shutil.rmtree(source)
    said = oracle("pull-local", f"--repo={theirs}", source, check=False).stderr
    with Repo.open(ours) as repo, pytest.raises(OSTreeError) as caught:
        pull_local(repo, source)
    assert f"error: {caught.value}\n" == said
