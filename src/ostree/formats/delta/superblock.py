"""The superblock of a static delta: what it needs, what it brings, where (static deltas §3)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.delta.name import DeltaName
from ostree.formats.gvariant import Variant
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.formats.gvariant.value import Value

TYPE = "(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))"
ENDIANNESS = "ostree.endianness"
#: Largest superblock that is accepted, in bytes.
MAX_SIZE = 128 << 20
#: The only version of parts there is.
PART_VERSION = 0

_COMMIT_TYPE = "(a{sv}aya(say)sstayay)"
_ENTRY = 33
#: Up to this many bytes a superblock that is not in normal form is read as GLib reads it, so that
#: the error names what is wrong with it; of larger ones too much could be made up.
_LENIENT = 1 << 16
_RATIO = 1.2
_MOST_PER_OBJECT = (1 << 32) - 1


class PartHeader:
    """What a superblock says of one part.

    Attributes:
        version: 0 for all that can be read.
        digest: SHA-256 of the part's file.
        size: Bytes of the part's file.
        plain_size: Bytes of its objects: metadata as stored, content of regular files.
        objects: Type byte and digest of each object, back to back, in the order of writing.
    """

    __slots__ = ("digest", "objects", "plain_size", "size", "version")

    def __init__(
        self, digest: bytes, size: int, plain_size: int, objects: bytes, version: int = PART_VERSION
    ) -> None:
        self.version = version
        self.digest = digest
        self.size = size
        self.plain_size = plain_size
        self.objects = objects

    @property
    def count(self) -> int:
        """The number of its objects."""
        return len(self.objects) // _ENTRY

    @property
    def are_metadata(self) -> list[bool]:
        """For each of its objects whether it is metadata."""
        return [type != ObjectType.FILE for type in self.objects[::_ENTRY]]

    def names(self) -> list[tuple[ObjectType, Checksum]]:
        """Its objects.

        Raises:
            FormatError: if a type is none that a part can bring.
        """
        return list(self.each_name())

    def each_name(self) -> Iterator[tuple[ObjectType, Checksum]]:
        """The same, one by one, for who may need only the first."""
        for at in range(0, len(self.objects), _ENTRY):
            digest = self.objects[at + 1 : at + _ENTRY]
            yield _object_type(self.objects[at]), Checksum.of_digest(digest)


class Fallback:
    """An object that is not in the delta and has to be fetched by itself.

    Attributes:
        type: Always a file, in deltas that are well made.
        checksum: Its name.
        size: Bytes that it takes in the repository of the delta.
        plain_size: Bytes of its content.
    """

    __slots__ = ("checksum", "plain_size", "size", "type")

    def __init__(
        self, checksum: Checksum, size: int, plain_size: int, type: ObjectType = ObjectType.FILE
    ) -> None:
        self.type = type
        self.checksum = checksum
        self.size = size
        self.plain_size = plain_size


class Superblock:
    """A superblock; all numbers are plain, whatever byte order it was written in.

    Attributes:
        name: From where to where the delta leads.
        timestamp: When it was made, in seconds since the epoch.
        commit: The target commit, the bytes of the object.
        metadata: (key, value) in stored order.
        parts: The parts, in order.
        fallbacks: What the parts do not bring.
        prerequisites: The number of deltas that it says come before it; of no consequence.
        endianness: ``l`` or ``B``; empty if that cannot be told, which reads as little-endian.
        guessed: Whether the byte order was not written but guessed.
    """

    __slots__ = (
        "commit",
        "endianness",
        "fallbacks",
        "guessed",
        "metadata",
        "name",
        "parts",
        "prerequisites",
        "timestamp",
    )

    def __init__(
        self,
        name: DeltaName,
        commit: bytes,
        parts: Sequence[PartHeader],
        fallbacks: Sequence[Fallback] = (),
        *,
        timestamp: int,
        metadata: Sequence[tuple[str, Variant]] = (),
        endianness: str = "l",
    ) -> None:
        self.name = name
        self.commit = commit
        self.parts = list(parts)
        self.fallbacks = list(fallbacks)
        self.timestamp = timestamp
        self.metadata = list(metadata)
        self.endianness = endianness
        self.guessed = False
        self.prerequisites = 0

    def inline_part(self, index: int) -> bytes | None:
        """The file of a part that the superblock itself holds."""
        value: tuple[int, bytes] | None = gvariant.lookup(
            self.metadata, self.name.part(index), "(yay)"
        )
        return None if value is None else bytes((value[0],)) + value[1]

    @property
    def commitmeta(self) -> list[tuple[str, Variant]] | None:
        """The detached metadata that the target had, if any."""
        value: list[tuple[str, Variant]] | None = gvariant.lookup(
            self.metadata, self.name.commitmeta_key, "a{sv}"
        )
        return value

    @property
    def part_size(self) -> int:
        """Bytes of all part files."""
        return sum(part.size for part in self.parts)

    @property
    def part_plain_size(self) -> int:
        """Bytes of all objects in parts."""
        return sum(part.plain_size for part in self.parts)

    @property
    def fallback_size(self) -> int:
        """Bytes of all fallbacks as they are stored."""
        return sum(fallback.size for fallback in self.fallbacks)

    @property
    def fallback_plain_size(self) -> int:
        """Bytes of the content of all fallbacks."""
        return sum(fallback.plain_size for fallback in self.fallbacks)


def encode(superblock: Superblock) -> bytes:
    """Serialise; the key of the byte order comes first.

    Raises:
        FormatError: if the commit is none, or a number does not fit.
    """
    swap = superblock.endianness == "B"
    name = superblock.name
    metadata = [
        (ENDIANNESS, Variant("y", ord(superblock.endianness))),
        *(pair for pair in superblock.metadata if pair[0] != ENDIANNESS),
    ]
    parts = [
        (
            _order(part.version, 4, swap=swap),
            part.digest,
            _order(part.size, 8, swap=swap),
            _order(part.plain_size, 8, swap=swap),
            part.objects,
        )
        for part in superblock.parts
    ]
    fallbacks = [
        (
            fallback.type,
            fallback.checksum.digest,
            _order(fallback.size, 8, swap=swap),
            _order(fallback.plain_size, 8, swap=swap),
        )
        for fallback in superblock.fallbacks
    ]
    return gvariant.encode(
        TYPE,
        (
            metadata,
            _order(superblock.timestamp, 8, swap=True),
            name.source.digest if name.source is not None else b"",
            name.target.digest,
            gvariant.decode(_COMMIT_TYPE, superblock.commit),
            b"",
            parts,
            fallbacks,
        ),
    )


def decode(data: bytes) -> Superblock:
    """Parse and validate a superblock that has no wrapper.

    Raises:
        FormatError: naming what is wrong.
    """
    metadata, timestamp, source, target, commit, before, parts, fallbacks = _read(data)
    # In this order, for upstream looks at the target first.
    to = Checksum.of_digest(target)
    name = DeltaName(Checksum.of_digest(source) if source else None, to)
    order = gvariant.lookup(metadata, ENDIANNESS, "y")
    guessed = order is None
    headers = [
        PartHeader(digest, size, plain, objects, version)
        for version, digest, size, plain, objects in parts
    ]
    endianness = _guess(headers) if order is None else chr(order) if order in b"lB" else ""
    swap = endianness == "B"
    for header in headers:
        _check_header(header)
        header.version = _order(header.version, 4, swap=swap)
        header.size = _order(header.size, 8, swap=swap)
        header.plain_size = _order(header.plain_size, 8, swap=swap)
    superblock = Superblock(
        name,
        gvariant.encode(_COMMIT_TYPE, commit),
        headers,
        [
            Fallback(
                Checksum.of_digest(digest),
                _order(size, 8, swap=swap),
                _order(plain, 8, swap=swap),
                _object_type(type),
            )
            for type, digest, size, plain in fallbacks
        ],
        timestamp=_order(timestamp, 8, swap=True),
        metadata=metadata,
        endianness=endianness,
    )
    superblock.guessed = guessed
    superblock.prerequisites = len(before) // 64
    return superblock


def _read(data: bytes) -> Value:
    if len(data) > MAX_SIZE:
        raise FormatError(f"Delta superblock is too large: {len(data)}")
    return gvariant.decode(TYPE, data, strict=len(data) > _LENIENT)


def _check_header(header: PartHeader) -> None:
    if len(header.digest) != 32:
        raise FormatError(f"Invalid checksum of length {len(header.digest)} expected 32")
    if len(header.objects) % _ENTRY:
        raise FormatError(f"Invalid checksum array length {len(header.objects)}")
    if not set(header.objects[::_ENTRY]) <= {1, 2, 3, 4}:
        wrong = next(type for type in header.objects[::_ENTRY] if type not in {1, 2, 3, 4})
        _object_type(wrong)


def _object_type(number: int) -> ObjectType:
    if not 1 <= number <= 4:
        raise FormatError(f"Invalid object type {number} in static delta")
    return ObjectType(number)


def _guess(headers: list[PartHeader]) -> str:
    """The byte order of a delta that does not say (§3.5); empty if nothing looks wrong.

    Upstream takes any part that is a fifth larger than what is in it for proof of the other order,
    although small parts often are; here the order wins that gives the smaller sizes (docs/adr/0014).
    """
    if not _looks_wrong(headers):
        return ""
    sizes = [number for header in headers for number in (header.size, header.plain_size)]
    swapped = sum(_order(number, 8, swap=True) for number in sizes)
    return "B" if swapped < sum(sizes) else "l"


def _looks_wrong(headers: list[PartHeader]) -> bool:
    total = objects = 0
    for header in headers:
        total += header.size
        objects += header.count
        compressed_worse = (
            header.size / header.plain_size > _RATIO if header.plain_size else header.size > 0
        )
        if header.size > header.plain_size and compressed_worse:
            return True
    return objects > 0 and total / objects > _MOST_PER_OBJECT


def _order(number: int, width: int, *, swap: bool) -> int:
    return int.from_bytes(number.to_bytes(width, "little"), "big") if swap else number
