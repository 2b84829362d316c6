"""GVariant type strings: what they mean for size, alignment and nesting (format §1.1)."""

from __future__ import annotations

from functools import lru_cache

from ostree.errors import FormatError

#: How deep types may be nested in types, and values in variants.
MAX_DEPTH = 128

#: Longer type strings are refused.  GLib has no limit, but a variant brings its own type along,
#: and what has to be kept for each character of it is many times larger than that character.
MAX_LENGTH = 65535

_CACHED_LENGTH = 255

_BASIC_SIZES = {
    "y": 1,
    "b": 1,
    "n": 2,
    "q": 2,
    "i": 4,
    "u": 4,
    "h": 4,
    "x": 8,
    "t": 8,
    "d": 8,
    "s": 0,
    "o": 0,
    "g": 0,
}
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


class TypeInfo:
    """What a type string says.

    Attributes:
        text: The type string.
        kind: Its first character: ``a``, ``m``, ``(``, ``{``, ``v`` or that of a basic type.
        alignment: 1, 2, 4 or 8.
        size: The size in bytes that all values have, or 0 if sizes differ.
        depth: How many levels of containers it has, itself included; at least 1.
        members: The types of a tuple's members, of a dict entry's key and value, or the one type
            of elements of an array or maybe.
    """

    __slots__ = ("alignment", "depth", "kind", "members", "size", "text")

    def __init__(
        self, text: str, alignment: int, size: int, members: tuple[TypeInfo, ...] = ()
    ) -> None:
        self.text = text
        self.kind = text[0]
        self.alignment = alignment
        self.size = size
        self.members = members
        self.depth: int = 1 + max([member.depth for member in members], default=0)

    def __repr__(self) -> str:
        return f"TypeInfo({self.text!r})"

    @property
    def element(self) -> TypeInfo:
        """The type of an array's or maybe's elements."""
        return self.members[0]

    @property
    def is_basic(self) -> bool:
        """Whether it is a number, a boolean or a kind of string, and so can be a key."""
        return self.kind in _BASIC_SIZES


_SIMPLE = {kind: TypeInfo(kind, size or 1, size) for kind, size in _BASIC_SIZES.items()}
_SIMPLE["v"] = TypeInfo("v", 8, 0)


def type_info(text: str) -> TypeInfo:
    """What a type string means; recent ones are remembered.

    Raises:
        FormatError: if it is not exactly one complete and definite type, nests too deep or is
            too long.
    """
    if len(text) > _CACHED_LENGTH:
        return _parse_whole(text)
    return _remembered(text)


def is_type(text: str) -> bool:
    """Whether it is one complete and definite type."""
    return bool(text) and _skip(text, 0, MAX_DEPTH) == len(text)


def is_signature(text: str) -> bool:
    """Whether it is a row of any number of complete and definite types, without maybes."""
    if "m" in text:
        return False
    position = 0
    while position < len(text):
        position = _skip(text, position, MAX_DEPTH)
        if position < 0:
            return False
    return True


def is_object_path(text: str) -> bool:
    """Whether it is ``/`` or a row of ``/name`` of letters, digits and underscores."""
    if text == "/":
        return True
    if not text.startswith("/"):
        return False
    return all(part and _NAME_CHARACTERS.issuperset(part) for part in text[1:].split("/"))


def end_of_type(text: str, position: int) -> int:
    """Where the complete and definite type that starts at a position ends, or -1."""
    return _skip(text, position, MAX_DEPTH)


def _skip(text: str, position: int, levels: int) -> int:
    """Like end_of_type; ``levels`` is how many more levels of containers may follow."""
    kind = text[position : position + 1]
    while kind in ("a", "m"):
        position += 1
        levels -= 1
        if levels < 0:
            return -1
        kind = text[position : position + 1]
    position += 1
    if kind in _SIMPLE:
        return position
    if kind == "{":
        if levels < 1 or text[position : position + 1] not in _BASIC_SIZES:
            return -1
        position = _skip(text, position + 1, levels - 1)
        return position + 1 if position > 0 and text[position : position + 1] == "}" else -1
    if kind != "(":
        return -1
    while text[position : position + 1] != ")":
        if levels < 1:
            return -1
        position = _skip(text, position, levels - 1)
        if position < 0:
            return -1
    return position + 1


@lru_cache(maxsize=256)
def _remembered(text: str) -> TypeInfo:
    return _parse_whole(text)


def _parse_whole(text: str) -> TypeInfo:
    if len(text) > MAX_LENGTH:
        raise FormatError(f"GVariant type string of {len(text)} characters is too long")
    if not is_type(text):
        raise FormatError(f"Not a GVariant type string: '{text}'")
    return _parse(text, 0)[0]


def _parse(text: str, start: int) -> tuple[TypeInfo, int]:
    """The type that starts at a position of a correct type string, and where it ends."""
    kind = text[start]
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple, start + 1
    if kind in ("a", "m"):
        element, end = _parse(text, start + 1)
        return TypeInfo(text[start:end], element.alignment, 0, (element,)), end
    members = []
    end = start + 1
    while text[end] not in (")", "}"):
        member, end = _parse(text, end)
        members.append(member)
    end += 1
    alignment = max([member.alignment for member in members], default=1)
    return TypeInfo(
        text[start:end], alignment, _tuple_size(members, alignment), tuple(members)
    ), end


def _tuple_size(members: list[TypeInfo], alignment: int) -> int:
    """The size of a tuple of fixed-size members with its padding, or 0 if one is not fixed."""
    size = 0
    for member in members:
        if not member.size:
            return 0
        size += -size & (member.alignment - 1)
        size += member.size
    size += -size & (alignment - 1)
    return size or 1
