"""Results as one JSON document, for programs (docs/json.md).

Text that is not UTF-8 appears escaped, and beside it in base64 under the same key with
``_base64`` added: a program that needs the exact bytes has them, one that only shows them does not
stumble.
"""

from __future__ import annotations

from ostree.cli.options import JSON, OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

    Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None
    #: What a field of a document may be given as: at once, piece by piece, or at the end.
    Field: TypeAlias = Json | Iterator[Json] | Callable[[], Json]

__all__ = ["JSON", "print_json", "refuse_with_json", "text_fields"]

_INDENT = 2


def refuse_with_json(args: Arguments, *names: str) -> None:
    """Refuse options that ask for another form of output.

    Raises:
        OptionError: ``Cannot specify both --json and --NAME``.
    """
    for name in names:
        if args.has(name):
            raise OptionError(f"Cannot specify both --json and --{name}")


def print_json(ctx: Context, document: Mapping[str, Field]) -> None:
    """Print a document, in UTF-8 whatever the locale; keys keep their order.

    A field may be an iterator, whose items are printed as they come and not kept, or a function,
    which is called when the fields before it are printed.
    """
    from collections.abc import Iterator

    out = ctx.stdout
    separator = "{\n"
    for key, value in document.items():
        out.write_bytes(f'{separator}{" " * _INDENT}"{key}": '.encode())
        separator = ",\n"
        if isinstance(value, Iterator):
            _print_items(ctx, value)
        else:
            out.write_bytes(_indented(value() if callable(value) else value, _INDENT))
    out.write_bytes(b"\n}\n" if document else b"{}\n")


def _print_items(ctx: Context, items: Iterator[Json]) -> None:
    deeper = " " * (2 * _INDENT)
    separator = "["
    for item in items:
        ctx.stdout.write_bytes(f"{separator}\n{deeper}".encode() + _indented(item, 2 * _INDENT))
        separator = ","
    ctx.stdout.write_bytes(b"[]" if separator == "[" else f"\n{' ' * _INDENT}]".encode())


def _indented(value: Json, columns: int) -> bytes:
    """A value whose lines after the first begin at a column; line ends in text are escaped."""
    import json

    text = json.dumps(value, indent=_INDENT, ensure_ascii=False)
    # An escape of JSON: what is not UTF-8 should not get here, and is no reason to stop.
    return text.replace("\n", "\n" + " " * columns).encode("utf-8", "backslashreplace")


def text_fields(key: str, text: str) -> dict[str, Json]:
    r"""A name, path or other text from outside, under ``key``.

    Args:
        key: What the field is called.
        text: Bytes that are not UTF-8 are in it as surrogate escapes.

    Returns:
        ``{key: text}``, or for text that is not UTF-8 ``{key: escaped, key_base64: bytes}``, where
        each such byte is written ``\xNN``.
    """
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return {key: raw.decode()}
    except UnicodeDecodeError:
        from base64 import b64encode

        escaped = raw.decode("utf-8", "backslashreplace")
        return {key: escaped, f"{key}_base64": b64encode(raw).decode()}
