"""Readers of signatures never crash, whatever they are given."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError, SignatureError
from ostree.formats import base64_text, pem, signature_dict
from ostree.formats.openpgp import packets, signature_packets
from ostree.sign.ed25519 import Ed25519Engine
from ostree.sign.engine import PublicKeys
from ostree.sign.gpg.listing import GpgUserId, parse_keys
from ostree.sign.gpg.process import GpgOutput
from ostree.sign.gpg.signature import parse_statuses
from ostree.sign.spki import SpkiEngine

BLOBS = st.binary(max_size=200)


@given(BLOBS)
def test_packets_cover_their_data(data: bytes) -> None:
    """What is accepted is accepted as a whole, and in order."""
    with suppress(FormatError):
        found = list(packets(data))
        edges = [0, *(end for _, _, end in found)]
        assert [start for _, start, _ in found] == edges[:-1]
        assert edges[-1] == len(data)
    with suppress(FormatError):
        assert b"".join(signature_packets(data)) == data


@given(BLOBS, st.sampled_from(["ostree.gpgsigs", "ostree.sign.dummy"]), BLOBS)
def test_dictionaries_take_signatures(data: bytes, key: str, signature: bytes) -> None:
    """Damaged or not, a dictionary can be signed, and what is added is found again."""
    dictionary = signature_dict.decode(data)

    signed = signature_dict.with_signature(dictionary, key, signature)

    again = signature_dict.decode(signature_dict.encode(signed))
    found = signature_dict.signatures(again, key)
    assert found is not None
    assert found[-1] == signature


@given(st.text(max_size=80))
def test_texts(text: str) -> None:
    base64_text.decode(text)
    GpgUserId(text)
    with suppress(FormatError):
        list(pem.blocks(f"-----BEGIN {text}-----\n{text}\n-----END {text}-----"))


@given(BLOBS)
def test_output_of_gpg(data: bytes) -> None:
    lines = b"".join(
        b"[GNUPG:] %s %s\n" % (word, data)
        for word in (b"VALIDSIG", b"GOODSIG", b"ERRSIG", b"BADSIG")
    )

    parse_statuses(GpgOutput(0, lines, data).statuses)
    parse_keys(b"pub:" + data + b"\nfpr:::::::::x:\nuid:::::::::" + data + b":")


@given(BLOBS)
def test_key_files(data: bytes) -> None:
    for engine in (Ed25519Engine(), SpkiEngine()):
        for read in (engine.public_keys, engine.secret_keys):
            with suppress(SignatureError):
                read(data)


@given(BLOBS, BLOBS, st.lists(st.binary(min_size=64, max_size=64), max_size=3))
def test_random_signatures_are_never_good(data: bytes, key: bytes, signatures: list[bytes]) -> None:
    engine = Ed25519Engine()
    keys = PublicKeys(engine.public_keys(b64encode(key[:32].ljust(32, b"k"))))
    accepted = False

    with suppress(SignatureError):
        engine.verify(data, signatures, keys)
        accepted = True

    assert not accepted
