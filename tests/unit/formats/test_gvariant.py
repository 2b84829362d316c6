"""The GVariant codec: vectors of the format, boundaries, and what is refused."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.gvariant import Just, Variant, byteswap, decode, encode, is_normal, lookup

COMMIT = "(a{sv}aya(say)sstayay)"

# Format §1.5, and some that show alignment of empty members.
VECTORS: list[tuple[str, object, str]] = [
    ("u", 1, "01 00 00 00"),
    ("t", 0x0102030405060708, "08 07 06 05 04 03 02 01"),
    ("n", -2, "fe ff"),
    ("q", 65535, "ff ff"),
    ("x", -1, "ff ff ff ff ff ff ff ff"),
    ("h", -1, "ff ff ff ff"),
    ("d", 1.5, "00 00 00 00 00 00 f8 3f"),
    ("b", True, "01"),
    ("s", "", "00"),
    ("s", "ü", "c3 bc 00"),
    ("o", "/a/b", "2f 61 2f 62 00"),
    ("g", "a{sv}", "61 7b 73 76 7d 00"),
    ("ay", b"", ""),
    ("ay", b"hi\0", "68 69 00"),
    ("ab", [True, False], "01 00"),
    ("au", [1, 2], "01 00 00 00 02 00 00 00"),
    ("as", ["a", "bc"], "61 00 62 63 00 02 05"),
    ("mi", None, ""),
    ("mi", Just(5), "05 00 00 00"),
    ("ms", Just("x"), "78 00 00"),
    ("mmi", Just(None), "00"),
    ("may", Just(b"\1\2"), "01 02 00"),
    ("()", (), "00"),
    ("(yu)", (1, 2), "01 00 00 00 02 00 00 00"),
    ("(uy)", (1, 2), "01 00 00 00 02 00 00 00"),
    ("((yu)y)", ((1, 2), 3), "01 00 00 00 02 00 00 00 03 00 00 00"),
    ("(sy)", ("a", 1), "61 00 01 02"),
    ("(ys)", (1, "a"), "01 61 00"),
    ("(ss)", ("a", "b"), "61 00 62 00 02"),
    ("(sss)", ("a", "b", "c"), "61 00 62 00 63 00 04 02"),
    ("(say)", ("a", b"\1"), "61 00 01 02"),
    ("(ays)", (b"\1\2", "z"), "01 02 7a 00 02"),
    ("(tay)", (1, b"\x09"), "01 00 00 00 00 00 00 00 09"),
    ("(sat)", ("a", []), "61 00 00 00 00 00 00 00 02"),
    ("aat", [[], []], "00 00"),
    ("a(sy)", [("a", 1), ("bb", 2)], "61 00 01 02 62 62 00 02 03 04 09"),
    ("a(uu)", [(1, 2)], "01 00 00 00 02 00 00 00"),
    ("a(yb)", [(1, True), (2, False)], "01 01 02 00"),
    ("aay", [b"\1", b"\2\3"], "01 02 03 01 03"),
    ("aas", [["a"], []], "61 00 02 03 03"),
    ("a{uy}", [(1, 2)], "01 00 00 00 02 00 00 00"),
    ("v", Variant("i", 1), "01 00 00 00 00 69"),
    ("v", Variant("s", "x"), "78 00 00 73"),
    ("v", Variant("v", Variant("y", 7)), "07 00 79 00 76"),
    ("v", Variant("as", []), "00 61 73"),
    ("v", Variant("(is)", (1, "x")), "01 00 00 00 78 00 00 28 69 73 29"),
    ("a{sv}", [("k", Variant("i", 1))], "6b 00 00 00 00 00 00 00 01 00 00 00 00 69 02 0f"),
    (
        "a{sv}",
        [("a", Variant("s", "x")), ("b", Variant("u", 2))],
        "610000000000000078000073020000006200000000000000020000000075020d1f",
    ),
    ("a{sv}", [("abcdefg", Variant("y", 1))], "61 62 63 64 65 66 67 00 01 00 79 08 0c"),
    ("a(ayay)", [(b"user.a\0", b"1")], "75 73 65 72 2e 61 00 31 07 09"),
    ("(uuua(ayay))", (0, 0, 0xED410000, []), "00 00 00 00 00 00 00 00 00 00 41 ed"),
    ("(a(say)a(sayay))", ([], []), "00"),
]


@pytest.mark.parametrize(("type", "value", "hex"), VECTORS)
def test_vectors(type: str, value: object, hex: str) -> None:
    """The worked examples of the format, both ways and from every kind of buffer."""
    data = bytes.fromhex(hex)

    encoded = encode(type, value)

    assert encoded == data
    assert decode(type, data) == value
    assert decode(type, memoryview(data)) == value
    assert decode(type, bytearray(data), strict=False) == value
    assert is_normal(type, data)


def test_commit_of_the_format_document() -> None:
    """A commit made by the reference reads as described and writes the same bytes."""
    data = bytes.fromhex(
        "76657273696f6e00312e3000007308006f73747265652e7265662d62696e6469"
        "6e67000000000000746573742f6272616e6368000c006173130f395375626a65"
        "6374206c696e6500426f6479207465787400000000000000000000006553f100"
        "e77374d59b4aac349305461808c8301d331ac267f752fcecb052d29f63edccd2"
        "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"
        "8052483b3b3b"
    )

    value = decode(COMMIT, data)

    assert value[0] == [
        ("version", Variant("s", "1.0")),
        ("ostree.ref-binding", Variant("as", ["test/branch"])),
    ]
    assert value[1:5] == (b"", [], "Subject line", "Body text")
    assert byteswap("t", value[5]) == 1700000000
    assert encode(COMMIT, value) == data


@pytest.mark.parametrize(
    ("length", "total", "tail"), [(253, 255, "fd"), (254, 257, "fe00"), (65531, 65534, "fbff")]
)
def test_width_of_framing_offsets(length: int, total: int, tail: str) -> None:
    """Offsets get wider exactly where the container would not fit the narrower width."""
    value = (bytes(length), "")

    data = encode("(ays)", value)

    assert len(data) == total
    assert data.hex().endswith(tail)
    assert decode("(ays)", data) == value


def test_four_byte_offsets() -> None:
    """Beyond 64 KiB offsets take four bytes."""
    value = ["x" * 70000, "y"]

    data = encode("as", value)

    assert len(data) == 70001 + 2 + 8
    assert decode("as", data) == value
    assert decode("as", memoryview(data)) == value


def test_single_string_of_254_characters() -> None:
    """The array that just does not fit one-byte offsets."""
    data = encode("as", ["x" * 254])

    assert len(data) == 257
    assert data.endswith(b"\xff\x00")


def test_wider_offsets_than_needed_are_not_normal() -> None:
    """What one-byte offsets would hold is refused with two-byte ones."""
    tuple_data = bytes(254) + (253).to_bytes(2, "little")
    array_data = b"x" * 253 + b"\0" + (254).to_bytes(2, "little")

    assert not is_normal("(ays)", tuple_data)
    assert not is_normal("as", array_data)


@pytest.mark.parametrize(
    ("type", "hex", "offset"),
    [
        ("u", "000000", 0),
        ("b", "02", 0),
        ("ab", "000102", 2),
        ("()", "01", 0),
        ("s", "", 0),
        ("s", "61", 1),
        ("s", "610000", 0),
        ("s", "61ff00", 1),
        ("o", "6100", 0),
        ("g", "7a00", 0),
        ("au", "0102030405", 4),
        ("mi", "01", 0),
        ("ms", "780001", 2),
        ("(yu)", "0100010002000000", 1),
        ("(uy)", "0100000002000001", 5),
        ("(sat)", "6100ff000000000002", 2),
        ("(ss)", "6100620003", 3),
        ("(ss)", "", 0),
        ("(sy)", "61000102ff", 0),
        ("as", "610001ff", 3),
        ("as", "61006200020104", 2),
        ("v", "", 0),
        ("v", "0069", 0),
        ("v", "00007a", 2),
        ("v", "0000c3", 2),
        ("v", "0000616161", 2),
        ("a{sv}", "6b00000000000001010000000069020f", 2),
    ],
)
def test_refused(type: str, hex: str, offset: int) -> None:
    """Data that is not in normal form gives the validators' sentence and an offset."""
    data = bytes.fromhex(hex)

    with pytest.raises(FormatError) as caught:
        decode(type, data)

    assert caught.value.message == "Not normal form"
    assert caught.value.offset == offset
    assert not is_normal(type, data)
    assert not is_normal(type, memoryview(data))
    decode(type, data, strict=False)


@pytest.mark.parametrize(
    ("type", "hex", "value"),
    [
        ("u", "01", 0),
        ("d", "", 0.0),
        ("b", "02", True),
        ("s", "61", ""),
        ("o", "", "/"),
        ("g", "ff00", ""),
        ("v", "", Variant("()", ())),
        ("v", "0069", Variant("()", ())),
        ("v", "780073", Variant("s", "")),
        ("mi", "01", None),
        ("ay", "0102", b"\1\2"),
        ("au", "01", []),
        ("as", "ff", []),
        ("as", "61006200ff04", ["", ""]),
        ("(ss)", "", ("", "")),
        ("(sy)", "61000502", ("a", 5)),
        ("(aay)", "0203", ([],)),
    ],
)
def test_defaults(type: str, hex: str, value: object) -> None:
    """Without strictness, what cannot be read is its type's default."""
    assert decode(type, bytes.fromhex(hex), strict=False) == value


def test_empty_tuple_of_arrays_is_not_normal() -> None:
    """Zero bytes for ``(a…a…)`` read as empty arrays, but are not what is written for them."""
    assert decode("(asas)", b"", strict=False) == ([], [])
    assert not is_normal("(asas)", b"")
    assert encode("(asas)", ([], [])) == b"\0"


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("y", 256),
        ("y", -1),
        ("y", "1"),
        ("y", True),
        ("n", 1 << 15),
        ("u", 1 << 32),
        ("t", -1),
        ("i", 1.0),
        ("b", 1),
        ("d", "1"),
        ("d", 1 << 2000),
        ("s", b"a"),
        ("s", "a\0b"),
        ("s", "\udc80"),
        ("o", "a"),
        ("o", "/a/"),
        ("g", "mi"),
        ("g", "("),
        ("ay", [1]),
        ("ay", "a"),
        ("as", "ab"),
        ("mi", 5),
        ("(ii)", (1,)),
        ("(ii)", [1, 2]),
        ("a{sv}", [("a",)]),
        ("a{sv}", [("a", 1)]),
        ("v", 1),
        ("v", Variant("i", "x")),
    ],
)
def test_values_that_do_not_fit(type: str, value: object) -> None:
    """Encoding checks kind, range and syntax of everything."""
    with pytest.raises(FormatError):
        encode(type, value)


@pytest.mark.parametrize(
    "type", ["", "z", "a", "m", "(", ")", "ss", "{s}", "{vs}", "a{ss", "*", "r", "a?", "é", "{sss}"]
)
def test_wrong_type_strings(type: str) -> None:
    """A type string has to be one complete and definite type."""
    for attempt in (
        lambda: encode(type, 0),
        lambda: decode(type, b"", strict=False),
        lambda: is_normal(type, b""),
    ):
        with pytest.raises(FormatError):
            attempt()


def test_variants_inside_variants() -> None:
    """127 variants around a byte can be written and read; one more is refused."""
    value = Variant("y", 7)
    for _ in range(126):
        value = Variant("v", value)
    deepest = encode("v", value)

    with pytest.raises(FormatError, match="nested too deep"):
        encode("(v)", (value,))

    assert decode("v", deepest) == value
    assert not is_normal("v", deepest + b"\0v")
    assert decode("(v)", deepest, strict=False) != (value,)


def test_member_type_counts_for_nesting() -> None:
    """A variant near the limit may hold a byte but no array."""
    data = b"\0ay" + b"\0v" * 125

    assert is_normal("v", data)
    assert not is_normal("v", data + b"\0v")


def test_missing_members_are_bounded() -> None:
    """A broken array of wide tuples gives shared defaults, not thousands for each of its bytes."""
    count = 30000
    type = "a(" + "s" * count + ")"
    data = bytes(2 * count)

    values = decode(type, data, strict=False)

    assert len(values) == count
    assert values[-1] == ("",) * count
    assert len({id(value) for value in values}) < 20


def test_overlong_type_in_variant() -> None:
    """A type string of more than 64 KiB is refused before anything is made of it."""
    data = b"\0\0(" + b"s" * 70000 + b")"

    assert not is_normal("v", data)
    assert decode("v", data, strict=False) == Variant("()", ())


def test_views_of_other_items() -> None:
    """A view whose items are wider than a byte is read as its bytes."""
    view = memoryview(bytes.fromhex("0100000002000000")).cast("I")

    assert decode("au", view) == [1, 2]


def test_view_with_long_type() -> None:
    """The separator of a variant is found in views too, near the end or not."""
    type = "(" + "y" * 400 + ")"
    value = Variant(type, (0,) * 400)
    data = encode("v", value)

    assert decode("v", memoryview(data)) == value
    assert decode("v", memoryview(b"abc"), strict=False) == Variant("()", ())


def test_byteswap() -> None:
    """Every number of more than a byte is reversed, inside variants too, and nothing else."""
    type = "(ynqiuxthdbsaymu)"
    value = (1, 1, 1, 1, 1, 1, 1, 1, 1.5, True, "a", b"ab", Just(1))

    swapped = byteswap("v", Variant(type, value))

    assert swapped.value[:8] == (1, 256, 256, 1 << 24, 1 << 24, 1 << 56, 1 << 56, 1 << 24)
    assert swapped.value[9:] == (True, "a", b"ab", Just(1 << 24))
    assert byteswap("v", swapped) == Variant(type, value)
    assert byteswap("a{su}", [("k", 1)]) == [("k", 1 << 24)]
    assert byteswap("mu", None) is None


def test_byteswap_checks_the_value() -> None:
    """A value that is not of the type is refused."""
    with pytest.raises(FormatError):
        byteswap("u", "1")


def test_lookup() -> None:
    """The first entry counts, and another type is as good as no entry."""
    pairs = [("a", Variant("s", "x")), ("b", Variant("u", 1)), ("a", Variant("u", 2))]

    assert lookup(pairs, "a") == "x"
    assert lookup(pairs, "a", "s") == "x"
    assert lookup(pairs, "a", "u") is None
    assert lookup(pairs, "c") is None


def test_duplicates_survive() -> None:
    """A dictionary keeps order and repeated keys."""
    value = [("b", 1), ("a", 2), ("b", 3)]

    assert decode("a{sy}", encode("a{sy}", value)) == value


def test_boxes() -> None:
    """Variants and maybes compare by content, can be keys, and show what they hold."""
    one = Variant("a{sv}", [("a", Variant("ai", [1])), ("b", Variant("mi", Just(2)))])
    other = Variant("a{sv}", [("a", Variant("ai", [1])), ("b", Variant("mi", Just(2)))])

    assert one == other
    assert hash(one) == hash(other)
    assert one != Variant("a{sv}", [])
    assert Variant("i", 1) != Variant("u", 1)
    assert Just(1) != Just(2)
    assert Just(None) != 1
    assert Variant("i", 1) != 1
    assert repr(Variant("mi", Just(2))) == "Variant('mi', Just(2))"
