"""The order in which GLib's hash tables list their keys (format §1.7).

Dictionaries that upstream assembles through a hash table are serialised in the order of its
slots; to write the same bytes one has to keep the same table.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.formats.gvariant.value import Value

_LEAST_SHIFT = 3
_MULTIPLIER = 11
#: By the binary logarithm of the table's size: what hashes are reduced by to give a slot.
_PRIMES = (
    1,
    2,
    3,
    7,
    13,
    31,
    61,
    127,
    251,
    509,
    1021,
    2039,
    4093,
    8191,
    16381,
    32749,
    65521,
    131071,
    262139,
    524287,
    1048573,
    2097143,
    4194301,
    8388593,
    16777213,
    33554393,
    67108859,
    134217689,
    268435399,
    536870909,
    1073741789,
    2147483647,
)


def string_hash(key: str) -> int:
    """GLib's hash of a string, as its tables keep it: never 0 or 1."""
    result = 5381
    for byte in key.encode():
        result = result * 33 + (byte - 256 if byte > 127 else byte) & 0xFFFFFFFF
    return max(result, 2)


class _Entry:
    """A key in its slot; ``placed`` says which round of resizing put it there."""

    __slots__ = ("hash", "key", "placed", "value")

    def __init__(self, key: str, hash: int, value: Value) -> None:
        self.key = key
        self.hash = hash
        self.value = value
        self.placed = 0


class HashDict:
    """A dictionary with string keys that lists them in the order of GLib's slots."""

    __slots__ = ("_entries", "_round", "_shift", "_slots", "_used")

    def __init__(self, pairs: Iterable[tuple[str, Value]] = ()) -> None:
        # A slot holds an entry, None if it never held one, or False where one was removed.
        self._slots: list[_Entry | bool | None] = [None] * (1 << _LEAST_SHIFT)
        self._entries: dict[str, _Entry] = {}
        self._shift = _LEAST_SHIFT
        self._used = 0
        self._round = 0
        for key, value in pairs:
            self.insert(key, value)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str) -> Value:
        """The value of a key, or ``None``."""
        entry = self._entries.get(key)
        return entry.value if entry else None

    def insert(self, key: str, value: Value) -> None:
        """Add a key, or give it another value in the place it has."""
        entry = self._entries.get(key)
        if entry:
            entry.value = value
            return
        entry = self._entries[key] = _Entry(key, string_hash(key), value)
        slot = self._slot_for(entry)
        was_never_used = self._slots[slot] is None
        self._slots[slot] = entry
        if was_never_used:
            self._used += 1
            self._resize_if_needed()

    def remove(self, key: str) -> bool:
        """Take a key out; returns whether it was there."""
        entry = self._entries.pop(key, None)
        if not entry:
            return False
        self._slots[self._slots.index(entry)] = False
        self._resize_if_needed()
        return True

    def items(self) -> list[tuple[str, Value]]:
        """All (key, value), in the order of the slots."""
        return [(entry.key, entry.value) for entry in self._slots if isinstance(entry, _Entry)]

    def _slot_for(self, entry: _Entry) -> int:
        """The slot that a key not in the table goes to: the first removed one, or the first free."""
        slots = self._slots
        mask = len(slots) - 1
        slot = (entry.hash * _MULTIPLIER & 0xFFFFFFFF) % _PRIMES[self._shift]
        removed = -1
        step = 0
        while slots[slot] is not None:
            if slots[slot] is False and removed < 0:
                removed = slot
            step += 1
            slot = (slot + step) & mask
        return slot if removed < 0 else removed

    def _resize_if_needed(self) -> None:
        count = len(self._entries)
        size = len(self._slots)
        if size > max(count * 4, 8) or size <= self._used + self._used // 16:
            self._resize(max(int(count * 1.333).bit_length(), _LEAST_SHIFT))

    def _resize(self, shift: int) -> None:
        """Give the table ``2**shift`` slots, moving entries in place the way GLib does."""
        size = 1 << shift
        old_size = len(self._slots)
        slots = self._slots
        slots.extend([None] * (size - old_size))
        self._shift = shift
        self._used = len(self._entries)
        self._round += 1
        for index in range(old_size):
            entry = slots[index]
            if not isinstance(entry, _Entry):
                slots[index] = None
            elif entry.placed != self._round:
                slots[index] = None
                self._place(entry, size - 1)
        del slots[size:]

    def _place(self, entry: _Entry, mask: int) -> None:
        """Put an entry where it belongs, then the one that was there, and so on."""
        slots = self._slots
        while True:
            entry.placed = self._round
            slot = (entry.hash * _MULTIPLIER & 0xFFFFFFFF) % _PRIMES[self._shift]
            step = 0
            occupant = slots[slot]
            while isinstance(occupant, _Entry) and occupant.placed == self._round:
                step += 1
                slot = (slot + step) & mask
                occupant = slots[slot]
            slots[slot] = entry
            if not isinstance(occupant, _Entry):
                return
            entry = occupant
