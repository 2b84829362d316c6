"""Files of paths that a commit treats specially: ``--statoverride``, ``--skip-list`` (§6.2)."""

from __future__ import annotations

import re

from ostree.errors import FormatError

#: What C's ``strtod`` takes from the start of a text.
_NUMBER = re.compile(
    r"""[ \t\n\v\f\r]*
    (?P<sign>[+-]?)
    (?:
      0[xX](?P<hex>[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)(?P<power>[pP][+-]?\d+)?
    | (?P<decimal>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>inf(?:inity)?|nan)
    )""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
#: What becomes of a number that an ``int`` of C cannot hold.
_INT_MIN = -(1 << 31)


class Statoverride:
    """What is done to the modes of single paths.

    Attributes:
        add: Bits to add, by path.
        replace: Permission bits to have instead, by path.
    """

    __slots__ = ("add", "replace")

    def __init__(self, add: dict[str, int], replace: dict[str, int]) -> None:
        self.add = add
        self.replace = replace


def parse_statoverride(text: str) -> Statoverride:
    """Lines ``N PATH``, bits to add, and ``=N PATH``, bits to have; N is decimal.

    The last line for a path counts.

    Raises:
        FormatError: ``Malformed statoverride file (no space found)``.
    """
    add: dict[str, int] = {}
    replace: dict[str, int] = {}
    for line in _lines(text):
        number, blank, path = line.partition(" ")
        if not blank:
            raise FormatError("Malformed statoverride file (no space found)")
        if number.startswith("="):
            replace[path] = _as_int(number[1:])
        else:
            add[path] = _as_int(number)
    return Statoverride(add, replace)


def parse_skip_list(text: str) -> list[str]:
    """The paths, one a line."""
    return _lines(text)


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def _as_int(text: str) -> int:
    """The number at the start of a text as C makes an ``int`` of it: double first, then cut off."""
    match = _NUMBER.match(text)
    if match is None:
        return 0
    if match["word"]:
        return _INT_MIN
    if match["hex"]:
        value = float.fromhex(f"0x{match['hex']}{match['power'] or ''}")
    else:
        value = float(match["decimal"])
    if match["sign"] == "-":
        value = -value
    return int(value) if _INT_MIN <= value < -_INT_MIN else _INT_MIN
