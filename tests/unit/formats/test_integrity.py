"""What configurations say of fs-verity, old and new."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.integrity import parse_tristate, wanted_verity
from ostree.formats.keyfile import KeyFile


@pytest.mark.parametrize(
    ("text", "verity"),
    [
        ("", "no"),
        ("[ex-integrity]\nfsverity=yes\n", "yes"),
        ("[ex-integrity]\nfsverity=true\n", "yes"),
        ("[ex-integrity]\nfsverity=1\n", "yes"),
        ("[ex-integrity]\nfsverity=maybe\n", "maybe"),
        ("[ex-integrity]\nfsverity=no\n", "no"),
        ("[ex-integrity]\nfsverity=false\n", "no"),
        ("[ex-integrity]\nfsverity=0\n", "no"),
        ("[ex-integrity]\ncomposefs=yes\n", "maybe"),
        ("[ex-integrity]\ncomposefs=maybe\n", "maybe"),
        ("[ex-integrity]\ncomposefs=no\n", "no"),
        ("[ex-integrity]\ncomposefs=yes\nfsverity=no\n", "maybe"),
        ("[ex-integrity]\ncomposefs=no\nfsverity=yes\n", "yes"),
        ("[ex-fsverity]\nrequired=true\n", "yes"),
        ("[ex-fsverity]\nopportunistic=true\n", "maybe"),
        ("[ex-fsverity]\nrequired=true\nopportunistic=true\n", "yes"),
        ("[ex-fsverity]\nrequired=false\n", "no"),
        ("[ex-integrity]\nfsverity=no\n[ex-fsverity]\nrequired=true\n", "no"),
    ],
)
def test_wanted(text: str, verity: str) -> None:
    assert wanted_verity(KeyFile.parse(text.encode())) == verity


@pytest.mark.parametrize("text", ["", "Yes", "perhaps", "2", "yes "])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_tristate(text)

    assert str(caught.value) == f"Invalid tri-state value: {text}"
