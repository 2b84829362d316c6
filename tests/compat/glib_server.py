"""GLib's own GVariant code behind a pipe, for the tests that compare with it.

Run by the system's Python, which has python3-gi.  Each line on standard input is a JSON list of
requests ``[operation, argument, …]``; each line on standard output the list of the answers.
Bytes travel as hex, text as JSON strings.
"""

from __future__ import annotations

import json
import sys

import gi

gi.require_version("GLib", "2.0")
from gi.repository import GLib  # noqa: E402 - the version has to be required first


def load(type: str, data: str) -> list[object]:
    """What GLib sees in serialised bytes: normal?, annotated text, normal form, byteswapped."""
    value = GLib.Variant.new_from_bytes(
        GLib.VariantType.new(type), GLib.Bytes.new(bytes.fromhex(data)), False
    )
    return [
        value.is_normal_form(),
        value.print_(True),
        value.print_(False),
        _serialised(value.get_normal_form()),
        _serialised(value.byteswap()),
    ]


def parse(text: str, type: str | None) -> list[object]:
    """The type and bytes of a text, the error message, or nothing where GLib forgets to check."""
    wanted = GLib.VariantType.new(type) if type is not None else None
    try:
        value = GLib.Variant.parse(wanted, text, None, None)
    except GLib.Error as error:
        return [error.message]
    if value is None:
        return []
    return [value.get_type_string(), _serialised(value)]


def is_type(text: str) -> bool:
    """Whether it is a complete and definite type string."""
    return bool(GLib.VariantType.string_is_valid(text) and GLib.VariantType.new(text).is_definite())


def is_signature(text: str) -> bool:
    """Whether it is a signature."""
    return bool(GLib.Variant.is_signature(text))


def is_object_path(text: str) -> bool:
    """Whether it is an object path."""
    return bool(GLib.Variant.is_object_path(text))


def order(steps: list[list[str]]) -> list[str]:
    """The keys of a dictionary after insertions (``["+", key]``) and removals (``["-", key]``)."""
    table = GLib.VariantDict.new(None)
    for what, key in steps:
        if what == "+":
            table.insert_value(key, GLib.Variant.new_boolean(True))
        else:
            table.remove(key)
    return [entry.get_child_value(0).get_string() for entry in _children(table.end())]


def unprintable(first: int, last: int) -> list[int]:
    """The characters in a range that GLib does not print."""
    return [code for code in range(first, last) if not GLib.unichar_isprint(chr(code))]


def _children(value: GLib.Variant) -> list[GLib.Variant]:
    return [value.get_child_value(index) for index in range(value.n_children())]


def _serialised(value: GLib.Variant) -> str:
    data: bytes = value.get_data_as_bytes().get_data()
    return data.hex()


OPERATIONS = {
    function.__name__: function
    for function in (load, parse, is_type, is_signature, is_object_path, order, unprintable)
}


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        answers = [OPERATIONS[name](*arguments) for name, *arguments in json.loads(line)]
        sys.stdout.write(json.dumps(answers) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
