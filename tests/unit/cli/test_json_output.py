"""JSON documents: readable where text is UTF-8, exact where it is not."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from ostree.cli.context import Context, Output
from ostree.cli.json_output import JSON, print_json, refuse_with_json, text_fields
from ostree.cli.options import OptionError, flag, parse, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.cli.json_output import Field, Json


def printed(document: Mapping[str, Field], *, charset: str = "utf-8") -> str:
    stream = io.BytesIO()
    output = Output(stream, charset, is_terminal=False)
    print_json(Context(output, output, {}), document)
    return stream.getvalue().decode()


def as_piece(value: Json) -> Field:
    return iter(value) if isinstance(value, list) else lambda: value


def test_utf8_text_stays_as_it_is() -> None:
    assert text_fields("path", "/usr/ä") == {"path": "/usr/ä"}


def test_other_bytes_are_escaped_and_in_base64() -> None:
    fields = text_fields("path", b"/a\xff".decode("utf-8", "surrogateescape"))

    assert fields["path"] == "/a\\xff"
    assert b64decode(str(fields["path_base64"])) == b"/a\xff"


def test_a_document_is_printed_whole_with_its_order() -> None:
    text = printed({"b": 1, "a": ["ä"]})

    assert list(json.loads(text)) == ["b", "a"]
    assert "ä" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": None, "b": {"c": [1, [], {}]}},
        {"a": []},
        {"a": ["x\ny", {"b": [1, 2]}], "c": "line\nend"},
    ],
)
def test_pieces_look_like_the_whole(document: dict[str, Json]) -> None:
    """However the fields are given, the text is that of one indented document."""
    pieces = {key: as_piece(value) for key, value in document.items()}

    assert printed(document) == json.dumps(document, indent=2) + "\n"
    assert printed(pieces) == printed(document)


def test_what_is_only_known_at_the_end_is_asked_then() -> None:
    left = [1, 2]

    text = printed({"items": iter(left.pop, 1), "left": lambda: len(left)})

    assert json.loads(text) == {"items": [2], "left": 0}


def test_documents_are_utf8_whatever_the_locale() -> None:
    """Scripts run in the C locale, where other output shows ? instead."""
    assert json.loads(printed({"a": "ä"}, charset="ascii")) == {"a": "ä"}


def test_no_text_can_spoil_a_document() -> None:
    """What is not UTF-8 goes through text_fields; anything that slips through is escaped."""
    text = printed({"a": "x\udcff"})

    assert json.loads(text) == {"a": "x\udcff"}


def test_other_forms_of_output_are_refused() -> None:
    args = parse((flag("help", ""), JSON, flag("raw", ""), text("key", "", "")), ["--raw"])

    refuse_with_json(args, "key")
    with pytest.raises(OptionError, match="Cannot specify both --json and --raw"):
        refuse_with_json(args, "key", "raw")
