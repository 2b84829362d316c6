"""The tokens of GVariant text.

Everything is done on UTF-8 bytes, because positions in messages count those.
"""

from __future__ import annotations

from ostree.errors import FormatError

_BACKSLASH = 0x5C
_NEWLINE = 0x0A
_SPACE = b" \t\n\f\r"
_DIGITS = b"0123456789"
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _LOWER
_WORD = frozenset(_LETTERS + _DIGITS)
_NUMBER_START = frozenset(b"+-." + _DIGITS)
_NUMBER = _WORD | frozenset(b"+-.")
_HEX = frozenset(b"0123456789abcdefABCDEF")
_OCTAL = frozenset(b"01234567")
_ESCAPES = {
    0x61: 0x07,
    0x62: 0x08,
    0x66: 0x0C,
    0x6E: 0x0A,
    0x72: 0x0D,
    0x74: 0x09,
    0x76: 0x0B,
}


def failure(start: int, end: int, message: str) -> FormatError:
    """The error about a part of the text, or about one position where both are the same."""
    where = str(start) if start == end else f"{start}-{end}"
    return FormatError(f"{where}:{message}", offset=start)


class Tokens:
    """Reads tokens one after the other.

    Attributes:
        text: The text in UTF-8.
        start: Where the current token starts.
        end: Where it ends; the same at the end of the text.
        before: Where the token before it ended.
    """

    __slots__ = ("before", "end", "start", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.start = 0
        self.end = 0
        self.before = 0
        self.advance()

    @property
    def token(self) -> bytes:
        """The current token; empty at the end of the text."""
        return self.text[self.start : self.end]

    def advance(self) -> None:
        """Go to the next token."""
        start = self.before = self.end
        while start < len(self.text) and self.text[start] in _SPACE:
            start += 1
        self.start = start
        self.end = self._find_end()

    def accept(self, token: bytes) -> bool:
        """Go past a token if it is the current one."""
        if self.token != token:
            return False
        self.advance()
        return True

    def require(self, token: bytes, purpose: str) -> None:
        """Go past a token that has to be here.

        Raises:
            FormatError: if another one is here.
        """
        if not self.accept(token):
            raise self.wrong(f"expected '{token.decode()}'{purpose}")

    def wrong(self, message: str) -> FormatError:
        """An error about the position of the current token."""
        return failure(self.start, self.start, message)

    def is_word(self) -> bool:
        """Whether the token is a word of at least two letters, as keywords are."""
        token = self.token
        return len(token) >= 2 and token[0] in _LOWER and token[1] in _LETTERS

    def is_number(self) -> bool:
        """Whether the token starts as numbers do."""
        return self.start < self.end and self.text[self.start] in _NUMBER_START

    def is_string(self) -> bool:
        """Whether the token is a quoted string."""
        return self.token[:1] in (b"'", b'"')

    def is_bytes(self) -> bool:
        """Whether the token is a quoted byte string."""
        return self.token[:2] in (b"b'", b'b"')

    def _find_end(self) -> int:
        text = self.text
        start = self.start
        if start == len(text):
            return start
        first = text[start]
        if first in _NUMBER_START:
            return self._skip(start, _NUMBER)
        if first in b"'\"":
            return self._skip_quoted(start)
        if first == 0x62 and text[start + 1 : start + 2] in (b"'", b'"'):
            return self._skip_quoted(start + 1)
        if first in _LOWER:
            return self._skip(start, _WORD)
        if first in b"@%":
            return self._skip_type(start + 1)
        return start + 1

    def _skip(self, position: int, characters: frozenset[int]) -> int:
        text = self.text
        while position < len(text) and text[position] in characters:
            position += 1
        return position

    def _skip_quoted(self, position: int) -> int:
        """The end of a string; its quote is at the position."""
        text = self.text
        quote = text[position]
        position += 1
        while position < len(text):
            if text[position] == quote:
                return position + 1
            position += 2 if text[position] == _BACKSLASH else 1
        return len(text)

    def _skip_type(self, position: int) -> int:
        """The end of a type string: space, comma, colon or a bracket that it did not open."""
        text = self.text
        opened = 0
        while position < len(text):
            character = text[position]
            if character in b",:>]" or character in _SPACE:
                break
            if character in b"({":
                opened += 1
            elif character in b")}":
                if not opened:
                    break
                opened -= 1
            position += 1
        return position


def string_content(token: bytes, start: int) -> str:
    """The content of a quoted string.

    Args:
        token: The token with its quotes.
        start: Where it is in the text.

    Raises:
        FormatError: if the closing quote is missing or an escape is wrong.
    """
    quote = token[0]
    content = bytearray()
    at = 1
    while True:
        byte, at = _next(token, at, start)
        if byte == quote:
            return content.decode()
        if byte != _BACKSLASH:
            content.append(byte)
            continue
        byte, at = _next(token, at, start)
        if byte in b"uU":
            digits = 4 if byte == 0x75 else 8
            content += _unicode_escape(token, at, digits, start).encode()
            at += digits
        elif byte != _NEWLINE:
            content.append(_ESCAPES.get(byte, byte))


def _next(token: bytes, at: int, start: int) -> tuple[int, int]:
    """The byte at a position of a quoted token, and the position after it."""
    if at >= len(token):
        raise failure(start, start + len(token), "unterminated string constant")
    return token[at], at + 1


def _unicode_escape(token: bytes, at: int, digits: int, start: int) -> str:
    end = at
    while end < min(at + digits, len(token)) and token[end] in _HEX:
        end += 1
    code = int(token[at:end] or b"0", 16) if end == at + digits else 0
    if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise failure(start + at, start + end, f"invalid {digits}-character unicode escape")
    return chr(code)


def bytes_content(token: bytes, start: int) -> bytes:
    """The content of a byte string, with the NUL that ends it.

    Args:
        token: The token with its ``b`` and quotes.
        start: Where it is in the text.

    Raises:
        FormatError: if the closing quote is missing.
    """
    quote = token[1]
    content = bytearray()
    at = 2
    while True:
        byte, at = _next(token, at, start)
        if byte == quote:
            # A NUL inside ends it early, as it does in C.
            return bytes(content).partition(b"\0")[0] + b"\0"
        if byte != _BACKSLASH:
            content.append(byte)
            continue
        byte, at = _next(token, at, start)
        if byte in _OCTAL:
            first = at - 1
            while at < min(first + 3, len(token)) and token[at] in _OCTAL:
                at += 1
            content.append(int(token[first:at], 8) & 0xFF)
        elif byte != _NEWLINE:
            content.append(_ESCAPES.get(byte, byte))
