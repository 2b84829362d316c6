"""docs/formats: how a repository is laid out, and which keys of its configuration there are."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import ostree
from ostree.formats import dirmeta, dirtree
from ostree.formats.gvariant import Variant
from ostree.formats.keyfile import KeyFile
from ostree.repo.config import Config
from ostree.repo.repository import Repo
from ostree.types import DirMeta, ObjectType, TreeId
from support.documented_bytes import FORMATS, blocks

SOURCE = Path(ostree.__file__).parent
_ROW = re.compile(r"\| ((?:`[^`]+`(?:, )?)+) \| ([^|]+) \|")


def documented_keys() -> dict[str, dict[str, str]]:
    """Defaults as the page gives them, by group and key."""
    groups: dict[str, dict[str, str]] = {}
    group = ""
    for line in (FORMATS / "config.md").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `\[(.+)\]`", line):
            group = heading[1]
            groups[group] = {}
        elif group and (row := _ROW.match(line)):
            groups[group] |= dict.fromkeys(re.findall(r"`([^`]+)`", row[1]), row[2].strip())
    return groups


KEYS = documented_keys()


def test_a_new_repository_has_the_documented_layout(tmp_path: Path) -> None:
    with Repo.create(tmp_path / "repo", "archive") as repo, repo.transaction() as txn:
        meta = txn.write_metadata(ObjectType.DIRMETA, dirmeta.encode(DirMeta(0, 0, 0o040755)))
        tree = txn.write_metadata(ObjectType.DIRTREE, dirtree.encode(dirtree.DirTree([], [])))
        version = [("version", Variant("s", "42"))]
        commit = txn.commit(
            TreeId(tree, meta), subject="Build 42", timestamp=1700000000, metadata=version
        )
        txn.set_ref("main", commit)

    found = set()
    for top, directories, files in os.walk(tmp_path / "repo"):
        here = os.path.relpath(top, tmp_path / "repo")
        found |= {os.path.normpath(os.path.join(here, name)) for name in files}
        found |= {os.path.normpath(os.path.join(here, name)) + "/" for name in directories}
    # Which two-digit directories there are follows from the objects.
    found = {path for path in found if not re.fullmatch(r"objects/../", path)}
    documented = {line.split()[0] for line in blocks("layout")[""]}
    assert found - documented <= {"tmp/cache/"}
    assert documented - found == set()


def test_a_new_configuration_is_the_documented_one(tmp_path: Path) -> None:
    Repo.create(tmp_path / "repo", "archive").close()

    written = (tmp_path / "repo/config").read_text()

    assert written.splitlines() == [line for line in blocks("text config")[""] if line]


@pytest.mark.parametrize(
    ("group", "key"), [(group, key) for group, keys in KEYS.items() for key in keys]
)
def test_documented_keys_are_read_somewhere(group: str, key: str) -> None:
    """A key that no module names would be a promise that nobody keeps."""
    literal = re.compile("[\"']" + re.escape(key).replace("TYPE", r"\{[\w.]+\}") + "[\"';.]")

    assert any(literal.search(path.read_text()) for path in SOURCE.rglob("*.py"))


def test_defaults_are_the_documented_ones() -> None:
    config = Config(KeyFile.parse(b"[core]\nrepo_version=1\n"))
    core = KEYS["core"]

    assert core["mode"] == f"`{config.mode.value}`"
    assert int(core["lock-timeout-secs"]) == config.lock_timeout
    assert int(core["tmp-expiry-secs"]) == config.temporary_expiry
    assert (0, int(core["min-free-space-percent"])) == config.min_free_space
    for key, value in (
        ("fsync", config.fsync),
        ("per-object-fsync", config.per_object_fsync),
        ("disable-xattrs", config.disable_xattrs),
        ("locking", config.locking),
        ("tombstone-commits", config.tombstones),
        ("auto-update-summary", config.auto_update_summary),
    ):
        assert core[key] == str(value).lower()
