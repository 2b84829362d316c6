"""The command line as GOption reads it (repository format §7.1).

``argparse`` would have to be bent in every respect (abbreviations, clusters, mixing, messages) and
costs as much time to import as the interpreter takes to start, so a command's options are a plain
table and this is its reader.
"""

from __future__ import annotations

from ostree.errors import OSTreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FLAG = "flag"
TEXT = "text"
TEXTS = "texts"
PATH = "path"
PATHS = "paths"
INTEGER = "integer"

_INT_MIN, _INT_MAX = -(1 << 31), (1 << 31) - 1
_C_SPACE = " \t\n\v\f\r"


class OptionError(OSTreeError):
    """The command line does not fit the options; unlike a usage error it prints no help."""


class Option:
    """One option of a command.

    Attributes:
        long: Name without its dashes.
        short: The one-letter name, or empty.
        kind: ``FLAG``, ``TEXT``, ``TEXTS`` (may be given often), ``PATH`` (need not be UTF-8),
            ``PATHS`` (both) or ``INTEGER``.
        argument: How help calls its value; empty shows none.
        help: What it does.
        hidden: Whether help leaves it out.
    """

    __slots__ = ("argument", "help", "hidden", "kind", "long", "short")

    def __init__(
        self,
        kind: str,
        long: str,
        help: str,
        *,
        short: str = "",
        argument: str = "",
        hidden: bool = False,
    ) -> None:
        self.kind = kind
        self.long = long
        self.help = help
        self.short = short
        self.argument = argument
        self.hidden = hidden


class Arguments:
    """A command line as parsed: options by their long names, and the other words.

    Asking for a name that is not in the command's table is a mistake in the program (KeyError).

    Attributes:
        words: What is no option, in order.
    """

    def __init__(self, options: Iterable[Option]) -> None:
        self.words: list[str] = []
        self._kinds = {option.long: option.kind for option in options}
        self._texts: dict[str, list[str]] = {}
        self._integers: dict[str, int] = {}

    def flag(self, name: str) -> bool:
        """Whether a flag was given."""
        self._check(name, FLAG)
        return name in self._texts

    def text(self, name: str) -> str | None:
        """The last value of a text or path option."""
        self._check(name, TEXT, PATH)
        values = self._texts.get(name)
        return values[-1] if values else None

    def texts(self, name: str) -> list[str]:
        """All values of an option that may be given often."""
        self._check(name, TEXTS, PATHS)
        return self._texts.get(name, [])

    def integer(self, name: str, default: int) -> int:
        """The value of a number."""
        self._check(name, INTEGER)
        return self._integers.get(name, default)

    def has(self, name: str) -> bool:
        """Whether an option of any kind was given."""
        self._check(name, FLAG, TEXT, TEXTS, PATH, PATHS, INTEGER)
        return name in self._texts or name in self._integers

    def _check(self, name: str, *kinds: str) -> None:
        if self._kinds[name] not in kinds:
            raise KeyError(name)

    def store(self, option: Option, shown: str, value: str) -> None:
        """Take note of an option, which the user wrote as ``shown``.

        Raises:
            OptionError: if the value is not of the option's kind.
        """
        if option.kind == INTEGER:
            self._integers[option.long] = _parse_integer(shown, value)
            return
        if option.kind in {TEXT, TEXTS} and not is_utf8(value):
            raise OptionError("Invalid byte sequence in conversion input")
        self._texts.setdefault(option.long, []).append(value)


def parse(options: Sequence[Option], argv: Sequence[str]) -> Arguments:
    """Read a command line.

    ``--help`` ends the reading where it stands, as nothing behind it matters.

    Raises:
        OptionError: in GLib's words.
    """
    arguments = Arguments(options)
    longs = {option.long: option for option in options}
    shorts = {option.short: option for option in options if option.short}
    words = iter(argv)
    for word in words:
        if word in {"--help", "--help-all", "-?"}:
            arguments.store(longs["help"], word, "")
        elif word == "--":
            arguments.words.extend(words)
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            option = longs.get(name)
            if option is None or (option.long == "help" and equals):
                raise OptionError(f"Unknown option {word}")
            if option.kind != FLAG and not equals:
                value = _next(words, f"--{name}")
            arguments.store(option, f"--{name}", value)
        elif word.startswith("-") and word != "-":
            _parse_cluster(arguments, shorts, word, words)
        else:
            arguments.words.append(word)
        if arguments.flag("help"):
            break
    return arguments


def _parse_cluster(
    arguments: Arguments, shorts: dict[str, Option], word: str, words: Iterable[str]
) -> None:
    """One-letter options in one word.

    Each letter that wants a value takes the next word, as GLib has it.  Only where that makes no
    sense, because a letter is unknown, is the rest of the word the value: ``-sVALUE``.
    """
    letters = word[1:]
    attached = not all(letter in shorts for letter in letters)
    for index, letter in enumerate(letters):
        option = shorts.get(letter)
        if option is None:
            raise OptionError(f"Unknown option {word}")
        if option.kind == FLAG:
            if attached and not _wants_value(letters[index + 1 :], shorts):
                raise OptionError(f"Unknown option {word}")
            arguments.store(option, f"-{letter}", "")
        elif attached:
            arguments.store(option, f"-{letter}", letters[index + 1 :])
            return
        else:
            arguments.store(option, f"-{letter}", _next(words, f"-{letter}"))


def _wants_value(letters: str, shorts: dict[str, Option]) -> bool:
    """Whether a letter that takes a value comes before the first unknown one."""
    for letter in letters:
        option = shorts.get(letter)
        if option is None:
            return False
        if option.kind != FLAG:
            return True
    return False


def _next(words: Iterable[str], shown: str) -> str:
    for word in words:
        return word
    raise OptionError(f"Missing argument for {shown}")


def _parse_integer(shown: str, value: str) -> int:
    """A number as C's ``strtol`` with base 0 reads it: octal after ``0``, hex after ``0x``."""
    text = value.lstrip(_C_SPACE)
    sign = -1 if text.startswith("-") else 1
    digits = text[1:] if text[:1] in {"+", "-"} else text
    base = 10
    if digits[:2] in {"0x", "0X"}:
        base, digits = 16, digits[2:]
    elif digits[:1] == "0":
        base = 8
    try:
        # Python's underscores, blanks and non-ASCII digits are not C's.
        if not (digits.isascii() and digits.isalnum()):
            raise ValueError
        number = sign * int(digits, base)
    except ValueError:
        raise OptionError(f"Cannot parse integer value “{value}” for {shown}") from None
    if not _INT_MIN <= number <= _INT_MAX:
        raise OptionError(f"Integer value “{value}” for {shown} out of range")
    return number


def is_utf8(text: str) -> bool:
    """Whether text that came from outside was UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


HELP = Option(FLAG, "help", "Show help options", short="h")
VERBOSE = Option(FLAG, "verbose", "Print debug information during command processing", short="v")
VERSION = Option(FLAG, "version", "Print version information and exit")
REPO = Option(
    PATH,
    "repo",
    "Path to OSTree repository (defaults to current directory or /sysroot/ostree/repo)",
    argument="PATH",
)
SYSROOT = Option(PATH, "sysroot", "Create a new OSTree sysroot at PATH", argument="PATH")

JSON = Option(FLAG, "json", "Print the result as one JSON document")


def flag(long: str, help: str, *, short: str = "", hidden: bool = False) -> Option:
    """An option without value."""
    return Option(FLAG, long, help, short=short, hidden=hidden)


def text(long: str, argument: str, help: str, *, short: str = "", hidden: bool = False) -> Option:
    """An option with a value; the last one counts."""
    return Option(TEXT, long, help, short=short, argument=argument, hidden=hidden)


def texts(long: str, argument: str, help: str, *, short: str = "", hidden: bool = False) -> Option:
    """An option with a value that may be given often."""
    return Option(TEXTS, long, help, short=short, argument=argument, hidden=hidden)


def path(long: str, argument: str, help: str, *, short: str = "", hidden: bool = False) -> Option:
    """An option with a file name for its value."""
    return Option(PATH, long, help, short=short, argument=argument, hidden=hidden)


def paths(long: str, argument: str, help: str) -> Option:
    """An option with a file name for its value that may be given often."""
    return Option(PATHS, long, help, argument=argument)


def integer(long: str, argument: str, help: str, *, short: str = "") -> Option:
    """An option with a number for its value."""
    return Option(INTEGER, long, help, short=short, argument=argument)


def parse_boolean(value: str) -> bool:
    """What a ``POLICY`` says: yes or no.

    Raises:
        OptionError: ``Invalid boolean argument 'X'``.
    """
    word = value.lower()
    if word in {"1", "true", "yes"}:
        return True
    if word in {"0", "false", "no", "none"}:
        return False
    raise OptionError(f"Invalid boolean argument '{value}'")
