r"""Replacement texts of GLib's regular expressions: ``\1``, ``\g<name>``, ``\u``, ``\x41`` and more."""

from __future__ import annotations

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    #: A number or name of a group.
    Reference = int | str

_CHARACTERS = {
    "t": "\t",
    "n": "\n",
    "v": "\v",
    "r": "\r",
    "f": "\f",
    "a": "\a",
    "b": "\b",
    "\\": "\\",
}
_HEX = frozenset("0123456789abcdefABCDEF")


class _Case:
    """From here on, letters change as ``letter`` says (l, u, L, U, or E for the end of that)."""

    def __init__(self, letter: str) -> None:
        self.letter = letter


class _Group:
    """What a group matched."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference


class Replacement:
    """A parsed replacement text.

    Raises:
        FormatError: ``Error while parsing replacement text “X” at char N: …``.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._pieces: list[str | _Group | _Case] = []
        self._parse()

    def expand(self, match: re.Match[str]) -> str:
        """The text for one match; groups that do not exist are empty."""
        out: list[str] = []
        case = "E"
        for piece in self._pieces:
            if isinstance(piece, _Case):
                case = piece.letter
                continue
            text = _matched(match, piece.reference) if isinstance(piece, _Group) else piece
            if not text:
                continue
            if case in "lu":
                first = text[0].lower() if case == "l" else text[0].upper()
                text, case = first + text[1:], "E"
            elif case != "E":
                text = text.lower() if case == "L" else text.upper()
            out.append(text)
        return "".join(out)

    # parsing ----------------------------------------------------------------------------------

    def _parse(self) -> None:
        text = self._text
        while self._at < len(text):
            plain = text.find("\\", self._at)
            plain = len(text) if plain < 0 else plain
            if plain > self._at:
                self._pieces.append(text[self._at : plain])
            self._at = plain + 1
            if plain < len(text):
                self._pieces.append(self._escape())

    def _wrong(self, message: str) -> FormatError:
        # What is called characters here are bytes; in patterns they are characters.
        at = len(self._text[: self._at].encode("utf-8", "replace"))
        return FormatError(
            f"Error while parsing replacement text “{self._text}” at char {at}: {message}",
            offset=at,
        )

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _escape(self) -> str | _Group | _Case:
        letter = self._peek()
        if not letter:
            raise self._wrong("stray final “\\”")
        if letter in _CHARACTERS:
            return _CHARACTERS[self._take()]
        if letter in "luLUE":
            return _Case(self._take())
        if letter.isascii() and letter.isdigit():
            return self._number()
        if letter == "x":
            self._at += 1
            return self._hexadecimal()
        if letter == "g":
            self._at += 1
            return self._symbolic()
        raise self._wrong("unknown escape sequence")

    def _number(self) -> str | _Group:
        r"""``\1`` and ``\12`` are groups; ``\07`` and ``\101``, three digits, are octal."""
        following = self._text[self._at + 1 : self._at + 2]
        octal = False
        decimal = False
        if self._peek() == "0" and following.isascii() and following.isdigit():
            octal = True
            self._at += 1
        digits = ""
        while len(digits) < 3 and (digit := self._peek()) and digit in "0123456789":
            if digit in "89":
                if octal:
                    break
                decimal = True
            if len(digits) == 2 and decimal:
                break
            digits += digit
            self._at += 1
        if octal or len(digits) == 3:
            return _character(int(digits or "0", 8))
        return _Group(int(digits))

    def _hexadecimal(self) -> str:
        if self._peek() != "{":
            digits = ""
            while len(digits) < 2:
                if self._peek() not in _HEX:
                    raise self._wrong("hexadecimal digit expected")
                digits += self._take()
            return _character(int(digits, 16))
        self._at += 1
        digits = ""
        while self._peek() != "}":
            if self._peek() not in _HEX or len(digits) > 8:
                raise self._wrong("hexadecimal digit or “}” expected")
            digits += self._take()
        self._at += 1
        return _character(int(digits or "0", 16))

    def _symbolic(self) -> _Group:
        if self._peek() != "<":
            raise self._wrong("missing “<” in symbolic reference")
        self._at += 1
        end = self._text.find(">", self._at)
        if end < 0:
            self._at = len(self._text)
            raise self._wrong("unfinished symbolic reference")
        name = self._text[self._at : end]
        if not name:
            raise self._wrong("zero-length symbolic reference")
        number = name[0].isascii() and name[0].isdigit()
        for character in name:
            if number and not (character.isascii() and character.isdigit()):
                raise self._wrong("digit expected")
            if not (character.isascii() and (character.isalnum() or character == "_")):
                raise self._wrong("illegal symbolic reference")
            self._at += 1
        self._at = end + 1
        return _Group(int(name) if number else name)


def replace_all(pattern: re.Pattern[str], text: str, replacement: Replacement) -> str:
    """The text with all matches replaced.

    After an empty match the search goes on one character further, which is not what
    ``re.Pattern.sub`` does.
    """
    out: list[str] = []
    copied = at = 0
    while at <= len(text) and (match := pattern.search(text, at)) is not None:
        out += (text[copied : match.start()], replacement.expand(match))
        copied = match.end()
        at = copied + 1 if match.start() == copied else copied
    out.append(text[copied:])
    return "".join(out)


def _matched(match: re.Match[str], reference: Reference) -> str:
    try:
        return match[reference] or ""
    except IndexError:
        return ""


def _character(code: int) -> str:
    """A character; as in C, NUL ends a text, so it is nothing."""
    if code > 0x10FFFF:
        raise FormatError(f"Error while parsing replacement text: character {code:#x} is too large")
    return chr(code) if code else ""
