"""Results as one JSON document, for programs (docs/json.md).

Text that is not UTF-8 appears escaped, and beside it in base64 under the same key with
``_base64`` added: a program that needs the exact bytes has them, one that only shows them does not
stumble.
"""

from __future__ import annotations

from ostree.cli.options import flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from ostree.cli.context import Context

    Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None

#: The option of every command that has such a form.
JSON = flag("json", "Print the result as one JSON document")


def print_json(ctx: Context, document: Json) -> None:
    """Print a document; keys keep their order, text stays readable."""
    import json

    ctx.stdout.line(json.dumps(document, indent=2, ensure_ascii=False))


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
