"""Metalink documents: where a summary is, its size and its hash (remotes and pull §5.10).

Of ``metalink/files/file[@name]`` the first file called ``summary`` counts; unknown elements are
skipped with all that is in them, and namespaces mean nothing.
"""

from __future__ import annotations

from ostree.errors import FormatError

#: The longest document that is parsed, in bytes.
MAX_SIZE = 1 << 20

_WANTED_FILE = "summary"
_NO_ELEMENT = "Document must begin with an element (e.g. <book>)"
_LENGTHS = {"sha256": 64, "sha512": 128}
_HEX = frozenset("0123456789abcdef")
_ATTRIBUTES = {
    "file": ("name",),
    "hash": ("type",),
    "url": ("protocol", "type", "location", "preference"),
}
#: Where each element belongs; anywhere else it is unknown.
_PARENTS = {
    "metalink": "",
    "files": "metalink",
    "file": "files",
    "size": "file",
    "verification": "file",
    "hash": "verification",
    "resources": "file",
    "url": "resources",
}


class Metalink:
    """What a document says of the summary.

    Attributes:
        size: In bytes.
        algorithm: ``sha256`` or ``sha512``.
        digest: In hex.
        urls: Where to get it, to be tried in this order.
    """

    __slots__ = ("algorithm", "digest", "size", "urls")

    def __init__(self, size: int, algorithm: str, digest: str, urls: list[str]) -> None:
        self.size = size
        self.algorithm = algorithm
        self.digest = digest
        self.urls = urls


def parse(data: bytes) -> Metalink:
    """Read a document.

    Raises:
        FormatError: in upstream's words.
    """
    if len(data) > MAX_SIZE:
        raise FormatError(f"Metalink has {len(data)} bytes, more than {MAX_SIZE}")
    document = _Document(data)
    document.read()
    return document.result()


class _Document:
    """The state of a parse: where it is, and what it has found."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._path: list[str] = []
        self._skipped = 0
        self._text: list[str] = []
        self._kind = ""
        self._size = 0
        self._hashes: dict[str, str] = {}
        self._urls: list[str] = []
        self.saw_file = self.saw_summary = False

    def read(self) -> None:
        """Go through the document.

        Raises:
            FormatError: ``Error on line L char C: …``, or about a hash.
        """
        from xml.parsers import expat

        blank = len(self._data) - len(self._data.lstrip(b" \t\r\n"))
        if blank < len(self._data) and self._data[blank] != ord("<"):
            raise FormatError(f"Error on line 1 char {blank + 1}: {_NO_ELEMENT}")
        parser = expat.ParserCreate()
        # Asked for at once, for the parser goes on a little before it notices an exception.
        parser.StartElementHandler = lambda name, attributes: self._start(
            name, attributes, parser.CurrentByteIndex
        )
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = _refuse_entity
        try:
            parser.Parse(self._data, True)  # noqa: FBT003 - takes no keywords
        except expat.ExpatError as error:
            text = expat.ErrorString(error.code)
            if text == expat.errors.XML_ERROR_NO_ELEMENTS:
                return  # it just ends, and upstream is content with what there was
            if text == expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
                text = _NO_ELEMENT
            place = f"Error on line {error.lineno} char {error.offset + 1}"
            raise FormatError(f"{place}: {text}") from error

    def _located(self, text: str, start: int) -> FormatError:
        """The error of a tag: upstream tells the place behind it, as GLib counts.

        Line ends before the first tag are characters like others, and those further on have a
        column of their own, at the beginning of the next line.
        """
        before = self._data[: _end_of_tag(self._data, start)].decode("utf-8", "replace")
        line = before.count("\n", before.find("<")) + 1
        column = len(before) + 1 if line == 1 else len(before) - before.rfind("\n") + 1
        return FormatError(f"Error on line {line} char {column}: {text}")

    def result(self) -> Metalink:
        """What was found.

        Raises:
            FormatError: if something is missing.
        """
        if not self.saw_file:
            raise FormatError("No <file> element found")
        if not self.saw_summary:
            raise FormatError(f"No <file name='{_WANTED_FILE}'> found")
        if not self._hashes:
            raise FormatError("No <verification> hash for sha256 or sha512 found")
        if not self._urls:
            raise FormatError("No <url method='http'> elements found")
        algorithm = max(self._hashes)  # the longer one, if there are both
        digest = self._hashes[algorithm]
        if len(digest) != _LENGTHS[algorithm] or not _HEX.issuperset(digest):
            raise FormatError(f"Invalid hash digest for {algorithm}")
        return Metalink(self._size, algorithm, digest, self._urls)

    def _start(self, name: str, attributes: dict[str, str], at: int) -> None:
        if self._skipped or _PARENTS.get(name) != (self._path[-1] if self._path else ""):
            self._skipped += 1
            return
        problem = self._missing_before(name) or _attribute_problem(name, attributes)
        if problem:
            raise self._located(problem, at)
        if name == "file":
            self.saw_file = True
            # Only the first of that name counts.
            if self.saw_summary or attributes["name"] != _WANTED_FILE:
                self._skipped += 1
                return
            self.saw_summary = True
        self._path.append(name)
        self._text.clear()
        self._kind = attributes.get("protocol") or attributes.get("type") or ""

    def _missing_before(self, name: str) -> str:
        """What has to come before an element and did not; empty if nothing is missing."""
        if name == "url":
            if not self._size:
                return "No <size> element found or it is zero"
            if not self._hashes:
                return "No <verification> element with known <hash type=> found"
        return ""

    def _end(self, _name: str) -> None:
        if self._skipped:
            self._skipped -= 1
        else:
            self._take(self._path.pop(), "".join(self._text))

    def _take(self, name: str, text: str) -> None:
        """Note what an element of the summary's says."""
        if name == "size":
            self._size = _leading_number(text)
        elif name == "hash" and self._kind in _LENGTHS:
            self._hashes[self._kind] = text
        elif name == "url" and self._kind in {"http", "https"} and _is_url(text):
            self._urls.append(text)


def _attribute_problem(element: str, attributes: dict[str, str]) -> str:
    """What is wrong with the attributes of an element; empty if nothing is."""
    wanted = _ATTRIBUTES.get(element)
    if wanted is None:
        return ""
    for attribute in attributes:
        if attribute not in wanted:
            return f"attribute '{attribute}' invalid for element '{element}'"
    for attribute in wanted:
        if attribute not in attributes:
            return f"element '{element}' requires attribute '{attribute}'"
    return ""


def _refuse_entity(name: str, *_rest: object) -> None:
    # Entities may expand without end; no metalink needs its own.
    raise FormatError(f"Entity “{name}” is declared")


def _end_of_tag(data: bytes, start: int) -> int:
    """Where the tag ends that begins at ``start``."""
    quote = 0
    for at in range(start, len(data)):
        byte = data[at]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == ord(">"):
            return at + 1
    return len(data)


def _leading_number(text: str) -> int:
    """A number as C reads it: what follows the digits does not count; 0 if there are none."""
    digits = ""
    for character in text.lstrip():
        if character not in "0123456789":
            break
        digits += character
    return int(digits[:19] or "0")


def _is_url(text: str) -> bool:
    scheme, separator, rest = text.partition("://")
    return bool(separator) and scheme.lower() in {"http", "https"} and bool(rest.strip("/"))
