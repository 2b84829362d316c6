"""The summary: its bytes, its keys, and what is refused."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.gvariant import Variant
from ostree.formats.summary import TYPE, Summary, SummaryRef, build, decode, encode
from ostree.types import Checksum

# A repository without collection ID and one commit (repository format §10.6).
VECTOR = bytes.fromhex(
    "6d61696e000000008600000000000000125c0f4b8f0be3d489d595991069d5d2"
    "6f07a9c1876c9f3e5e0f20ff00c18a466f73747265652e636f6d6d69742e7665"
    "7273696f6e00000034320000731600006f73747265652e636f6d6d69742e7469"
    "6d657374616d700000000000000003e80074181e432805776f73747265652e73"
    "756d6d6172792e6d6f64650000000000617263686976652d7a32000073140000"
    "6f73747265652e73756d6d6172792e6c6173742d6d6f64696669656400000000"
    "000000006b035c0f00741d00000000006f73747265652e73756d6d6172792e74"
    "6f6d6273746f6e652d636f6d6d69747300000000000000000000622100000000"
    "6f73747265652e73756d6d6172792e696e64657865642d64656c746173000000"
    "0100621e265384ac7800"
)
CHECKSUM = Checksum("125c0f4b8f0be3d489d595991069d5d26f07a9c1876c9f3e5e0f20ff00c18a46")


def make_ref(name: str, version: str | None = None) -> SummaryRef:
    return SummaryRef.of_commit(name, CHECKSUM, 134, timestamp=1000, version=version)


def keys(summary: Summary) -> list[str]:
    return [key.removeprefix("ostree.").removeprefix("summary.") for key, _ in summary.metadata]


def test_a_summary_of_the_reference_is_read() -> None:
    summary = decode(VECTOR)

    assert summary.refs == [make_ref("main", "42")]
    assert summary.refs[0].size == 134
    assert summary.refs[0].timestamp == 1000
    assert summary.refs[0].version == "42"
    assert summary.mode == "archive-z2"
    assert summary.last_modified == 0x6B035C0F
    assert summary.tombstone_commits is False
    assert summary.indexed_deltas is True
    assert summary.collection_id is None
    assert summary.expires is None
    assert summary.static_deltas is None
    assert summary.collection_map == {}


def test_the_same_summary_is_built_to_the_byte() -> None:
    summary = build([make_ref("main", "42")], mode="archive-z2", last_modified=0x6B035C0F)

    assert encode(summary) == VECTOR


def test_dictionaries_have_the_order_of_upstream_s_hash_tables() -> None:
    plain = build([], mode="bare", last_modified=1)
    full = build(
        [],
        mode="bare",
        last_modified=1,
        collection_id="org.example.Os",
        collection_map={"org.example.Other": [make_ref("main")]},
    )
    deltas = build([], mode="bare", last_modified=1, static_deltas={"abc": bytes(32)})

    assert keys(plain) == ["mode", "last-modified", "tombstone-commits", "indexed-deltas"]
    assert keys(full) == [
        *("mode", "last-modified", "tombstone-commits", "collection-map", "indexed-deltas"),
        "collection-id",
    ]
    assert keys(deltas) == [
        *("mode", "last-modified", "tombstone-commits", "static-deltas", "indexed-deltas"),
    ]


def test_refs_are_sorted_by_their_bytes() -> None:
    names = ["b", "a/c", "é", "a-b", "a", "B", "\uffff", "\U00010000"]

    summary = build(map(make_ref, names), mode="bare", last_modified=1)

    assert [ref.name for ref in summary.refs] == sorted(names, key=str.encode)


def test_refs_are_found_by_name() -> None:
    summary = build(
        map(make_ref, ["c", "a", "b"]),
        mode="bare",
        last_modified=1,
        collection_id="org.example.Os",
        collection_map={"org.example.Z": [make_ref("z")], "org.example.A": [make_ref("a")]},
    )

    for name in "abc":
        assert summary.find(name) == make_ref(name)
    assert summary.find("") is None
    assert summary.find("d") is None
    assert summary.find("b", "org.example.Os") == make_ref("b")
    assert summary.find("z", "org.example.Z") == make_ref("z")
    assert summary.find("a", "org.example.Z") is None
    assert summary.find("a", "org.example.None") is None
    assert list(summary.collection_map) == ["org.example.A", "org.example.Z"]


def test_a_timestamp_that_is_no_date_is_left_out() -> None:
    ref = SummaryRef.of_commit("a", CHECKSUM, 1, timestamp=253402300800, version=None)

    assert ref.metadata == []
    assert ref.timestamp is None
    assert ref.version is None


def test_keys_of_the_user_do_not_override_the_summary_s_own() -> None:
    extra = [("ostree.summary.mode", Variant("s", "x")), ("key", Variant("u", 5))]

    summary = build([], mode="bare", last_modified=1, extra=extra)

    assert summary.mode == "bare"
    assert summary.value("key", "u") == 5
    assert summary.value("key", "s") is None


def test_deltas_are_listed_by_name() -> None:
    digests = {"b": bytes(32), "a": bytes(range(32))}

    summary = decode(encode(build([], mode="bare", last_modified=1, static_deltas=digests)))

    assert summary.static_deltas == digests


def test_values_of_other_types_count_as_absent() -> None:
    metadata = [
        ("ostree.summary.mode", Variant("u", 1)),
        ("ostree.summary.last-modified", Variant("x", 1)),
        ("ostree.static-deltas", Variant("a{sv}", [("d", Variant("s", "x"))])),
        ("ostree.summary.collection-map", Variant("a{sv}", [])),
    ]

    summary = decode(encode(Summary([], metadata)))

    assert summary.mode is None
    assert summary.last_modified is None
    assert summary.static_deltas == {}
    assert summary.collection_map == {}


def test_what_is_not_in_normal_form_is_refused() -> None:
    with pytest.raises(FormatError):
        decode(VECTOR[:-1])
    with pytest.raises(FormatError):
        decode(VECTOR + b"\0")


def test_a_checksum_of_another_length_is_refused() -> None:
    data = gvariant.encode(TYPE, ([("main", (1, b"short", []))], []))

    with pytest.raises(FormatError) as caught:
        decode(data)

    assert str(caught.value) == "Invalid checksum of length 5 expected 32"
    assert caught.value.field == "main"
