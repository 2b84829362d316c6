"""Commits of tree T with the options of the repository format's vectors (§10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import succeed
from support.vectors import IS_ROOT, make_tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="the tree of the vectors belongs to root")

PLAIN = ("--orphan", "--no-bindings", "--timestamp=@0")


def commit(place: Path, *words: str) -> str:
    """The checksum of a commit of tree T in a new archive."""
    make_tree(place / "T")
    succeed("init", f"--repo={place}/r", "--mode=archive")
    return succeed("commit", f"--repo={place}/r", *words, str(place / "T")).strip()


def test_rules_for_paths(tmp_path: Path) -> None:
    (tmp_path / "modes").write_text("2048 /bin/run.sh\n=420 /sub/big.txt\n")
    (tmp_path / "skip").write_text("/emptydir\n/link\n")
    rules = (f"--statoverride={tmp_path}/modes", f"--skip-list={tmp_path}/skip")

    checksum = commit(tmp_path, *PLAIN, *rules)

    assert checksum == "09beb922ab44fd6c272f73ac3c8f251e3f9f6e2a3c28062b14a10f9810786da3"


def test_metadata_of_every_type(tmp_path: Path) -> None:
    metadata = (
        "--add-metadata-string=a=b",
        "--add-metadata=n=uint32 7",
        "--add-metadata=l=['x','yy']",
        "--add-metadata=m=@mu nothing",
        '--add-metadata=by=b"hi"',
    )

    checksum = commit(tmp_path, *PLAIN, *metadata)

    assert checksum == "9068a7e92f9b0cea1d586675c028712947d46f2912a28baa7395c1ae8bf0e89e"


def test_sizes_of_objects(tmp_path: Path) -> None:
    checksum = commit(tmp_path, "-b", "sz", "--generate-sizes", "--timestamp=@1000")

    assert checksum == "05274756bfbf7f6d93e858cdb65e699ea87f40f84866e961d5c98299effca573"


def test_a_bootable_tree(tmp_path: Path) -> None:
    modules = tmp_path / "K/usr/lib/modules/6.1.0"
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_text("k\n")
    for path in (modules, *list(modules.parents)[:4]):
        path.chmod(0o755)
    (modules / "vmlinuz").chmod(0o644)
    words = ("-b", "bt", "--bootable", "--timestamp=@0", f"--tree=dir={tmp_path}/K")
    strings = ("--add-metadata-string=version=1", "--add-metadata-string=foo=bar")

    checksum = commit(tmp_path, *words, f"--tree=dir={tmp_path}/T", *strings)

    assert checksum == "6a18261c016a8762bf1a428cd2ead89a75e45c19351f05a0d6aaa07f9fe28690"
