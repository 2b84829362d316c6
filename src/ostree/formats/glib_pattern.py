"""Regular expressions as GLib has them (PCRE), rewritten for Python's ``re``.

Both languages agree on most; what is written otherwise is translated, what Python cannot express
is refused by name.
"""

from __future__ import annotations

import re

from ostree.errors import FormatError

#: Escapes that mean something else in Python, or nothing.
_ESCAPES = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "H": r"[^ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "R": r"(?:\r\n|[\n-\r\x85\u2028\u2029])",
    "N": r"[^\n]",
    "e": r"\x1b",
}
_SAME = frozenset("AbBdDsSwWafnrtv0123456789")
_SAME_IN_CLASS = frozenset("bdDsSwWafnrtv01234567")
#: Sets with a name, as Python's character classes.
_POSIX = {
    "alpha": r"[^\W\d_]",
    "digit": r"\d",
    "alnum": r"[^\W_]",
    "word": r"\w",
    "space": r"\s",
    "blank": r"[ \t]",
    "upper": "[A-Z]",
    "lower": "[a-z]",
    "xdigit": "[0-9A-Fa-f]",
    "punct": r"[!-/:-@\[-`{-~]",
    "cntrl": r"[\x00-\x1f\x7f]",
    "graph": r"[^\s\x00-\x1f\x7f]",
    "print": r"[^\x00-\x1f\x7f]",
    "ascii": r"[\x00-\x7f]",
}
_FLAGS = frozenset("imsx-")

#: Python's words, GLib's, and where GLib sees the mistake: "here", "end", or so many characters on.
_MESSAGES = (
    ("missing ), unterminated subpattern", "missing terminating )", "end"),
    ("unbalanced parenthesis", "missing terminating )", 0),
    ("unterminated character set", "missing terminating ] for character class", "end"),
    ("nothing to repeat", "nothing to repeat", 0),
    ("multiple repeat", "nothing to repeat", 0),
    ("bad escape (end of pattern)", r"\ at end of pattern", "end"),
    ("bad character range", "range out of order in character class", 2),
    ("redefinition of group name", "two named subpatterns have the same name", "end"),
    ("look-behind requires fixed-width", "lookbehind assertion is not fixed length", 0),
    ("invalid group reference", "reference to non-existent subpattern", 0),
    ("unknown group name", "reference to non-existent subpattern", 0),
    ("unexpected end of pattern", "missing terminating )", "end"),
    ("unknown extension", "unrecognized character after (? or (?-", 1),
    ("missing -, : or )", "missing terminating )", "end"),
    ("min repeat greater than max repeat", "numbers out of order in {} quantifier", 0),
)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression of GLib's, ready for use.

    Raises:
        FormatError: ``Error while compiling regular expression ‘X’ at char N: …``.
    """
    try:
        return re.compile(_Translation(pattern).run())
    except re.error as error:
        raise _explained(pattern, error) from error
    except (RecursionError, OverflowError) as error:
        raise _wrong(pattern, 0, "regular expression is too large") from error


def _explained(pattern: str, error: re.error) -> FormatError:
    at = min(error.pos or 0, len(pattern))
    for words, message, place in _MESSAGES:
        if error.msg.startswith(words):
            return _wrong(pattern, len(pattern) if isinstance(place, str) else at + place, message)
    return _wrong(pattern, at, error.msg)


def _wrong(pattern: str, at: int, message: str) -> FormatError:
    return FormatError(
        f"Error while compiling regular expression ‘{pattern}’ at char {at}: {message}", offset=at
    )


class _Translation:
    """One pass over a pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._out: list[str] = []

    def run(self) -> str:
        """The pattern in Python's language."""
        steps = {"\\": self._escape, "[": self._character_class, "(": self._group}
        while self._at < len(self._pattern):
            character = self._pattern[self._at]
            self._at += 1
            step = steps.get(character)
            if step is not None:
                step()
            elif character == "{" and self._pattern.startswith(",", self._at):
                self._out.append(r"\{")  # Python takes the missing number for 0
            else:
                self._out.append(character)
        return "".join(self._out)

    def _error(self, message: str) -> FormatError:
        return _wrong(self._pattern, self._at, message)

    def _match(self, pattern: str) -> re.Match[str] | None:
        """Take what matches from the current place on, if it does."""
        found = re.compile(pattern).match(self._pattern, self._at)
        if found is not None:
            self._at = found.end()
        return found

    # outside of character classes ---------------------------------------------------------------

    def _escape(self) -> None:
        if self._at == len(self._pattern):
            raise self._error(r"\ at end of pattern")
        if self._pattern[self._at] == "Q":
            end = self._pattern.find(r"\E", self._at)
            end = len(self._pattern) if end < 0 else end
            self._out.append(re.escape(self._pattern[self._at + 1 : end]))
            self._at = min(end + 2, len(self._pattern))
        elif found := self._match(r"k(?:<(\w+)>|\{(\w+)\}|'(\w+)')|g\{([^\W\d]\w*)\}"):
            self._out.append(f"(?P={next(filter(None, found.groups()))})")
        elif found := self._match(r"g(?:(\d+)|\{(\d+)\})"):
            self._out.append(f"(?:\\{found[1] or found[2]})")
        else:
            character = self._pattern[self._at]
            if character in _SAME:
                self._at += 1
                self._out.append(f"\\{character}")
            elif character in _ESCAPES:
                self._at += 1
                self._out.append(_ESCAPES[character])
            elif character == "E":
                self._at += 1
            else:
                self._out.append(self._literal())

    def _literal(self) -> str:
        """An escape that stands for one character, at its letter, written so that Python takes it."""
        if found := self._match(r"x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{0,2})"):
            code = int(found[1] or found[2] or "0", 16)
            if code > 0x10FFFF:
                self._at -= 1
                raise self._error(r"character value in \x{...} sequence is too large")
            return re.escape(chr(code))
        if found := self._match("c([ -~])"):
            return re.escape(chr(ord(found[1].upper()) ^ 0x40))
        if self._match("c"):
            raise self._error(r"\c at end of pattern")
        character = self._pattern[self._at]
        if character in "ijmqyFIJMOTY":
            raise self._error("unrecognized character following \\")
        if character.isascii() and character.isalpha():
            raise self._error(f"\\{character} is not supported")
        self._at += 1
        return re.escape(character)

    def _group(self) -> None:
        if self._match(r"\?#[^)]*\)"):
            return
        if self._match(r"\?#"):
            self._at = len(self._pattern)
            raise self._error("missing ) after comment")
        if found := self._match(r"\?P?<([^\W\d]\w*)>|\?'([^\W\d]\w*)'"):
            self._out.append(f"(?P<{found[1] or found[2]}>")
        elif self._match(r"\?P?<(?=\d)"):
            raise self._error("subpattern name must start with a non-digit")
        elif self._match(r"\?(?:[|R&C+(]|P>|\d|-\d)"):
            raise self._error("this kind of group is not supported")
        elif found := self._match(r"\?([a-zA-Z-]+)\)"):
            flags = found[1]
            if not _FLAGS.issuperset(flags):
                self._at = found.start(1)
                raise self._error("unrecognized character after (? or (?-")
            if "".join(self._out).strip() or "-" in flags:
                raise self._error("options inside of the pattern are not supported")
            self._out.append(f"(?{flags})")
        elif not self._out and self._match(r"\*UTF8?\)|\*UCP\)"):
            return
        else:
            self._out.append("(")

    # inside of character classes ----------------------------------------------------------------

    def _character_class(self) -> None:
        """A set; names of sets in it become alternatives, as Python's sets do not nest."""
        negated = self._match(r"\^") is not None
        members: list[str] = []
        sets: list[str] = []
        if self._match(r"\]"):
            members.append(r"\]")
        while not self._match(r"\]"):
            if self._at == len(self._pattern):
                raise self._error("missing terminating ] for character class")
            if found := self._match(r"\[:(\^?)(\w*):\]"):
                if found[2] not in _POSIX:
                    self._at = found.start() + 2
                    raise self._error("unknown POSIX class name")
                named = _POSIX[found[2]]
                sets.append(f"(?!{named})[\\s\\S]" if found[1] else named)
            else:
                members.append(self._member())
        self._out.append(_set_expression(members, sets, negated=negated))

    def _member(self) -> str:
        character = self._pattern[self._at]
        self._at += 1
        if character != "\\":
            # Signs of set operations that Python may introduce one day.
            return f"\\{character}" if character in "[&~|" else character
        if self._at == len(self._pattern):
            raise self._error(r"\ at end of pattern")
        character = self._pattern[self._at]
        if character in _SAME_IN_CLASS:
            self._at += 1
            return f"\\{character}"
        if character in "hHRN" and (inner := _ESCAPES[character]).startswith("[^"):
            raise self._error(f"\\{character} is not supported in a character class")
        if character == "h":
            self._at += 1
            return inner[1:-1]
        return self._literal()


def _set_expression(members: list[str], sets: list[str], *, negated: bool) -> str:
    plain = "".join(members)
    if not sets:
        return f"[^{plain}]" if negated else f"[{plain}]"
    alternatives = "|".join([f"[{plain}]", *sets] if plain else sets)
    return f"(?:(?!{alternatives})[\\s\\S])" if negated else f"(?:{alternatives})"
