"""Lines of ``tmpfiles.d``, which say what has to exist when a system is up (tmpfiles.d(5)).

Only what all versions of systemd-tmpfiles read the same way is written: fields with blanks in them
are quoted, a backslash stands before a quote or a backslash, ``%`` is doubled.  No version
accepts a path or a link target with a line end in it.
"""

from __future__ import annotations

from typing import NamedTuple

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: The first letters of lines that make something.
_MAKING = frozenset("fFwdDevqQpLcbC")
_QUOTED = frozenset(" \t\"'\\")


class TmpfilesLine(NamedTuple):
    """One line.

    Attributes:
        type: ``d``, ``f``, ``L``, ``C``, ``p`` and their like.
        path: Absolute.
        mode: Permission bits, or None where the type has none.
        uid: The owner's number, or None.
        gid: The group's number, or None.
        argument: A link's target, or what a copy is made from; empty for none.
    """

    type: str
    path: str
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    argument: str = ""


def format_line(line: TmpfilesLine) -> str:
    """A line without its line end.

    Raises:
        FormatError: the path or the argument cannot be written.
    """
    fields = [
        line.type,
        _quote(line.path),
        "-" if line.mode is None else f"{line.mode:04o}",
        "-" if line.uid is None else str(line.uid),
        "-" if line.gid is None else str(line.gid),
        "-",
    ]
    if line.argument:
        fields.append(_argument(line.argument))
    return " ".join(fields)


def _quote(path: str) -> str:
    if "\n" in path:
        raise FormatError("A path with a line end in it cannot be written in tmpfiles.d")
    text = path.replace("%", "%%")
    if _QUOTED.isdisjoint(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(text: str) -> str:
    # The argument is the rest of the line as it stands, without the blanks around it.
    # Some versions take a backslash for an escape, others do not.
    if "\n" in text or "\\" in text or text != text.strip():
        raise FormatError(f"The link target {text!r} cannot be written in tmpfiles.d")
    return text.replace("%", "%%")


def made_paths(text: str) -> Iterator[str]:
    """The paths that the lines of a file make, as far as they are plain.

    Comments, lines that only change or remove something, and paths with specifiers such as ``%b``
    are left out.
    """
    for raw in text.splitlines():
        line = raw.strip()
        if line[:1] not in _MAKING:
            continue
        fields = line.split(None, 1)
        if len(fields) < 2:
            continue
        path = _first_field(fields[1]).replace("%%", "\0")
        if "%" not in path:
            yield path.replace("\0", "%").rstrip("/") or "/"


def _first_field(text: str) -> str:
    """The first of several fields, without its quotes and escapes."""
    found: list[str] = []
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == "\\":
            found.append(next(characters, ""))
        elif quote:
            if character == quote:
                quote = ""
            else:
                found.append(character)
        elif character in "\"'":
            quote = character
        elif character in " \t":
            break
        else:
            found.append(character)
    return "".join(found)
