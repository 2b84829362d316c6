"""The order of keys in GLib's hash tables."""

from __future__ import annotations

import pytest

from ostree.formats.hash_order import HashDict, string_hash


def _order(*keys: str) -> list[str]:
    return [key for key, _value in HashDict((key, None) for key in keys).items()]


def test_bootable_commit() -> None:
    """The example of the format document."""
    order = _order("version", "foo", "ostree.ref-binding", "ostree.bootable", "ostree.linux")

    assert order == [
        "ostree.linux",
        "version",
        "ostree.bootable",
        "ostree.ref-binding",
        "foo",
    ]


def test_summary() -> None:
    """The order in which every summary's extensions come."""
    expected = [
        "ostree.summary.mode",
        "ostree.summary.last-modified",
        "ostree.summary.tombstone-commits",
        "ostree.static-deltas",
        "ostree.summary.collection-map",
        "ostree.summary.indexed-deltas",
        "ostree.summary.collection-id",
    ]

    assert _order(*sorted(expected)) == expected
    assert _order("ostree.commit.timestamp", "ostree.commit.version") == [
        "ostree.commit.version",
        "ostree.commit.timestamp",
    ]


@pytest.mark.parametrize(("key", "expected"), [("", 5381), ("a", 177670), ("é", 5857809)])
def test_hash(key: str, expected: int) -> None:
    """Bytes count as signed numbers."""
    assert string_hash(key) == expected


def test_replacing_keeps_the_place() -> None:
    """A new value for a key takes the old one's slot."""
    table = HashDict([("a", 1), ("b", 2)])
    before = table.items()

    table.insert("a", 3)

    assert [key for key, _ in table.items()] == [key for key, _ in before]
    assert table.get("a") == 3
    assert len(table) == 2


def test_removal() -> None:
    """A removed key is gone, and says whether it was there."""
    table = HashDict([("a", 1), ("b", 2)])

    assert table.remove("a")
    assert not table.remove("a")
    assert "a" not in table
    assert "b" in table
    assert table.get("a") is None
    assert table.items() == [("b", 2)]


def test_many_keys() -> None:
    """Growing and shrinking loses nothing."""
    keys = [f"key-{number}" for number in range(5000)]
    table = HashDict((key, number) for number, key in enumerate(keys))

    assert sorted(table.items(), key=lambda pair: pair[1]) == [
        (key, number) for number, key in enumerate(keys)
    ]

    for key in keys[10:]:
        table.remove(key)

    assert dict(table.items()) == {key: number for number, key in enumerate(keys[:10])}
