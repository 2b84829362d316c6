"""ed25519, spki and dummy: vectors, words of errors, files of keys (signatures §3)."""

from __future__ import annotations

import sys
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SignatureError
from ostree.sign.dummy import DummyEngine
from ostree.sign.ed25519 import Ed25519Engine
from ostree.sign.engine import PublicKeys
from ostree.sign.engines import NAMES, find_engine, load_public_keys, search_public_keys
from ostree.sign.settings import SignSettings
from ostree.sign.spki import SpkiEngine
from support.openpgp import VECTOR_COMMIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ostree.sign.engine import SignEngine

#: RFC 8032, test 1.
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
PUBLIC_HEX = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
SECRET = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="
#: The same keys as X.509 and PKCS #8 have them.
PUBLIC_SPKI = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SECRET_PKCS8 = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
SIGNATURE = bytes.fromhex(
    "0a791aecfafb83935d5371401e5c50f02433bee55c8952243139c61d3d074403"
    "090b14b3b0e24ee13988e26bb57af452c6b462697b6be5cf7eedff693d8a880a"
)
#: Other public keys: any 32 bytes will do that are a point of the curve.
OTHERS = [
    "45yzbkuEok0lLabxzdAHWUDSMZgYfxU40sN+LMfYHVA=",
    "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
    "/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
    "JYGXGWkqZZ0wGdy4K8rRHB5QxVHTcw9K/6pnuxE9dCU=",
]

ED25519 = Ed25519Engine()
SPKI = SpkiEngine()


def refusal(function: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(SignatureError) as caught:
        function(*arguments)
    return caught.value.message


def keys(engine: SignEngine, *texts: str, revoked: tuple[str, ...] = ()) -> PublicKeys:
    return PublicKeys(
        [engine.public_key(text) for text in texts], [engine.public_key(text) for text in revoked]
    )


# vectors --------------------------------------------------------------------------------------


def test_ed25519_vector() -> None:
    """The document's signature of its commit, made and found good."""
    made = ED25519.sign(ED25519.secret_key(SECRET), VECTOR_COMMIT)

    text = ED25519.verify(VECTOR_COMMIT, [SIGNATURE], keys(ED25519, PUBLIC))

    assert made == SIGNATURE
    assert text == f"ed25519: Signature verified successfully with key '{PUBLIC_HEX}'"


def test_spki_vector() -> None:
    """With the same key the signature is the same; the key is told in DER."""
    made = SPKI.sign(SPKI.secret_key(SECRET_PKCS8), VECTOR_COMMIT)

    text = SPKI.verify(VECTOR_COMMIT, [SIGNATURE], keys(SPKI, PUBLIC_SPKI))

    assert made == SIGNATURE
    der = f"302a300506032b6570032100{PUBLIC_HEX}"
    assert text == f"spki: Signature verified successfully with key '{der}'"


def test_dummy_vector() -> None:
    engine = DummyEngine(enabled=True)
    assert engine.sign(engine.secret_key("MYKEY"), VECTOR_COMMIT) == b"MYKEY"

    text = engine.verify(b"anything", [b"OTHER", b"MYKEY"], keys(engine, "MYKEY"))

    assert text == "dummy: Signature verified"


def test_only_the_seed_of_a_secret_counts() -> None:
    wrong_half = SECRET[:43] + "A" * 43 + "=="

    assert ED25519.sign(ED25519.secret_key(wrong_half), VECTOR_COMMIT) == SIGNATURE


# words ----------------------------------------------------------------------------------------


def test_failures_up_to_three_are_listed_and_the_newest_key_comes_first() -> None:
    trusted = keys(ED25519, *OTHERS[:2])
    first, second = (key.hex() for key in trusted.trusted)

    text = refusal(ED25519.verify, b"", [SIGNATURE], trusted)

    assert text == (f"ed25519: Signature couldn't be verified with: key '{second}'; key '{first}'")


def test_more_failures_are_counted() -> None:
    """Attempts are signatures times keys."""
    two = keys(ED25519, *OTHERS[:2])

    four = refusal(ED25519.verify, b"", [SIGNATURE] * 2, two)
    many = refusal(ED25519.verify, b"", [SIGNATURE], keys(ED25519, *OTHERS))

    assert four == "ed25519: Signature couldn't be verified; tried 4 keys"
    assert many == "ed25519: Signature couldn't be verified; tried 4 keys"


@pytest.mark.parametrize("engine", [ED25519, SPKI], ids=["ed25519", "spki"])
def test_nothing_to_check(engine: SignEngine) -> None:
    text = PUBLIC if engine is ED25519 else PUBLIC_SPKI

    absent = refusal(engine.verify, b"", None, keys(engine, text))
    empty = refusal(engine.verify, b"", [], keys(engine, text))
    revoked = refusal(
        lambda: engine.verify(VECTOR_COMMIT, [SIGNATURE], keys(engine, text, revoked=(text,)))
    )

    assert absent == f"{engine.name}: commit have no signatures of my type"
    assert empty == revoked == f"{engine.name}: no signatures found"


def test_a_revoked_key_hides_no_other() -> None:
    trusted = keys(ED25519, PUBLIC, OTHERS[0], revoked=(OTHERS[0],))

    assert ED25519.verify(VECTOR_COMMIT, [SIGNATURE], trusted)


def test_a_signature_of_the_wrong_length_spoils_the_good_one_behind_it() -> None:
    text = refusal(
        lambda: ED25519.verify(VECTOR_COMMIT, [b"short", SIGNATURE], keys(ED25519, PUBLIC))
    )

    assert text == "Invalid signature: Ill-formed input: expected 64 bytes, got 5 bytes"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: ED25519.secret_key(PUBLIC),
            "Invalid ed25519 secret key: Ill-formed input: expected 64 bytes, got 32 bytes",
        ),
        (
            lambda: ED25519.public_key(SECRET),
            "Invalid ed25519 public key: Ill-formed input: expected 32 bytes, got 64 bytes",
        ),
        (
            lambda: ED25519.public_key("not a key"),
            "Invalid ed25519 public key: Ill-formed input: expected 32 bytes, got 3 bytes",
        ),
        (lambda: SPKI.public_key(PUBLIC), "openssl: Failed to initialize spki key"),
        (lambda: SPKI.secret_key(PUBLIC_SPKI), "openssl: Failed to initialize spki key"),
        (lambda: SPKI.public_key(""), "openssl: Failed to initialize spki key"),
        (
            lambda: find_engine("nosuch", SignSettings()),
            "Requested signature type is not implemented",
        ),
    ],
)
def test_bad_keys(call: Callable[[], object], text: str) -> None:
    assert refusal(call) == text


def test_a_key_that_only_encrypts_is_none() -> None:
    """X25519 in a SubjectPublicKeyInfo."""
    x25519 = "MCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    assert refusal(SPKI.public_key, x25519) == "openssl: Failed to initialize spki key"


@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18])
@pytest.mark.parametrize("sign", [0, 1])
def test_points_of_small_order_are_no_keys(y: int, sign: int) -> None:
    """A signature of zeros would be good for some of them; all zeros is a place to fill in."""
    raw = (y | sign << 255).to_bytes(32, "little")
    text = b64encode(raw).decode()
    spki = b64encode(bytes.fromhex("302a300506032b6570032100") + raw).decode()

    assert refusal(ED25519.public_key, text) == ("Invalid ed25519 public key: point of small order")
    assert ED25519.public_keys(f"{text}\n{PUBLIC}\n".encode()) == [ED25519.public_key(PUBLIC)]
    assert refusal(SPKI.public_key, spki) == "openssl: Failed to initialize spki key"


def test_dummy_needs_permission() -> None:
    """It may be asked for everywhere, and does nothing without the environment's consent."""
    engine = find_engine("dummy", SignSettings())
    trusted = keys(engine, "key")

    for call in (
        lambda: engine.secret_key("key"),
        lambda: engine.secret_keys(b"key\n"),
        lambda: engine.sign(b"key", b""),
        lambda: engine.verify(b"", [b"key"], trusted),
    ):
        assert refusal(call) == "dummy signature type is only for ostree testing"


def test_dummy_words() -> None:
    engine = DummyEngine(enabled=True)
    trusted = keys(engine, "forgotten", "key")

    assert (
        refusal(engine.verify, b"", None, trusted)
        == "signature: dummy: commit have no signatures of my type"
    )
    assert refusal(engine.verify, b"", [], trusted) == "signature: dummy: no signatures"
    assert (
        refusal(engine.verify, b"", [b"a", b"forgotten"], trusted)
        == "signature: dummy: incorrect signatures found: 2"
    )


@pytest.mark.parametrize("engine", [ED25519, SPKI], ids=["ed25519", "spki"])
def test_without_its_library_an_engine_says_so(
    engine: SignEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PUBLIC if engine is ED25519 else PUBLIC_SPKI
    trusted = keys(engine, text)
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(SignatureError) as caught:
        engine.verify(VECTOR_COMMIT, [SIGNATURE], trusted)

    assert caught.value.message.startswith(f"{engine.name}: engine is not supported")
    assert "python3-cryptography" in (caught.value.hint or "")


# files of keys --------------------------------------------------------------------------------


def pem(label: str, body: str) -> str:
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def test_files_of_ed25519_keys() -> None:
    """One in a line; one good line among bad ones is enough, an empty one is too much."""
    good = ED25519.public_keys(f"{OTHERS[0]}\nshort\n{PUBLIC}\n".encode())
    unended = ED25519.public_keys(PUBLIC.encode())
    secrets = ED25519.secret_keys(f"{SECRET}\n{SECRET}\n".encode())

    assert [key.hex() for key in good][1:] == [PUBLIC_HEX]
    assert [key.hex() for key in unended] == [PUBLIC_HEX]
    assert len(secrets) == 2
    assert ED25519.public_keys(b"") == []
    for wrong in (f"{PUBLIC}\n\n", f"\n{PUBLIC}\n", f"{PUBLIC}\n!!\n"):
        assert refusal(ED25519.public_keys, wrong.encode()) == "Invalid base64 blob format"


def test_files_of_spki_keys() -> None:
    """Several blocks, with anything around them."""
    text = f"a comment\n\n{pem('PUBLIC KEY', PUBLIC_SPKI)} \n  {pem('PUBLIC KEY', PUBLIC)}"

    found = SPKI.public_keys(text.encode())
    secrets = SPKI.secret_keys(pem("PRIVATE KEY", SECRET_PKCS8).encode())

    assert found == [SPKI.public_key(PUBLIC_SPKI)]
    assert SPKI.sign(secrets[0], VECTOR_COMMIT) == SIGNATURE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (pem("PRIVATE KEY", SECRET_PKCS8), 'Unexpected label "PRIVATE KEY"'),
        (pem("RSA PUBLIC KEY", PUBLIC_SPKI), 'Unexpected label "RSA PUBLIC KEY"'),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END KEY-----\n", "Unmatched PEM header"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n", "PEM trailer not found"),
    ],
)
def test_files_that_spki_refuses(text: str, message: str) -> None:
    assert refusal(SPKI.public_keys, text.encode()) == message


def test_a_file_named_by_the_user(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("nonsense\n")
    missing = str(tmp_path / "missing")

    assert (
        refusal(load_public_keys, ED25519, str(path))
        == f"signature: ed25519: no valid keys in file '{path}'"
    )
    for other in (str(tmp_path), missing):
        assert (
            refusal(load_public_keys, ED25519, other)
            == f"File object '{other}' is not a regular file"
        )
    assert refusal(load_public_keys, DummyEngine(enabled=True), missing) == ("not implemented")


def test_the_systems_keys(tmp_path: Path) -> None:
    """From files and directories of both places; revoked ones from either; bad files ignored."""
    etc, usr = tmp_path / "etc", tmp_path / "usr"
    (etc / "trusted.ed25519.d").mkdir(parents=True)
    (usr / "revoked.ed25519.d").mkdir(parents=True)
    (etc / "trusted.ed25519").write_text(f"{OTHERS[0]}\n")
    (etc / "trusted.ed25519.d" / "any name").write_text(f"{OTHERS[1]}\n")
    (etc / "trusted.ed25519.d" / "bad").write_text("\n\n")
    (usr / "trusted.ed25519").write_text(f"{PUBLIC}\n")
    (usr / "revoked.ed25519.d" / "x").write_text(f"{OTHERS[0]}\n")

    found = search_public_keys(ED25519, [str(etc), str(usr)])

    assert found.latest_first() == [ED25519.public_key(text) for text in (PUBLIC, OTHERS[1])]
    assert ED25519.verify(VECTOR_COMMIT, [SIGNATURE], found)


def test_a_machine_without_keys(tmp_path: Path) -> None:
    assert refusal(search_public_keys, SPKI, [str(tmp_path)]) == "signature: spki: no keys loaded"


def test_every_engine_has_its_own_place() -> None:
    engines = [find_engine(name, SignSettings()) for name in NAMES]

    assert [engine.metadata_key for engine in engines] == [f"ostree.sign.{n}" for n in NAMES]
