"""Reading serialised GVariants that are not in normal form, the way GLib does (format §1.3).

Whatever cannot be read becomes its type's default: zero, false, the empty string, ``/`` for an
object path, nothing, the empty array, a tuple of defaults, ``()`` inside a variant.  This is the
slow way: data in normal form never comes here.
"""

from __future__ import annotations

from struct import unpack_from

from ostree.errors import FormatError
from ostree.formats.gvariant.decoder import (
    OFFSET_CODES,
    STRUCT_CODES,
    last_nul,
    offset_width,
)
from ostree.formats.gvariant.type_string import (
    MAX_DEPTH,
    MAX_LENGTH,
    TypeInfo,
    is_object_path,
    is_signature,
    type_info,
)
from ostree.formats.gvariant.value import Just, Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.gvariant.decoder import Data
    from ostree.formats.gvariant.value import Value

#: How many default members of tuples may be made, for each byte of data and at least.
_DEFAULTS_PER_BYTE = 4
_LEAST_DEFAULTS = 4096


def decode_anything(info: TypeInfo, data: Data) -> Value:
    """The value of any data at all.

    A few bytes can stand for a tuple with thousands of missing members.  When more than a certain
    number of those have been made, further broken tuples are replaced by one default, shared.
    """
    return _Decoder(data).read(info, 0, len(data), 0)


class _Decoder:
    """Data, and what of the allowance for defaults is left.

    A part that GLib cannot find in the data at all is at start -1.
    """

    __slots__ = ("allowance", "data", "shared")

    def __init__(self, data: Data) -> None:
        self.data = data
        self.allowance = max(_LEAST_DEFAULTS, _DEFAULTS_PER_BYTE * len(data))
        self.shared: dict[str, Value] = {}

    def read(self, info: TypeInfo, start: int, end: int, depth: int) -> Value:
        """The value between two offsets, or its type's default."""
        if start < 0 or (info.size and end - start != info.size):
            return self.default(info)
        kind = info.kind
        if kind in STRUCT_CODES:
            return self._read_number(kind, start)
        if kind in "sog":
            return self._read_string(kind, start, end)
        if kind == "v":
            return self._read_variant(start, end, depth)
        if kind == "m":
            return self._read_maybe(info.element, start, end, depth)
        if kind == "a":
            return self._read_array(info.element, start, end, depth)
        return self._read_tuple(info, start, end, depth)

    def default(self, info: TypeInfo) -> Value:
        """What stands for a value that cannot be read."""
        kind = info.kind
        if kind == "b":
            return False
        if kind == "d":
            return 0.0
        if kind in STRUCT_CODES:
            return 0
        if kind in "sg":
            return ""
        if kind == "o":
            return "/"
        if kind == "v":
            return Variant("()", ())
        if kind == "m":
            return None
        if kind == "a":
            return b"" if info.element.kind == "y" else []
        if self.allowance > 0:
            self.allowance -= len(info.members)
            return tuple(map(self.default, info.members))
        if info.text not in self.shared:
            self.shared[info.text] = tuple(map(self.default, info.members))
        return self.shared[info.text]

    def _read_number(self, kind: str, start: int) -> Value:
        return unpack_from("<" + STRUCT_CODES[kind], self.data, start)[0]

    def _read_string(self, kind: str, start: int, end: int) -> str:
        fallback = "/" if kind == "o" else ""
        if start == end or self.data[end - 1]:
            return fallback
        try:
            text = str(self.data[start : end - 1], "utf-8")
        except UnicodeDecodeError:
            return fallback
        if "\0" in text:
            return fallback
        if kind == "o" and not is_object_path(text):
            return fallback
        if kind == "g" and not is_signature(text):
            return fallback
        return text

    def _read_variant(self, start: int, end: int, depth: int) -> Variant:
        nul = last_nul(self.data, start, end)
        if nul < 0 or end - nul > MAX_LENGTH:
            return Variant("()", ())
        try:
            info = type_info(str(self.data[nul + 1 : end], "ascii"))
        except (FormatError, UnicodeDecodeError):
            return Variant("()", ())
        if depth >= MAX_DEPTH - info.depth or (info.size and info.size != nul - start):
            return Variant("()", ())
        return Variant(info.text, self.read(info, start, nul, depth + 1))

    def _read_maybe(self, element: TypeInfo, start: int, end: int, depth: int) -> Just | None:
        if element.size:
            if end - start != element.size:
                return None
        elif start == end:
            return None
        else:
            end -= 1
        return Just(self.read(element, start, end, depth + 1))

    def _read_array(self, element: TypeInfo, start: int, end: int, depth: int) -> Value:
        size = element.size
        if size:
            if (end - start) % size:
                end = start
            if element.kind == "y":
                return bytes(self.data[start:end])
            return [self.read(element, at, at + size, depth + 1) for at in range(start, end, size)]
        return self._read_variable_array(element, start, end, depth)

    def _read_variable_array(
        self, element: TypeInfo, start: int, end: int, depth: int
    ) -> list[Value]:
        if start == end:
            return []
        width = offset_width(end - start)
        table = start + int.from_bytes(self.data[end - width : end], "little")
        if table >= end or (end - table) % width:
            return []
        count = (end - table) // width
        values = []
        before = 0
        mask = element.alignment - 1
        ordered = True
        for offset in unpack_from(f"<{count}{OFFSET_CODES[width]}", self.data, table):
            ordered = ordered and before <= offset
            at = before + (-before & mask)
            found = ordered and at <= offset and start + offset <= table
            values.append(
                self.read(element, start + at if found else -1, start + offset, depth + 1)
            )
            before = offset
        return values

    def _read_tuple(self, info: TypeInfo, start: int, end: int, depth: int) -> Value:
        if end - start < len(info.members) - 1:
            if self.allowance <= 0:
                return self.default(info)
            self.allowance -= len(info.members)
        bounds = self._member_bounds(info, start, end)
        unordered = _first_unordered(bounds, end)
        limit = min(end, bounds[-1][1]) if len(bounds) == len(info.members) > 0 else end
        values = []
        for index, (member, (at, stop)) in enumerate(zip(info.members, bounds, strict=False)):
            found = (unordered <= 0 or index < unordered) and at <= stop <= limit
            values.append(self.read(member, at if found else -1, stop, depth + 1))
        values.extend(map(self.default, info.members[len(bounds) :]))
        return tuple(values)

    def _member_bounds(self, info: TypeInfo, start: int, end: int) -> list[tuple[int, int]]:
        """Where a tuple's members start and end, right or wrong; at -1 for no framing offset."""
        width = offset_width(end - start)
        bounds = []
        at = start
        frame = end
        last = len(info.members) - 1
        for index, member in enumerate(info.members):
            at += -at & (member.alignment - 1)
            if member.size:
                stop = at + member.size
            elif index == last:
                stop = frame
            else:
                frame -= width
                if frame < start:
                    break
                stop = start + int.from_bytes(self.data[frame : frame + width], "little")
            bounds.append((at, stop))
            at = stop
        return bounds


def _first_unordered(bounds: list[tuple[int, int]], end: int) -> int:
    """The first member whose bounds are impossible, or -1."""
    before = 0
    for index, (at, stop) in enumerate(bounds):
        if at > stop or at < before or stop > end:
            return index
        before = stop
    return -1
