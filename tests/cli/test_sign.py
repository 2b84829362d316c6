"""``ostree sign``, and signing with plain keys elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

#: RFC 8032, test 1, as upstream and as X.509 write it.
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
HEX = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
SECRET = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="
PUBLIC_SPKI = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SECRET_PKCS8 = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
OTHER = "45yzbkuEok0lLabxzdAHWUDSMZgYfxU40sN+LMfYHVA="
DUMMY = {"OSTREE_DUMMY_SIGN_ENABLED": "1"}
GOOD = f"ed25519: Signature verified successfully with key '{HEX}'\n"


def stored(repo: Path, engine: str, rev: str = "main") -> str:
    key = f"--print-detached-metadata-key=ostree.sign.{engine}"
    return succeed("show", f"--repo={repo}", key, rev)


def test_ed25519(repo: Path) -> None:
    """The default: keys in base64, any of which may be the right one."""
    sign = ("sign", f"--repo={repo}")
    assert succeed(*sign, "main", SECRET) == ""

    assert succeed(*sign, "--verify", "main", PUBLIC) == GOOD
    assert succeed(*sign, "--verify", "-s", "ed25519", "main", OTHER, "junk", PUBLIC, OTHER) == GOOD
    assert fail(*sign, "--verify", "main", OTHER) == "error: No valid signatures found"
    assert fail(*sign, "--verify", "main^", PUBLIC) == "error: No valid signatures found"


def test_spki(repo: Path, tmp_path: Path) -> None:
    """Secret and public keys as PEM, or their base64 alone."""
    secret, public = tmp_path / "secret.pem", tmp_path / "public.pem"
    secret.write_text(f"-----BEGIN PRIVATE KEY-----\n{SECRET_PKCS8}\n-----END PRIVATE KEY-----\n")
    public.write_text(f"-----BEGIN PUBLIC KEY-----\n{PUBLIC_SPKI}\n-----END PUBLIC KEY-----\n")
    sign = ("sign", f"--repo={repo}", "--sign-type=spki")

    succeed(*sign, f"--keys-file={secret}", "main")
    succeed(*sign, "main^", SECRET_PKCS8)

    words = "spki: Signature verified successfully with key '302a300506032b6570032100"
    assert succeed(*sign, "--verify", "main", PUBLIC_SPKI) == f"{words}{HEX}'\n"
    assert succeed(*sign, "--verify", f"--keys-file={public}", "main^") == f"{words}{HEX}'\n"
    assert fail(*sign, "--verify", f"--keys-file={secret}", "main") == (
        'error: Unexpected label "PRIVATE KEY"'
    )


def test_dummy(repo: Path) -> None:
    """Only where the environment says so."""
    sign = ("sign", f"--repo={repo}", "-s", "dummy")
    succeed(*sign, "main", "MYKEY", "OTHER", environ=DUMMY)

    assert stored(repo, "dummy") == (
        "[[byte 0x4d, 0x59, 0x4b, 0x45, 0x59], [0x4f, 0x54, 0x48, 0x45, 0x52]]\n"
    )
    for key in ("MYKEY", "OTHER"):
        verified = succeed(*sign, "--verify", "main", "x", key, environ=DUMMY)
        assert verified == "dummy: Signature verified\n"
    assert fail(*sign, "--verify", "main", "x", environ=DUMMY) == "error: No valid signatures found"
    assert fail(*sign, "--verify", "main", environ=DUMMY) == "error: not implemented"
    assert fail(*sign, "--verify", "main", "MYKEY") == "error: No valid signatures found"
    assert fail(*sign, "main", "MYKEY") == (
        "error: dummy signature type is only for ostree testing"
    )


def test_keys_in_files(repo: Path, tmp_path: Path) -> None:
    """For signing one secret in a line, for verifying one public key."""
    secrets, publics = tmp_path / "secrets", tmp_path / "publics"
    secrets.write_text(f"{SECRET}\n")
    publics.write_text(f"{OTHER}\n{PUBLIC}\n")
    sign = ("sign", f"--repo={repo}")
    verify = (*sign, "--verify", f"--keys-file={publics}", "main")

    succeed(*sign, f"--keys-file={secrets}", "main")

    assert succeed(*verify) == GOOD
    assert succeed(*verify, OTHER) == GOOD
    publics.write_text(f"{OTHER}\n" * 4)
    assert fail(*verify).startswith("error: ed25519: Signature couldn't be verified with: key '")
    assert succeed(*verify, PUBLIC) == GOOD
    publics.write_text("")
    assert fail(*verify) == f"error: signature: ed25519: no valid keys in file '{publics}'"
    assert fail(*sign, "--verify", f"--keys-file={tmp_path}", "main") == (
        f"error: File object '{tmp_path}' is not a regular file"
    )


def test_keys_in_directories(repo: Path, tmp_path: Path) -> None:
    """Those of the system in another place; what is revoked there does not count."""
    verify = ("sign", f"--repo={repo}", "--verify", f"--keys-dir={tmp_path}", "main")
    succeed("sign", f"--repo={repo}", "main", SECRET)
    assert fail(*verify) == "error: signature: ed25519: no keys loaded"

    (tmp_path / "trusted.ed25519.d").mkdir()
    (tmp_path / "trusted.ed25519.d" / "a").write_text(f"{PUBLIC}\n")
    assert succeed(*verify) == GOOD

    (tmp_path / "revoked.ed25519").write_text(f"{PUBLIC}\n")
    assert fail(*verify) == "error: ed25519: no signatures found"


def test_signatures_of_all_kinds_live_together(repo: Path) -> None:
    sign = ("sign", f"--repo={repo}")

    succeed(*sign, "main", SECRET)
    succeed(*sign, "-s", "spki", "main", SECRET_PKCS8)
    succeed(*sign, "-s", "dummy", "main", "k", environ=DUMMY)

    assert succeed(*sign, "--verify", "main", PUBLIC) == GOOD
    listed = succeed("show", f"--repo={repo}", "--list-detached-metadata-keys", "main")
    assert listed == "ostree.sign.dummy\nostree.sign.ed25519\nostree.sign.spki\n"


def test_delete(repo: Path) -> None:
    """All signatures that the public keys make good; upstream's signs once more (ADR 7)."""
    sign = ("sign", f"--repo={repo}")
    succeed(*sign, "main", SECRET, SECRET)

    nothing = succeed(*sign, "--delete", "main", OTHER)
    both = succeed(*sign, "-d", "main", OTHER, PUBLIC)
    again = succeed(*sign, "--delete", "main", PUBLIC)

    assert [nothing, both, again] == [f"Signatures deleted: {n}\n" for n in (0, 2, 0)]
    assert succeed("show", f"--repo={repo}", "--list-detached-metadata-keys", "main") == ""
    assert misuse(*sign, "--delete", "main") == "error: Need at least one KEY-ID to sign with"
    assert misuse(*sign, "--delete", "--verify", "main", PUBLIC) == (
        "error: --delete and --verify are mutually exclusive"
    )
    assert fail(*sign, "--delete", "main", SECRET).startswith("error: Invalid ed25519 public key")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Need a COMMIT to sign or verify"),
        (("--verify",), "Need a COMMIT to sign or verify"),
        (("main",), "Need at least one KEY-ID to sign with"),
    ],
)
def test_misuse(repo: Path, arguments: tuple[str, ...], message: str) -> None:
    assert misuse("sign", f"--repo={repo}", *arguments) == f"error: {message}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nosuch", "key"), "Refspec 'nosuch' not found"),
        (("-s", "nosuch", "main", "key"), "Requested signature type is not implemented"),
        (
            ("main", PUBLIC),
            "Invalid ed25519 secret key: Ill-formed input: expected 64 bytes, got 32 bytes",
        ),
        (("-s", "spki", "main", "x"), "openssl: Failed to initialize spki key"),
    ],
)
def test_failures(repo: Path, arguments: tuple[str, ...], message: str) -> None:
    assert fail("sign", f"--repo={repo}", *arguments) == f"error: {message}"


def test_a_repository_full_of_signatures(repo: Path) -> None:
    """Megabytes of them cost no time."""
    from ostree.formats import commitmeta
    from ostree.formats.gvariant import Variant

    commit = succeed("rev-parse", f"--repo={repo}", "main").strip()
    for engine, key in (("ed25519", PUBLIC), ("spki", PUBLIC_SPKI), ("dummy", "k")):
        entries = [(f"ostree.sign.{engine}", Variant("aay", [bytes(64)] * 50_000))]
        path = repo / "objects" / commit[:2] / f"{commit[2:]}.commitmeta"
        path.write_bytes(commitmeta.encode(entries))

        message = fail(
            "sign", f"--repo={repo}", "-s", engine, "--verify", "main", key, environ=DUMMY
        )

        assert message == "error: No valid signatures found"


def test_commit_signs(repo: Path, tree: Path, tmp_path: Path) -> None:
    """With keys given and the first key of each file."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\nnot looked at, but read\n"[:89])
    # One signature of 256 ends with a zero byte, and is printed as a string then.
    fixed = ("--timestamp=@1", "--owner-uid=0", "--owner-gid=0", "--no-xattrs")
    commit = ("commit", f"--repo={repo}", "-b", "new", *fixed, tree)

    succeed(*commit, f"--sign={SECRET}", f"--sign-from-file={file}")

    assert stored(repo, "ed25519", "new").count("byte") == 1
    assert stored(repo, "ed25519", "new").count("], [") == 1
    assert succeed("sign", f"--repo={repo}", "--verify", "new", PUBLIC) == GOOD


def test_a_commit_that_cannot_be_signed_is_none(repo: Path, tree: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("")
    commit = ("commit", f"--repo={repo}", "-b", "bad", tree)

    for option, message in (
        (
            "--sign=x",
            "Invalid ed25519 secret key: Ill-formed input: expected 64 bytes, got 0 bytes",
        ),
        (f"--sign-from-file={empty}", f"Reading {empty}: No key in the file"),
        (
            f"--sign-from-file={tmp_path}",
            f"Reading {tmp_path}: File object '{tmp_path}' is not a regular file",
        ),
    ):
        assert fail(*commit, option) == f"error: {message}"
    assert fail(*commit, "--sign=x", "--sign-type=nosuch") == (
        "error: Requested signature type is not implemented"
    )
    assert "bad" not in succeed("refs", f"--repo={repo}").split()
    assert succeed(*commit, "--sign-type=nosuch")
