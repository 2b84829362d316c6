"""Signatures in dictionaries: found, added in upstream's order, removed."""

from __future__ import annotations

from ostree.formats import signature_dict
from ostree.formats.gvariant import Variant

GPG = "ostree.gpgsigs"
DUMMY = "ostree.sign.dummy"


def test_one_signature() -> None:
    """The 33 bytes of the format document."""
    dictionary = signature_dict.with_signature([], DUMMY, b"k1")

    assert signature_dict.encode(dictionary).hex() == (
        "6f73747265652e7369676e2e64756d6d7900000000000000" + "6b31" + "02" + "00616179" + "1220"
    )


def test_signatures_are_in_the_order_of_signing() -> None:
    """The 42 bytes that the reference makes with two keys."""
    dictionary = signature_dict.with_signature([], DUMMY, b"MYKEY")
    dictionary = signature_dict.with_signature(dictionary, DUMMY, b"OTHER")

    assert signature_dict.encode(dictionary).hex() == (
        "6f73747265652e7369676e2e64756d6d79000000000000004d594b45594f54484552050a006161791229"
    )


def test_keys_are_in_the_order_of_the_hash_table() -> None:
    """Whatever the order of signing, and what else is there stays."""
    dictionary = [("other", Variant("s", "x"))]
    one = signature_dict.with_signature(dictionary, GPG, b"g")
    one = signature_dict.with_signature(one, DUMMY, b"d")
    two = signature_dict.with_signature(dictionary, DUMMY, b"d")
    two = signature_dict.with_signature(two, GPG, b"g")

    assert one == two
    assert dict(one) == {
        "other": Variant("s", "x"),
        GPG: Variant("aay", [b"g"]),
        DUMMY: Variant("aay", [b"d"]),
    }


def test_the_last_signature_takes_its_key_along() -> None:
    dictionary = signature_dict.with_signature([("a", Variant("u", 1))], GPG, b"g")

    assert signature_dict.with_signatures(dictionary, GPG, []) == [("a", Variant("u", 1))]
    assert signature_dict.encode(signature_dict.with_signatures([], GPG, [])) == b""


def test_a_value_of_another_type_is_none() -> None:
    """And the first of two with the same key is the one that counts."""
    wrong = [(GPG, Variant("ay", b"x"))]
    twice = [(GPG, Variant("aay", [])), (GPG, Variant("aay", [b"g"]))]

    assert signature_dict.signatures(wrong, GPG) is None
    assert signature_dict.signatures(twice, GPG) == []
    assert signature_dict.with_signature(wrong, GPG, b"g") == [(GPG, Variant("aay", [b"g"]))]
    assert signature_dict.with_signature(twice, GPG, b"h") == [(GPG, Variant("aay", [b"h"]))]


def test_damaged_bytes_hold_no_signatures() -> None:
    good = signature_dict.encode(signature_dict.with_signature([], DUMMY, b"k1"))

    for data in (b"", b"borkborkbork\n", b"x" + good, good + b"\0", good[:-1]):
        assert signature_dict.signatures(signature_dict.decode(data), DUMMY) is None
    assert signature_dict.signatures(signature_dict.decode(good), DUMMY) == [b"k1"]
