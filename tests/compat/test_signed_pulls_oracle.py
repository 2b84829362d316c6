"""Pulls from remotes that demand signatures end as the reference's do, and say the same.

Commits unsigned, signed with keys known and unknown, revoked, of another commit; over HTTP and from
a directory; new commits and those that are there.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from cli.running import ostree, succeed
from ostree.formats import commitmeta
from ostree.formats.gvariant import Variant
from simulator.lying_server import LyingServer
from support.openpgp import KeyMaker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.oracle

ENVIRON = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OSTREE_DUMMY_SIGN_ENABLED": "1",
    "OSTREE_GPG_HOME": "/none",
}


class Remotes(NamedTuple):
    """A repository with a ref for each way to sign, where it is served, and keys."""

    path: str
    url: str
    ring: bytes


@pytest.fixture(scope="module")
def remotes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remotes]:
    if not os.path.exists("/usr/bin/ostree"):
        pytest.skip("the reference command is not installed (Debian: ostree)")
    base = tmp_path_factory.mktemp("served")
    tree = base / "tree"
    tree.mkdir()
    repo = base / "repo"
    succeed("init", f"--repo={repo}", "--mode=archive")
    with KeyMaker(base / "home") as maker:
        keys = {name: maker.make(f"{name} <{name}@example.org>") for name in SIGNERS}
        commits = {}
        for name in REFS:
            (tree / "file").write_text(name)
            succeed("commit", f"--repo={repo}", "-b", name, "--no-xattrs", tree)
            commits[name] = succeed("rev-parse", f"--repo={repo}", name).strip()
        for name, entries in signatures(repo, commits, maker, keys).items():
            path = repo / "objects" / commits[name][:2] / f"{commits[name][2:]}.commitmeta"
            path.write_bytes(commitmeta.encode(entries))
        maker.revoke(keys["revoked"])
        ring = maker.export(keys["good"], keys["revoked"])
    with LyingServer(str(repo)) as server:
        yield Remotes(str(repo), server.url, ring)


SIGNERS = ["good", "revoked", "unknown"]
REFS = [
    "unsigned",
    "empty",
    "good",
    "unknown",
    "revoked",
    "mixed",
    "other",
    "nothing",
    "type",
    "dummy",
    "dummies",
    "both",
]


def signatures(
    repo: Path, commits: dict[str, str], maker: KeyMaker, keys: dict[str, str]
) -> dict[str, list[tuple[str, Variant]]]:
    def gpg(ref: str, *names: str, of: str = "") -> tuple[str, Variant]:
        commit = commits[of or ref]
        data = (repo / "objects" / commit[:2] / f"{commit[2:]}.commit").read_bytes()
        made = [maker.sign(data, keys[name]) for name in names]
        return "ostree.gpgsigs", Variant("aay", made)

    def dummy(*texts: bytes) -> tuple[str, Variant]:
        return "ostree.sign.dummy", Variant("aay", list(texts))

    return {
        "empty": [],
        "good": [gpg("good", "good")],
        "unknown": [gpg("unknown", "unknown")],
        "revoked": [gpg("revoked", "revoked")],
        "mixed": [gpg("mixed", "unknown", "revoked", "good")],
        "other": [gpg("other", "good", of="good")],
        "nothing": [("ostree.gpgsigs", Variant("aay", [])), dummy()],
        "type": [("ostree.gpgsigs", Variant("ay", b"x")), ("ostree.sign.dummy", Variant("s", "k"))],
        "dummy": [dummy(b"KEY")],
        "dummies": [dummy(b"A", b"KEY", b"B")],
        "both": [dummy(b"KEY"), gpg("both", "good")],
    }


CONFIGURATIONS = {
    "gpg": [],
    "dummy": ["--no-gpg-verify", "--sign-verify=dummy=inline:KEY"],
    "another dummy": ["--no-gpg-verify", "--sign-verify=dummy=inline:OTHER"],
    "both": ["--sign-verify=dummy=inline:KEY"],
    "neither": ["--no-gpg-verify"],
    "no key": ["--no-gpg-verify", "--set=sign-verify=dummy"],
    "no engine": ["--no-gpg-verify", "--set=sign-verify=nosuch"],
    "no file": ["--no-gpg-verify", "--sign-verify=dummy=file:/nofile"],
    "no path": ["--set=gpgkeypath=/nofile"],
}


def destination(path: Path, remotes: Remotes, url: str, options: list[str]) -> Path:
    succeed("init", f"--repo={path}", "--mode=archive")
    succeed("remote", "add", f"--repo={path}", *options, "r", url, environ=ENVIRON)
    (path / "r.trustedkeys.gpg").write_bytes(remotes.ring)
    return path


def theirs(*argv: str) -> tuple[int, str]:
    done = subprocess.run(
        ["/usr/bin/ostree", *argv], capture_output=True, text=True, check=False, env=ENVIRON
    )
    return done.returncode, done.stderr


def ours(*argv: str) -> tuple[int, str]:
    result = ostree(*argv, environ=ENVIRON)
    return result.status, result.err


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("transport", ["http", "file"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_pulls(remotes: Remotes, tmp_path: Path, configuration: str, transport: str) -> None:
    """Each into an empty repository; where both fail the reference may leave the commit behind."""
    url = remotes.url if transport == "http" else f"file://{remotes.path}"
    options = CONFIGURATIONS[configuration]
    refs = REFS if configuration in {"gpg", "dummy", "another dummy", "both"} else REFS[:1]
    for ref in refs:
        results = []
        for name, run in (("a", theirs), ("b", ours)):
            repo = destination(tmp_path / name, remotes, url, options)
            outcome = run(f"--repo={repo}", "pull", "r", ref)
            refs_after = succeed("refs", f"--repo={repo}")
            results.append((outcome, refs_after))
            shutil.rmtree(repo)
        assert results[0] == results[1], (ref, results)


@pytest.mark.parametrize("configuration", ["gpg", "dummy", "another dummy", "both"])
def test_pulls_of_what_is_there(remotes: Remotes, tmp_path: Path, configuration: str) -> None:
    """Pulled without any demand before."""
    for ref in REFS:
        results = []
        for name, run in (("a", theirs), ("b", ours)):
            repo = destination(tmp_path / name, remotes, remotes.url, CONFIGURATIONS["neither"])
            succeed("pull", f"--repo={repo}", "r", ref)
            succeed(
                "remote", "add", f"--repo={repo}", "--force", *CONFIGURATIONS[configuration], "r",
                remotes.url, environ=ENVIRON,
            )  # fmt: skip
            results.append(run(f"--repo={repo}", "pull", "r", ref))
            shutil.rmtree(repo)
        assert results[0] == results[1], ref


@pytest.mark.parametrize("option", ["--gpg-verify", "--gpg-verify-summary"])
def test_pull_local(remotes: Remotes, tmp_path: Path, option: str) -> None:
    for ref, remote in itertools.product(REFS, (["--remote=r"], ["--remote=nosuch"], [])):
        results = []
        for name, run in (("a", theirs), ("b", ours)):
            repo = destination(tmp_path / name, remotes, "http://x/", [])
            argv = [f"--repo={repo}", "pull-local", option, *remote, remotes.path, ref]
            results.append(run(*argv))
            shutil.rmtree(repo)
        assert results[0] == results[1], (ref, remote)


SUMMARIES = {
    "none": None,
    "unsigned": [],
    "dummy": ["--sign=KEY", "--sign-type=dummy"],
    "dummies": ["--sign=A", "--sign=KEY", "--sign-type=dummy"],
}
DEMANDS = {
    "gpg": ["--set=gpg-verify-summary=true"],
    "dummy": ["--set=sign-verify-summary=dummy", "--set=verification-dummy-key=KEY"],
    "another": ["--set=sign-verify-summary=dummy", "--set=verification-dummy-key=OTHER"],
    "both": [
        "--set=gpg-verify-summary=true",
        "--set=sign-verify-summary=dummy",
        "--set=verification-dummy-key=KEY",
    ],
}


@pytest.mark.parametrize("demand", DEMANDS)
@pytest.mark.parametrize("signed", SUMMARIES)
def test_summaries(remotes: Remotes, tmp_path: Path, signed: str, demand: str) -> None:
    """Pull, remote refs and remote summary."""
    served = tmp_path / "served"
    shutil.copytree(remotes.path, served)
    how = SUMMARIES[signed]
    if how is not None:
        succeed("summary", f"--repo={served}", "-u", *how, environ=ENVIRON)
    with LyingServer(str(served)) as server:
        for words in (["pull", "r", "dummy"], ["remote", "refs", "r"], ["remote", "summary", "r"]):
            results = []
            for name, run in (("a", theirs), ("b", ours)):
                options = ["--no-gpg-verify", *DEMANDS[demand]]
                repo = destination(tmp_path / name, remotes, server.url, options)
                results.append(run(*words, f"--repo={repo}"))
                shutil.rmtree(repo)
            assert results[0] == results[1], words
