"""GVariant values as text; every line was printed by GLib 2.74 for the same value."""

from __future__ import annotations

import math

import pytest

from ostree.errors import FormatError
from ostree.formats.gvariant import Just, Variant
from ostree.formats.gvariant.text import print_text


@pytest.mark.parametrize(
    ("type", "value", "annotated", "bare"),
    [
        ("b", True, "true", "true"),
        ("y", 1, "byte 0x01", "0x01"),
        ("n", -1, "int16 -1", "-1"),
        ("q", 1, "uint16 1", "1"),
        ("i", -1, "-1", "-1"),
        ("u", 1, "uint32 1", "1"),
        ("h", 1, "handle 1", "1"),
        ("x", 1, "int64 1", "1"),
        ("t", 1, "uint64 1", "1"),
        ("d", 1.5, "1.5", "1.5"),
        ("d", 2, "2.0", "2.0"),
        ("d", -0.0, "-0.0", "-0.0"),
        ("d", 0.1, "0.10000000000000001", "0.10000000000000001"),
        ("d", 1e16, "10000000000000000.0", "10000000000000000.0"),
        ("d", 1e100, "1e+100", "1e+100"),
        ("d", -math.inf, "-inf", "-inf"),
        ("d", math.nan, "nan", "nan"),
        ("d", math.copysign(math.nan, -1), "-nan", "-nan"),
        ("s", "a", "'a'", "'a'"),
        ("s", "it's", '"it\'s"', '"it\'s"'),
        ("s", "'\"", '"\'\\""', '"\'\\""'),
        ("s", '"', "'\"'", "'\"'"),
        ("s", "a\\\n\t\a\b\f\r\v", r"'a\\\n\t\a\b\f\r\v'", r"'a\\\n\t\a\b\f\r\v'"),
        ("s", "\x01\x7f\xad\u200b", r"'\u0001\u007f\u00ad\u200b'", r"'\u0001\u007f\u00ad\u200b'"),
        ("s", "\U000e0001", r"'\U000e0001'", r"'\U000e0001'"),
        ("s", "é€\U0001f600\u3000\ue000", "'é€\U0001f600\u3000\ue000'", "'é€\U0001f600\u3000\ue000'"),
        ("o", "/a", "objectpath '/a'", "'/a'"),
        ("g", "ai", "signature 'ai'", "'ai'"),
        ("ay", b"", "@ay []", "[]"),
        ("ay", b"\0", "b''", "b''"),
        ("ay", b"hi\0", "b'hi'", "b'hi'"),
        ("ay", b"hi", "[byte 0x68, 0x69]", "[0x68, 0x69]"),
        ("ay", b"a\0b\0", "[byte 0x61, 0x00, 0x62, 0x00]", "[0x61, 0x00, 0x62, 0x00]"),
        ("ay", b"a'b\0", 'b"a\'b"', 'b"a\'b"'),
        ("ay", b'"\0', "b'\\\"'", "b'\\\"'"),
        ("ay", b"\n\t\a\b\f\r\v\\\x1b\x80\0", r"b'\n\t\007\b\f\r\v\\\033\200'", r"b'\n\t\007\b\f\r\v\\\033\200'"),
        ("as", [], "@as []", "[]"),
        ("au", [1, 2], "[uint32 1, 2]", "[1, 2]"),
        ("aay", [b"", b"a\0"], "[@ay [], b'a']", "[[], b'a']"),
        ("a{sv}", [], "@a{sv} {}", "{}"),
        ("a{sy}", [("a", 1), ("b", 2)], "{'a': byte 0x01, 'b': 0x02}", "{'a': 0x01, 'b': 0x02}"),
        ("{sv}", ("a", Variant("u", 1)), "{'a', <uint32 1>}", "{'a', <uint32 1>}"),
        ("()", (), "()", "()"),
        ("(u)", (1,), "(uint32 1,)", "(1,)"),
        ("(us)", (1, "a"), "(uint32 1, 'a')", "(1, 'a')"),
        ("v", Variant("u", 1), "<uint32 1>", "<uint32 1>"),
        ("v", Variant("v", Variant("i", 1)), "<<1>>", "<<1>>"),
        ("av", [Variant("as", []), Variant("y", 1)], "[<@as []>, <byte 0x01>]", "[<@as []>, <byte 0x01>]"),
        ("ms", None, "@ms nothing", "nothing"),
        ("ms", Just("x"), "@ms 'x'", "'x'"),
        ("may", Just(b"\1\2"), "@may [0x01, 0x02]", "[0x01, 0x02]"),
        ("mmi", Just(None), "@mmi just nothing", "just nothing"),
        ("mmy", Just(Just(3)), "@mmy 0x03", "0x03"),
        ("m(my)", Just((None,)), "@m(my) (nothing,)", "(nothing,)"),
        ("amy", [Just(1), None], "[@my 0x01, nothing]", "[0x01, nothing]"),
    ],
)  # fmt: skip
def test_print(type: str, value: object, annotated: str, bare: str) -> None:
    """With annotations the text tells the type, without it is as short as it can be."""
    assert print_text(type, value) == annotated
    assert print_text(type, value, annotate=False) == bare


def test_values_are_checked() -> None:
    """A value that is not of the type is refused."""
    with pytest.raises(FormatError, match="Not a value of GVariant type 's': 1"):
        print_text("as", [1])
