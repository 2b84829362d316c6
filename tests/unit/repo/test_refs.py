"""Refs and revisions: storage, conflicts, aliases, listing, and the order of resolving."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from ostree.errors import ExistsError, FormatError, NotFoundError, OSTreeError, RefNotFoundError
from ostree.formats.commit import Commit
from ostree.formats.commit import encode as encode_commit
from ostree.repo.repository import Repo
from ostree.types import Checksum, ObjectType, TreeId
from support.vectors import EMPTY_TREE, META_0755

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE = Checksum("1" * 64)
TWO = Checksum("2" * 64)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo") as opened:
        yield opened


def make_commit(repo: Repo, timestamp: int, parent: Checksum | None = None) -> Checksum:
    """A commit object alone, of a tree that is not there."""
    commit = Commit(TreeId(EMPTY_TREE, META_0755), timestamp=timestamp, parent=parent)
    with repo.transaction(fsync=False) as txn:
        return txn.write_metadata(ObjectType.COMMIT, encode_commit(commit))


# storage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refspec", "path"),
    [
        ("main", "refs/heads/main"),
        ("os/x86_64/stable", "refs/heads/os/x86_64/stable"),
        ("origin:main", "refs/remotes/origin/main"),
        ("origin:a/b", "refs/remotes/origin/a/b"),
    ],
)
def test_a_ref_is_a_file(repo: Repo, tmp_path: Path, refspec: str, path: str) -> None:
    os.utime(tmp_path / "repo", ns=(0, 0))

    repo.refs.set(refspec, ONE)

    file = tmp_path / "repo" / path
    assert file.read_text() == f"{ONE}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert repo.refs.get(refspec) == ONE
    assert (tmp_path / "repo").stat().st_mtime > 0
    repo.refs.set(refspec, TWO)
    assert repo.refs.get(refspec) == TWO
    repo.refs.set(refspec, None)
    repo.refs.set(refspec, None)
    assert repo.refs.get(refspec) is None
    assert file.parent.is_dir()


def test_refs_of_foreign_collections(repo: Repo, tmp_path: Path) -> None:
    repo.refs.set_mirrored("org.example.Os", "a/b", ONE)

    assert (tmp_path / "repo/refs/mirrors/org.example.Os/a/b").read_text() == f"{ONE}\n"
    assert repo.refs.mirrored() == {("org.example.Os", "a/b"): ONE}
    assert repo.refs.all() == {}
    repo.refs.set_mirrored("org.example.Os", "a/b", None)
    assert repo.refs.mirrored() == {}


@pytest.mark.parametrize(
    ("refspec", "message"),
    [
        ("a b", "Invalid refspec a b"),
        (".a", "Invalid refspec .a"),
        ("a//b", "Invalid refspec a//b"),
        ("o:", "Invalid refspec o:"),
        ("o/p:a", "Invalid refspec o/p:a"),
        ("../../config", "Invalid refspec ../../config"),
        ("f" * 64, f"Rev name '{'f' * 64}' looks like a checksum"),
    ],
)
def test_names_that_cannot_be_refs(repo: Repo, refspec: str, message: str) -> None:
    def set_in_transaction(name: str, to: Checksum) -> None:
        with repo.transaction() as txn:
            txn.set_ref(name, to)

    for write in (repo.refs.set, set_in_transaction):
        with pytest.raises(FormatError) as caught:
            write(refspec, ONE)

        assert str(caught.value) == message
    assert repo.refs.all() == {}


def test_a_ref_above_is_in_the_way(repo: Repo) -> None:
    repo.refs.set("b", ONE)

    with pytest.raises(ExistsError) as caught:
        repo.refs.set("b/x", TWO)
    with pytest.raises(ExistsError) as deeper:
        repo.refs.set("b/x/y", TWO)

    assert str(caught.value) == "openat(refs/heads/b/x): Not a directory"
    assert str(deeper.value) == "openat(refs/heads/b/x/y): Not a directory"
    assert repo.refs.all() == {"b": ONE}


def test_refs_below_are_in_the_way(repo: Repo) -> None:
    repo.refs.set("a/b/c", ONE)

    with pytest.raises(ExistsError) as caught:
        repo.refs.set("a", TWO)

    assert str(caught.value) == "Conflict: b/c exists under a when attempting write"


def test_empty_directories_are_not_in_the_way(repo: Repo, tmp_path: Path) -> None:
    repo.refs.set("a/b/c", ONE)
    repo.refs.set("a/b/c", None)
    (tmp_path / "repo/refs/heads/a/.junk").write_bytes(b"")

    repo.refs.set("a", TWO)

    assert repo.refs.all() == {"a": TWO}


def test_aliases_are_links(repo: Repo, tmp_path: Path) -> None:
    repo.refs.set("main", ONE)
    repo.refs.set("x.tmp", TWO)

    repo.refs.set_alias("al", "main")
    repo.refs.set_alias("x/y/al", "main")

    assert os.readlink(tmp_path / "repo/refs/heads/al") == "main"
    assert os.readlink(tmp_path / "repo/refs/heads/x/y/al") == "../../main"
    assert repo.refs.get("x/y/al") == ONE
    assert repo.refs.aliases() == {"al": "main", "x/y/al": "main"}
    assert repo.refs.local() == {"al": ONE, "main": ONE, "x.tmp": TWO, "x/y/al": ONE}
    repo.refs.set("al", TWO)
    assert repo.refs.get("main") == ONE
    assert not (tmp_path / "repo/refs/heads/al").is_symlink()


def test_making_an_alias_touches_no_other_ref(repo: Repo) -> None:
    repo.refs.set("main", ONE)
    repo.refs.set("al.tmp", TWO)

    repo.refs.set_alias("al", "main")
    repo.refs.set_alias("al", "al.tmp")

    assert repo.refs.local() == {"al": TWO, "al.tmp": TWO, "main": ONE}


def test_aliases_that_lead_nowhere_or_in_circles(repo: Repo) -> None:
    repo.refs.set_alias("a", "b")
    repo.refs.set_alias("b", "a")
    repo.refs.set_alias("dangling", "nothing")

    assert repo.refs.get("dangling") is None
    with pytest.raises(OSTreeError) as reading:
        repo.refs.get("a")
    with pytest.raises(OSTreeError) as listing:
        repo.refs.local()

    assert str(reading.value) == "openat(refs/heads/a): Too many levels of symbolic links"
    assert str(listing.value) == "Listing refs: openat(a): Too many levels of symbolic links"


# listing ----------------------------------------------------------------------------------------


def test_listing_skips_what_can_be_no_ref(repo: Repo, tmp_path: Path) -> None:
    heads = tmp_path / "repo/refs/heads"
    for name in (".hidden", "main~", "-x", "a b"):
        (heads / name).write_text(f"{ONE}\n")
    (heads / ".dir").mkdir()
    (heads / ".dir/ref").write_text(f"{ONE}\n")
    (heads / "garbage").write_text("garbage \n")
    repo.refs.set("b", ONE)
    repo.refs.set("origin:z", TWO)
    repo.refs.set("origin:a", TWO)

    assert repo.refs.all() == {"b": ONE, "garbage": "garbage", "origin:a": TWO, "origin:z": TWO}
    assert list(repo.refs.all()) == sorted(repo.refs.all())
    assert repo.refs.remote("origin") == {"origin:a": TWO, "origin:z": TWO}
    assert repo.refs.remote("other") == {}


def test_listing_below_a_prefix(repo: Repo) -> None:
    for name in ("os/a/one", "os/a/two", "os/b", "other", "origin:os/c"):
        repo.refs.set(name, ONE)

    assert list(repo.refs.list("os")) == ["a/one", "a/two", "b"]
    assert list(repo.refs.list("os", full_names=True)) == ["os/a/one", "os/a/two", "os/b"]
    assert list(repo.refs.list("os/a/one")) == ["os/a/one"]
    assert list(repo.refs.list("o")) == []
    assert list(repo.refs.list("origin:")) == ["origin:os/c"]
    with pytest.raises(FormatError) as caught:
        repo.refs.list("a b")

    assert str(caught.value) == "Listing refs: Invalid refspec a b"


# resolving --------------------------------------------------------------------------------------


def test_names_are_looked_up_locally_then_in_remotes(repo: Repo) -> None:
    repo.refs.set("origin:main", ONE)
    repo.refs.set("second:other", TWO)

    assert repo.resolve("main") == ONE
    assert repo.resolve("origin/main") == ONE
    assert repo.resolve("origin:main") == ONE
    assert repo.resolve("other") == TWO
    repo.refs.set("main", TWO)
    assert repo.resolve("main") == TWO
    assert repo.find("nothing") is None


@pytest.mark.parametrize(
    ("rev", "message"),
    [
        ("nothing", "Refspec 'nothing' not found"),
        ("origin:nothing", "Refspec 'origin:nothing' not found"),
        ("a b", "Invalid refspec a b"),
        ("-", "Invalid refspec -"),
        ("a:b:c", "Invalid refspec a:b:c"),
        ("A" * 64, f"Refspec '{'A' * 64}' not found"),
        ("f" * 65, f"Refspec '{'f' * 65}' not found"),
        ("abc", "Refspec 'abc' not found"),
        ("", "Invalid refspec "),
    ],
)
def test_revisions_that_mean_nothing(repo: Repo, rev: str, message: str) -> None:
    with pytest.raises(OSTreeError) as caught:
        repo.resolve(rev)

    assert str(caught.value) == message


def test_a_whole_checksum_is_taken_as_it_is(repo: Repo) -> None:
    assert repo.resolve("f" * 64) == "f" * 64


def test_abbreviations_come_before_refs(repo: Repo) -> None:
    commit = make_commit(repo, 1)
    repo.refs.set(commit[:4], ONE)

    assert repo.resolve(commit[:4]) == commit
    assert repo.resolve(commit[:63]) == commit
    assert repo.resolve("") == commit
    assert repo.resolve(commit[:1]) == commit


def test_abbreviations_must_be_unique(repo: Repo) -> None:
    for number in range(20):
        make_commit(repo, number)

    with pytest.raises(RefNotFoundError) as caught:
        repo.resolve("")

    assert str(caught.value) == "Refspec  not unique"


def test_carets_lead_to_parents(repo: Repo) -> None:
    first = make_commit(repo, 1)
    second = make_commit(repo, 2, first)
    third = make_commit(repo, 3, second)
    repo.refs.set("main", third)

    assert repo.resolve("main^") == second
    assert repo.resolve("main^^") == first
    assert repo.resolve(f"{third[:20]}^") == second
    with pytest.raises(RefNotFoundError) as caught:
        repo.resolve("main^^^")
    assert str(caught.value) == f"Commit {first} has no parent"
    with pytest.raises(NotFoundError) as missing:
        repo.resolve(f"{ONE}^")
    assert str(missing.value) == f"No such metadata object {ONE}.commit"


def test_a_parent_repository_is_asked_last(repo: Repo, tmp_path: Path) -> None:
    commit = make_commit(repo, 1)
    repo.refs.set("main", commit)
    repo.refs.set("shared", commit)
    Repo.create(tmp_path / "child").close()
    with (tmp_path / "child/config").open("a") as file:
        file.write("parent=../repo\n")

    with Repo.open(tmp_path / "child") as child:
        child.refs.set("main", ONE)

        assert child.resolve("main") == ONE
        assert child.resolve("shared") == commit
        assert child.resolve(commit[:10]) == commit
        assert child.refs.all() == {"main": ONE}
        assert child.load_commit(commit).timestamp == 1
        assert list(child.commits()) == [commit]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Invalid rev "),
        ("garbage", "Invalid rev garbage"),
        ("A" * 64, f"Invalid character '65' in rev '{'A' * 64}'"),
    ],
)
def test_files_that_hold_no_checksum(
    repo: Repo, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "repo/refs/heads/bad").write_text(content)

    with pytest.raises(FormatError) as caught:
        repo.resolve("bad")

    assert str(caught.value) == message


def test_a_directory_is_no_ref(repo: Repo) -> None:
    repo.refs.set("a/b", ONE)

    with pytest.raises(NotFoundError) as caught:
        repo.resolve("a")

    assert str(caught.value) == "Couldn't open ref 'a': Is a directory"


@pytest.mark.parametrize("size", [4096, 4097, 1 << 20])
def test_huge_files_are_no_refs(repo: Repo, tmp_path: Path, size: int) -> None:
    (tmp_path / "repo/refs/heads/huge").write_text("f" * size)

    with pytest.raises(OSTreeError):
        repo.resolve("huge")


def test_a_prefix_is_removed_from_the_refs_of_a_remote_too(repo: Repo) -> None:
    repo.refs.set("origin:os/x86_64/stable", ONE)

    assert repo.refs.list("origin:os") == {"origin:x86_64/stable": ONE}
    assert repo.refs.list("origin:os", full_names=True) == {"origin:os/x86_64/stable": ONE}


def test_many_refs_in_one_directory(repo: Repo) -> None:
    """The directory's own size, which grows, is not that of a file of a ref."""
    names = [f"app/x86_64/a-name-of-some-length-{number}" for number in range(300)]
    os.makedirs(os.path.join(repo.path, "refs/heads/app/x86_64"))
    for name in names:
        with open(os.path.join(repo.path, "refs/heads", name), "w") as file:
            file.write(f"{ONE}\n")

    assert os.stat(os.path.join(repo.path, "refs/heads/app/x86_64")).st_size > 4096
    assert sorted(repo.refs.all()) == sorted(names)
