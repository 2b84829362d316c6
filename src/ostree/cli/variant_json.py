"""GVariant values in JSON documents (docs/json.md)."""

from __future__ import annotations

from ostree.formats.gvariant.text import print_text
from ostree.formats.gvariant.type_string import type_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.cli.json_output import Json
    from ostree.formats.gvariant import Variant
    from ostree.formats.gvariant.type_string import TypeInfo
    from ostree.formats.gvariant.value import Value

_INFINITIES = (float("inf"), float("-inf"))


def variants_json(pairs: Iterable[tuple[str, Variant]]) -> dict[str, Json]:
    """Metadata by key; of keys that repeat, the first counts."""
    found: dict[str, Json] = {}
    for key, variant in pairs:
        if key not in found:
            found[key] = variant_json(variant)
    return found


def variant_json(variant: Variant) -> dict[str, Json]:
    """A value: its type string, its JSON form and its text, which loses nothing."""
    return {
        "type": variant.type,
        "value": value_json(type_info(variant.type), variant.value),
        "text": print_text(variant.type, variant.value),
    }


def value_json(info: TypeInfo, value: Value) -> Json:
    """The JSON form of a value of a type.

    Numbers are numbers as they are stored, strings strings; ``ay`` is base64, a dictionary with
    string keys an object, every other array and each tuple an array; a variant is an object with
    ``type`` and ``value``.  An absent maybe is null, and so is a double that is no finite number.
    """
    kind = info.kind
    if kind == "v":
        return {"type": value.type, "value": value_json(type_info(value.type), value.value)}
    if kind == "a":
        return _array_json(info.element, value)
    if kind == "m":
        return None if value is None else value_json(info.element, value.value)
    if kind in "({":
        return [value_json(*member) for member in zip(info.members, value, strict=True)]
    if kind == "d":
        number = float(value)
        return None if number != number or number in _INFINITIES else number  # noqa: PLR0124 - NaN
    plain: str | bool | int = value
    return plain


def _array_json(element: TypeInfo, value: Value) -> Json:
    if element.kind == "y":
        from base64 import b64encode

        return b64encode(value).decode()
    if element.kind != "{" or element.members[0].kind not in "sog":
        return [value_json(element, item) for item in value]
    found: dict[str, Json] = {}
    for key, item in value:
        if key not in found:
            found[key] = value_json(element.members[1], item)
    return found
