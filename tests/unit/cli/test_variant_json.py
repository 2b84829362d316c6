"""GVariant values in JSON: plain where JSON can say it, and always as text."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from ostree.cli.variant_json import variant_json, variants_json
from ostree.formats.gvariant import Just, Variant
from ostree.formats.gvariant.parse import parse_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("byte 0xff", 255),
        ("int16 -5", -5),
        ("uint64 18446744073709551615", 18446744073709551615),
        ("1.5", 1.5),
        ("'a\"b'", 'a"b'),
        ("objectpath '/a'", "/a"),
        ("@ay []", ""),
        ("[byte 0x01, 0xff]", "Af8="),
        ("@as []", []),
        ("['b', 'a']", ["b", "a"]),
        ("[[byte 0x00], [0x01]]", ["AA==", "AQ=="]),
        ("(1, 'x', ())", [1, "x", []]),
        ("{'a': 1, 'b': 2}", {"a": 1, "b": 2}),
        ("@a{sv} {}", {}),
        ("{'a': <'x'>}", {"a": {"type": "s", "value": "x"}}),
        ("{1: 'a'}", [[1, "a"]]),
        ("{'k', 1}", ["k", 1]),
        ("<<uint32 1>>", {"type": "v", "value": {"type": "u", "value": 1}}),
        ("@ms nothing", None),
        ("@ms 'x'", "x"),
    ],
)
def test_values(text: str, expected: object) -> None:
    variant = parse_text(text)

    document = variant_json(variant)

    assert document["value"] == expected
    assert document["type"] == variant.type
    assert parse_text(str(document["text"])) == variant


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_json_has_only_finite_numbers(value: float) -> None:
    document = variant_json(Variant("d", value))

    assert document["value"] is None
    assert document["text"] in {"inf", "-inf", "nan"}


def test_a_present_nothing_is_null_as_well() -> None:
    """JSON cannot tell; the text can."""
    document = variant_json(Variant("mms", Just(None)))

    assert document == {"type": "mms", "value": None, "text": "@mms just nothing"}


def test_of_keys_that_repeat_the_first_counts() -> None:
    """As for every reader of the format."""
    pairs = [("k", Variant("s", "first")), ("k", Variant("s", "second"))]
    dictionary = Variant("a{ss}", [("k", "first"), ("k", "second")])

    assert variants_json(pairs) == {"k": {"type": "s", "value": "first", "text": "'first'"}}
    assert variant_json(dictionary)["value"] == {"k": "first"}


def test_every_value_can_be_written() -> None:
    variant = parse_text("{'a': <[byte 0x00]>, 'b': <(@mi nothing, 1e300)>}")

    value = json.loads(json.dumps(variant_json(variant)))["value"]

    assert b64decode(value["a"]["value"]) == b"\0"
