"""The GVariant codec against GLib's own, on random types, values, damaged bytes and texts."""

from __future__ import annotations

import json
import random
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from ostree.errors import FormatError
from ostree.formats.gvariant import Just, Variant, byteswap, decode, encode, is_normal
from ostree.formats.gvariant.parse import parse_text
from ostree.formats.gvariant.text import print_text
from ostree.formats.gvariant.type_string import is_object_path, is_signature, is_type, type_info
from ostree.formats.hash_order import HashDict

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.oracle

PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("glib_server.py")
SEEDS = [1, 2, 3]

Answer: TypeAlias = "list[str | bool | int] | str | bool"
Glib = Callable[[list[list[object]]], "list[Answer]"]

BASIC = "ybnqiuxthdsog"
RANGES = {
    "y": (0, 2**8 - 1),
    "n": (-(2**15), 2**15 - 1),
    "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "h": (-(2**31), 2**31 - 1),
    "u": (0, 2**32 - 1),
    "x": (-(2**63), 2**63 - 1),
    "t": (0, 2**64 - 1),
}
CHARACTERS = "abc '\"\\\n\té€\U0001f600\x7f\u200b\xad\x01\u2028\ue000"
BYTE_STRINGS = [b"", b"hi\0", b"a'b\"\n\x80\0", b'"\\\a\0', b"\0", b"a\0b\0", b"\xff\0\x01"]
FRAGMENTS: list[str] = [
    *"[](){}<>,:' \\@-+.b?%",
    *["1", "-1", "1.5", "0x1f", "017", "08", "1e5", "1E5", "300", "1e400", "0x1.8p3", "-0x1e5"],
    *["+-5", "-+5", "--5", "inf", "-infinity", "+nan", "5.", ".5", "2147483648", "-2147483648"],
    *["99999999999999999999", "'a'", '"b"', "'/x'", "b'q'", "'\\u12'", "'\\u00e9'", "b'\\1\\400'"],
    *["true", "false", "nothing", "just ", "zz", "a1", "n", "nx", "j", "é", "\v", "\r", "'a\\\nb'"],
    *["@i ", "@s ", "@mi ", "@as ", "@a{sv} ", "@v ", "@(ii) ", "@d ", "@* ", "@a? ", "@(*) "],
    *["byte ", "int16 ", "objectpath ", "signature ", "double ", "uint64 ", "handle ", "string "],
    *["{}", "[]", "()", "(1,)", "[1]", "<1>", "{1: 2}", "{1, 2}", "[nothing, 1]", "[1, 2.5]"],
]


@pytest.fixture(scope="module")
def glib() -> Iterator[Glib]:
    """Asks GLib: a list of requests gives the list of answers."""
    check = [PYTHON, "-c", "import gi; gi.require_version('GLib', '2.0')"]
    if not Path(PYTHON).exists() or subprocess.run(check, check=False).returncode:
        pytest.skip("GLib's Python binding is not installed (Debian: python3-gi)")
    with subprocess.Popen(
        [PYTHON, "-W", "ignore", str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        questions, answers = server.stdin, server.stdout

        def ask(requests: list[list[object]]) -> list[Answer]:
            questions.write(json.dumps(requests) + "\n")
            questions.flush()
            received: list[Answer] = json.loads(answers.readline())
            assert len(received) == len(requests)
            return received

        yield ask
        server.stdin.close()


class Maker:
    """Makes random types, values, damage and texts; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def type(self, levels: int = 3) -> str:
        choice = self.random.choice
        if levels == 0 or self.random.random() < 0.3:
            return choice(BASIC + "vvvss")
        kind = choice("aaam(((({")
        if kind in "am":
            return kind + self.type(levels - 1)
        if kind == "{":
            return "{" + choice(BASIC) + self.type(levels - 1) + "}"
        count = choice([0, 1, 2, 2, 3, 4])
        return "(" + "".join(self.type(levels - 1) for _ in range(count)) + ")"

    def value(self, type: str, levels: int = 2) -> object:
        choice = self.random.choice
        info = type_info(type)
        if type in RANGES:
            low, high = RANGES[type]
            return choice([low, high, max(low, 0), self.random.randint(low, high)])
        if type == "v":
            inner = self.type(levels) if levels else choice(BASIC)
            return Variant(inner, self.value(inner, max(levels - 1, 0)))
        if type == "ay":
            return choice(BYTE_STRINGS)
        if info.kind == "a":
            count = choice([0, 1, 2, 3, 3, 40 if self.random.random() < 0.1 else 2])
            return [self.value(info.element.text, levels) for _ in range(count)]
        if info.kind == "m":
            return Just(self.value(info.element.text, levels)) if choice("ab") == "a" else None
        if info.kind in "({":
            return tuple(self.value(member.text, levels) for member in info.members)
        values: dict[str, object] = {
            "b": self.random.random() < 0.5,
            "d": choice([0.0, -0.0, 1.5, 1e100, 0.1, 3e-308, self.random.gauss(0, 1e9)]),
            "s": "".join(self.random.choices(CHARACTERS, k=choice([0, 1, 2, 9]))),
            "o": choice(["/", "/a", "/a/b_9"]),
            "g": choice(["", "s", "a{sv}", "(ii)as"]),
        }
        return values[type]

    def typed(self) -> tuple[str, object]:
        type = self.type()
        return type, self.value(type)

    def damaged(self, data: bytes) -> bytes:
        result = bytearray(data)
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            at = self.random.randrange(len(result) + 1)
            new = self.random.choice(
                [0, 1, 2, at & 255, len(result) & 255, self.random.randrange(256)]
            )
            if at == len(result) or self.random.random() < 0.2:
                result.insert(at, new)
            elif self.random.random() < 0.2:
                del result[at]
            else:
                result[-1 - at if self.random.random() < 0.5 else at] = new
        return bytes(result)

    def text(self) -> str:
        way = self.random.random()
        if way < 0.3:
            return "".join(self.random.choices(FRAGMENTS, k=self.random.randint(1, 5)))
        if way < 0.6:
            return self.expression(3)
        type, value = self.typed()
        text = print_text(type, value, annotate=self.random.random() < 0.5)
        if way < 0.8:
            return text
        at = self.random.randrange(len(text) + 1)
        insertions: list[str] = ["", *FRAGMENTS]
        return text[:at] + self.random.choice(insertions) + text[at + 1 :]

    def expression(self, levels: int) -> str:
        """A text that follows the grammar but whose types may not go together."""
        kinds = "nnsvjatdk@" if levels else "nsm"
        kind = self.random.choice(kinds)
        if kind == "n":
            return self.random.choice(["1", "2.5", "-3", "0x10", "300", "inf", "1e5"])
        if kind == "s":
            return self.random.choice(["'a'", "'/a'", "b'x'", "true", "'s'"])
        if kind == "m":
            return "nothing"
        inside = [self.expression(levels - 1) for _ in range(self.random.randint(0, 3))]
        if kind == "a":
            return f"[{', '.join(inside)}]"
        if kind == "t":
            return f"({', '.join(inside)}{',' * (len(inside) == 1)})"
        if kind == "d" and len(inside) != 1:
            return "{" + ", ".join(f"{self.expression(0)}: {value}" for value in inside) + "}"
        one = self.expression(levels - 1)
        if kind == "d":
            return f"{{{self.expression(0)}, {one}}}"
        if kind == "v":
            return f"<{one}>"
        if kind == "j":
            return f"just {one}"
        if kind == "k":
            keyword = self.random.choice(["byte", "int16", "string", "objectpath", "double"])
            return f"{keyword} {one}"
        return f"@{self.type(2)} {one}"


def loaded(glib: Glib, cases: list[tuple[str, bytes]]) -> list[list[str | bool | int]]:
    """What GLib sees in serialised bytes."""
    answers = glib([["load", type, data.hex()] for type, data in cases])
    return [answer for answer in answers if isinstance(answer, list)]


@pytest.mark.parametrize("seed", SEEDS)
def test_values(glib: Glib, seed: int) -> None:
    """GLib finds our bytes normal, prints them as we do, and swaps them to the same bytes."""
    maker = Maker(seed)
    values = [maker.typed() for _ in range(700)]
    cases = [(type, encode(type, value)) for type, value in values]

    answers = loaded(glib, cases)

    for (type, value), (_, data), answer in zip(values, cases, answers, strict=True):
        assert answer == [
            True,
            print_text(type, value),
            print_text(type, value, annotate=False),
            data.hex(),
            encode(type, byteswap(type, value)).hex(),
        ]
        assert decode(type, data) == value


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_bytes(glib: Glib, seed: int) -> None:
    """Whether damaged bytes are normal, and what they mean if not, is the same.

    GLib takes zero bytes for normal where a tuple of members that may be empty is due, although
    it never writes that; we follow the rule that only what is written is normal.
    """
    maker = Maker(seed)
    cases = []
    for _ in range(700):
        type, value = maker.typed()
        data = encode(type, value)
        cases += [(type, maker.damaged(data)) for _ in range(3)]

    answers = loaded(glib, cases)

    exceptions = 0
    for (type, data), (normal, text, _plain, canonical, _swapped) in zip(
        cases, answers, strict=True
    ):
        value = decode(type, data, strict=False)
        again = encode(type, value)
        # Damage can make characters that only one of both knows.
        if not any(unicodedata.category(character) == "Cn" for character in str(text)):
            assert print_text(type, value) == text, (type, data.hex())
        assert is_normal(type, data) == (again == data)
        if normal and again != data:
            exceptions += 1
            assert "(" in type + str(text)
        else:
            assert is_normal(type, data) == normal, (type, data.hex())
            assert again.hex() == canonical
    assert exceptions < len(cases) / 100


def test_empty_tuples_are_the_only_difference(glib: Glib) -> None:
    """The one known difference in what is normal, pinned."""
    answers = loaded(
        glib, [("(asas)", b""), ("(as)", b""), ("(a(say)a(sayay))", b""), ("(ss)", b"")]
    )

    assert [answer[0] for answer in answers] == [True, True, True, False]
    assert [is_normal(type, b"") for type in ("(asas)", "(as)", "(a(say)a(sayay))", "(ss)")] == [
        False,
        True,
        False,
        False,
    ]


def test_nesting(glib: Glib) -> None:
    """Both read variants to the same depth."""
    cases = []
    for type, around in (("v", b""), ("(v)", b"")):
        for inner in (b"\7\0y", b"\0ay", b"\0\0()", b"\0a{sv}"):
            cases += [(type, around + inner + b"\0v" * count) for count in range(120, 132)]

    answers = loaded(glib, cases)

    for (type, data), (normal, text, *_) in zip(cases, answers, strict=True):
        assert is_normal(type, data) == normal
        assert print_text(type, decode(type, data, strict=False)) == text


def test_types(glib: Glib) -> None:
    """Type strings, signatures and object paths are accepted alike."""
    maker = Maker(1)
    texts = ["".join(maker.random.choices("am(){}ysv*r?", k=k % 9)) for k in range(4000)]
    texts += ["a" * n + "y" for n in range(126, 131)]
    texts += ["(" * n + inside + ")" * n for n in range(126, 131) for inside in ("", "y", "{sv}")]
    texts += ["a{s" * n + "y" + "}" * n for n in range(60, 68)]
    paths = ["".join(maker.random.choices("/aZ_9-é", k=k % 6)) for k in range(2000)]

    types = glib([["is_type", text] for text in texts])
    signatures = glib([["is_signature", text] for text in texts])
    objects = glib([["is_object_path", text] for text in paths])

    assert [is_type(text) for text in texts] == types
    assert [is_signature(text) for text in texts] == signatures
    assert [is_object_path(text) for text in paths] == objects


@pytest.mark.parametrize("seed", SEEDS)
def test_texts(glib: Glib, seed: int) -> None:
    """Texts give the same type and bytes, or the same message with the same positions."""
    maker = Maker(seed)
    cases: list[tuple[str, str | None]] = [
        (maker.text(), maker.type(2) if maker.random.random() < 0.3 else None) for _ in range(3000)
    ]

    answers = glib([["parse", text, type] for text, type in cases])

    accepted = 0
    for (text, type), answer in zip(cases, answers, strict=True):
        if not answer:
            continue  # GLib made a string that is not UTF-8 and gave up
        try:
            value = parse_text(text, type)
            found = [value.type, encode(value.type, value.value).hex()]
        except FormatError as error:
            found = [error.message]
        assert found == answer, (text, type)
        accepted += len(found) - 1
    assert accepted > len(cases) / 10


def test_smallest_doubles(glib: Glib) -> None:
    """The one text known to be refused by GLib alone: it prints such numbers, but cannot read them."""
    text = "4.9406564584124654e-324"

    answers = glib([["parse", text, None], ["load", "d", "0100000000000000"]])

    assert answers[0] == ["0-23:number too big for any type"]
    assert answers[1] == [True, text, text, "0100000000000000", "0000000000000001"]
    assert parse_text(text) == Variant("d", 5e-324)


def test_printable_characters(glib: Glib) -> None:
    """Characters are escaped alike, but for those newer than Python's or GLib's tables."""
    ranges = [(1, 0xD800), (0xE000, 0x1FFFF), (0xE0000, 0xE0200)]
    escaped = glib([["unprintable", start, end] for start, end in ranges])
    theirs = {code for part in escaped if isinstance(part, list) for code in part}

    ours = {
        code
        for start, end in ranges
        for code in range(start, end)
        if len(print_text("s", chr(code))) > 4
    }
    # These have one-letter escapes.
    ours |= {0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D}

    assert {unicodedata.category(chr(code)) for code in ours - theirs} <= {"Cn"}
    assert len(ours ^ theirs) < 10_000


@pytest.mark.parametrize("seed", SEEDS)
def test_hash_order(glib: Glib, seed: int) -> None:
    """Dictionaries come out in the same order after any insertions and removals."""
    pick = random.Random(seed)
    cases = []
    for _ in range(200):
        keys = ["".join(pick.choices("abcé.-", k=pick.randint(0, 6))) for _ in range(60)]
        insertions = pick.random()
        cases.append(
            [
                ["+" if pick.random() < insertions else "-", pick.choice(keys)]
                for _ in range(pick.randint(1, 150))
            ]
        )
    cases.append([["+", f"key-{number}"] for number in range(5000)])

    answers = glib([["order", steps] for steps in cases])

    for steps, answer in zip(cases, answers, strict=True):
        table = HashDict()
        for what, key in steps:
            if what == "+":
                table.insert(key, None)
            else:
                table.remove(key)
        assert [key for key, _value in table.items()] == answer
