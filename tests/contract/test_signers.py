"""What every engine has to do behind the interface of signatures, whatever its keys are.

``dummy`` is the exception that upstream made for tests: its signatures say nothing about the data.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ostree.errors import SignatureError
from ostree.formats import signature_dict
from ostree.sign.engine import EngineSigner, EngineVerifier, PublicKeys
from ostree.sign.engines import find_engine
from ostree.sign.gpg.signing import GpgSigner
from ostree.sign.gpg.verifying import GpgVerifier
from ostree.sign.settings import SignSettings
from support.openpgp import KeyMaker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from ostree.sign.interface import Signer, Verifier

REAL = ["ed25519", "ed448", "rsa", "p256", "p521", "dsa", "spki-ed25519", "gpg"]
DATA = b"a commit, byte for byte\n\0\xff"


class Scheme(NamedTuple):
    """Signers with two keys, and verifiers that trust the first, the second, or both."""

    first: Signer
    second: Signer
    trusts_first: Verifier
    trusts_second: Verifier
    trusts_both: Verifier


def of_engine(name: str, secrets: tuple[str, str], publics: tuple[str, str]) -> Scheme:
    engine = find_engine(name, SignSettings(dummy=True))
    one, two = (engine.public_key(text) for text in publics)
    first, second = (EngineSigner(engine, engine.secret_key(text)) for text in secrets)
    verifiers = (EngineVerifier(engine, PublicKeys(keys)) for keys in ([one], [two], [one, two]))
    return Scheme(first, second, *verifiers)


def make_spki(kind: str) -> Scheme:
    secrets, publics = zip(*(_texts(_private_key(kind)) for _ in range(2)), strict=True)
    return of_engine("spki", secrets, publics)


def _private_key(kind: str) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "p521":
        return ec.generate_private_key(ec.SECP521R1())
    if kind == "dsa":
        return dsa.generate_private_key(1024)
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ed25519.Ed25519PrivateKey.generate()


def _texts(key: PrivateKeyTypes) -> tuple[str, str]:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(secret).decode(), b64encode(public).decode()


def make_ed25519() -> Scheme:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pairs = []
    for _ in range(2):
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        pairs.append(
            (b64encode(key.private_bytes_raw() + public).decode(), b64encode(public).decode())
        )
    secrets, publics = zip(*pairs, strict=True)
    return of_engine("ed25519", secrets, publics)


@pytest.fixture(scope="module")
def gpg_scheme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheme]:
    with KeyMaker(tmp_path_factory.mktemp("gpg") / "home") as maker:
        one, two = maker.make("One <one@example.org>"), maker.make("Two <two@example.org>")
        home = str(maker.home)
        yield Scheme(
            GpgSigner(one, home),
            GpgSigner(two, home),
            GpgVerifier(maker.export(one)),
            GpgVerifier(maker.export(two)),
            GpgVerifier(maker.export()),
        )


def _scheme(request: pytest.FixtureRequest) -> Scheme:
    if request.param == "gpg":
        scheme: Scheme = request.getfixturevalue("gpg_scheme")
        return scheme
    if request.param == "dummy":
        return of_engine("dummy", ("one", "two"), ("one", "two"))
    if request.param == "ed25519":
        return make_ed25519()
    return make_spki(request.param)


@pytest.fixture(params=["dummy", *REAL], scope="module")
def scheme(request: pytest.FixtureRequest) -> Scheme:
    """One of each."""
    return _scheme(request)


@pytest.fixture(params=REAL, scope="module")
def real_scheme(request: pytest.FixtureRequest) -> Scheme:
    """One of each that proves something."""
    return _scheme(request)


def test_signer_and_verifier_agree_on_the_key(scheme: Scheme) -> None:
    assert scheme.first.metadata_key == scheme.trusts_first.metadata_key
    assert scheme.first.metadata_key.startswith("ostree.")


@pytest.mark.parametrize("data", [b"", DATA, bytes(1 << 20)], ids=["empty", "short", "long"])
def test_a_signature_is_good(scheme: Scheme, data: bytes) -> None:
    signature = scheme.first.sign(data)

    verdict = scheme.trusts_first.verify(data, [signature])

    assert verdict.describe().endswith("\n")


@pytest.mark.parametrize("changed", [DATA + b"\0", DATA[:-1], DATA.replace(b"a", b"b", 1), b""])
def test_other_data_is_not_covered(real_scheme: Scheme, changed: bytes) -> None:
    signature = real_scheme.first.sign(DATA)

    with pytest.raises(SignatureError):
        real_scheme.trusts_both.verify(changed, [signature])


def test_another_key_is_not_trusted(scheme: Scheme) -> None:
    signature = scheme.first.sign(DATA)

    with pytest.raises(SignatureError):
        scheme.trusts_second.verify(DATA, [signature])


def test_one_good_signature_is_enough(scheme: Scheme) -> None:
    signatures = [scheme.first.sign(DATA), scheme.second.sign(DATA)]

    scheme.trusts_first.verify(DATA, signatures)
    scheme.trusts_second.verify(DATA, signatures)


def test_any_trusted_key_will_do(real_scheme: Scheme) -> None:
    real_scheme.trusts_both.verify(DATA, [real_scheme.first.sign(DATA)])
    real_scheme.trusts_both.verify(DATA, [real_scheme.second.sign(DATA)])


@pytest.mark.parametrize("signatures", [None, []])
def test_no_signature_is_not_good(scheme: Scheme, signatures: list[bytes] | None) -> None:
    with pytest.raises(SignatureError) as caught:
        scheme.trusts_first.verify(DATA, signatures)

    assert caught.value.message


def test_no_mutilated_signature_is_good(scheme: Scheme) -> None:
    """Cut, extended or with a bit turned over: refused in words, whatever is inside."""
    good = scheme.first.sign(DATA)
    mutilated = [good[:cut] for cut in range(0, len(good), 1 + len(good) // 12)]
    mutilated += [good + b"\0", b"\0" + good, bytes(len(good)), bytes(64), b"\xff" * 64]
    for at in range(0, len(good), 1 + len(good) // 24):
        mutilated.append(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])

    accepted = 0
    for signature in mutilated:
        with suppress(SignatureError):
            scheme.trusts_first.verify(DATA, [signature])
            accepted += 1

    # An OpenPGP packet has fields that are not covered: hints, which prove nothing.
    assert accepted < 8 if scheme.first.metadata_key == "ostree.gpgsigs" else accepted == 0


def test_a_million_signatures_are_refused_at_once(scheme: Scheme) -> None:
    """Whoever sends them wants time to be spent."""
    signature = scheme.second.sign(DATA)

    with pytest.raises(SignatureError, match="1000000 signatures are more than 1024"):
        scheme.trusts_first.verify(DATA, [signature] * 1_000_000)


def test_signatures_are_found_where_they_are_kept(scheme: Scheme) -> None:
    dictionary = signature_dict.with_signature([], scheme.first.metadata_key, b"one")
    dictionary = signature_dict.with_signature(dictionary, scheme.first.metadata_key, b"two")

    assert scheme.trusts_first.signatures(dictionary) == [b"one", b"two"]
    assert scheme.trusts_first.signatures([]) is None
