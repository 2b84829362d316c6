"""Remotes: in the configuration or in files of their own, with upstream's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import ExistsError, FormatError, OSTreeError, RemoteNotFoundError
from ostree.repo.repository import Repo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = [("url", "https://example.com/repo")]


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "repo") as opened:
        yield opened


@pytest.fixture
def with_directory(tmp_path: Path, repo: Repo) -> Iterator[Repo]:
    (tmp_path / "remotes.d").mkdir()
    with Repo.open(repo.path, remotes_directory=str(tmp_path / "remotes.d")) as opened:
        yield opened


def test_a_remote_is_a_group_of_the_configuration(repo: Repo, tmp_path: Path) -> None:
    repo.remotes.add("origin", [*URL, ("gpg-verify", "false"), ("branches", "a;b;")])

    remote = repo.remotes.get("origin")

    assert (
        (tmp_path / "repo/config")
        .read_text()
        .endswith(
            '\n[remote "origin"]\nurl=https://example.com/repo\ngpg-verify=false\nbranches=a;b;\n'
        )
    )
    assert remote.require_url() == "https://example.com/repo"
    assert remote.get("nothing") is None
    assert not remote.get_boolean("gpg-verify", default=True)
    assert remote.get_boolean("other", default=True)
    assert remote.get_list("branches") == ["a", "b"]
    assert remote.get_list("other") == []
    assert remote.file is None
    assert repo.remotes.names() == ["origin"]
    assert repo.remotes.has("origin")


def test_a_remote_has_a_file_where_there_is_a_directory(
    with_directory: Repo, tmp_path: Path
) -> None:
    remotes = with_directory.remotes
    remotes.add("origin", URL)
    before = (tmp_path / "repo/config").read_bytes()

    assert (tmp_path / "remotes.d/origin.conf").read_text() == (
        '[remote "origin"]\nurl=https://example.com/repo\n'
    )
    assert remotes.get("origin").file == str(tmp_path / "remotes.d/origin.conf")
    remotes.delete("origin")
    assert not (tmp_path / "remotes.d/origin.conf").exists()
    assert (tmp_path / "repo/config").read_bytes() == before


def test_names_are_sorted(repo: Repo) -> None:
    for name in ("b", "a", "Z", "é"):
        repo.remotes.add(name, URL)

    assert repo.remotes.names() == ["Z", "a", "b", "é"]


@pytest.mark.parametrize("name", ["", "a/b", "-a", "a b", ".."])
def test_names_that_cannot_be_remotes(repo: Repo, name: str) -> None:
    with pytest.raises(FormatError) as adding:
        repo.remotes.add(name, URL)
    with pytest.raises(FormatError) as deleting:
        repo.remotes.delete(name)

    assert str(adding.value) == str(deleting.value) == f"Invalid remote name {name}"


def test_a_remote_that_exists(repo: Repo, with_directory: Repo, tmp_path: Path) -> None:
    repo.remotes.add("here", URL)
    with_directory.remotes.add("there", URL)

    with pytest.raises(ExistsError) as in_config:
        repo.remotes.add("here", URL)
    with pytest.raises(ExistsError) as in_file:
        with_directory.remotes.add("there", URL)

    assert str(in_config.value) == ('Remote configuration for "here" already exists: (in config)')
    assert str(in_file.value) == (
        f'Remote configuration for "there" already exists: {tmp_path}/remotes.d/there.conf'
    )


def test_replacing_drops_the_old_options(repo: Repo) -> None:
    repo.remotes.add("origin", [*URL, ("proxy", "x")])

    repo.remotes.add("origin", [("url", "file:///other")], replace=True)

    assert repo.remotes.get("origin").get("url") == "file:///other"
    assert repo.remotes.get("origin").get("proxy") is None


def test_deleting_takes_the_keyring_too(repo: Repo, tmp_path: Path) -> None:
    repo.remotes.add("origin", URL)
    (tmp_path / "repo/origin.trustedkeys.gpg").write_bytes(b"keys")

    repo.remotes.delete("origin")

    assert repo.remotes.names() == []
    assert not (tmp_path / "repo/origin.trustedkeys.gpg").exists()


@pytest.mark.parametrize("action", ["get", "delete"])
def test_a_remote_that_is_not_there(repo: Repo, action: str) -> None:
    with pytest.raises(RemoteNotFoundError) as caught:
        getattr(repo.remotes, action)("nothing")

    assert str(caught.value) == 'Remote "nothing" not found'


def test_a_remote_without_a_url(repo: Repo) -> None:
    repo.remotes.add("origin", [("branches", "a")])

    with pytest.raises(RemoteNotFoundError) as caught:
        repo.remotes.get("origin").require_url()

    assert str(caught.value) == 'No "url" option in remote "origin"'


def test_the_same_name_twice_is_refused(with_directory: Repo, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"remotes.d/{name}.conf").write_text('[remote "x"]\nurl=u\n')
    (tmp_path / "remotes.d/ignored").write_text("junk")

    with pytest.raises(FormatError) as caught:
        with_directory.remotes.names()

    assert str(caught.value) == 'Multiple specifications found for remote "x"'


def test_a_file_that_is_no_key_file_is_named(with_directory: Repo, tmp_path: Path) -> None:
    (tmp_path / "remotes.d/bad.conf").write_text("junk\n")

    with pytest.raises(OSTreeError, match=r"^Reloading remotes: Failed to parse .*bad\.conf: "):
        with_directory.remotes.names()


def test_remotes_of_the_parent_are_there_too(repo: Repo, tmp_path: Path) -> None:
    repo.remotes.add("origin", URL)
    Repo.create(tmp_path / "child").close()
    with (tmp_path / "child/config").open("a") as file:
        file.write("parent=../repo\n")

    with Repo.open(tmp_path / "child") as child:
        child.remotes.add("own", URL)

        assert child.remotes.names() == ["origin", "own"]
        assert child.remotes.get("origin").require_url() == "https://example.com/repo"
        with pytest.raises(RemoteNotFoundError):
            child.remotes.delete("origin")
