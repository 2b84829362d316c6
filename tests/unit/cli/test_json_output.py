"""JSON documents: readable where text is UTF-8, exact where it is not."""

from __future__ import annotations

import io
import json
from base64 import b64decode

from ostree.cli.context import Context, Output
from ostree.cli.json_output import print_json, text_fields


def test_utf8_text_stays_as_it_is() -> None:
    assert text_fields("path", "/usr/ä") == {"path": "/usr/ä"}


def test_other_bytes_are_escaped_and_in_base64() -> None:
    fields = text_fields("path", b"/a\xff".decode("utf-8", "surrogateescape"))

    assert fields["path"] == "/a\\xff"
    assert b64decode(str(fields["path_base64"])) == b"/a\xff"


def test_a_document_is_printed_whole_with_its_order() -> None:
    stream = io.BytesIO()
    output = Output(stream, "utf-8", is_terminal=False)

    print_json(Context(output, output, {}), {"b": 1, "a": ["ä"]})

    text = stream.getvalue().decode()
    assert list(json.loads(text)) == ["b", "a"]
    assert "ä" in text
