"""The text of an SELinux policy's ``file_contexts``: which label a path gets.

Each line has an expression for the whole path, perhaps a file type, and a label::

    /usr/bin/.*    --    system_u:object_r:bin_t:s0

A rule without wildcards counts before all with some; otherwise the last one that matches counts.
``<<none>>`` says that there is no label.  Beside it, ``file_contexts.subs`` maps directories to
others whose rules hold for them.

Expressions are those of PCRE, without Unicode; corner cases are as libselinux 3.4 has them.
"""

from __future__ import annotations

import re
import stat

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    #: Pairs of directories: what is below the first is labelled as if it were below the second.
    Substitutions = Sequence[tuple[bytes, bytes]]

_KINDS = {
    b"--": stat.S_IFREG,
    b"-d": stat.S_IFDIR,
    b"-l": stat.S_IFLNK,
    b"-c": stat.S_IFCHR,
    b"-b": stat.S_IFBLK,
    b"-p": stat.S_IFIFO,
    b"-s": stat.S_IFSOCK,
}
_NONE = b"<<none>>"
_WILD = b".^$?*+|[({"
#: An escaped character, a set, a count, the start of a group, or a single character.
_TOKEN = re.compile(
    rb"\\.|\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^]\\])*\]|\{\d+(?:,\d*)?\}|\(\?[<>:=!a-z]*|.", re.DOTALL
)
_CLASS = re.compile(rb"\[:(\^?)([a-z]+):\]")
_CLASSES = {
    b"alnum": rb"a-zA-Z0-9",
    b"alpha": rb"a-zA-Z",
    b"blank": rb" \t",
    b"digit": rb"0-9",
    b"lower": rb"a-z",
    b"space": rb"\s",
    b"upper": rb"A-Z",
    b"word": rb"\w",
    b"xdigit": rb"0-9a-fA-F",
}
#: What a set of Python's expressions would take for more than a character, some day.
_RESERVED = re.compile(rb"(?<!\\)[\[&~|]")


class Rule:
    """One line of the file.

    Attributes:
        expression: As it stands there.
        kind: The file type that it is for; 0 for any.
        label: None for ``<<none>>``.
        exact: Whether the expression is free of wildcards.
        prefix: What every path that it matches begins with.
    """

    __slots__ = ("_pattern", "_stem", "exact", "expression", "kind", "label", "prefix")

    def __init__(self, expression: bytes, kind: int, label: bytes | None) -> None:
        self.expression = expression
        self.kind = kind
        self.label = label
        tokens = _TOKEN.findall(expression)
        self.exact = not any(token[0] in _WILD for token in tokens)
        self._stem = _stem_of(expression)
        # The library asks only rules with the same first component.
        self.prefix = self._stem if _has_alternatives(tokens) else _literal_start(tokens)
        self._pattern: re.Pattern[bytes] | None = None

    def matches(self, path: bytes) -> bool:
        """Whether it is a rule for a path that begins with its prefix.

        Raises:
            FormatError: its expression is none.
        """
        size = len(self._stem)
        if size and path[size : size + 1] != b"/":
            return False
        if self._pattern is None:
            self._pattern = _compile(self.expression)
        return self._pattern.search(path) is not None


class FileContexts:
    """The rules of a policy, ready for look-ups.

    Args:
        rules: In the order of the files.
        substitutions: Each is applied once, to what the ones before have made of a path.
    """

    def __init__(self, rules: Iterable[Rule], substitutions: Sequence[Substitutions] = ()) -> None:
        self._substitutions = substitutions
        self._by_prefix: dict[bytes, list[tuple[int, Rule]]] = {}
        ordered = sorted(rules, key=lambda rule: rule.exact)
        for rank, rule in enumerate(ordered):
            self._by_prefix.setdefault(rule.prefix, []).append((rank, rule))
        self._sizes = sorted({len(prefix) for prefix in self._by_prefix})

    def lookup(self, path: bytes, mode: int) -> bytes | None:
        """The label of an absolute path; None if it has none.

        Args:
            path: Slashes at the end, and several in a row, do no harm.
            mode: With its type bits; without any, the type does not matter.

        Raises:
            FormatError: an expression that would have to be asked is none.
        """
        path = self._substitute(re.sub(rb"//+", b"/", path).rstrip(b"/") or b"/")
        kind = stat.S_IFMT(mode)
        candidates: list[tuple[int, Rule]] = []
        for size in self._sizes:
            if size > len(path):
                break
            candidates += self._by_prefix.get(path[:size], ())
        candidates.sort(key=lambda candidate: candidate[0], reverse=True)
        for _, rule in candidates:
            fits = not kind or not rule.kind or kind == rule.kind
            if fits and rule.matches(path):
                return rule.label
        return None

    def _substitute(self, path: bytes) -> bytes:
        for pairs in self._substitutions:
            for source, target in reversed(pairs):
                if path == source or path.startswith(source + b"/"):
                    path = target.rstrip(b"/") + path[len(source) :] or b"/"
                    break
        return path


def parse_rules(data: bytes) -> list[Rule]:
    """The rules in a file.

    Raises:
        FormatError: naming the line that is none.
    """
    rules = []
    for number, line in enumerate(data.split(b"\n"), 1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        if not line.isascii():
            raise FormatError(f"line {number} error due to: Non-ASCII characters found")
        if len(words) < 2:
            raise FormatError(f"line {number} is missing fields")
        kind = 0
        if len(words) > 2:
            word = words.pop(1)
            if word not in _KINDS:
                raise FormatError(f"line {number} has invalid file type {word.decode()}")
            kind = _KINDS[word]
        rules.append(Rule(words[0], kind, None if words[1] == _NONE else words[1]))
    return rules


def parse_substitutions(data: bytes) -> list[tuple[bytes, bytes]]:
    """The pairs of directories in a file; lines that are none mean nothing."""
    pairs = []
    for line in data.split(b"\n"):
        words = line.split()
        if len(words) >= 2 and not words[0].startswith(b"#"):
            pairs.append((words[0], words[1]))
    return pairs


# expressions ------------------------------------------------------------------------------------


def _stem_of(expression: bytes) -> bytes:
    """The first component of a path, if it is free of wildcards and another one follows."""
    slash = expression.find(b"/", 1)
    stem = expression[:slash] if slash > 0 else b""
    return b"" if any(char in b"\\" + _WILD for char in stem) else stem


def _has_alternatives(tokens: Sequence[bytes]) -> bool:
    """Whether an expression has a ``|`` outside of groups."""
    depth = 0
    for token in tokens:
        depth += token.startswith(b"(") - (token == b")")
        if token == b"|" and depth == 0:
            return True
    return False


def _literal_start(tokens: Sequence[bytes]) -> bytes:
    """The characters before the first wildcard, but for one that a wildcard repeats."""
    start = b""
    for index, token in enumerate(tokens):
        following = tokens[index + 1 : index + 2]
        if following and following[0][0] in b"?*+{":
            break
        if token[0] == b"\\"[0]:
            if len(token) != 2 or token[1:].isalnum():
                break
            start += token[1:]
        elif token[0] in _WILD or token == b")":
            break
        else:
            start += token
    return start


def _compile(expression: bytes) -> re.Pattern[bytes]:
    """An expression for a whole path; alternatives outside of groups have one anchor each."""
    try:
        text = b"".join(_translate(token) for token in _TOKEN.findall(expression))
        return re.compile(b"^" + text + b"$", re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        shown = expression.decode("ascii", "replace")
        raise FormatError(f"Invalid expression '{shown}': {error}") from error


def _translate(token: bytes) -> bytes:
    """One token as Python writes it."""
    if token == b"{":
        return rb"\{"  # not the start of a count
    if token[:1] != b"[" or len(token) == 1:
        return token
    parts = []
    done = 1
    for found in _CLASS.finditer(token):
        name = found[2]
        if found[1] or name not in _CLASSES:
            raise re.error(f"unknown class {name.decode()}")
        parts += [_RESERVED.sub(rb"\\\g<0>", token[done : found.start()]), _CLASSES[name]]
        done = found.end()
    return b"[" + b"".join(parts) + _RESERVED.sub(rb"\\\g<0>", token[done:])
