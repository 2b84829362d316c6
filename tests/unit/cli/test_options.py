"""The option parser: GOption's manners."""

from __future__ import annotations

import os

import pytest

from ostree.cli.options import (
    HELP,
    OptionError,
    flag,
    integer,
    parse,
    parse_boolean,
    path,
    text,
    texts,
)

OPTIONS = (
    HELP,
    flag("all", "", short="a"),
    flag("dironly", "", short="d"),
    text("subject", "S", "", short="s"),
    texts("tree", "T", "", short="t"),
    path("file", "F", ""),
    integer("depth", "N", "", short="n"),
)


def message(*argv: str) -> str:
    with pytest.raises(OptionError) as caught:
        parse(OPTIONS, argv)
    return str(caught.value)


def test_values_stand_in_the_same_word_or_the_next() -> None:
    args = parse(OPTIONS, ["--subject=a", "--tree", "b", "-t", "c", "--tree=d=e"])

    assert args.text("subject") == "a"
    assert args.texts("tree") == ["b", "c", "d=e"]
    assert args.words == []


def test_the_last_value_counts() -> None:
    assert parse(OPTIONS, ["--subject=a", "-s", "b"]).text("subject") == "b"


def test_options_and_words_are_mixed() -> None:
    args = parse(OPTIONS, ["x", "-a", "y", "--subject", "s", "-", "z"])

    assert args.words == ["x", "y", "-", "z"]
    assert args.flag("all")
    assert not args.flag("dironly")


def test_two_dashes_end_the_options() -> None:
    args = parse(OPTIONS, ["a", "--", "-a", "--", "--bogus"])

    assert args.words == ["a", "-a", "--", "--bogus"]
    assert not args.flag("all")


def test_a_value_may_look_like_an_option() -> None:
    assert parse(OPTIONS, ["-s", "--all"]).text("subject") == "--all"


def test_letters_cluster() -> None:
    args = parse(OPTIONS, ["-das", "text", "word"])

    assert args.flag("all")
    assert args.flag("dironly")
    assert args.text("subject") == "text"
    assert args.words == ["word"]


def test_each_letter_takes_a_word_of_its_own() -> None:
    args = parse(OPTIONS, ["-san", "text", "7"])

    assert (args.text("subject"), args.integer("depth", 0)) == ("text", 7)


@pytest.mark.parametrize(
    ("word", "value"), [("-sVALUE", "VALUE"), ("-asVALUE", "VALUE"), ("-s=x", "=x")]
)
def test_a_value_may_be_attached_where_nothing_else_makes_sense(word: str, value: str) -> None:
    assert parse(OPTIONS, [word]).text("subject") == value


def test_flags_ignore_a_value() -> None:
    """As in GLib: even ``--all=0`` says yes."""
    assert parse(OPTIONS, ["--all=0"]).flag("all")


@pytest.mark.parametrize("word", ["-h", "-?", "--help", "--help-all", "-ah"])
def test_help_ends_the_reading(word: str) -> None:
    assert parse(OPTIONS, [word, "--bogus"]).flag("help")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--bogus"], "Unknown option --bogus"),
        (["--bogus=x"], "Unknown option --bogus=x"),
        (["--dir"], "Unknown option --dir"),
        (["--=x"], "Unknown option --=x"),
        (["--help=x"], "Unknown option --help=x"),
        (["-dx"], "Unknown option -dx"),
        (["-x"], "Unknown option -x"),
        (["--subject"], "Missing argument for --subject"),
        (["-s"], "Missing argument for -s"),
        (["-as"], "Missing argument for -s"),
        (["--depth=abc"], "Cannot parse integer value “abc” for --depth"),
        (["-n", ""], "Cannot parse integer value “” for -n"),
        (["--depth=1x"], "Cannot parse integer value “1x” for --depth"),
        (["--depth=08"], "Cannot parse integer value “08” for --depth"),
        (["--depth=1_0"], "Cannot parse integer value “1_0” for --depth"),
        (["--depth=١"], "Cannot parse integer value “١” for --depth"),
        (["--depth=99999999999"], "Integer value “99999999999” for --depth out of range"),
        (["--depth=-2147483649"], "Integer value “-2147483649” for --depth out of range"),
        ([os.fsdecode(b"--subject=\xff")], "Invalid byte sequence in conversion input"),
        ([os.fsdecode(b"--tree=\xff")], "Invalid byte sequence in conversion input"),
    ],
)
def test_messages(argv: list[str], expected: str) -> None:
    assert message(*argv) == expected


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0", 0),
        ("7", 7),
        ("-1", -1),
        ("+3", 3),
        ("010", 8),
        ("0x1F", 31),
        (" 5", 5),
        ("2147483647", 2147483647),
        ("-2147483648", -2147483648),
    ],
)
def test_numbers_are_cs(value: str, number: int) -> None:
    assert parse(OPTIONS, [f"--depth={value}"]).integer("depth", 99) == number


def test_what_is_not_given() -> None:
    args = parse(OPTIONS, [])

    assert args.text("subject") is None
    assert args.texts("tree") == []
    assert args.integer("depth", 99) == 99
    assert not args.has("depth")


def test_paths_need_not_be_utf8() -> None:
    name = os.fsdecode(b"\xff")

    assert parse(OPTIONS, [f"--file={name}"]).text("file") == name


def test_a_name_that_is_not_in_the_table_is_a_bug() -> None:
    args = parse(OPTIONS, [])

    with pytest.raises(KeyError):
        args.flag("subject")
    with pytest.raises(KeyError):
        args.text("unknown")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), ("Yes", True), ("0", False), ("no", False), ("none", False)],
)
def test_policies(text: str, value: bool) -> None:
    assert parse_boolean(text) is value


def test_a_bad_policy_is_refused() -> None:
    with pytest.raises(OptionError, match="Invalid boolean argument 'zz'"):
        parse_boolean("zz")
