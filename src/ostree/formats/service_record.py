"""What a repository announces of itself on a local network (remotes and pull §8.3).

The TXT record of a DNS-SD service: strings ``name=value``, each behind a byte with its length.  The
values are serialised GVariants in normal form.
"""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.bloom import SIPHASH, BloomFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.gvariant.value import Value

#: Largest record, in bytes.
MAX_RECORD = 8900
_VERSION = 1
_PRINTABLE = frozenset(range(0x20, 0x7F)) - {ord("=")}


class ServiceRecord:
    """A record.

    Attributes:
        refs: The refs that the repository may have.
        summary_modified: When its summary was made, in seconds since the epoch.
        index: Its number on the server; it is below ``/INDEX``.
    """

    __slots__ = ("index", "refs", "summary_modified")

    def __init__(self, refs: BloomFilter, summary_modified: int, index: int) -> None:
        self.refs = refs
        self.summary_modified = summary_modified
        self.index = index


def attributes(data: bytes) -> dict[str, bytes]:
    """The attributes of a TXT record by their names in lower case; of equal names the first counts.

    Strings without a name, and names with other characters than printable ASCII, are passed over.

    Raises:
        FormatError: if the record is too large, or ends within a string.
    """
    if len(data) > MAX_RECORD:
        raise FormatError(f"Service record of {len(data)} bytes is larger than {MAX_RECORD}")
    found: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise FormatError("Service record ends within a string", offset=at)
        name, _, value = data[at + 1 : end].partition(b"=")
        if name and _PRINTABLE.issuperset(name):
            found.setdefault(name.decode("ascii").lower(), value)
        at = end
    return found


def decode(data: bytes) -> ServiceRecord:
    """The record of a repository.

    Raises:
        FormatError: naming the attribute that is missing or wrong.
    """
    found = attributes(data)
    version = _value(found, "v", "y")
    if version != _VERSION:
        raise FormatError(f"Service record has unknown version {version}")
    functions, hash_id, bits = _members(_value(found, "rb", "(yyay)"))
    if hash_id != SIPHASH:
        raise FormatError(f"Service record has unknown hash {hash_id}")
    modified = _value(found, "st", "t")
    index = _value(found, "ri", "q")
    return ServiceRecord(
        BloomFilter(_bytes(bits), _number(functions)),
        _swapped(_number(modified), 8),
        _swapped(_number(index), 2),
    )


def _value(found: dict[str, bytes], name: str, type: str) -> Value:
    if name not in found:
        raise FormatError(f"Service record lacks the attribute {name}")
    try:
        return gvariant.decode(type, found[name])
    except FormatError as error:
        error.add_prefix(f"Attribute {name} of a service record")
        raise


def _swapped(value: int, size: int) -> int:
    """Big-endian numbers are stored as little-endian machines store their bytes."""
    return int.from_bytes(value.to_bytes(size, "little"), "big")


def _members(value: Value) -> tuple[Value, Value, Value]:
    if not isinstance(value, tuple) or len(value) != 3:
        raise FormatError("Not normal form", field="rb")
    return value


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise FormatError("Not normal form", field="number")
    return value


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise FormatError("Not normal form", field="rb")
    return value
