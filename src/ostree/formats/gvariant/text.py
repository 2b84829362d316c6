"""GVariant values as text (format §1.8)."""

from __future__ import annotations

from math import copysign

from ostree.formats.gvariant.encoder import check_value
from ostree.formats.gvariant.type_string import TypeInfo, type_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.gvariant.value import Value

_KEYWORDS = {
    "y": "byte",
    "n": "int16",
    "q": "uint16",
    "u": "uint32",
    "h": "handle",
    "x": "int64",
    "t": "uint64",
    "o": "objectpath",
    "g": "signature",
}
_ESCAPES = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v"}
_BYTE_ESCAPES = {0x08: "b", 0x0C: "f", 0x0A: "n", 0x0D: "r", 0x09: "t", 0x0B: "v", 0x5C: "\\"}


def print_text(type: str, value: Value, *, annotate: bool = True) -> str:
    """The text of a value.

    Args:
        type: The type string.
        value: The value.
        annotate: Say types where the text alone does not, so that parsing gives the same value.

    Raises:
        FormatError: if the type string is wrong or the value is not one of the type.
    """
    info = type_info(type)
    check_value(info, value)
    pieces: list[str] = []
    _print(info, value, pieces, annotate=annotate)
    return "".join(pieces)


def _print(info: TypeInfo, value: Value, out: list[str], *, annotate: bool) -> None:
    kind = info.kind
    if kind == "v":
        out.append("<")
        # A variant says its type even where nothing else does.
        _print(type_info(value.type), value.value, out, annotate=True)
        out.append(">")
    elif kind == "a":
        _print_array(info, value, out, annotate=annotate)
    elif kind == "m":
        _print_maybe(info, value, out, annotate=annotate)
    elif kind == "(":
        _print_tuple(info, value, out, annotate=annotate)
    elif kind == "{":
        out.append("{")
        _print_entry(info, value, ", ", out, annotate=annotate)
        out.append("}")
    else:
        if annotate and kind in _KEYWORDS:
            out.append(_KEYWORDS[kind] + " ")
        out.append(_basic_text(kind, value))


def _basic_text(kind: str, value: Value) -> str:
    if kind in "sog":
        return _quoted(value)
    if kind == "b":
        return "true" if value else "false"
    if kind == "d":
        return _double_text(value)
    if kind == "y":
        return f"0x{value:02x}"
    return str(int(value))


def _double_text(value: float) -> str:
    """As C's ``%.17g``, with a point or exponent in it so that it stays a double."""
    text = f"{float(value):.17g}"
    if text == "nan":
        return "-nan" if copysign(1, value) < 0 else "nan"
    return text if text.strip("-0123456789") else text + ".0"


def _print_array(info: TypeInfo, value: Value, out: list[str], *, annotate: bool) -> None:
    element = info.element
    is_dictionary = element.kind == "{"
    if element.kind == "y":
        data = bytes(value)
        if data and data.find(0) == len(data) - 1:
            out.append("b" + _quoted_bytes(data[:-1]))
            return
        value = data
    opening, closing = "{}" if is_dictionary else "[]"
    if not value and annotate:
        out.append(f"@{info.text} ")
    out.append(opening)
    separator = ""
    for item in value:
        out.append(separator)
        if is_dictionary:
            _print_entry(element, item, ": ", out, annotate=annotate)
        else:
            _print(element, item, out, annotate=annotate)
        # The first element speaks for all.
        annotate = False
        separator = ", "
    out.append(closing)


def _print_entry(
    info: TypeInfo, entry: Value, separator: str, out: list[str], *, annotate: bool
) -> None:
    key, value = info.members
    _print(key, entry[0], out, annotate=annotate)
    out.append(separator)
    _print(value, entry[1], out, annotate=annotate)


def _print_maybe(info: TypeInfo, value: Value, out: list[str], *, annotate: bool) -> None:
    if annotate:
        out.append(f"@{info.text} ")
    # What is present speaks for itself; only a present nothing has to be told from nothing.
    levels = 0
    while value is not None and info.kind == "m":
        value = value.value
        info = info.element
        levels += 1
    if value is None:
        out.append("just " * levels + "nothing")
    else:
        _print(info, value, out, annotate=False)


def _print_tuple(info: TypeInfo, value: Value, out: list[str], *, annotate: bool) -> None:
    out.append("(")
    separator = ""
    for member, item in zip(info.members, value, strict=True):
        out.append(separator)
        _print(member, item, out, annotate=annotate)
        separator = ", "
    out.append(",)" if len(value) == 1 else ")")


def _quoted(text: str) -> str:
    quote = '"' if "'" in text else "'"
    if text.isprintable() and "\\" not in text and quote not in text:
        return quote + text + quote
    return quote + "".join([_escaped(character, quote) for character in text]) + quote


def _escaped(character: str, quote: str) -> str:
    if character in (quote, "\\"):
        return "\\" + character
    if character.isprintable():
        return character
    if character in _ESCAPES:
        return "\\" + _ESCAPES[character]
    from unicodedata import category

    # Python has fewer printable characters than GLib: not spaces, not those for private use.
    if category(character) not in ("Cc", "Cf", "Cn", "Cs"):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _quoted_bytes(data: bytes) -> str:
    quote = '"' if b"'" in data else "'"
    return quote + "".join(map(_escaped_byte, data)) + quote


def _escaped_byte(byte: int) -> str:
    if byte in _BYTE_ESCAPES:
        return "\\" + _BYTE_ESCAPES[byte]
    character = chr(byte)
    if character == '"':
        return '\\"'
    if 0x20 <= byte < 0x7F:
        return character
    return f"\\{byte:03o}"
