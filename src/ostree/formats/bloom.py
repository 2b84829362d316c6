"""Bloom filters of refs, as services announce them on a local network (remotes and pull §8.3)."""

from __future__ import annotations

from ostree.errors import FormatError

#: The only hash there is: SipHash-2-4 of the collection ID and of the ref.
SIPHASH = 1

#: More hash functions than this are no honest filter.
_MOST_FUNCTIONS = 255
_MASK = (1 << 64) - 1


class BloomFilter:
    """A set of (collection ID, ref) that may hold more than was put into it, but never less.

    Args:
        bits: Its bytes.
        functions: How many bits an element sets.

    Attributes:
        functions: As given.

    Raises:
        FormatError: if either is none.
    """

    def __init__(self, bits: bytes, functions: int) -> None:
        if not bits or not 1 <= functions <= _MOST_FUNCTIONS:
            raise FormatError("Invalid bloom filter")
        self._bits = bytearray(bits)
        self.functions = functions

    @property
    def bits(self) -> bytes:
        """Its bytes."""
        return bytes(self._bits)

    def add(self, collection: str, ref: str) -> None:
        """Put a ref into it."""
        for index in self._indexes(collection, ref):
            self._bits[index // 8] |= 1 << (index % 8)

    def may_have(self, collection: str, ref: str) -> bool:
        """Whether a ref may be in it; if not, it is not for sure."""
        return all(
            self._bits[index // 8] >> (index % 8) & 1 for index in self._indexes(collection, ref)
        )

    def _indexes(self, collection: str, ref: str) -> list[int]:
        names = collection.encode(), ref.encode()
        size = 8 * len(self._bits)
        return [
            (siphash(names[0], number) ^ siphash(names[1], number)) % size
            for number in range(self.functions)
        ]


def siphash(data: bytes, number: int) -> int:
    """SipHash-2-4 with 64 bits; the key is sixteen bytes that are all ``number``."""
    key = int.from_bytes(bytes([number]) * 8, "little")
    v0, v1 = key ^ 0x736F6D6570736575, key ^ 0x646F72616E646F6D
    v2, v3 = key ^ 0x6C7967656E657261, key ^ 0x7465646279746573
    tail = len(data) - len(data) % 8
    last = data[tail:].ljust(7, b"\0") + bytes([len(data) & 0xFF])
    for at in range(0, tail, 8):
        word = int.from_bytes(data[at : at + 8], "little")
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, word)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, int.from_bytes(last, "little"))
    v2 ^= 0xFF
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _absorb(v0: int, v1: int, v2: int, v3: int, word: int) -> tuple[int, int, int, int]:
    v3 ^= word
    v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3))
    return v0 ^ word, v1, v2, v3


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = (v0 + v1) & _MASK
    v1 = _rotate(v1, 13) ^ v0
    v0 = _rotate(v0, 32)
    v2 = (v2 + v3) & _MASK
    v3 = _rotate(v3, 16) ^ v2
    v0 = (v0 + v3) & _MASK
    v3 = _rotate(v3, 21) ^ v0
    v2 = (v2 + v1) & _MASK
    v1 = _rotate(v1, 17) ^ v2
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


def _rotate(value: int, count: int) -> int:
    return (value << count | value >> (64 - count)) & _MASK
