"""Pulls from servers that cannot show the signatures that are demanded: nothing becomes visible.

After each attempt the destination has neither the commit nor its signatures nor a changed ref, with
and without a staging directory, and a pull from the honest server succeeds.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError, SignatureError
from ostree.events import CommitSigned
from ostree.formats import signature_dict
from ostree.repo import summary
from ostree.repo.repository import Repo
from ostree.repo.signing import find_detached, sign_commit
from ostree.sign.ed25519 import Ed25519Engine
from ostree.sign.engine import EngineSigner
from ostree.sign.gpg.signing import GpgSigner
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.transfer.pull_local import pull_local
from ostree.types import ObjectType
from simulator.lying_server import Content, LyingServer, Status
from simulator.test_pull_lies import commit_tree
from support.openpgp import KeyMaker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.events import Event
    from ostree.types import Checksum

PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SECRET = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="
ENGINE = Ed25519Engine()
SIGNER = EngineSigner(ENGINE, ENGINE.secret_key(SECRET))
DEMANDS = [
    ("gpg-verify", "false"),
    ("sign-verify", "ed25519"),
    ("verification-ed25519-key", PUBLIC),
]

#: With a staging directory, and without one, where all that is written is in its place at once.
WAYS = [
    PullOptions(network_retries=0),
    PullOptions(network_retries=0, fsync=False),
    PullOptions(network_retries=0, per_object_fsync=True),
]


@pytest.fixture(params=WAYS, ids=["staged", "unsynced", "per-object"])
def way(request: pytest.FixtureRequest) -> PullOptions:
    options: PullOptions = request.param
    return options


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Repo]:
    """Has two commits, both signed."""
    with Repo.create(tmp_path / "source", "archive") as repo:
        for _ in range(2):
            sign_commit(repo, commit_tree(repo, tmp_path / "tree"), SIGNER)
        yield repo


@pytest.fixture
def server(source: Repo) -> Iterator[LyingServer]:
    with LyingServer(source.path) as running:
        yield running


@pytest.fixture
def destination(tmp_path: Path, server: LyingServer) -> Iterator[Repo]:
    """Is empty, and demands signatures."""
    with Repo.create(tmp_path / "destination", "bare-user") as repo:
        repo.remotes.add("origin", [("url", server.url), *DEMANDS])
        yield repo


def detached_path(commit: Checksum) -> str:
    return f"/objects/{commit[:2]}/{commit[2:]}.commitmeta"


def visible(repo: Repo) -> list[str]:
    """Names of commits and of detached metadata, refs, marks."""
    found = [str(commit) for commit in repo.commits()]
    found += repo.refs.all()
    for directory, _, names in os.walk(f"{repo.path}/objects"):
        found += [f"{directory}/{name}" for name in names if name.endswith(".commitmeta")]
    return found


def assert_nothing_then_fine(source: Repo, destination: Repo, server: LyingServer) -> None:
    assert visible(destination) == []
    server.be_honest()
    pull(destination, "origin", ["main"])
    assert destination.refs.get("origin:main") == source.resolve("main")
    assert not destination.fsck().corrupted


def test_the_honest_server(source: Repo, destination: Repo, way: PullOptions) -> None:
    result = pull(destination, "origin", ["main"], way)

    assert result.commits == {"main": source.resolve("main")}
    assert not destination.fsck().corrupted


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (Status(404), "Can't verify commit without detached metadata"),
        (Content(b""), "Can't verify commit: No signatures found"),
        (Content(b"garbage" * 9), "Can't verify commit: No signatures found"),
    ],
    ids=["missing", "empty", "garbage"],
)
def test_signatures_that_are_not_there(
    source: Repo,
    destination: Repo,
    server: LyingServer,
    way: PullOptions,
    lie: Status | Content,
    words: str,
) -> None:
    server.lie("/objects/*.commitmeta", lie)

    with pytest.raises(SignatureError) as caught:
        pull(destination, "origin", ["main"], way)

    assert caught.value.message == words
    assert not [path for path in server.paths() if path.endswith((".dirtree", ".filez"))]
    assert_nothing_then_fine(source, destination, server)


def test_signatures_of_another_commit(
    source: Repo, destination: Repo, server: LyingServer, way: PullOptions
) -> None:
    newer, older = source.resolve("main"), source.resolve("main^")
    server.lie(detached_path(newer), Content(find_detached(source, older) or b""))

    with pytest.raises(SignatureError, match="Can't verify commit: ed25519: Signature couldn't be"):
        pull(destination, "origin", ["main"], way)

    assert_nothing_then_fine(source, destination, server)


def test_another_commit_with_its_signatures(
    source: Repo, destination: Repo, server: LyingServer, way: PullOptions
) -> None:
    """An older one, rightly signed, in the place of the one that the ref leads to."""
    newer, older = source.resolve("main"), source.resolve("main^")
    server.lie(detached_path(newer), Content(find_detached(source, older) or b""))
    body = source.load_metadata(older, ObjectType.COMMIT)
    server.lie(f"/objects/{newer[:2]}/{newer[2:]}.commit", Content(body))

    with pytest.raises(OSTreeError, match="Corrupted commit object"):
        pull(destination, "origin", ["main"], way)

    assert_nothing_then_fine(source, destination, server)


def test_parents_have_to_be_signed_too(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    server.lie(detached_path(source.resolve("main^")), Status(404))
    options = PullOptions(network_retries=0, depth=-1)

    with pytest.raises(SignatureError, match="without detached metadata"):
        pull(destination, "origin", ["main"], options)

    assert visible(destination) == []
    server.be_honest()
    pull(destination, "origin", ["main"], options)
    assert len(list(destination.commits())) == 2


def test_a_commit_that_is_there_is_verified_with_what_comes(
    source: Repo, destination: Repo, server: LyingServer, way: PullOptions
) -> None:
    """And keeps its good signatures if that is nothing."""
    commit = source.resolve("main")
    pull(destination, "origin", ["main"])
    signatures = find_detached(destination, commit)
    server.lie("/objects/*.commitmeta", Content(b""))

    with pytest.raises(SignatureError) as caught:
        pull(destination, "origin", ["main"], way)

    assert caught.value.message == (
        f"Can't verify commit {commit}: ed25519: commit have no signatures of my type"
    )
    assert find_detached(destination, commit) == signatures
    server.be_honest()
    server.lie("/objects/*.commitmeta", Status(404))
    pull(destination, "origin", ["main"], way)


def test_new_signatures_are_taken_over(source: Repo, destination: Repo) -> None:
    commit = source.resolve("main")
    pull(destination, "origin", ["main"])
    sign_commit(source, commit, SIGNER)

    pull(destination, "origin", ["main"])

    assert find_detached(destination, commit) == find_detached(source, commit)


def test_what_came_unverified_is_verified_by_who_demands_it(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    """From another remote, or half of it from an interrupted pull."""
    destination.remotes.add("careless", [("url", server.url), ("gpg-verify", "false")])
    server.lie("/objects/*.commitmeta", Status(404))
    pull(destination, "careless", ["main"])
    commit = source.resolve("main")

    with pytest.raises(SignatureError, match=f"Can't verify commit {commit}: "):
        pull(destination, "origin", ["main"])
    assert destination.refs.get("origin:main") is None

    server.be_honest()
    pull(destination, "origin", ["main"])
    assert destination.refs.get("origin:main") == commit


def test_the_staging_of_an_interrupted_pull_is_verified(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    destination.remotes.add("careless", [("url", server.url), ("gpg-verify", "false")])
    server.lie("/objects/*.commitmeta", Status(404))
    server.lie("/objects/*.filez", Status(500))
    with pytest.raises(OSTreeError, match="500"):
        pull(destination, "careless", ["main"], WAYS[0])
    server.be_honest()
    server.lie("/objects/*.commitmeta", Status(404))

    with pytest.raises(SignatureError, match="Can't verify commit"):
        pull(destination, "origin", ["main"], WAYS[0])

    assert visible(destination) == []


# summaries ------------------------------------------------------------------------------------


@pytest.fixture
def summarised(source: Repo, destination: Repo, server: LyingServer) -> Repo:
    """The source, with a signed summary that the destination demands, but no signed commit."""
    summary.regenerate(source, signers=[SIGNER])
    options = [
        ("url", server.url),
        ("gpg-verify", "false"),
        ("sign-verify-summary", "ed25519"),
        ("verification-ed25519-key", PUBLIC),
    ]
    destination.remotes.add("origin", options, replace=True)
    return source


def test_summaries_that_are_not_signed(
    summarised: Repo, destination: Repo, server: LyingServer, way: PullOptions, tmp_path: Path
) -> None:
    """Whatever is missing or damaged: refs of the server are not even looked at."""
    genuine = (tmp_path / "source/summary").read_bytes()
    for lies, words in (
        ({"/summary.sig": Status(404)}, "no summary.sig found"),
        ({"/summary": Status(404), "/summary.sig": Status(404)}, "no summary.sig found"),
        ({"/summary": Status(404)}, "verification enabled, but no summary"),
        ({"/summary.sig": Content(b"garbage")}, "No signatures found"),
        ({"/summary.sig": Content(b"")}, "No signatures found"),
        ({"/summary": Content(genuine + b"\0")}, "Signature couldn't be verified"),
        ({"/summary": Content(b"garbage")}, "Signature couldn't be verified"),
        ({"/summary.sig": Content(signature_dict.encode([]))}, "No signatures found"),
    ):
        server.be_honest()
        for path, lie in lies.items():
            server.lie(path, lie)

        with pytest.raises(SignatureError, match=words):
            pull(destination, "origin", ["main"], way)

        assert visible(destination) == []
    assert not [path for path in server.paths() if path.startswith(("/refs", "/objects"))]
    assert_nothing_then_fine(summarised, destination, server)


def test_a_mirror_keeps_only_what_was_verified(
    summarised: Repo, destination: Repo, server: LyingServer
) -> None:
    options = PullOptions(network_retries=0, mirror=True)
    server.lie("/summary", Content(b"garbage"))
    with pytest.raises(SignatureError):
        pull(destination, "origin", [], options)
    assert not os.path.exists(f"{destination.path}/summary")

    server.be_honest()
    pull(destination, "origin", [], options)

    for name in ("summary", "summary.sig"):
        with (
            open(f"{destination.path}/{name}", "rb") as ours,
            open(f"{summarised.path}/{name}", "rb") as theirs,
        ):
            assert ours.read() == theirs.read()


# directories and caches -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["archive", "bare-user"])
def test_directories_have_to_be_signed_too(source: Repo, tmp_path: Path, mode: str) -> None:
    """A ``file://`` remote, with hard links and without."""
    commit = source.resolve("main")
    path = f"{source.path}{detached_path(commit)}"
    with Repo.create(tmp_path / "here", mode) as repo:
        repo.remotes.add("origin", [("url", f"file://{source.path}"), *DEMANDS])
        os.rename(path, f"{path}.away")
        for options in WAYS:
            with pytest.raises(SignatureError, match=f"Can't verify commit {commit}: ed25519: "):
                pull(repo, "origin", ["main"], options)
            assert visible(repo) == []

        os.rename(f"{path}.away", path)
        pull(repo, "origin", ["main"])

        assert repo.refs.get("origin:main") == commit
        assert find_detached(repo, commit) == find_detached(source, commit)


def test_another_commit_in_a_directory(source: Repo, tmp_path: Path) -> None:
    """An older one, rightly signed, under the name of a newer one."""
    newer, older = source.resolve("main"), source.resolve("main^")
    for extension in ("commit", "commitmeta"):
        old, new = (f"{source.path}/objects/{c[:2]}/{c[2:]}.{extension}" for c in (older, newer))
        os.unlink(new)
        os.link(old, new)
    with Repo.create(tmp_path / "here", "archive") as repo:
        repo.remotes.add("origin", [("url", f"file://{source.path}"), *DEMANDS])

        with pytest.raises(OSTreeError, match="Corrupted commit object"):
            pull(repo, "origin", ["main"])

        assert visible(repo) == []


def test_caches_are_not_trusted(
    source: Repo, destination: Repo, tmp_path: Path, way: PullOptions
) -> None:
    """A commit from a cache needs the signatures that are there."""
    with Repo.create(tmp_path / "cache", "bare-user") as cache:
        pull_local(cache, source.path, ["main"])
        commit = source.resolve("main")
        os.unlink(f"{cache.path}{detached_path(commit)}")
        options = PullOptions(localcache_repos=[cache.path], fsync=way.fsync)

        with pytest.raises(SignatureError, match=f"Can't verify commit {commit}"):
            pull(destination, "origin", ["main"], options)
        assert visible(destination) == []

        pull_local(cache, source.path, ["main"])
        pull(destination, "origin", ["main"], options)
        assert destination.refs.get("origin:main") == commit


# OpenPGP --------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyMaker]:
    with KeyMaker(tmp_path / "home") as maker:
        maker.make("One <one@example.org>")
        maker.make("Two <two@example.org>")
        yield maker


def test_openpgp_signatures(
    source: Repo, destination: Repo, server: LyingServer, keys: KeyMaker, way: PullOptions
) -> None:
    """Of the remote's key, and of no other; listeners may ask what was found."""
    destination.remotes.add("signed", [("url", server.url)])
    with open(f"{destination.path}/signed.trustedkeys.gpg", "wb") as file:
        file.write(keys.export("one@example.org"))
    commit = source.resolve("main")
    events: list[Event] = []

    with pytest.raises(SignatureError, match="GPG verification enabled, but no signatures found"):
        pull(destination, "signed", ["main"], way)
    sign_commit(source, commit, GpgSigner("two@example.org", str(keys.home)))
    with pytest.raises(SignatureError, match=r"public key not found$"):
        pull(destination, "signed", ["main"], way)
    assert visible(destination) == []

    sign_commit(source, commit, GpgSigner("one@example.org", str(keys.home)))
    pull(destination, "signed", ["main"], way, events.append)

    signed = [event for event in events if isinstance(event, CommitSigned)]
    assert [event.commit for event in signed] == [commit]
    assert [text.splitlines()[1] for text in signed[0].descriptions("> ")] == [
        "> Can't check signature: public key not found",
        '> Good signature from "One <one@example.org>"',
    ]


def test_a_pull_from_a_directory_that_asks_for_openpgp(
    source: Repo, destination: Repo, keys: KeyMaker, tmp_path: Path
) -> None:
    """With the keys of the remote that refs are written for."""
    with open(f"{destination.path}/origin.trustedkeys.gpg", "wb") as file:
        file.write(keys.export("one@example.org"))
    options = PullOptions(gpg_verify=True, override_remote_name="origin")

    with pytest.raises(SignatureError, match="no signatures found"):
        pull_local(destination, source.path, ["main"], options)
    assert visible(destination) == []
    sign_commit(source, source.resolve("main"), GpgSigner("one@example.org", str(keys.home)))
    pull_local(destination, source.path, ["main"], options)

    assert destination.refs.get("origin:main") == source.resolve("main")


def test_another_remotes_keys_for_a_commit(
    source: Repo, destination: Repo, server: LyingServer, keys: KeyMaker
) -> None:
    """As finders know it, who look for a collection wherever it is served."""
    commit = source.resolve("main")
    destination.remotes.add("anywhere", [("url", server.url)])
    destination.remotes.add("known", [("url", "http://localhost/none")])
    with open(f"{destination.path}/known.trustedkeys.gpg", "wb") as file:
        file.write(keys.export("one@example.org"))
    sign_commit(source, commit, GpgSigner("one@example.org", str(keys.home)))
    with pytest.raises(SignatureError, match="public key not found"):
        pull(destination, "anywhere", ["main"])

    pull(destination, "anywhere", ["main"], PullOptions(keyring_remotes={commit: "known"}))

    assert destination.refs.get("anywhere:main") == commit
