"""``summary -u`` writes the same bytes as the reference command."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.formats import summary as summary_format
from ostree.formats.gvariant import Variant
from ostree.repo import summary
from ostree.repo.repository import Repo

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from ostree.formats.summary import Summary

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.oracle


def make_repo(oracle: Oracle, path: Path, *options: str) -> None:
    """An archive repository with two branches, an alias and some history."""
    tree = path.parent / "tree"
    tree.mkdir(exist_ok=True)
    (tree / "file").write_bytes(b"\0".join(str(number).encode() for number in range(9000)))
    oracle("init", f"--repo={path}", "--mode=archive", *options)
    for branch, version in (("main", "1"), ("main", "2"), ("os/x86_64/é", "42")):
        oracle(
            "commit",
            f"--repo={path}",
            "-b",
            branch,
            f"--add-metadata-string=version={version}",
            "--timestamp=@1000",
            tree,
        )
        (tree / "file").write_bytes((tree / "file").read_bytes() + version.encode())
    oracle("refs", f"--repo={path}", "--alias", "--create=other", "main")


def both(oracle: Oracle, path: Path, *options: str) -> tuple[bytes, bytes]:
    """The summaries of the reference and of ours, of copies of one repository."""
    theirs = path.parent / "theirs"
    shutil.copytree(path, theirs, symlinks=True)
    extra = [Variant("s", option.partition("=")[2].strip("'\"")) for option in options]
    names = [option.partition("=")[0] for option in options]
    oracle("summary", f"--repo={theirs}", "-u", *(f"--add-metadata={item}" for item in options))
    with Repo.open(path) as repo:
        summary.regenerate(repo, metadata=list(zip(names, extra, strict=True)))
    return (theirs / "summary").read_bytes(), (path / "summary").read_bytes()


def without_time(data: bytes) -> bytes:
    """The summary without the moment at which it was made."""
    key = b"ostree.summary.last-modified\0"
    at = data.index(key) + len(key)
    at += -at % 8
    return data[:at] + data[at + 8 :]


@pytest.mark.parametrize("options", [(), ("org.example.key='value'", "a='b'")], ids=str)
def test_refs_versions_and_aliases(
    oracle: Oracle, tmp_path: Path, options: tuple[str, ...]
) -> None:
    make_repo(oracle, tmp_path / "repo")

    theirs, ours = both(oracle, tmp_path / "repo", *options)

    assert without_time(ours) == without_time(theirs)


def test_refs_of_other_collections(oracle: Oracle, tmp_path: Path) -> None:
    make_repo(oracle, tmp_path / "repo")
    with Repo.open(tmp_path / "repo") as repo:
        commit = repo.resolve("main")
        repo.refs.set_mirrored("org.example.Z", "mirrored", commit)
        repo.refs.set_mirrored("org.example.A", "zzz", commit)
        repo.refs.set_mirrored("org.example.A", "aaa", commit)
        repo.remotes.add("there", [("url", "http://x"), ("collection-id", "org.example.M")])
        repo.remotes.add("plain", [("url", "http://x")])
        repo.refs.set("there:fetched", commit)
        repo.refs.set("plain:fetched", commit)

    theirs, ours = both(oracle, tmp_path / "repo")

    assert without_time(ours) == without_time(theirs)


def test_remotes_and_mirrors_of_the_repositorys_own_collection(
    oracle: Oracle, tmp_path: Path
) -> None:
    """Both come before local refs of the same name; collections that are none are left out."""
    make_repo(oracle, tmp_path / "repo", "--collection-id=org.example.Os")
    with Repo.open(tmp_path / "repo") as repo:
        newer, older = repo.resolve("main"), repo.resolve("main^")
        other = repo.resolve("os/x86_64/é")
        repo.refs.set_mirrored("org.example.Os", "main", older)
        repo.refs.set_mirrored("org.example.Other", "both", older)
        repo.refs.set("there:both", newer)
        repo.refs.set("there:main", older)
        repo.refs.set("own:os/x86_64/é", newer)
        repo.refs.set("bad:fetched", other)
        for name, collection in (
            ("there", "org.example.Other"),
            ("own", "org.example.Os"),
            ("bad", "bad"),
        ):
            repo.remotes.add(name, [("url", "http://x"), ("collection-id", collection)])

    both(oracle, tmp_path / "repo")

    ours, theirs = (
        [
            (collection, ref.name, ref.checksum)
            for collection, refs in [(None, found.refs), *found.collection_map.items()]
            for ref in refs
            if ref.name != "ostree-metadata"
        ]
        for found in (summary_of(tmp_path / "repo"), summary_of(tmp_path / "theirs"))
    )
    assert ours == theirs
    assert (None, "main", older) in ours
    assert ("org.example.Other", "both", newer) in ours


def summary_of(path: Path) -> Summary:
    """The summary of a repository."""
    with Repo.open(path) as repo:
        found = summary.load(repo)
    assert found is not None
    return found


def test_static_deltas(oracle: Oracle, tmp_path: Path) -> None:
    make_repo(oracle, tmp_path / "repo")
    run = f"--repo={tmp_path / 'repo'}"
    oracle("static-delta", "generate", run, "main")
    oracle("static-delta", "generate", run, "--empty", "--to=main")

    theirs, ours = both(oracle, tmp_path / "repo")

    # Of the two deltas the reference takes that first which is first in its directory.
    assert len(ours) == len(theirs)
    found = [dict(summary_format.decode(data).metadata) for data in (ours, theirs)]
    for metadata in found:
        del metadata["ostree.summary.last-modified"]
        deltas = metadata.pop("ostree.static-deltas").value
        assert isinstance(deltas, list)
        assert len(deltas) == 2
        metadata["deltas"] = Variant("a{sv}", sorted(deltas, key=str))
    assert found[0] == found[1]


def test_collection_gets_a_metadata_commit(oracle: Oracle, tmp_path: Path) -> None:
    make_repo(oracle, tmp_path / "repo", "--collection-id=org.example.Os")

    theirs, ours = both(oracle, tmp_path / "repo", "x.y='z'")

    assert len(ours) == len(theirs)
    with Repo.open(tmp_path / "repo") as repo, Repo.open(tmp_path / "theirs") as other:
        mine = repo.load_commit(repo.resolve("ostree-metadata"))
        his = other.load_commit(other.resolve("ostree-metadata"))
        assert mine.metadata == his.metadata
        assert mine.root == his.root
    assert oracle("fsck", f"--repo={tmp_path / 'repo'}").returncode == 0


def test_configuration_and_old_signature(oracle: Oracle, tmp_path: Path) -> None:
    """Clients are told about delta indexes; a signature of the old summary must not stay."""
    make_repo(oracle, tmp_path / "repo")
    (tmp_path / "repo" / "summary.sig").write_bytes(b"old")
    oracle("config", f"--repo={tmp_path / 'repo'}", "set", "core.indexed-deltas", "false")

    both(oracle, tmp_path / "repo")

    config = (tmp_path / "repo" / "config").read_text()
    assert config == (tmp_path / "theirs" / "config").read_text()
    assert not (tmp_path / "repo" / "summary.sig").exists()


def test_follows_refs_when_configured(oracle: Oracle, tmp_path: Path) -> None:
    make_repo(oracle, tmp_path / "repo")
    oracle("config", f"--repo={tmp_path / 'repo'}", "set", "core.auto-update-summary", "true")

    with Repo.open(tmp_path / "repo") as repo, repo.transaction() as transaction:
        transaction.set_ref("new", repo.resolve("main"))

    with Repo.open(tmp_path / "repo") as repo:
        found = summary.load(repo)
    assert found is not None
    assert [ref.name for ref in found.refs] == ["main", "new", "os/x86_64/é", "other"]
