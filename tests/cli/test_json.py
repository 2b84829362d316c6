"""``--json`` beyond the examples of docs/json.md: options, errors, names that are not UTF-8."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, succeed
from ostree.formats import dirmeta, dirtree
from ostree.repo.repository import Repo
from ostree.store.content import MemoryContent
from ostree.types import DirMeta, FileHeader, ObjectType, TreeId

if TYPE_CHECKING:
    import os
    from pathlib import Path


def document(*argv: str | os.PathLike[str]) -> dict[str, object]:
    """The document that a command prints."""
    parsed = json.loads(succeed(*argv))
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.parametrize(
    ("words", "other"),
    [
        ("log --raw main", "raw"),
        ("show --raw main", "raw"),
        ("show -B main", "no-byteswap"),
        ("show --print-hex --print-metadata-key=version main", "print-hex"),
        ("ls --nul-filenames-only main", "nul-filenames-only"),
        ("refs --create=new main", "create"),
        ("refs --delete main", "delete"),
        ("summary --update", "update"),
        ("summary --raw", "raw"),
    ],
)
def test_other_forms_are_refused_and_nothing_is_done(repo: Path, words: str, other: str) -> None:
    succeed("summary", f"--repo={repo}", "-u")
    before = (repo / "summary").read_bytes()

    message = fail(*words.split(), "--json", f"--repo={repo}")

    assert message == f"error: Cannot specify both --json and --{other}"
    assert (repo / "summary").read_bytes() == before
    assert succeed("refs", f"--repo={repo}") == "main\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("rev-parse main nope", "Refspec 'nope' not found"),
        ("ls main / /nope", "Inspecting path '/nope': No such file or directory: /nope"),
        ("log nope", "Refspec 'nope' not found"),
        ("show nope", "Refspec 'nope' not found"),
        ("show --print-metadata-key=nope main", "No such metadata key 'nope'"),
        ("summary", "openat(summary): No such file or directory"),
        ("config get no.such", "Key file does not have group “no”"),
    ],
)
def test_errors_are_those_of_the_command_and_no_document_is_begun(
    repo: Path, words: str, message: str
) -> None:
    assert fail(*words.split(), "--json", f"--repo={repo}") == f"error: {message}"


def test_history_that_is_not_here(repo: Path) -> None:
    parent = succeed("rev-parse", f"--repo={repo}", "main^").strip()
    (repo / "objects" / parent[:2] / f"{parent[2:]}.commit").unlink()

    log = document("log", "--json", f"--repo={repo}", "main")

    assert log["complete"] is False


def test_ls_shows_as_much_as_its_options_say(repo: Path) -> None:
    def paths(*options: str) -> list[str]:
        entries = document("ls", "--json", f"--repo={repo}", *options, "main", "/sub")["entries"]
        assert isinstance(entries, list)
        return [entry["path"] for entry in entries]

    assert paths("-d") == ["/sub"]
    assert paths() == ["/sub", "/sub/up", "/sub/deep"]
    assert paths("-R") == ["/sub", "/sub/up", "/sub/deep"]


def test_a_ref_that_holds_no_checksum_is_listed(repo: Path) -> None:
    """As without --json; only its checksum is not known."""
    (repo / "refs/heads/bad").write_text("garbage\n")

    refs = document("refs", "--json", f"--repo={repo}", "bad")["refs"]

    assert refs == [
        {"refspec": "bad", "remote": None, "name": "bad", "checksum": None, "alias_of": None}
    ]


def test_refs_have_full_names_with_a_prefix(repo: Path) -> None:
    succeed("refs", f"--repo={repo}", "--create=os/x86_64/edge", "main")
    succeed("refs", f"--repo={repo}", "--create=os/stable", "-A", "main")

    def names(*words: str) -> list[str]:
        refs = document("refs", "--json", f"--repo={repo}", *words)["refs"]
        assert isinstance(refs, list)
        return [ref["refspec"] for ref in refs]

    assert names() == ["main", "os/stable", "os/x86_64/edge"]
    assert names("os") == ["os/stable", "os/x86_64/edge"]
    assert names("os", "main") == ["main", "os/stable", "os/x86_64/edge"]
    assert names("-A") == ["os/stable"]
    assert names("nothing") == []


def test_config_tells_what_holds_afterwards(repo: Path) -> None:
    argv = ("config", "--json", f"--repo={repo}")

    assert document(*argv, "set", "x.y", "z")["value"] == "z"
    assert document(*argv, "get", "x.y") == {"group": "x", "key": "y", "value": "z"}
    assert document(*argv, "unset", "x.y") == {"group": "x", "key": "y", "value": None}


def test_the_only_commit_answers_no_argument(tmp_path: Path, tree: Path) -> None:
    repo = tmp_path / "single"
    succeed("init", f"--repo={repo}", "--mode=archive")
    commit = succeed("commit", f"--repo={repo}", "-b", "main", tree).strip()

    revisions = document("rev-parse", "--json", "--single", f"--repo={repo}")["revisions"]

    assert revisions == [{"rev": None, "checksum": commit}]


def test_names_that_are_not_utf8_are_there_to_the_byte(tmp_path: Path) -> None:
    xattrs = ((b"user.\xff", b"value"),)
    with Repo.create(tmp_path / "repo", "archive") as repo, repo.transaction(fsync=False) as txn:
        with MemoryContent(FileHeader(0, 0, 0o100644, xattrs=xattrs), b"") as content:
            file = txn.write_content(content)
        meta = txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(0, 0, 0o040755)))
        tree = dirtree.encode(dirtree.DirTree([("f", file)], []))
        root = TreeId(txn.write_metadata(ObjectType.DIRTREE, tree), meta)
        txn.set_ref("main", txn.commit(root, timestamp=0))

    entries = document("ls", "--json", f"--repo={tmp_path / 'repo'}", "main", "/f")["entries"]

    assert isinstance(entries, list)
    xattr = entries[0]["xattrs"][0]
    assert xattr["name"] == "user.\\xff"
    assert b64decode(xattr["name_base64"]) == b"user.\xff"


def test_times_before_1970_are_negative(repo: Path, tree: Path) -> None:
    succeed("commit", f"--repo={repo}", "-b", "old", "--timestamp=1969-12-31 23:59:59 +0000", tree)

    commit = document("show", "--json", f"--repo={repo}", "old")

    assert (commit["timestamp"], commit["date"]) == (-1, "1969-12-31T23:59:59Z")
