"""``ostree show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare
    from conftest import Oracle


@pytest.fixture
def rich(repo: Path, tree: Path) -> Path:
    """The repository with a commit that has metadata of several types on ``rich``."""
    succeed(
        "commit",
        f"--repo={repo}",
        "--branch=rich",
        "--subject=Two\nlines\n",
        "--timestamp=@1700000000",
        "--add-metadata-string=text=some text",
        "--add-metadata=number=uint64 258",
        "--add-metadata=bytes=[byte 0x01, 0xff]",
        "--add-detached-metadata-string=note=written later",
        "--owner-uid=0",
        "--owner-gid=0",
        tree,
    )
    return repo


def test_a_commit(repo: Path) -> None:
    head, parent = succeed("rev-parse", f"--repo={repo}", "main", "main^").split()

    lines = succeed("show", f"--repo={repo}", "main").splitlines()

    assert lines[0] == f"commit {head}"
    assert lines[1] == f"Parent:  {parent}"
    assert lines[2].startswith("ContentChecksum:  ")
    assert lines[3:] == [
        "Date:  1970-01-01 00:33:20 +0000",
        "Version: 2",
        "",
        "    Number 2",
        "",
        "    First line",
        "    ",
        "    last line",
        "",
    ]


def test_metadata_keys_are_listed_sorted(rich: Path) -> None:
    out = succeed("show", f"--repo={rich}", "--list-metadata-keys", "rich")

    assert out == "bytes\nnumber\nostree.ref-binding\ntext\n"
    assert succeed("show", f"--repo={rich}", "--list-detached-metadata-keys", "rich") == "note\n"


def test_bytes_in_hex(rich: Path) -> None:
    out = succeed("show", f"--repo={rich}", "--print-hex", "--print-metadata-key=bytes", "rich")

    assert out == "01ff\n"


def test_numbers_are_swapped_unless_asked_not_to(rich: Path) -> None:
    """Upstream takes every number for big-endian."""
    argv = ("show", f"--repo={rich}", "--print-metadata-key=number")
    swapped = int.from_bytes((258).to_bytes(8, "little"), "big")

    assert succeed(*argv, "rich") == f"uint64 {swapped}\n"
    assert succeed(*argv, "-B", "rich") == "uint64 258\n"


def test_a_damaged_type_is_refused(repo: Path) -> None:
    """The reference crashes."""
    message = fail("show", f"--repo={repo}", "--print-variant-type=zz", repo / "config")

    assert message == "error: Not a GVariant type string: 'zz'"


def test_usage_errors(repo: Path) -> None:
    assert misuse("show", f"--repo={repo}") == "error: An object argument is required"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "main",
        "rich",
        "main^",
        "nope",
        "--raw main",
        "-B main",
        "--raw rich",
        "-B rich",
        "--print-metadata-key=text rich",
        "--print-metadata-key=number rich",
        "--print-metadata-key=number -B rich",
        "--print-metadata-key=nope rich",
        "--print-detached-metadata-key=note rich",
        "--print-detached-metadata-key=nope rich",
        "--print-detached-metadata-key=note main",
        "--print-related main",
        "--print-sizes main",
        "--print-variant-type=ay /etc/hostname",
        "--print-variant-type=ay /nonexistent",
        "--print-variant-type=(uuua(ayay)) /etc/hostname",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "main more words",
    ],
)
def test_output_is_the_references(words: str, rich: Path, compare: Compare) -> None:
    compare("show", f"--repo={rich}", *words.split())


@pytest.mark.oracle
@pytest.mark.parametrize("option", ["", "--raw", "-B"])
def test_every_object_looks_as_with_the_reference(
    option: str, rich: Path, compare: Compare
) -> None:
    listing = succeed("ls", f"--repo={rich}", "-RC", "main")
    checksums = {word for word in listing.split() if len(word) == 64}

    for checksum in sorted(checksums):
        compare("show", f"--repo={rich}", *option.split(), checksum)

    assert len(checksums) > 8


@pytest.mark.oracle
def test_sizes_that_the_reference_recorded(
    repo: Path, tree: Path, oracle: Oracle, compare: Compare
) -> None:
    oracle("commit", f"--repo={repo}", "-b", "sized", "--generate-sizes", tree)

    compare("show", f"--repo={repo}", "--print-sizes", "sized")
