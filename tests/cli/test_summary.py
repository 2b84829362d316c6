"""``ostree summary``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare
    from conftest import Oracle
    from support.openpgp import KeyMaker


@pytest.fixture
def summarised(repo: Path, oracle: Oracle) -> Path:
    """The repository with a summary of the reference's making that has everything in it."""
    succeed("config", f"--repo={repo}", "set", "core.collection-id", "org.example.C")
    mirrors = repo / "refs/mirrors/org.example.Other"
    mirrors.mkdir(parents=True)
    (mirrors / "far").write_text(succeed("rev-parse", f"--repo={repo}", "main"))
    extra = ("foo=[('a', uint64 5)]", "ostree.summary.expires=uint64 5", "bar='text'")
    oracle("summary", "-u", f"--repo={repo}", *(f"--add-metadata={pair}" for pair in extra))
    return repo


def test_a_summary_is_made_and_shown(repo: Path) -> None:
    assert succeed("summary", "-u", f"--repo={repo}") == ""

    lines = succeed("summary", "-v", f"--repo={repo}").splitlines()

    assert lines[0] == "* main"
    assert lines[1].startswith("    Latest Commit (")
    assert lines[3:5] == [
        "    Version (ostree.commit.version): 2",
        "    Timestamp (ostree.commit.timestamp): 1970-01-01T00:33:20+00",
    ]
    assert "Repository Mode (ostree.summary.mode): archive-z2" in lines


def test_keys_are_listed_sorted(summarised: Path) -> None:
    keys = succeed("summary", f"--repo={summarised}", "--list-metadata-keys").split()

    assert keys == sorted(keys)
    assert {"foo", "bar", "ostree.summary.mode"} <= set(keys)


def test_a_value_is_printed(summarised: Path) -> None:
    argv = ("summary", f"--repo={summarised}")

    assert succeed(*argv, "--print-metadata-key=bar") == "'text'\n"
    assert fail(*argv, "--print-metadata-key=nope") == "error: No such metadata key 'nope'"


def test_v_means_view_here(repo: Path) -> None:
    message = fail("summary", f"--repo={repo}", "-v")

    assert message == "error: openat(summary): No such file or directory"
    assert ostree("summary", f"--repo={repo}", "--verbose").err == (
        "error: No option specified; use -u to update summary\n"
    )


@pytest.mark.oracle
@pytest.mark.parametrize("pair", ["foo", "foo=[bad", "foo=", "foo=1 2"])
def test_bad_metadata_is_refused(pair: str, repo: Path, compare: Compare) -> None:
    assert compare("summary", f"--repo={repo}", "-u", "-m", pair).status == 1
    assert not (repo / "summary").exists()


@pytest.mark.oracle
@pytest.mark.parametrize("words", ["--raw", "", "-v --raw"])
def test_output_is_the_references(words: str, summarised: Path, compare: Compare) -> None:
    compare("summary", f"--repo={summarised}", *words.split())


@pytest.mark.oracle
def test_a_view_is_the_references_and_says_that_nobody_signed(
    summarised: Path, oracle: Oracle
) -> None:
    """The last line is upstream's since 2026.3."""
    theirs = oracle("summary", "-v", f"--repo={summarised}").stdout

    assert succeed("summary", "-v", f"--repo={summarised}") == f"{theirs}Summary is unsigned\n"


def test_a_signed_summary_is_not_called_unsigned(summarised: Path) -> None:
    (summarised / "summary.sig").write_bytes(b"")

    assert "unsigned" not in succeed("summary", "-v", f"--repo={summarised}")


@pytest.mark.oracle
def test_the_reference_reads_ours(repo: Path, oracle: Oracle, compare: Compare) -> None:
    succeed("summary", "-u", f"--repo={repo}", "-m", "a=[1, 2]", "--add-metadata=b=<'c'>")

    ours = succeed("summary", "-v", f"--repo={repo}")

    assert oracle("summary", "-v", f"--repo={repo}").stdout in ours
    compare("summary", "--raw", f"--repo={repo}")


def test_the_summary_is_signed(repo: Path, keys: KeyMaker, trusted: dict[str, str]) -> None:
    """With keys of all kinds at once; viewing tells what those of OpenPGP are worth."""
    from ostree.formats import signature_dict

    dummy = {"OSTREE_DUMMY_SIGN_ENABLED": "1"}
    succeed(
        "summary", f"--repo={repo}", "-u", f"--gpg-homedir={keys.home}",
        "--gpg-sign=one@example.org", "--gpg-sign=two@example.org",
        "--sign=a", "--sign=b", "--sign-type=dummy",
        environ=dummy,
    )  # fmt: skip

    dictionary = signature_dict.decode((repo / "summary.sig").read_bytes())
    lines = succeed("summary", f"--repo={repo}", "-v", environ=trusted).splitlines()

    assert signature_dict.signatures(dictionary, "ostree.sign.dummy") == [b"a", b"b"]
    assert len(signature_dict.signatures(dictionary, "ostree.gpgsigs") or ()) == 2
    assert [line.partition(" made ")[0] for line in lines[-8:]] == [
        "",
        "Found 2 signatures on the summary:",
        "",
        "  Signature",
        '  Good signature from "One <one@example.org>"',
        "",
        "  Signature",
        "  Can't check signature: public key not found",
    ]
    times = [(repo / name).stat().st_mtime_ns for name in ("summary", "summary.sig")]
    assert times[0] == times[1]


def test_a_summary_without_openpgp_signatures(repo: Path) -> None:
    dummy = {"OSTREE_DUMMY_SIGN_ENABLED": "1"}
    succeed("summary", f"--repo={repo}", "-u", "--sign=SK", "--sign-type=dummy", environ=dummy)

    lines = succeed("summary", f"--repo={repo}", "-v").splitlines()

    assert lines[-1] == "ostree.summary.indexed-deltas: true"
    assert (repo / "summary.sig").read_bytes().hex() == (
        "6f73747265652e7369676e2e64756d6d7900000000000000534b02006161791220"
    )


def test_who_cannot_sign_changes_nothing(repo: Path, keys: KeyMaker) -> None:
    succeed("summary", f"--repo={repo}", "-u", "--gpg-sign=one@example.org",
            f"--gpg-homedir={keys.home}")  # fmt: skip
    before = [(repo / name).read_bytes() for name in ("summary", "summary.sig")]

    for options in (
        ["--gpg-sign=nobody@example.org", f"--gpg-homedir={keys.home}"],
        ["--sign=x"],
        ["--sign=x", "--sign-type=nosuch"],
    ):
        fail("summary", f"--repo={repo}", "-u", "-m", "a='b'", *options)

    assert [(repo / name).read_bytes() for name in ("summary", "summary.sig")] == before


def test_an_unsigned_summary_takes_its_signatures_along(repo: Path) -> None:
    dummy = {"OSTREE_DUMMY_SIGN_ENABLED": "1"}
    succeed("summary", f"--repo={repo}", "-u", "--sign=SK", "--sign-type=dummy", environ=dummy)

    succeed("summary", f"--repo={repo}", "-u", "--sign-type=nosuch")

    assert not (repo / "summary.sig").exists()


def test_the_commit_of_the_metadata_is_signed(tmp_path: Path, tree: Path) -> None:
    """In a repository with a collection ID, with the same keys."""
    repo = tmp_path / "collection"
    succeed("init", f"--repo={repo}", "--mode=archive", "--collection-id=org.example.C")
    succeed("commit", f"--repo={repo}", "-b", "main", tree)
    dummy = {"OSTREE_DUMMY_SIGN_ENABLED": "1"}

    succeed("summary", f"--repo={repo}", "-u", "--sign=k", "--sign-type=dummy", environ=dummy)

    verify = ("sign", f"--repo={repo}", "-s", "dummy", "--verify", "ostree-metadata", "k")
    assert succeed(*verify, environ=dummy) == "dummy: Signature verified\n"
