"""The dirtree object ``(a(say)a(sayay))`` (repository format §2.3)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.filename import check_filename, decode_filename, encode_filename
from ostree.formats.framing import (
    array_ends,
    join_array,
    pack_offsets,
    split_array,
    tuple_offset,
    width_for,
    width_in,
)
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

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


class KnownEntries:
    """Entries of directories that are at hand with all that is below them, as they are stored.

    An update changes a few entries of a directory; the others are found here by their bytes.

    Attributes:
        files: Those of files and symbolic links.
        dirs: Those of directories.
    """

    __slots__ = ("dirs", "files")

    def __init__(self) -> None:
        self.files: set[bytes] = set()
        self.dirs: set[bytes] = set()

    def add(self, data: bytes) -> dict[str, Checksum]:
        """Add those of a dirtree object that was accepted once; the dirtrees below it, by name.

        Raises:
            FormatError: naming what is wrong.
        """
        split, body = tuple_offset(data, "dirtree")
        self.files.update(split_array(data[:split], "dirtree"))
        below = {}
        for element in split_array(data[split:body], "dirtree"):
            name, rest = _entry(element, split, 2)
            self.dirs.add(element)
            below[name] = _new(Checksum, rest[:32].hex())
        return below


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
    dirs: list[tuple[str, Checksum, Checksum]] = []
    for name, rest in _entries(data[split:body], 2):
        dirs.append((name, _new(Checksum, rest[:32].hex()), _new(Checksum, rest[32:].hex())))
    return DirTree(_files(data[:split]), dirs)


def decode_changes(data: bytes, known: KnownEntries) -> DirTree:
    """As :func:`decode`, but without the entries that are known; only the others are looked at."""
    split, body = tuple_offset(data, "dirtree")
    files = []
    for element in split_array(data[:split], "dirtree"):
        if element not in known.files:
            name, rest = _entry(element, 0, 1)
            files.append((name, _new(Checksum, rest.hex())))
    dirs = []
    for element in split_array(data[split:body], "dirtree"):
        if element not in known.dirs:
            name, rest = _entry(element, split, 2)
            dirs.append((name, _new(Checksum, rest[:32].hex()), _new(Checksum, rest[32:].hex())))
    return DirTree(files, dirs)


def decode_references(data: bytes) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """What a dirtree leads to, without the names: for who walks very many of them.

    Returns:
        The digests of files, and (dirtree, dirmeta) digests of directories, each in the order of
        the object.

    Raises:
        FormatError: for whatever :func:`decode` refuses.
    """
    split, body = tuple_offset(data, "dirtree")
    dirs = [(rest[:32], rest[32:]) for _, rest in _entries(data[split:body], 2)]
    return _file_digests(data[:split]), dirs


def _file_digests(data: bytes) -> list[bytes]:
    """The digests of the first member; see :func:`_files`."""
    digests = []
    start = 0
    find = data.find
    for end in array_ends(data, "dirtree"):
        size = end - start
        name_end = start + data[end - 1] if size else 0
        if (
            37 <= size <= 0xFF
            and name_end == end - 33
            and find(b"\0", start, end) == name_end - 1
            and find(b"/", start, name_end) < 0
            and data[start:name_end].isascii()
        ):
            digests.append(data[name_end : end - 1])
        else:
            digests.append(_entry(data[start:end], start, 1)[1])
        start = end
    return digests


def _files(data: bytes) -> list[tuple[str, Checksum]]:
    """The first member.

    Every file of an operating system passes here on its way out of a repository, so what nearly
    all entries look like is recognised with a few calls; anything else goes the careful way.
    """
    files = []
    start = 0
    find = data.find
    for end in array_ends(data, "dirtree"):
        size = end - start
        name_end = start + data[end - 1] if size else 0
        if (
            37 <= size <= 0xFF
            and name_end == end - 33
            and find(b"\0", start, end) == name_end - 1
            and find(b"/", start, name_end) < 0
        ):
            try:
                name = data[start : name_end - 1].decode()
            except UnicodeDecodeError:
                name = decode_filename(data[start : name_end - 1])
            files.append((name, _new(Checksum, data[name_end : end - 1].hex())))
        else:
            name, rest = _entry(data[start:end], start, 1)
            files.append((name, Checksum.of_digest(rest)))
        start = end
    return files


def _entries(data: bytes, checksums: int) -> Iterator[tuple[str, bytes]]:
    """Each entry's name and its digests, back to back."""
    start = 0
    for end in array_ends(data, "dirtree"):
        yield _entry(data[start:end], start, checksums)
        start = end


def _entry(element: bytes, offset: int, checksums: int) -> tuple[str, bytes]:
    """The name and the digests of one entry, which stands at ``offset``."""
    size = len(element)
    width = width_in(size)
    body = size - checksums * width
    name_end = int.from_bytes(element[size - width :], "little")
    if (
        body < 1
        or not 0 < name_end <= body
        or element[name_end - 1]
        or width != width_for(body, checksums)
    ):
        raise FormatError("Not normal form", offset=offset, field="dirtree entry")
    first_end = body if checksums == 1 else int.from_bytes(element[body : body + width], "little")
    if not name_end <= first_end <= body:
        raise FormatError("Not normal form", offset=offset, field="dirtree entry")
    for length in (first_end - name_end, body - first_end if checksums == 2 else 32):
        if length != 32:
            raise FormatError(f"Invalid checksum of length {length} expected 32")
    raw_name = element[: name_end - 1]
    if b"\0" in raw_name:
        raise FormatError("Not normal form", offset=offset, field="dirtree entry")
    name = decode_filename(raw_name)
    if raw_name in _SUSPICIOUS or b"/" in raw_name:
        check_filename(name)
    return name, element[name_end:body]


_SUSPICIOUS = frozenset((b"", b".", b".."))
