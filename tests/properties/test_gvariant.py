"""Properties of the GVariant codec and its text form."""

from __future__ import annotations

import math
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.gvariant import Just, Variant, byteswap, decode, encode, is_normal
from ostree.formats.gvariant.parse import parse_text
from ostree.formats.gvariant.text import print_text
from ostree.formats.gvariant.type_string import is_type, type_info
from ostree.formats.hash_order import HashDict

BASIC = "ybnqiuxthdsog"
RANGES = {
    "y": (0, 2**8 - 1),
    "n": (-(2**15), 2**15 - 1),
    "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "h": (-(2**31), 2**31 - 1),
    "u": (0, 2**32 - 1),
    "x": (-(2**63), 2**63 - 1),
    "t": (0, 2**64 - 1),
}
BASIC_VALUES: dict[str, st.SearchStrategy[object]] = {
    **{kind: st.integers(low, high) for kind, (low, high) in RANGES.items()},
    "b": st.booleans(),
    "d": st.floats(allow_nan=False),
    "s": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    "o": st.sampled_from(["/", "/a", "/a/B_9"]),
    "g": st.sampled_from(["", "s", "a{sv}", "(ii)as"]),
}

Typed: TypeAlias = tuple[str, object]


def _extend(types: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        types.map("a{}".format),
        types.map("m{}".format),
        st.lists(types, max_size=4).map(lambda members: f"({''.join(members)})"),
        st.builds("{{{}{}}}".format, st.sampled_from(BASIC), types),
    )


TYPES = st.recursive(st.sampled_from(BASIC + "v"), _extend, max_leaves=6)


def values(type: str, levels: int = 2) -> st.SearchStrategy[object]:
    """Values of a type, with so many levels of variants."""
    if type in BASIC_VALUES:
        return BASIC_VALUES[type]
    if type == "v":
        inner = TYPES if levels else st.sampled_from(BASIC)
        return inner.flatmap(
            lambda chosen: values(chosen, levels - 1).map(lambda value: Variant(chosen, value))
        )
    info = type_info(type)
    if type == "ay":
        return st.one_of(st.binary(max_size=20), st.binary(max_size=5).map(lambda b: b + b"\0"))
    if info.kind == "a":
        return st.lists(values(info.element.text, levels), max_size=4)
    if info.kind == "m":
        return st.one_of(st.none(), values(info.element.text, levels).map(Just))
    return st.tuples(*[values(member.text, levels) for member in info.members])


TYPED = TYPES.flatmap(lambda chosen: st.tuples(st.just(chosen), values(chosen)))
WILD_BYTES = st.one_of(
    st.binary(max_size=64),
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 8, 9, 0x61, 0x73, 0x76, 0x28, 0x29])).map(bytes),
)


@st.composite
def corrupted(draw: st.DrawFn) -> tuple[str, bytes]:
    """A type, and almost the bytes of a value of it."""
    type, value = draw(TYPED)
    data = bytearray(encode(type, value))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return type, bytes(data)


@given(TYPED)
def test_round_trip(typed: Typed) -> None:
    """What is encoded decodes to the same value, from bytes and from views."""
    type, value = typed

    data = encode(type, value)

    assert decode(type, data) == value
    assert decode(type, memoryview(data)) == value
    assert decode(type, data, strict=False) == value
    assert is_normal(type, data)


@given(TYPED)
def test_fixed_size_and_alignment(typed: Typed) -> None:
    """Values of a fixed-size type have that size; offsets inside are relative to the start."""
    type, value = typed
    size = type_info(type).size

    data = encode(type, value)

    assert not size or len(data) == size


@given(st.one_of(corrupted(), st.tuples(TYPES, WILD_BYTES)))
@settings(max_examples=300)
def test_strict_is_canonical(case: tuple[str, bytes]) -> None:
    """Data is accepted exactly if encoding what it means gives the same bytes again."""
    type, data = case
    meant = decode(type, data, strict=False)

    if encode(type, meant) == data:
        assert is_normal(type, data)
        assert encode(type, decode(type, data)) == data
    else:
        assert not is_normal(type, data)
        with pytest.raises(FormatError, match="Not normal form") as caught:
            decode(type, data)
        assert caught.value.offset in range(len(data) + 1)


@given(st.one_of(corrupted(), st.tuples(TYPES, WILD_BYTES)))
def test_views_read_the_same(case: tuple[str, bytes]) -> None:
    """Bytes and views of them are accepted alike and mean the same."""
    type, data = case

    assert is_normal(type, data) == is_normal(type, memoryview(data))
    assert encode(type, decode(type, data, strict=False)) == encode(
        type, decode(type, memoryview(data), strict=False)
    )


@given(st.text("ybsv(){}amo*?rz", max_size=20), WILD_BYTES)
def test_any_type_string(type: str, data: bytes) -> None:
    """A type string is refused with the error of the format, or works."""
    try:
        decode(type, data, strict=False)
    except FormatError:
        assert not is_type(type)
    else:
        assert is_type(type)


@given(
    st.sampled_from(["a(ssssssss)", "av", "aav", "a{sv}", "(vsasvs)", "mmav", "a(yyyyyyyyt)"]),
    st.binary(max_size=400),
)
def test_bounded(type: str, data: bytes) -> None:
    """What broken data becomes is not much larger than the data."""
    value = decode(type, data, strict=False)

    assert _count(value) <= 100 * (len(data) + 100)


@given(TYPED)
def test_byteswap_twice(typed: Typed) -> None:
    """Swapping twice changes nothing, and swapping keeps the size."""
    type, value = typed

    swapped = byteswap(type, value)

    assert len(encode(type, swapped)) == len(encode(type, value))
    assert encode(type, byteswap(type, swapped)) == encode(type, value)


@given(TYPED)
def test_text_round_trip(typed: Typed) -> None:
    """Annotated text gives value and type back; plain text gives the value of the type."""
    type, value = typed

    annotated = print_text(type, value)
    plain = print_text(type, value, annotate=False)

    assert parse_text(annotated, type) == Variant(type, value)
    assert parse_text(plain, type) == Variant(type, value)
    assert parse_text(annotated) == Variant(type, value)


@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(
                [
                    *"[](){}<>,:' 1-\\@",
                    "0x",
                    "1.5e",
                    "'a'",
                    "b'",
                    "u00",
                    "@ai ",
                    "@*",
                    "just ",
                    "nothing",
                ]
            ),
            max_size=12,
        ).map("".join),
    ),
    st.one_of(st.none(), TYPES),
)
@settings(max_examples=300)
def test_any_text(text: str, type: str | None) -> None:
    """Any text gives a value that can be encoded, or an error that says where."""
    try:
        value = parse_text(text, type)
    except FormatError as error:
        where = error.message.partition(":")[0]
        assert all(part.isdigit() for part in where.replace(",", "-").split("-"))
    else:
        assert decode(value.type, encode(value.type, value.value)) == value.value or _has_nan(value)


@given(st.lists(st.tuples(st.booleans(), st.text("abc", max_size=3)), max_size=80))
def test_hash_order_keeps_what_is_put_in(steps: list[tuple[bool, str]]) -> None:
    """Whatever the order of slots is, the table holds what a dictionary would."""
    table = HashDict()
    model: dict[str, int] = {}
    for number, (is_insertion, key) in enumerate(steps):
        if is_insertion:
            table.insert(key, number)
            model[key] = number
        else:
            assert table.remove(key) == (model.pop(key, None) is not None)

    assert dict(table.items()) == model
    assert len(table) == len(model)


def _count(value: object) -> int:
    """How many values are in a value."""
    if isinstance(value, (list, tuple)):
        return 1 + sum(map(_count, value))
    if isinstance(value, (Variant, Just)):
        return 1 + _count(value.value)
    return 1


def _has_nan(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_nan, value))
    if isinstance(value, (Variant, Just)):
        return _has_nan(value.value)
    return isinstance(value, float) and math.isnan(value)
