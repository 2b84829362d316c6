"""OpenPGP signatures: what ``gpg`` says about them, and how it is told (signatures §2)."""

from __future__ import annotations

import os
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SignatureError
from ostree.formats.openpgp import SIGNATURE, packets
from ostree.sign.gpg import process
from ostree.sign.gpg.keyring import find_key, import_keys, list_keys, with_key_files
from ostree.sign.gpg.signing import GpgSigner
from ostree.sign.gpg.verifying import GpgVerifier
from support.openpgp import (
    VECTOR_COMMIT,
    VECTOR_FINGERPRINT,
    VECTOR_KEY,
    VECTOR_SIGNATURE,
    KeyMaker,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = b"what is signed"
NO_DATA = "GPG: Unable to complete signature verification: GPGME: No data"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyMaker]:
    with KeyMaker(tmp_path_factory.mktemp("gpg") / "home") as maker:
        maker.make("Good <good@example.org>")
        maker.make("Sub <sub@example.org>", subkey="never")
        maker.make("Ends <ends@example.org>", expires="2099-01-01")
        yield maker


@pytest.fixture(scope="module")
def verifier(maker: KeyMaker) -> GpgVerifier:
    return GpgVerifier(maker.export())


def refusal(verifier: GpgVerifier, *signatures: bytes, data: bytes = DATA) -> list[str]:
    with pytest.raises(SignatureError) as caught:
        verifier.verify(data, signatures)
    return caught.value.message.split("\n")


# verifying ------------------------------------------------------------------------------------


def test_the_vector() -> None:
    """The document's signature of its commit, told as the document shows it."""
    verifier = GpgVerifier(b64decode(VECTOR_KEY))

    verdict = verifier.verify(VECTOR_COMMIT, [VECTOR_SIGNATURE])

    (text,) = verdict.descriptions("  ")
    assert text.splitlines() == [
        f"  Signature made {verdict_date()} using EdDSA key ID {VECTOR_FINGERPRINT[-16:]}",
        '  Good signature from "Vector <vector@example.org>"',
    ]
    assert [(s.is_valid, s.fingerprint, s.hash) for s in verdict.signatures] == [
        (True, VECTOR_FINGERPRINT, "SHA256")
    ]


def verdict_date() -> str:
    """2024-01-05 00:00:00 UTC where the tests run."""
    from ostree.formats.date_text import format_c
    from ostree.system.machine_zone import MachineZone

    return format_c(1704412800, MachineZone())


def test_a_subkey_is_told_with_its_primary_key(maker: KeyMaker, verifier: GpgVerifier) -> None:
    primary, subkey = maker.fingerprints("Sub <sub@example.org>")

    verdict = verifier.verify(DATA, [maker.sign(DATA, "sub@example.org")])

    lines = verdict.describe().splitlines()
    assert lines[0].endswith(f"using EdDSA key ID {subkey[-16:]}")
    assert lines[1:] == [
        'Good signature from "Sub <sub@example.org>"',
        f"Primary key ID {primary[-16:]}",
    ]


def test_ends_are_told(maker: KeyMaker, verifier: GpgVerifier) -> None:
    signature = maker.sign(DATA, "ends@example.org", "--default-sig-expire", "2098-01-01")

    lines = verifier.verify(DATA, [signature]).describe().splitlines()

    assert [line.rpartition(" ")[0].split(" ")[:2] for line in lines[2:]] == [
        ["Signature", "expires"],
        ["Key", "expires"],
    ]
    assert [line.rpartition(" ")[2] for line in lines[2:]] == ["2098", "2099"]


def test_a_signature_in_the_past_tense(maker: KeyMaker, verifier: GpgVerifier) -> None:
    """It has expired: not valid, and said so."""
    signature = maker.sign(DATA, "good@example.org", "--default-sig-expire", "seconds=1")
    while not _is_over(verifier, signature):
        pass

    lines = refusal(verifier, signature)

    assert lines[1] == 'Expired signature from "Good <good@example.org>"'
    assert lines[2].startswith("Signature expired ")
    assert len(lines) == 3


def _is_over(verifier: GpgVerifier, signature: bytes) -> bool:
    return not verifier.check(DATA, [signature]).is_valid


def test_a_key_that_is_not_there(maker: KeyMaker) -> None:
    """With any keyring, an empty one too."""
    signature = maker.sign(DATA, "good@example.org")
    key_id = maker.fingerprints("Good <good@example.org>")[0][-16:]

    for ring in (b"", b64decode(VECTOR_KEY)):
        lines = refusal(GpgVerifier(ring), signature)

        assert lines[0].endswith(f"using EdDSA key ID {key_id}")
        assert lines[1:] == ["Can't check signature: public key not found"]


def test_a_bad_signature_ends_the_checking(maker: KeyMaker, verifier: GpgVerifier) -> None:
    """As with the reference: bad then good fails, good then bad passes."""
    bad, good = maker.sign(b"other", "good@example.org"), maker.sign(DATA, "sub@example.org")
    key_id = maker.fingerprints("Good <good@example.org>")[0][-16:]

    lines = refusal(verifier, bad, good)
    verdict = verifier.verify(DATA, [good, bad])

    assert lines[0].endswith(f" 1970 using [unknown name] key ID {key_id}")
    assert lines[1:] == [
        'BAD signature from "Good <good@example.org>"',
        f"Primary key ID {key_id}",
    ]
    assert [signature.is_valid for signature in verdict.signatures] == [True, False]


def test_failures_are_told_last_first(maker: KeyMaker) -> None:
    signatures = [maker.sign(DATA, name) for name in ("good@example.org", "ends@example.org")]
    ids = [
        maker.fingerprints(user)[0][-16:]
        for user in ("Good <good@example.org>", "Ends <ends@example.org>")
    ]

    lines = refusal(GpgVerifier(b""), *signatures)

    assert [line.rpartition(" ")[2] for line in lines[::2]] == ids[::-1]


def test_revoked_and_expired_keys(tmp_path: Path) -> None:
    """Neither proves anything, however old the signature; a good one beside them does."""
    with KeyMaker(tmp_path / "home") as maker:
        users = [f"{name} <{name}@example.org>" for name in ("revoked", "expired", "good")]
        keys = [maker.make(user) for user in users]
        revoked, expired, good = (maker.sign(DATA, key) for key in keys)
        maker.revoke(keys[0])
        maker.expire(keys[1], "seconds=1")
        ring = maker.export()
    verifier = GpgVerifier(ring)
    while not _is_over(verifier, expired):
        pass

    assert refusal(verifier, revoked)[1:] == ["Key revoked"]
    lines = refusal(verifier, expired)
    assert lines[1] == 'BAD signature from "expired <expired@example.org>"'
    assert lines[2].startswith("Key expired ")
    assert verifier.verify(DATA, [revoked, expired, good]).is_valid


def test_two_packets_in_one_element_and_one_in_two(maker: KeyMaker, verifier: GpgVerifier) -> None:
    """The elements are one stream."""
    one, two = maker.sign(DATA, "good@example.org"), maker.sign(DATA, "sub@example.org")

    assert len(verifier.verify(DATA, [one + two]).signatures) == 2
    assert len(verifier.verify(DATA, [one[:30], one[30:], b"", two]).signatures) == 2


def test_armour_is_taken_off(maker: KeyMaker, verifier: GpgVerifier) -> None:
    """Upstream never writes it and reads it."""
    armoured = maker.sign(DATA, "good@example.org", "--armor")
    binary = maker.sign(DATA, "sub@example.org")

    assert len(verifier.verify(DATA, [binary, armoured]).signatures) == 2


# hostile signatures ---------------------------------------------------------------------------


def test_what_is_no_signature(maker: KeyMaker, verifier: GpgVerifier) -> None:
    """Nothing of it reaches gpg, and a good signature beside it does not help."""
    good = maker.sign(DATA, "good@example.org")
    for elements in (
        [],
        [b""],
        [b"garbage"],
        [b"garbage", good],
        [good, b"garbage"],
        [good, bytes(10)],
        [good[:40]],
        [good[:40], good],
        [maker.export("good@example.org")],
    ):
        assert refusal(verifier, *elements) == [NO_DATA], elements


def test_a_signed_message_is_no_signature_of_something_else(
    maker: KeyMaker, verifier: GpgVerifier
) -> None:
    """A mail that a trusted person signed, put in the place of a signature, proves nothing."""
    message = maker.run("--local-user", "good@example.org", "--sign", data=b"Dear all, hello")
    plain = maker.run(
        "--compress-algo", "none", "--local-user", "good@example.org", "--sign", data=b"Dear all"
    )
    clear = maker.run("--local-user", "good@example.org", "--clear-sign", data=b"Dear all, hello")

    for element in (message, plain, clear):
        assert refusal(verifier, element, data=b"evil") == [NO_DATA]
        assert refusal(verifier, element, data=b"Dear all") == [NO_DATA]


def test_more_packets_than_elements(maker: KeyMaker, verifier: GpgVerifier) -> None:
    """A million signatures in one element are a million signatures."""
    good = maker.sign(DATA, "good@example.org")

    lines = refusal(verifier, good * 2000)

    assert lines == ["2000 signatures are more than 1024"]


def test_a_user_id_cannot_speak_for_gpg(tmp_path: Path) -> None:
    """Line ends and status words in the name of a key that is not trusted stay in the name."""
    with KeyMaker(tmp_path / "home") as maker:
        name = "x\n[GNUPG:] GOODSIG BE292AB831A1DA88 y\n[GNUPG:] VALIDSIG <evil@example.org>"
        key = maker.make(name.replace("\n", "\\n"))
        signature = maker.sign(b"other", key)
        verifier = GpgVerifier(maker.export())

    lines = refusal(verifier, signature)

    assert lines[1].startswith("BAD signature from ")


def test_garbage_for_a_keyring(maker: KeyMaker) -> None:
    """No key is found in it, and nothing breaks."""
    signature = maker.sign(DATA, "good@example.org")

    lines = refusal(GpgVerifier(os.urandom(5000)), signature)

    assert lines[1:] == ["Can't check signature: public key not found"]


def test_without_gpg_the_package_is_named(
    maker: KeyMaker, verifier: GpgVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = maker.sign(DATA, "good@example.org")
    monkeypatch.setattr(process, "_PROGRAM", "no-such-gpg")

    with pytest.raises(SignatureError) as caught:
        verifier.verify(DATA, [signature])

    assert caught.value.message == "GPG: Unable to run no-such-gpg: No such file or directory"
    assert "gnupg" in (caught.value.hint or "")


def test_nothing_is_left_behind(
    maker: KeyMaker, verifier: GpgVerifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a temporary home nor an agent in it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    verifier.verify(DATA, [maker.sign(DATA, "good@example.org")]).describe()
    GpgSigner("good@example.org", str(maker.home)).sign(DATA)

    assert list(tmp_path.iterdir()) == []


# signing --------------------------------------------------------------------------------------


def test_a_selector_has_to_mean_one_key(maker: KeyMaker) -> None:
    home = str(maker.home)

    for name, text in (
        ("nobody@example.org", f"No gpg key found with ID nobody@example.org (homedir: {home})"),
        ("nobody", "Unable to lookup key ID nobody: GPGME: Invalid value"),
        (
            "example.org",
            f"gpg key id example.org ambiguous (homedir: {home}). Try the fingerprint instead",
        ),
        ("--version", f"No gpg key found with ID --version (homedir: {home})"),
    ):
        with pytest.raises(SignatureError) as caught:
            GpgSigner(name, home)
        assert caught.value.message == text


def test_a_subkey_may_be_named(maker: KeyMaker, verifier: GpgVerifier) -> None:
    subkey = maker.fingerprints("Sub <sub@example.org>")[1]

    signature = GpgSigner(subkey[-16:], str(maker.home)).sign(DATA)

    assert verifier.verify(DATA, [signature]).signatures[0].fingerprint == subkey


def test_a_key_that_may_not_sign_any_more(tmp_path: Path) -> None:
    with KeyMaker(tmp_path / "home") as maker:
        key = maker.make("Revoked <revoked@example.org>")
        maker.revoke(key)
        signer = GpgSigner(key, str(maker.home))

        with pytest.raises(SignatureError) as caught:
            signer.sign(DATA)

    assert caught.value.message == "Failure signing commit file: GPGME: Unusable secret key"


# keyrings -------------------------------------------------------------------------------------


def test_import_adds_what_is_new(maker: KeyMaker) -> None:
    """Armoured or not; into a flat keyring, which is what upstream reads."""
    one = maker.export("good@example.org", armor=True)

    first, imported = import_keys(b"", [one])
    second, added = import_keys(first, [maker.export()])
    again, nothing = import_keys(second, [maker.export()])

    assert (imported, added, nothing) == (1, 2, 0)
    assert [len(list_keys(ring)) for ring in (first, second, again)] == [1, 3, 3]
    assert first[0] & 0x80


def test_import_of_chosen_keys(maker: KeyMaker) -> None:
    ring, imported = import_keys(b"", [maker.export()], ["sub@example.org", "ends@example.org"])

    assert imported == 2
    assert sorted(key.user_ids[0].name for key in list_keys(ring)) == ["Ends", "Sub"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nobody@example.org", "End of file"),
        ("example.org", "Ambiguous name"),
        ("Good", "Invalid value"),
    ],
)
def test_import_of_keys_that_are_not_there(maker: KeyMaker, name: str, reason: str) -> None:
    with pytest.raises(SignatureError) as caught:
        import_keys(b"", [maker.export()], [name])

    assert caught.value.message == f'GPG: Unable to find key "{name}": GPGME: {reason}'


@pytest.mark.parametrize("sources", [[], [b""], [b"garbage"]])
def test_import_of_nothing(sources: list[bytes]) -> None:
    with pytest.raises(SignatureError) as caught:
        import_keys(b"", sources)

    assert caught.value.message == "GPG: Unable to export keys: GPGME: No data"


def test_a_key_that_is_in_two_keyrings_is_one_key(maker: KeyMaker) -> None:
    ring = maker.export()

    found = find_key(ring + maker.export("good@example.org"), "good@example.org")

    assert found is not None
    assert found.user_ids[0].name == "Good"
    assert find_key(ring, "example.org") is None
    assert find_key(ring, "nobody@example.org") is None
    assert find_key(ring, "Good") is None


def test_a_secret_key_is_imported_as_its_public_one(maker: KeyMaker) -> None:
    secret = maker.run("--export-secret-keys")

    ring, imported = import_keys(b"", [secret])

    assert imported == 3
    assert SIGNATURE in {tag for tag, _, _ in packets(ring)}
    assert not {5, 7} & {tag for tag, _, _ in packets(ring)}


def test_revocations_reach_keys_that_are_there(tmp_path: Path) -> None:
    """A newer version of a key in a file replaces the one in the keyring."""
    path = tmp_path / "revoked.asc"
    with KeyMaker(tmp_path / "home") as maker:
        key = maker.make("Somebody <somebody@example.org>")
        ring = maker.export()
        maker.revoke(key)
        path.write_bytes(maker.export(armor=True))

    merged = with_key_files(ring, [str(path)])

    assert [key.primary.revoked for key in list_keys(merged)] == [True]
    assert with_key_files(ring, []) == ring
