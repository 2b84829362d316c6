"""docs/json.md as data: which fields documents have, and which examples it shows.

The page is what a program's author reads, so it is what documents are checked against: a field
that is missing, undocumented or of another type is a mistake either here or there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEADING = re.compile(r"### (.+)")
_ROW = re.compile(r"\| (`[^`]+`|\([^)]+\)) \| ([^|]+) \|")
#: What follows the type of a field that is not always there: ``integer, of files``.
_CONDITION = re.compile(r", (?:of|with) ")
_SHAPE = re.compile(r"\[([^]]+)\]\(#[^)]*\)")
_PATTERNS = {
    "checksum": re.compile(r"[0-9a-f]{64}"),
    "base64": re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "octal": re.compile(r"0[0-7]+"),
    "date": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "string": re.compile(r".*", re.DOTALL),
    "text": re.compile(r".*", re.DOTALL),
}

Fields = dict[str, str]


class Example(NamedTuple):
    """A command and what the page says it prints."""

    command: str
    output: str


class Section(NamedTuple):
    """What stands under one heading.

    Attributes:
        title: The heading.
        fields: Types by dotted paths, ``refs[].name``; those of shapes are put in.
        examples: In the order of the page.
    """

    title: str
    fields: Fields
    examples: list[Example]


class Page:
    """The page, read.

    Attributes:
        shapes: Fields by the names of shapes.
        commands: The sections of commands.
    """

    def __init__(self, path: Path) -> None:
        sections = list(_sections(path.read_text(encoding="utf-8").splitlines()))
        self.shapes = {s.title: s.fields for s in sections if not s.title.startswith("`")}
        self.commands = [s for s in sections if s.title.startswith("`")]

    def problems(self, section: Section, document: object) -> list[str]:
        """What of a document is not as the section says; nothing if all is."""
        check = _Check(self.shapes)
        check.record("", section.fields, document)
        return check.problems

    def seen(self, section: Section, document: object) -> set[str]:
        """The fields of the section and its shapes that the document has: ``entry.path``."""
        check = _Check(self.shapes)
        check.record("", section.fields, document, owner=section.title)
        return check.seen

    def documented(self) -> set[str]:
        """Every field of the page, as :meth:`seen` names them."""
        found = set()
        for owner, fields in [*self.shapes.items(), *((s.title, s.fields) for s in self.commands)]:
            found |= {f"{owner}.{name}" for name in fields if not name.startswith("(")}
        return found


def _sections(lines: list[str]) -> Iterator[Section]:
    section: Section | None = None
    block: list[str] | None = None
    for line in lines:
        if block is not None:
            if line == "```":
                assert section is not None
                section.examples.append(Example(block[0][2:], "\n".join([*block[1:], ""])))
                block = None
            else:
                block.append(line)
        elif line == "```console":
            block = []
        elif heading := _HEADING.fullmatch(line):
            if section is not None:
                yield section
            section = Section(heading[1], {}, [])
        elif section is not None and (row := _ROW.match(line)):
            section.fields[row[1].strip("`")] = row[2].strip()
    if section is not None:
        yield section


class _Check:
    """One walk over a document."""

    def __init__(self, shapes: dict[str, Fields]) -> None:
        self._shapes = shapes
        self.problems: list[str] = []
        self.seen: set[str] = set()

    def record(
        self, path: str, fields: Fields, value: object, *, owner: str = "", prefix: str = ""
    ) -> None:
        """A value has to be an object with these fields.

        Args:
            path: Where in the document it is.
            fields: All of its shape or section.
            value: The value.
            owner: The shape or section that the fields belong to.
            prefix: Which of the fields are its own: those that begin so, and go no deeper.
        """
        if not isinstance(value, dict):
            self.problems.append(f"{path or 'document'}: not an object")
            return
        allowed = set()
        for name, type in self._own(fields, prefix):
            if name.startswith("("):
                shape = _shape_name(type)
                rest = {key: item for key, item in value.items() if key in self._shapes[shape]}
                self.record(path, self._shapes[shape], rest, owner=shape)
                allowed |= set(rest)
                continue
            allowed.add(name)
            if type.startswith("text"):
                allowed.add(f"{name}_base64")
            if name in value:
                self.seen.add(f"{owner}.{prefix}{name}")
                here = f"{path}.{name}".lstrip(".")
                inner = _Place(owner, fields, f"{prefix}{name}")
                self._value(here, type, value[name], inner)
            elif not _CONDITION.search(type):
                self.problems.append(f"{path}.{name}: missing")
        self.problems += [f"{path}.{name}: not documented" for name in set(value) - allowed]

    def _own(self, fields: Fields, prefix: str) -> Iterator[tuple[str, str]]:
        for name, type in fields.items():
            rest = name.removeprefix(prefix)
            if name.startswith(prefix) and "." not in rest:
                yield rest, type

    def _value(self, path: str, type: str, value: object, place: _Place) -> None:
        type = _CONDITION.split(type, maxsplit=1)[0]
        if type.endswith(" or null"):
            if value is None:
                return
            type = type.removesuffix(" or null")
        container, _, element = type.partition(" of ")
        if container in {"array", "object"} and element:
            items: list[object]
            if container == "array" and isinstance(value, list):
                items = value
            elif container == "object" and isinstance(value, dict):
                items = list(value.values())
            else:
                self.problems.append(f"{path}: not an {container}")
                return
            for item in items:
                self._element(f"{path}[]", element, item, place.below("[]."))
        else:
            self._element(path, type, value, place.below("."))

    def _element(self, path: str, type: str, value: object, place: _Place) -> None:
        if type in {"object", "objects"}:
            self.record(path, place.fields, value, owner=place.owner, prefix=place.prefix)
        elif type.startswith("["):
            shape = _shape_name(type)
            self.record(path, self._shapes[shape], value, owner=shape)
        elif not _is_plain(type, value):
            self.problems.append(f"{path}: {value!r} is no {type}")


class _Place(NamedTuple):
    """Where the fields of an object inside are documented."""

    owner: str
    fields: Fields
    prefix: str

    def below(self, separator: str) -> _Place:
        return self._replace(prefix=self.prefix + separator)


def _shape_name(type: str) -> str:
    found = _SHAPE.match(type)
    assert found, f"no shape: {type}"
    return found[1]


def _is_plain(type: str, value: object) -> bool:
    if type == "any":
        return True
    if type == "boolean":
        return isinstance(value, bool)
    if type in {"integer", "seconds"}:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str) and bool(_PATTERNS[type].fullmatch(value))
