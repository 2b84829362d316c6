"""What repositories announce of themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import gvariant, service_record
from ostree.formats.bloom import BloomFilter

REF = ("org.example.C", "main")


def txt(*strings: bytes) -> bytes:
    return b"".join(bytes((len(text),)) + text for text in strings)


def record(**changed: bytes | None) -> bytes:
    bloom = BloomFilter(bytes(16), 3)
    bloom.add(*REF)
    values = {
        "v": b"\x01",
        "rb": gvariant.encode("(yyay)", (3, 1, bloom.bits)),
        "st": (1795379763).to_bytes(8, "big"),
        "ri": (258).to_bytes(2, "big"),
    } | changed
    return txt(*(f"{key}=".encode() + value for key, value in values.items() if value is not None))


def test_a_record() -> None:
    found = service_record.decode(record())

    assert (found.summary_modified, found.index) == (1795379763, 258)
    assert found.refs.may_have(*REF)
    assert not found.refs.may_have("org.example.C", "other")


def test_names_are_case_insensitive_and_the_first_counts() -> None:
    data = txt(b"A=1", b"a=2", b"b", b"=nameless", b"\xffodd=3", b"c=x=y", b"")

    assert service_record.attributes(data) == {"a": b"1", "b": b"", "c": b"x=y"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Service record lacks the attribute v"),
        (record(v=b"\x02"), "Service record has unknown version 2"),
        (record(v=b""), "Attribute v of a service record: "),
        (record(rb=None), "Service record lacks the attribute rb"),
        (record(rb=b"\x03\x02bits"), "Service record has unknown hash 2"),
        (record(rb=b"\x00\x01bits"), "Invalid bloom filter"),
        (record(rb=b"\x03\x01"), "Invalid bloom filter"),
        (record(rb=b"\x03"), "Attribute rb of a service record: "),
        (record(st=b"1234567"), "Attribute st of a service record: "),
        (record(ri=b"123"), "Attribute ri of a service record: "),
        (b"\x05v=", "Service record ends within a string"),
        (txt(*[b"x" * 255] * 35), "Service record of 8960 bytes is larger than 8900"),
    ],
)
def test_what_is_no_record(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        service_record.decode(data)

    assert caught.value.message.startswith(message)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_refused(data: bytes) -> None:
    try:
        service_record.decode(data)
    except FormatError:
        return
