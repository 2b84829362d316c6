"""``ostree gpg-sign``, and what ``show`` says of OpenPGP signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from support.openpgp import KeyMaker


def found(repo: Path, rev: str = "main", environ: dict[str, str] | None = None) -> list[str]:
    """The lines from ``Found N signatures`` on, dates and key IDs left out."""
    lines = succeed("show", f"--repo={repo}", rev, environ=environ).split("\n")
    start = next((i for i, line in enumerate(lines) if line.startswith("Found ")), len(lines))
    return [line.partition(" made ")[0] for line in lines[start:]]


def sign(repo: Path, keys: KeyMaker, *names: str) -> str:
    ids = [f"{name}@example.org" for name in names]
    return succeed("gpg-sign", f"--repo={repo}", f"--gpg-homedir={keys.home}", "main", *ids)


def test_a_signature_is_added_and_shown(
    repo: Path, keys: KeyMaker, trusted: dict[str, str]
) -> None:
    """Silently; show tells what the signature is worth to those who look."""
    commit = succeed("rev-parse", f"--repo={repo}", "main")

    out = sign(repo, keys, "one")

    assert out == ""
    assert succeed("rev-parse", f"--repo={repo}", "main") == commit
    assert found(repo, environ=trusted) == [
        "Found 1 signature:",
        "",
        "  Signature",
        '  Good signature from "One <one@example.org>"',
        "",
    ]
    assert found(repo)[3] == "  Can't check signature: public key not found"
    assert found(repo, "main^") == []


def test_several_signatures(repo: Path, keys: KeyMaker, trusted: dict[str, str]) -> None:
    """In the order of signing, whether at once or later; good ones do not hide others."""
    sign(repo, keys, "two")
    sign(repo, keys, "one")

    lines = found(repo, environ=trusted)

    assert lines == [
        "Found 2 signatures:",
        "",
        "  Signature",
        "  Can't check signature: public key not found",
        "",
        "  Signature",
        '  Good signature from "One <one@example.org>"',
        "",
    ]


def test_raw_objects_are_shown_with_signatures_too(repo: Path, keys: KeyMaker) -> None:
    sign(repo, keys, "one")

    for option in ("--raw", "--no-byteswap"):
        lines = succeed("show", f"--repo={repo}", option, "main").split("\n")
        assert "Found 1 signature:" in lines


def test_whose_keys_show_trusts(repo: Path, keys: KeyMaker, trusted: dict[str, str]) -> None:
    """All of the repository's remotes, or one remote, or those of another directory."""
    sign(repo, keys, "two")
    keyring = repo / "x.trustedkeys.gpg"
    keyring.write_bytes(keys.export("two@example.org"))
    succeed("remote", "add", f"--repo={repo}", "empty", "http://localhost/")
    succeed("remote", "add", f"--repo={repo}", "x", "http://localhost/")

    def last(*options: str) -> str:
        return succeed("show", f"--repo={repo}", *options, "main", environ=trusted).split("\n")[-2]

    good = '  Good signature from "Two <two@example.org>"'
    assert last() == good
    assert last("--gpg-verify-remote=x") == good
    assert last("--gpg-verify-remote=empty") == "  Can't check signature: public key not found"
    keyring.rename(repo.parent / "two.gpg")
    assert last() == "  Can't check signature: public key not found"
    assert last(f"--gpg-homedir={repo.parent}") == good


def test_show_tells_the_commit_before_it_fails(repo: Path, keys: KeyMaker) -> None:
    sign(repo, keys, "one")

    for option, message in (
        ("--gpg-verify-remote=nosuch", 'Remote "nosuch" not found'),
        ("--gpg-homedir=/no/such", "opendir(/no/such): No such file or directory"),
    ):
        result = ostree("show", f"--repo={repo}", option, "main")
        assert (result.status, result.err) == (1, f"error: {message}\n")
        assert "    Number 2\n" in result.out


def test_a_key_signs_once(repo: Path, keys: KeyMaker, trusted: dict[str, str]) -> None:
    """Where the key can be looked up, that is; others may sign beside it."""
    sign(repo, keys, "one")
    arguments = ("gpg-sign", f"--repo={repo}", f"--gpg-homedir={keys.home}", "main")

    message = fail(*arguments, "one@example.org", environ=trusted)

    assert message == "error: Commit is already signed with GPG key one@example.org"
    assert succeed(*arguments, "two@example.org", environ=trusted) == ""
    assert len(found(repo)) == 8


def test_signatures_are_deleted(repo: Path, keys: KeyMaker) -> None:
    """One for each key, as far as the repository knows it; with the last goes its place."""
    (repo / "x.trustedkeys.gpg").write_bytes(keys.export())
    sign(repo, keys, "one", "two")
    delete = ("gpg-sign", f"--repo={repo}", "--delete", "main")

    once = succeed(*delete, "two@example.org")
    again = succeed(*delete, "two@example.org", "nobody@example.org")
    last = succeed(*delete, "two@example.org", "one@example.org")
    none = succeed(*delete, "one@example.org")

    assert [once, again, last, none] == [f"Signatures deleted: {n}\n" for n in (1, 0, 1, 0)]
    assert found(repo) == []
    assert succeed("show", f"--repo={repo}", "--list-detached-metadata-keys", "main") == ""


def test_other_metadata_stays(repo: Path, keys: KeyMaker, tree: Path) -> None:
    succeed("commit", f"--repo={repo}", "-b", "main", "--add-detached-metadata-string=k=v", tree)

    sign(repo, keys, "one")

    listed = succeed("show", f"--repo={repo}", "--list-detached-metadata-keys", "main")
    assert listed == "k\nostree.gpgsigs\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Need a COMMIT to sign"),
        (("main",), "Need at least one GPG KEY-ID to sign with"),
    ],
)
def test_misuse(repo: Path, arguments: tuple[str, ...], message: str) -> None:
    assert misuse("gpg-sign", f"--repo={repo}", *arguments) == f"error: {message}"


def test_keys_that_cannot_sign(repo: Path, keys: KeyMaker) -> None:
    """What was signed before the bad key stays."""
    home = f"--gpg-homedir={keys.home}"
    arguments = ("gpg-sign", f"--repo={repo}", home)

    for names, message in (
        (
            ("nobody@example.org",),
            f"No gpg key found with ID nobody@example.org (homedir: {keys.home})",
        ),
        (("nobody",), "Unable to lookup key ID nobody: GPGME: Invalid value"),
        (
            ("example.org",),
            f"gpg key id example.org ambiguous (homedir: {keys.home}). Try the fingerprint instead",
        ),
    ):
        assert fail(*arguments, "main", *names) == f"error: {message}"
    assert found(repo) == []
    assert fail(*arguments, "nosuch", "x") == "error: Refspec 'nosuch' not found"
    assert fail(*arguments, "main", "one@example.org", "nobody")
    assert found(repo)[0] == "Found 1 signature:"


def test_commit_signs(repo: Path, keys: KeyMaker, trusted: dict[str, str], tree: Path) -> None:
    """With several keys at once; a commit that cannot be signed is none."""
    commit = ("commit", f"--repo={repo}", "-b", "new", f"--gpg-homedir={keys.home}", tree)

    succeed(*commit, "--gpg-sign=one@example.org", "--gpg-sign=two@example.org")
    message = fail(
        "commit",
        f"--repo={repo}",
        "-b",
        "bad",
        f"--gpg-homedir={keys.home}",
        tree,
        "--gpg-sign=nobody@example.org",
    )

    assert found(repo, "new", trusted)[0] == "Found 2 signatures:"
    assert message.startswith("error: No gpg key found with ID nobody@example.org")
    assert "bad" not in succeed("refs", f"--repo={repo}").split()
