"""What U-Boot's boot script keeps between boots: ``bootstate.env`` (U-Boot's text environment).

Lines ``name=value``.  U-Boot may leave NULs behind the text, up to the size of its buffer.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: A file that is larger is none of the script's.
MAX_SIZE = 1 << 16

_COUNT = "bootcount"


def read_tries(data: bytes) -> int:
    """How often the system was started since it last said that it is up; 0 if that is not told.

    U-Boot writes numbers in hexadecimal, but has none above 8 here.
    """
    for name, value in _pairs(data):
        if name == _COUNT and value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
    return 0


def reset_tries(data: bytes) -> bytes:
    """The file after a boot that was good; what else it says is kept."""
    kept = [(name, value) for name, value in _pairs(data) if name != _COUNT]
    return "".join(f"{name}={value}\n" for name, value in [(_COUNT, "0"), *kept]).encode(
        "utf-8", "surrogateescape"
    )


def _pairs(data: bytes) -> Iterator[tuple[str, str]]:
    text = data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    for line in text.split("\n"):
        name, equals, value = line.rstrip("\r").partition("=")
        if name and equals:
            yield name, value
