"""The dirtree object ``(a(say)a(sayay))`` (repository format §2.3)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.filename import check_filename, decode_filename, encode_filename
from ostree.formats.framing import (
    array_ends,
    join_array,
    pack_offsets,
    tuple_offset,
    width_for,
    width_in,
)
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_new = str.__new__


class DirTree:
    """The entries of a directory, each list sorted by the bytes of the names.

    Attributes:
        files: (name, file checksum) of regular files and symbolic links.
        dirs: (name, dirtree checksum, dirmeta checksum) of directories.
    """

    __slots__ = ("dirs", "files")

    def __init__(
        self,
        files: list[tuple[str, Checksum]],
        dirs: list[tuple[str, Checksum, Checksum]],
    ) -> None:
        self.files = files
        self.dirs = dirs

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DirTree):
            return NotImplemented
        return self.files == other.files and self.dirs == other.dirs

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"DirTree({len(self.files)} files, {len(self.dirs)} dirs)"


def encode(tree: DirTree) -> bytes:
    """Serialise, sorting both lists.

    Raises:
        FormatError: if a name cannot be an entry.
    """
    files = [(encode_filename(name), bytes.fromhex(csum)) for name, csum in tree.files]
    dirs = [
        (encode_filename(name), bytes.fromhex(dirtree), bytes.fromhex(dirmeta))
        for name, dirtree, dirmeta in tree.dirs
    ]
    return encode_raw(files, dirs)


def encode_raw(files: list[tuple[bytes, bytes]], dirs: list[tuple[bytes, bytes, bytes]]) -> bytes:
    """Serialise entries given as bytes (name, digest, …), sorting both lists in place."""
    files.sort()
    dirs.sort()
    file_elements = []
    for name, digest in files:
        end = len(name) + 1
        width = width_for(end + 32, 1)
        file_elements.append(name + b"\0" + digest + end.to_bytes(width, "little"))
    dir_elements = []
    for name, dirtree, dirmeta in dirs:
        end = len(name) + 1
        width = width_for(end + 64, 2)
        offsets = pack_offsets((end + 32, end), width)
        dir_elements.append(name + b"\0" + dirtree + dirmeta + offsets)
    first = join_array(file_elements)
    body = first + join_array(dir_elements)
    return body + pack_offsets((len(first),), width_for(len(body), 1))


def decode(data: bytes) -> DirTree:
    """Parse and validate: normal form, checksum lengths, entry names.

    Neither order nor uniqueness of names is a rule of the format.

    Raises:
        FormatError: naming what is wrong.
    """
    split, body = tuple_offset(data, "dirtree")
    files: list[tuple[str, Checksum]] = []
    dirs: list[tuple[str, Checksum, Checksum]] = []

    def add_file(name: str, rest: bytes) -> None:
        files.append((name, Checksum.of_digest(rest)))

    def add_dir(name: str, rest: bytes) -> None:
        dirs.append((name, _new(Checksum, rest[:32].hex()), _new(Checksum, rest[32:].hex())))

    _entries(data[:split], 1, add_file)
    _entries(data[split:body], 2, add_dir)
    return DirTree(files, dirs)


def _entries(data: bytes, checksums: int, add: Callable[[str, bytes], None]) -> None:
    """Call ``add`` with each entry's name and its digests, back to back."""
    start = 0
    for end in array_ends(data, "dirtree"):
        element = data[start:end]
        start = end
        size = len(element)
        width = 1 if size <= 0xFF else width_in(size)
        body = size - checksums * width
        name_end = int.from_bytes(element[size - width :], "little")
        if body < 1 or not 0 < name_end <= body or element[name_end - 1]:
            raise FormatError("Not normal form", offset=start - size, field="dirtree entry")
        if size > 0xFF and width != width_for(body, checksums):
            raise FormatError("Not normal form", offset=start - size, field="dirtree entry")
        rest = element[name_end:body]
        first_end = (
            body if checksums == 1 else int.from_bytes(element[body : body + width], "little")
        )
        if first_end != name_end + 32 or len(rest) != 32 * checksums:
            wrong = first_end - name_end if first_end != name_end + 32 else len(rest) - 32
            if first_end > body or wrong < 0:
                raise FormatError("Not normal form", offset=start - size, field="dirtree entry")
            raise FormatError(f"Invalid checksum of length {wrong} expected 32")
        raw_name = element[: name_end - 1]
        if b"\0" in raw_name:
            raise FormatError("Not normal form", offset=start - size, field="dirtree entry")
        name = decode_filename(raw_name)
        if raw_name in _SUSPICIOUS or b"/" in raw_name:
            check_filename(name)
        add(name, rest)


_SUSPICIOUS = frozenset((b"", b".", b".."))
