"""What a configuration wants of fs-verity (repository format §3.8)."""

from __future__ import annotations

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ostree.formats.keyfile import KeyFile

    Tristate = Literal["no", "maybe", "yes"]

_GROUP = "ex-integrity"
#: The group of older configurations, with two booleans.
_OLD_GROUP = "ex-fsverity"
_WORDS: dict[str, Tristate] = {
    "yes": "yes",
    "true": "yes",
    "1": "yes",
    "no": "no",
    "false": "no",
    "0": "no",
    "maybe": "maybe",
}


def parse_tristate(text: str) -> Tristate:
    """Yes, no or maybe.

    Raises:
        FormatError: ``Invalid tri-state value: …``.
    """
    value = _WORDS.get(text)
    if value is None:
        raise FormatError(f"Invalid tri-state value: {text}")
    return value


def wanted_verity(keyfile: KeyFile) -> Tristate:
    """Whether objects are to be sealed; with ``maybe`` where the file system can.

    Raises:
        FormatError: if a value is wrong.
    """
    text = keyfile.find_string(_GROUP, "fsverity")
    verity = _old_verity(keyfile) if text is None else parse_tristate(text)
    text = keyfile.find_string(_GROUP, "composefs")
    if verity == "no" and text is not None and parse_tristate(text) != "no":
        return "maybe"
    return verity


def _old_verity(keyfile: KeyFile) -> Tristate:
    if not keyfile.has_group(_OLD_GROUP):
        return "no"
    if keyfile.get_boolean(_OLD_GROUP, "required", default=False):
        return "yes"
    return "maybe" if keyfile.get_boolean(_OLD_GROUP, "opportunistic", default=False) else "no"
