"""The summary file ``(a(s(taya{sv}))a{sv})``: what a repository offers (remotes-and-pull §6).

Dictionaries have the order of GLib's hash table, so that a summary built here has the bytes of
upstream's; one that is read keeps the order it has.  Sizes of commits are little-endian, all
timestamps big-endian; here both are plain numbers.
"""

from __future__ import annotations

from bisect import bisect_left

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.date_text import is_representable
from ostree.formats.gvariant import Variant
from ostree.formats.gvariant.decoder import abnormal, check_width, offset_width, reader
from ostree.formats.gvariant.type_string import type_info
from ostree.formats.hash_order import HashDict
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from ostree.formats.gvariant.value import Value

    Refs: TypeAlias = "Sequence[SummaryRef] | StoredRefs"

TYPE = "(a(s(taya{sv}))a{sv})"

COMMIT_TIMESTAMP = "ostree.commit.timestamp"
COMMIT_VERSION = "ostree.commit.version"
STATIC_DELTAS = "ostree.static-deltas"
LAST_MODIFIED = "ostree.summary.last-modified"
EXPIRES = "ostree.summary.expires"
MODE = "ostree.summary.mode"
TOMBSTONE_COMMITS = "ostree.summary.tombstone-commits"
INDEXED_DELTAS = "ostree.summary.indexed-deltas"
COLLECTION_ID = "ostree.summary.collection-id"
COLLECTION_MAP = "ostree.summary.collection-map"

_MAP_TYPE = "a{sa(s(taya{sv}))}"
_REF_TYPE = "(s(taya{sv}))"
_METADATA_TYPE = "a{sv}"
#: All members are aligned to eight bytes.
_MASK = 7


class SummaryRef:
    """A ref and the commit it points to.

    Attributes:
        name: The name of the ref, not checked.
        checksum: Its commit.
        size: The size of the commit object, in bytes.
        metadata: (key, value) in stored order.
    """

    __slots__ = ("checksum", "metadata", "name", "size")

    def __init__(
        self,
        name: str,
        checksum: Checksum,
        size: int,
        metadata: Sequence[tuple[str, Variant]] = (),
    ) -> None:
        self.name = name
        self.checksum = checksum
        self.size = size
        self.metadata = list(metadata)

    @classmethod
    def of_commit(
        cls, name: str, checksum: Checksum, size: int, *, timestamp: int, version: str | None
    ) -> SummaryRef:
        """The entry that upstream makes: with the timestamp, if it can be shown, and the version."""
        metadata = HashDict()
        if is_representable(timestamp):
            metadata.insert(COMMIT_TIMESTAMP, _big_endian(timestamp))
        if version is not None:
            metadata.insert(COMMIT_VERSION, Variant("s", version))
        return cls(name, checksum, size, metadata.items())

    @property
    def timestamp(self) -> int | None:
        """The timestamp of the commit, if the summary tells."""
        return _native(gvariant.lookup(self.metadata, COMMIT_TIMESTAMP, "t"))

    @property
    def version(self) -> str | None:
        """The version of the commit, if the summary tells."""
        version: str | None = gvariant.lookup(self.metadata, COMMIT_VERSION, "s")
        return version

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SummaryRef):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"SummaryRef({self.name!r}, {self.checksum}, size={self.size})"


class StoredRefs:
    """Refs as a summary has them; each is taken apart when it is looked at.

    A server may send a million.  As objects they would take eleven times as much memory.

    Args:
        data: The summary.
        end: Where their array ends, which begins the summary.
        most_metadata: Bytes that one of them may have, if that is limited.

    Raises:
        FormatError: if they are not in normal form, or a checksum has not 32 bytes.
    """

    __slots__ = ("_body", "_data", "_most", "_width", "length")

    def __init__(self, data: bytes, end: int, most_metadata: int | None = None) -> None:
        self._data = data
        self._most = most_metadata
        self._width = offset_width(end)
        self._body = end
        self.length = 0
        if end:
            self._body = int.from_bytes(data[end - self._width : end], "little")
            self.length, rest = divmod(end - self._body, self._width)
            if self.length < 1 or rest:
                raise abnormal(end - self._width, "array ends after its framing offsets")
            check_width(self._body, self.length, self._width, end)
        last = 0
        for index in range(self.length):
            last = self._check(index, last)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> SummaryRef:
        if not 0 <= index < self.length:
            raise IndexError(index)
        start = self._end(index - 1) if index else 0
        return _ref(self._read(start + (-start & _MASK), self._end(index)))

    def __iter__(self) -> Iterator[SummaryRef]:
        return (self[index] for index in range(self.length))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | StoredRefs) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as lists

    def __repr__(self) -> str:
        return repr(list(self))

    def _end(self, index: int) -> int:
        at = self._body + index * self._width
        return int.from_bytes(self._data[at : at + self._width], "little")

    def _check(self, index: int, start: int) -> int:
        """Look at a ref that begins at a place, or behind the padding there; where it ends."""
        padding = -start & _MASK
        if any(self._data[start : start + padding]):
            raise abnormal(start, "padding is not zero")
        start += padding
        end = self._end(index)
        if not start <= end <= self._body:
            raise abnormal(start, f"array element would end at byte {end}")
        if self._most is not None and end - start > self._most:
            raise FormatError(f"Summary has a ref of {end - start} bytes, more than is looked at")
        _ref(self._read(start, end))
        return end

    def _read(self, start: int, end: int) -> Value:
        return reader(type_info(_REF_TYPE))(self._data, start, end, 2)


class Summary:
    """Refs, sorted by name, and what else there is to know of a repository.

    Attributes:
        refs: The refs of the repository itself.
        metadata: (key, value) in stored order; of keys that repeat, the first counts.
    """

    __slots__ = ("metadata", "refs")

    def __init__(
        self, refs: Refs | Iterable[SummaryRef], metadata: Iterable[tuple[str, Variant]] = ()
    ) -> None:
        self.refs: Refs = refs if isinstance(refs, StoredRefs) else list(refs)
        self.metadata = list(metadata)

    def find(self, name: str, collection: str | None = None) -> SummaryRef | None:
        """The ref with that name, of another collection if one is given.

        As upstream does, this counts on the refs being sorted.
        """
        refs: Refs
        if collection is None or collection == self.collection_id:
            refs = self.refs
        else:
            refs = self.collection_map.get(collection, [])
        index = bisect_left(refs, name, key=lambda ref: ref.name)
        return refs[index] if index < len(refs) and refs[index].name == name else None

    def value(self, key: str, type: str | None = None) -> Value:
        """The first value with that key, of that type if one is given, or None.

        Numbers are as they are stored; timestamps have properties of their own.
        """
        return gvariant.lookup(self.metadata, key, type)

    @property
    def last_modified(self) -> int | None:
        """When the summary was made."""
        return _native(self.value(LAST_MODIFIED, "t"))

    @property
    def expires(self) -> int | None:
        """After when the summary should not be used."""
        return _native(self.value(EXPIRES, "t"))

    @property
    def mode(self) -> str | None:
        """The repository's mode, in the words of its configuration."""
        mode: str | None = self.value(MODE, "s")
        return mode

    @property
    def tombstone_commits(self) -> bool:
        """Whether deleted commits leave tombstones."""
        return self.value(TOMBSTONE_COMMITS, "b") is True

    @property
    def indexed_deltas(self) -> bool:
        """Whether there are delta indexes."""
        return self.value(INDEXED_DELTAS, "b") is True

    @property
    def collection_id(self) -> str | None:
        """The collection that the refs belong to."""
        collection: str | None = self.value(COLLECTION_ID, "s")
        return collection

    @property
    def static_deltas(self) -> dict[str, bytes] | None:
        """The SHA-256 of each delta's superblock by the delta's name; None if not listed.

        Entries of another type are left out.
        """
        deltas: list[tuple[str, Variant]] | None = self.value(STATIC_DELTAS, "a{sv}")
        if deltas is None:
            return None
        digests: dict[str, bytes] = {}
        for name, digest in deltas:
            if digest.type == "ay":
                digests.setdefault(name, digest.value)
        return digests

    @property
    def collection_map(self) -> dict[str, list[SummaryRef]]:
        """The refs of other collections, by collection.

        Raises:
            FormatError: if a checksum has not 32 bytes.
        """
        entries: list[tuple[str, Value]] = self.value(COLLECTION_MAP, _MAP_TYPE) or []
        collections: dict[str, list[SummaryRef]] = {}
        for collection, refs in entries:
            collections.setdefault(collection, _refs(refs))
        return collections

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Summary):
            return NotImplemented
        return self.refs == other.refs and self.metadata == other.metadata

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"Summary({self.refs}, {self.metadata})"


def build(
    refs: Iterable[SummaryRef],
    *,
    mode: str,
    last_modified: int,
    tombstone_commits: bool = False,
    collection_id: str | None = None,
    collection_map: Mapping[str, Iterable[SummaryRef]] | None = None,
    static_deltas: Mapping[str, bytes] | None = None,
    extra: Iterable[tuple[str, Variant]] = (),
) -> Summary:
    """The summary that upstream would make: refs sorted, dictionaries in its order.

    Args:
        refs: The refs of the repository itself.
        mode: The repository's mode, in the words of its configuration.
        last_modified: The present time.
        tombstone_commits: Whether deleted commits leave tombstones.
        collection_id: The collection that the refs belong to.
        collection_map: The refs of other collections; left out if there are none.
        static_deltas: The SHA-256 of each delta's superblock by name, in the order in which
            upstream would find them; left out if there are none.
        extra: Keys of the user, first, so that they keep their place but not their value if
            they are one of the keys above.
    """
    metadata = HashDict(extra)
    if static_deltas:
        deltas = HashDict((name, Variant("ay", digest)) for name, digest in static_deltas.items())
        metadata.insert(STATIC_DELTAS, Variant("a{sv}", deltas.items()))
    metadata.insert(LAST_MODIFIED, _big_endian(last_modified))
    metadata.insert(MODE, Variant("s", mode))
    metadata.insert(TOMBSTONE_COMMITS, Variant("b", tombstone_commits))
    metadata.insert(INDEXED_DELTAS, Variant("b", True))  # noqa: FBT003  # the value itself
    if collection_id is not None:
        metadata.insert(COLLECTION_ID, Variant("s", collection_id))
    if collection_map:
        entries = [
            (collection, [_entry(ref) for ref in _sorted(collection_map[collection])])
            for collection in sorted(collection_map)
        ]
        metadata.insert(COLLECTION_MAP, Variant(_MAP_TYPE, entries))
    return Summary(_sorted(refs), metadata.items())


def encode(summary: Summary) -> bytes:
    """Serialise in the order that the summary has.

    Raises:
        FormatError: if a value does not fit.
    """
    return gvariant.encode(TYPE, ([_entry(ref) for ref in summary.refs], summary.metadata))


def decode(data: bytes, *, most_metadata: int | None = None) -> Summary:
    """Parse and validate.

    Args:
        data: The file.
        most_metadata: Bytes of it that may be something else than refs, if that is limited: as
            values they take many times as much memory.

    Raises:
        FormatError: if not in normal form, or a checksum has not 32 bytes.
    """
    size = len(data)
    width = offset_width(size)
    table = size - width
    if table < 0:
        raise abnormal(0, "tuple is too short for its framing offsets")
    check_width(table, 1, width, size)
    end = int.from_bytes(data[table:], "little")
    start = end + (-end & _MASK)
    if start > table:
        raise abnormal(0, f"tuple member would end at byte {end}")
    if any(data[end:start]):
        raise abnormal(end, "padding is not zero")
    if most_metadata is not None and table - start > most_metadata:
        raise FormatError(f"Summary has {table - start} bytes of metadata, more than is looked at")
    refs = StoredRefs(data, end, most_metadata)
    return Summary(refs, reader(type_info(_METADATA_TYPE))(data, start, table, 1))


def _refs(entries: Iterable[Value]) -> list[SummaryRef]:
    return [_ref(entry) for entry in entries]


def _ref(entry: Value) -> SummaryRef:
    name, (size, digest, metadata) = entry
    try:
        checksum = Checksum.of_digest(digest)
    except FormatError as error:
        error.field = name
        raise
    return SummaryRef(name, checksum, size, metadata)


def _entry(ref: SummaryRef) -> tuple[str, tuple[int, bytes, list[tuple[str, Variant]]]]:
    return (ref.name, (ref.size, ref.checksum.digest, ref.metadata))


def _sorted(refs: Iterable[SummaryRef]) -> list[SummaryRef]:
    # Upstream compares bytes; UTF-8 keeps the order of the characters.
    return sorted(refs, key=lambda ref: ref.name)


def _big_endian(timestamp: int) -> Variant:
    return Variant("t", gvariant.byteswap("t", timestamp % (1 << 64)))


def _native(stored: int | None) -> int | None:
    if stored is None:
        return None
    timestamp: int = gvariant.byteswap("t", stored)
    return timestamp
