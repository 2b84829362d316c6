"""GVariant text: what it means and which message it gives, recorded from GLib 2.74."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.gvariant import Just, Variant
from ostree.formats.gvariant.parse import parse_text
from ostree.formats.gvariant.text import print_text


@pytest.mark.parametrize(
    ("text", "type", "printed"),
    [
        ("-", "i", "0"),
        (".5", "d", "0.5"),
        ("5.", "d", "5.0"),
        ("1e5", "d", "100000.0"),
        ("0x1e5", "i", "485"),
        ("-0", "i", "0"),
        ("+5", "i", "5"),
        ("inf", "d", "inf"),
        ("-inf", "d", "-inf"),
        ("+inf", "d", "inf"),
        ("nan", "d", "nan"),
        ("-nan", "d", "-nan"),
        ("true", "b", "true"),
        ("false", "b", "false"),
        ("boolean true", "b", "true"),
        ("byte 1", "y", "byte 0x01"),
        ("int32 1", "i", "1"),
        ("int64 1", "x", "int64 1"),
        ("handle 1", "h", "handle 1"),
        ("double 1", "d", "1.0"),
        ("string 'a'", "s", "'a'"),
        ('objectpath "/a"', "o", "objectpath '/a'"),
        ('signature "a{sv}"', "g", "signature 'a{sv}'"),
        ("byte byte 1", "y", "byte 0x01"),
        ("just just 1", "mmi", "@mmi 1"),
        ("@mi nothing", "mi", "@mi nothing"),
        ("@mmi just nothing", "mmi", "@mmi just nothing"),
        ("[nothing,1]", "ami", "[@mi nothing, 1]"),
        ("[just nothing,1]", "ammi", "[@mmi just nothing, 1]"),
        ("[just 1, nothing, 2]", "ami", "[@mi 1, nothing, 2]"),
        ("[@mi 1, 2]", "ami", "[@mi 1, 2]"),
        ("[1,@y 2]", "ay", "[byte 0x01, 0x02]"),
        ("[[],[1]]", "aai", "[@ai [], [1]]"),
        ("[[],@as []]", "aas", "[@as [], []]"),
        ("()", "()", "()"),
        ("(1,)", "(i)", "(1,)"),
        ("(1,2)", "(ii)", "(1, 2)"),
        ("{1,2}", "{ii}", "{1, 2}"),
        ("{1:2}", "a{ii}", "{1: 2}"),
        ("{1:2,3:4}", "a{ii}", "{1: 2, 3: 4}"),
        ("<1>", "v", "<1>"),
        ("[{1,2},{3,4}]", "a{ii}", "{1: 2, 3: 4}"),
        ("@a{sv} {}", "a{sv}", "@a{sv} {}"),
        ("@{sv} {'a',<1>}", "{sv}", "{'a', <1>}"),
        ("@a{sv} [{'a',<1>}]", "a{sv}", "{'a': <1>}"),
        ("@() ()", "()", "()"),
        ("@v <1>", "v", "<1>"),
        ("@mv <1>", "mv", "@mv <1>"),
        ("@ay b'a'", "ay", "b'a'"),
        ("@aay [b'a']", "aay", "[b'a']"),
        ('b"a\\\'b"', "ay", 'b"a\'b"'),
        ("b'\\n\\x41\\101\\8\\z'", "ay", "b'\\nx41A8z'"),
        ("b'\\400'", "ay", "b''"),
        ("b'\\377'", "ay", "b'\\377'"),
        ("b'é'", "ay", "b'\\303\\251'"),
        ("'\\u00e9'", "s", "'é'"),
        ("'\\U0001f600'", "s", "'😀'"),
        ("'\\ud7ff'", "s", "'\\ud7ff'"),
        ("'\\a\\b\\f\\n\\r\\t\\v\\\"\\'\\\\\\z\\0\\x'", "s", '"\\a\\b\\f\\n\\r\\t\\v\\"\'\\\\z0x"'),
        (" 1 ", "i", "1"),
        ("\t1", "i", "1"),
        ("@i @i 1", "i", "1"),
        ("@i @y 1", "i", "1"),
        ("@mi @i 1", "mi", "@mi 1"),
        ("@v @v <1>", "v", "<1>"),
        ("@x 99999999999", "x", "int64 99999999999"),
        ("@x -9223372036854775808", "x", "int64 -9223372036854775808"),
        ("-2147483648", "i", "-2147483648"),
        ("@b true", "b", "true"),
        ("@o '/'", "o", "objectpath '/'"),
        ("@h 5", "h", "handle 5"),
        ("[{'a':1},{'b':2.5}]", "aa{sd}", "[{'a': 1.0}, {'b': 2.5}]"),
        ("[{},{'a':1}]", "aa{si}", "[@a{si} {}, {'a': 1}]"),
        ("[[], {'a':1}]", "aa{si}", "[@a{si} {}, {'a': 1}]"),
        ("00", "i", "0"),
        ("1e-400", "d", "0.0"),
        ("@d inf", "d", "inf"),
        ("@d 5", "d", "5.0"),
        ("@d 0x10", "d", "16.0"),
        ("@n 0x7fff", "n", "int16 32767"),
        ("@y 0xff", "y", "byte 0xff"),
        ("@y -0", "y", "byte 0x00"),
        ("@u -0", "u", "uint32 0"),
        ('"a\'b"', "s", '"a\'b"'),
        ("'a\"b'", "s", "'a\"b'"),
        ('""', "s", "''"),
        ("''", "s", "''"),
        ("[just [], just [1]]", "amai", "[@mai [], [1]]"),
        ("@m(ii) (1,2)", "m(ii)", "@m(ii) (1, 2)"),
        ("@mmmi 5", "mmmi", "@mmmi 5"),
        ("[1, just 2, just just 3]", "ammi", "[@mmi 1, 2, 3]"),
        ("[just 2, just just 3]", "ammi", "[@mmi 2, 3]"),
        ("{1:<1>,2:<'a'>}", "a{iv}", "{1: <1>, 2: <'a'>}"),
        ("[1.5, 2, 0x10]", "ad", "[1.5, 2.0, 16.0]"),
    ],
)
def test_accepted(text: str, type: str, printed: str) -> None:
    """Texts of every kind of value, and the type found for them."""
    value = parse_text(text)

    assert value.type == type
    assert print_text(value.type, value.value) == printed
    assert parse_text(printed) == value or "nan" in text
    assert parse_text(print_text(type, value.value, annotate=False), type) == value or "nan" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zz", "0-2:unknown keyword"),
        ("@i", "2:expected value"),
        ("@", "0-1:invalid type declaration"),
        ("@zz 1", "0-3:invalid type declaration"),
        ("@a* []", "0-3:type declarations must be definite"),
        ("@r (1,)", "0-2:type declarations must be definite"),
        ("@(i 1", "0-3:invalid type declaration"),
        ("@i 'a'", "3-6:can not parse as value of type 'i'"),
        ('@i "a"', "3-6:can not parse as value of type 'i'"),
        ("@s 1", "3-4:can not parse as value of type 's'"),
        ("@y 1.0", "4-5:invalid character in number"),
        ("@d 1e", "4-5:invalid character in number"),
        ("@d 1x", "4-5:invalid character in number"),
        ("1x", "1-2:invalid character in number"),
        ("0x", "1-2:invalid character in number"),
        ("0xg", "1-2:invalid character in number"),
        ("1.5.5", "3-4:invalid character in number"),
        ("1.5x", "3-4:invalid character in number"),
        ("+", "0-1:invalid character in number"),
        (".", "0-1:invalid character in number"),
        ("1E5", "1-2:invalid character in number"),
        ("1e", "1-2:invalid character in number"),
        ("- 1", "2:expected end of input"),
        ("--1", "0-3:number out of range for type 'i'"),
        ("1-1", "1-2:invalid character in number"),
        ("infinity", "0-8:unknown keyword"),
        ("INF", "0:expected value"),
        ("NaN", "0:expected value"),
        ("True", "0:expected value"),
        ("boolean 1", "8-9:can not parse as value of type 'b'"),
        ("byte 256", "5-8:number out of range for type 'y'"),
        ("byte -1", "5-7:number out of range for type 'y'"),
        ("byte 'a'", "5-8:can not parse as value of type 'y'"),
        ("int16 40000", "6-11:number out of range for type 'n'"),
        ("uint16 -1", "7-9:number out of range for type 'q'"),
        ("double 'x'", "7-10:can not parse as value of type 'd'"),
        ("string 1", "7-8:can not parse as value of type 's'"),
        ("objectpath 'a'", "11-14:not a valid object path"),
        ("signature 'm'", "10-13:not a valid signature"),
        ("variant 1", "0-7:unknown keyword"),
        ("byte", "4:expected value"),
        ("nothing", "0-7:unable to infer type"),
        ("just", "4:expected value"),
        ("just nothing", "0-12:unable to infer type"),
        ("@mi just nothing", "9-16:can not parse as value of type 'i'"),
        ("@i nothing", "3-10:can not parse as value of type 'i'"),
        ("@i just 1", "3-9:can not parse as value of type 'i'"),
        ("[nothing]", "0-9:unable to infer type"),
        ("[@i 1, nothing]", "1-5,7-14:unable to find a common type"),
        ("[1,2,'a']", "1-2,5-8:unable to find a common type"),
        ("['a',1,2]", "1-4,5-6:unable to find a common type"),
        ("[1,@s 'a']", "1-2,3-9:unable to find a common type"),
        ("[[],[]]", "0-7:unable to infer type"),
        ("[", "1:expected value"),
        ("]", "0:expected value"),
        ("[1", "2:expected ',' or ']' to follow array element"),
        ("[1,", "3:expected value"),
        ("[1,]", "3:expected value"),
        ("[,1]", "1:expected value"),
        ("[1 2]", "3:expected ',' or ']' to follow array element"),
        ("[1,2", "4:expected ',' or ']' to follow array element"),
        ("(1)", "2:expected ',' after first tuple element"),
        ("(1,2,)", "5:expected value"),
        ("(,)", "1:expected value"),
        ("(", "1:expected value"),
        ("(1", "2:expected ',' after first tuple element"),
        ("(1,", "3:expected value"),
        ("(1 2)", "3:expected ',' after first tuple element"),
        ("{", "1:expected value"),
        ("}", "0:expected value"),
        ("{}", "0-2:unable to infer type"),
        ("{1}", "2:expected ':' or ',' to follow dictionary entry key"),
        ("{1:2,}", "5:expected value"),
        ("{1:2,3}", "6:expected ':' to follow dictionary entry key"),
        ("{1,2,3}", "4:expected '}' at end of dictionary entry"),
        ("{1:2 3:4}", "5:expected ',' or '}' to follow dictionary entry"),
        ("{1:", "3:expected value"),
        ("{1:2", "4:expected ',' or '}' to follow dictionary entry"),
        ("{1,", "3:expected value"),
        ("{1,2", "4:expected '}' at end of dictionary entry"),
        ("{1 2}", "3:expected ':' or ',' to follow dictionary entry key"),
        ("{'a':1,2:3}", "1-4,7-8:unable to find a common type"),
        ("{'a':1,'b':'c'}", "11-14:can not parse as value of type 'i'"),
        ("{[1]:2}", "0-7:dictionary keys must have basic types"),
        ("{(1,):2}", "0-8:dictionary keys must have basic types"),
        ("{nothing:1}", "0-11:dictionary keys must have basic types"),
        ("{just 1:2}", "0-10:dictionary keys must have basic types"),
        ("<", "1:expected value"),
        ("<1", "2:expected '>' to follow variant value"),
        ("<>", "1:expected value"),
        ("<1,2>", "2:expected '>' to follow variant value"),
        ("<[]>", "1-3:unable to infer type"),
        (">", "0:expected value"),
        ("[<1>,2]", "1-4,5-6:unable to find a common type"),
        ("[{1,2},{'a',4}]", "1-6,7-14:unable to find a common type"),
        ("@a{sv} {'a':1}", "12-13:can not parse as value of type 'v'"),
        ("@as ['a',1]", "9-10:can not parse as value of type 's'"),
        ("@(ss) ('a',)", "6-12:can not parse as value of type '(ss)'"),
        ("@(ss) ('a',1)", "11-12:can not parse as value of type 's'"),
        ("@(ss) 1", "6-7:can not parse as value of type '(ss)'"),
        ("@() (1,)", "4-8:can not parse as value of type '()'"),
        ("@v 1", "3-4:can not parse as value of type 'v'"),
        ('@ay "a"', "4-7:can not parse as value of type 'ay'"),
        ("@as b'a'", "4-8:can not parse as value of type 'as'"),
        ("b'a", "0-3:unterminated string constant"),
        ("'a\\", "0-3:unterminated string constant"),
        ("'a\\'", "0-4:unterminated string constant"),
        ("'\\u00e'", "3-6:invalid 4-character unicode escape"),
        ("'\\u'", "3:invalid 4-character unicode escape"),
        ("'\\u0000'", "3-7:invalid 4-character unicode escape"),
        ("1 2", "2:expected end of input"),
        ("1,2", "1:expected end of input"),
        ("'a' 'b'", "4:expected end of input"),
        ("%i", "0:expected value"),
        ("?", "0:expected value"),
        ("é", "0:expected value"),
        ("[é]", "1:expected value"),
        ("'é' x", "5:expected end of input"),
        ("@ i 1", "0-1:invalid type declaration"),
        ("@i@i 1", "0-4:invalid type declaration"),
        ("[1, -1, 0xffffffff]", "8-18:number out of range for type 'i'"),
        ("99999999999", "0-11:number out of range for type 'i'"),
        ("18446744073709551616", "0-20:integer too big for any type"),
        ("@t 18446744073709551616", "3-23:integer too big for any type"),
        ("-9223372036854775809", "0-20:number out of range for type 'i'"),
        ("-2147483649", "0-11:number out of range for type 'i'"),
        ("2147483648", "0-10:number out of range for type 'i'"),
        ("@b 1", "3-4:can not parse as value of type 'b'"),
        ("@o 'x'", "3-6:not a valid object path"),
        ("@g '*'", "3-6:not a valid signature"),
        ("[true, 1]", "1-5,7-8:unable to find a common type"),
        ("[(1,2),(1,'a')]", "1-6,7-14:unable to find a common type"),
        ("[(1,2),(1,)]", "1-6,7-11:unable to find a common type"),
        ("[1, nothing, 'a']", "1-2,13-16:unable to find a common type"),
        ("{nothing:1,'a':2}", "0-17:dictionary keys must have basic types"),
        ("[{},{}]", "0-7:unable to infer type"),
        ("[{},[]]", "0-7:unable to infer type"),
        ("[[],(1,)]", "1-3,4-8:unable to find a common type"),
        ("(nothing,)", "0-10:unable to infer type"),
        ("(1,[])", "0-6:unable to infer type"),
        ("(1,{})", "0-6:unable to infer type"),
        ("<nothing>", "1-8:unable to infer type"),
        ("byte 0x", "6-7:invalid character in number"),
        ("0b1", "1-2:invalid character in number"),
        ("0o7", "1-2:invalid character in number"),
        ("1_000", "1:expected end of input"),
        ("1e400", "0-5:number too big for any type"),
        ("-1e400", "0-6:number too big for any type"),
        ("@n 0x8000", "3-9:number out of range for type 'n'"),
        ("@u -1", "3-5:number out of range for type 'u'"),
        ("@t -1", "3-5:number out of range for type 't'"),
        ("", "0:expected value"),
        ("   ", "3:expected value"),
        ("[1,2]]", "5:expected end of input"),
        ("(1))", "2:expected ',' after first tuple element"),
        ("true false", "5:expected end of input"),
        ("truex", "0-5:unknown keyword"),
        ("just1", "0-5:unknown keyword"),
        ("just(1)", "6:expected ',' after first tuple element"),
        ("@mi just(1)", "10:expected ',' after first tuple element"),
        ("byte(1)", "6:expected ',' after first tuple element"),
        ("a", "0:expected value"),
        ("A", "0:expected value"),
        ("_", "0:expected value"),
        ("#", "0:expected value"),
        ("'a'b", "3:expected end of input"),
        ("b", "0:expected value"),
        ("b1", "0:expected value"),
        ("nothing1", "0-8:unknown keyword"),
        ("nothing 1", "0-7:unable to infer type"),
        ("not", "0-3:unknown keyword"),
        ("[nothing, nothing]", "0-18:unable to infer type"),
        ("@ai [1, 'a']", "8-11:can not parse as value of type 'i'"),
        ("@ai 5", "4-5:can not parse as value of type 'ai'"),
        ("@a(si) [('a',1),('b','c')]", "21-24:can not parse as value of type 'i'"),
        ("{1:[],2:['a']}", "0-14:unable to infer type"),
        ("{1:<1>,2:3}", "9-10:can not parse as value of type 'v'"),
        ("@a{su} {'a':-1}", "12-14:number out of range for type 'u'"),
        ("@a{su} {1:1}", "8-9:can not parse as value of type 's'"),
        ("[1, 1e400]", "4-9:number too big for any type"),
        ("[[1,2],['a']]", "1-6,7-12:unable to find a common type"),
        ("[[1,2],[3,'a']]", "8-9,10-13:unable to find a common type"),
        ("[(1,'a'),(1,2),(1,'b')]", "1-8,9-14:unable to find a common type"),
    ],
)
def test_refused(text: str, message: str) -> None:
    """Texts with something wrong, and GLib's words with positions in bytes."""
    with pytest.raises(FormatError) as caught:
        parse_text(text)

    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("[]", "as", []),
        ("{}", "a{sv}", []),
        ("nothing", "mi", None),
        ("5", "mmy", Just(Just(5))),
        ("1", "d", 1.0),
        ("'/a'", "o", "/a"),
        ("[1, 2]", "ay", b"\1\2"),
        ("b'a'", "may", Just(b"a\0")),
        ("@y 1", "u", 1),
        ("{1, <2>}", "{qv}", (1, Variant("i", 2))),
        ("[{1, 2}]", "a{yy}", [(1, 2)]),
    ],
)
def test_stated_type(text: str, type: str, value: object) -> None:
    """A type given by the caller fills what the text leaves open."""
    assert parse_text(text, type) == Variant(type, value)


@pytest.mark.parametrize(
    ("text", "type", "message"),
    [
        ("1", "s", "0-1:can not parse as value of type 's'"),
        ("(1, 2)", "(i)", "0-6:can not parse as value of type '(i)'"),
        ("(1,)", "(ii)", "0-4:can not parse as value of type '(ii)'"),
        ("{'a': 1}", "{si}", "0-8:can not parse as value of type '{si}'"),
        ("{'a', 1}", "a{si}", "0-8:can not parse as value of type 'a{si}'"),
        ("300", "y", "0-3:number out of range for type 'y'"),
        ("'a'", "o", "0-3:not a valid object path"),
        ("<1>", "as", "0-3:can not parse as value of type 'as'"),
        ("true", "i", "0-4:can not parse as value of type 'i'"),
        ("'a' 1", "s", "4:expected end of input"),
    ],
)
def test_stated_type_that_does_not_fit(text: str, type: str, message: str) -> None:
    """Messages where the caller's type and the text disagree."""
    with pytest.raises(FormatError) as caught:
        parse_text(text, type)

    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"'\ud800'", "3-7:invalid 4-character unicode escape"),
        (r"'\U00110000'", "3-11:invalid 8-character unicode escape"),
        ("'\udcff'", "1:not a character"),
        ("\0", "0:expected value"),
    ],
)
def test_characters_that_do_not_exist(text: str, message: str) -> None:
    """Surrogates and numbers beyond Unicode, which GLib forgets to refuse, are refused."""
    with pytest.raises(FormatError) as caught:
        parse_text(text)

    assert caught.value.message == message


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ("(", ",)"), ("<", ">"), ("just ", "")])
def test_nesting(before: str, after: str) -> None:
    """127 levels around a value are read, more are refused however many there are."""
    value = parse_text(before * 127 + "1" + after * 127)

    assert value.type.count("i") == (before != "<")
    for levels in (128, 100_000):
        with pytest.raises(FormatError, match="variant nested too deeply"):
            parse_text(before * levels + "1" + after * levels)


def test_metadata_of_the_format_document() -> None:
    """The texts of the commit with mixed metadata."""
    assert parse_text("uint32 7") == Variant("u", 7)
    assert parse_text("['x','yy']") == Variant("as", ["x", "yy"])
    assert parse_text("@mu nothing") == Variant("mu", None)
    assert parse_text('b"hi"') == Variant("ay", b"hi\0")


def test_very_long_numbers() -> None:
    """Digits without end are refused without computing with them."""
    with pytest.raises(FormatError, match="integer too big for any type"):
        parse_text("9" * 100_000)
    with pytest.raises(FormatError, match="number too big for any type"):
        parse_text("9" * 10_000 + ".0")

    assert parse_text("0" * 100_000 + "7") == Variant("i", 7)
