"""Documents and tree views of anything that can be committed: whole, documented, and the same as text."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from cli.running import succeed
from ostree.cli.variant_json import variant_json
from ostree.formats.gvariant import Variant
from ostree.formats.gvariant.parse import parse_text
from ostree.repo.repository import Repo
from properties.test_gvariant import TYPED
from support.json_page import Page
from support.trees import materialize, trees

if TYPE_CHECKING:
    from collections.abc import Iterator

    from properties.test_gvariant import Typed
    from support.trees import Node

PAGE = Page(Path(__file__).resolve().parents[2] / "docs" / "json.md")
SECTIONS = {section.title.strip("`"): section for section in PAGE.commands}
_LETTERS = {"file": "-", "symlink": "l", "directory": "d"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with an archive repository."""
    base = tmp_path_factory.mktemp("documents")
    Repo.create(base / "repo", "archive").close()
    yield base
    shutil.rmtree(base)


def commit(place: Path, node: Node) -> Path:
    """The directory of a tree that ``main`` is a commit of."""
    tree = place / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    materialize(node, tree)
    with Repo.open(place / "repo") as repo, repo.transaction(fsync=False) as txn:
        root = txn.import_directory(tree)
        txn.set_ref("main", txn.commit(root, parent=repo.find("main"), timestamp=1))
    return tree


def text_line(entry: dict[str, str]) -> str:
    """What ``ls -C`` prints for an entry of a document."""
    checksums = entry.get("checksum") or f"{entry['dirtree']} {entry['dirmeta']}"
    permissions = int(entry["mode"], 8) & 0o7777
    head = f"{_LETTERS[entry['type']]}0{permissions:04o} {entry['uid']} {entry['gid']}"
    target = f" -> {entry['target']}" if "target" in entry else ""
    return f"{head} {entry.get('size', 0):6} {checksums} {entry['path']}{target}"


@given(TYPED)
def test_every_value_has_its_documented_form(typed: Typed) -> None:
    """It can be written and read, and its text is the value itself."""
    variant = Variant(*typed)

    document = variant_json(variant)

    assert json.loads(json.dumps(document)) == document
    assert parse_text(str(document["text"])) == variant
    assert set(document) == set(PAGE.shapes["value"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(node=trees)
def test_a_listing_says_what_its_text_says(place: Path, node: Node) -> None:
    commit(place, node)
    argv = ("ls", f"--repo={place / 'repo'}", "-R", "main")

    document = json.loads(succeed(*argv, "--json"))

    lines = [text_line(entry) for entry in document["entries"]]
    assert "".join(f"{line}\n" for line in lines) == succeed(*argv, "-C")
    assert PAGE.problems(SECTIONS["ostree ls --json"], document) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(node=trees)
def test_a_view_is_what_was_committed(place: Path, node: Node) -> None:
    tree = commit(place, node)

    with Repo.open(place / "repo") as repo:
        root = repo.tree("main")
        entries = [root, *root.walk()]
        assert {entry.path for entry in entries} == {
            f"/{path.relative_to(tree)}" if path != tree else "/"
            for path in [tree, *tree.rglob("*")]
        }
        for entry in entries:
            path = tree / entry.path.lstrip("/")
            info = path.lstat()
            assert (entry.mode, entry.uid, entry.gid) == (info.st_mode, info.st_uid, info.st_gid)
            if entry.is_symlink:
                assert entry.target == os.readlink(path)
            elif entry.is_file:
                assert entry.read_bytes() == path.read_bytes()
                assert entry.size == info.st_size
            else:
                assert set(entry) == set(os.listdir(path))
            assert root[entry.path] == entry
