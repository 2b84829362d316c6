"""How the root of a system is put together."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.prepare_root_config import Composefs, PrepareRootConfig


@pytest.mark.parametrize(
    ("texts", "command_line", "composefs", "verity"),
    [
        ([], "", Composefs.NO, False),
        ([b"[composefs]\nenabled=yes\n"], "", Composefs.YES, False),
        ([b"[composefs]\nenabled=1\n"], "", Composefs.YES, False),
        ([b"[composefs]\nenabled=maybe\n"], "", Composefs.MAYBE, False),
        ([b"[composefs]\nenabled=verity\n"], "", Composefs.VERITY, True),
        ([b"[composefs]\nenabled=signed\n"], "", Composefs.SIGNED, True),
        ([b"[composefs]\nenabled=yes\n", b"[composefs]\nenabled=no\n"], "", Composefs.NO, False),
        ([b"[composefs]\nenabled=yes\n", b"[etc]\ntransient=true\n"], "", Composefs.YES, False),
        ([], "quiet ostree.prepare-root.composefs=true x", Composefs.YES, False),
        (
            [b"[composefs]\nenabled=signed\n"],
            "ostree.prepare-root.composefs=0",
            Composefs.NO,
            True,
        ),
    ],
)
def test_composefs(
    texts: list[bytes], command_line: str, composefs: Composefs, verity: bool
) -> None:
    config = PrepareRootConfig(texts, command_line)

    assert (config.composefs, config.verity) == (composefs, verity)


def test_what_forgets() -> None:
    config = PrepareRootConfig([b"[etc]\ntransient=true\n[root]\ntransient-ro=true\n"], "")

    assert (config.etc_transient, config.root_transient, config.root_transient_ro) == (
        True,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[composefs]\nenabled=perhaps\n", "Invalid value 'perhaps' of composefs.enabled"),
        (
            b"[root]\ntransient=true\ntransient-ro=true\n",
            "Cannot set both root.transient and root.transient-ro",
        ),
        (b"[etc]\ntransient=perhaps\n", "“transient” which has a value that cannot be interpreted"),
        (b"nonsense", "not a key-value pair, group, or comment"),
    ],
)
def test_wrong_values(text: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        PrepareRootConfig([text], "")
