"""Kernel arguments: an ordered list, and what can be done with it."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError, NotFoundError, SysrootError
from ostree.formats.kernel_arguments import KernelArguments, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  a  b ", ["a", "b"]),
        ('x="a b" c', ['x="a b"', "c"]),
        ('a "never closed  rest', ["a", '"never closed  rest']),
        ("a\tb\n", ["a", "b"]),
        ('a"b c"d e', ['a"b c"d', "e"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_a_key_without_value_is_not_a_key_with_an_empty_one() -> None:
    assert str(KernelArguments(["a", "a=", "b=c=d"])) == "a a= b=c=d"
    assert KernelArguments(["a"]) != KernelArguments(["a="])


@pytest.mark.parametrize(
    ("before", "argument", "after"),
    [
        ("a b c", "b=1", "a b=1 c"),
        ("b=1 a b b=2", "b=3", "b=3 a"),
        ("a", "b", "a b"),
        ("", "ostree=/x", "ostree=/x"),
        ("a=1", "a=2 b=3", "a=2 b=3"),
    ],
)
def test_replace_takes_the_first_place(before: str, argument: str, after: str) -> None:
    arguments = KernelArguments.parse(before)

    arguments.replace(argument)

    assert str(arguments) == after


def test_append_adds_duplicates() -> None:
    arguments = KernelArguments.parse("a=1")

    arguments.append("a=1 b")

    assert str(arguments) == "a=1 a=1 b"


def test_append_if_missing_looks_at_the_key() -> None:
    arguments = KernelArguments.parse("a=1")

    arguments.append_if_missing("a=2 b=3")

    assert str(arguments) == "a=1 b=3"


@pytest.mark.parametrize(
    ("before", "argument", "after"),
    [
        ("a b", "a", "b"),
        ("a=1 b", "a", "b"),
        ("a=1 a a=2", "a", "a=1 a=2"),
        ("a=1 a=2", "a=2", "a=1"),
        ("a a=", "a=", "a"),
    ],
)
def test_delete(before: str, argument: str, after: str) -> None:
    arguments = KernelArguments.parse(before)

    arguments.delete(argument)

    assert str(arguments) == after


@pytest.mark.parametrize(
    ("before", "argument", "error", "message"),
    [
        ("a", "b", NotFoundError, "No key 'b' found"),
        ("a", "b=1", NotFoundError, "No key 'b' found"),
        ("a=1", "a=2", NotFoundError, "No karg 'a=2' found"),
        ("a=1 a=2", "a", SysrootError, "Multiple values for key 'a' found"),
    ],
)
def test_delete_refuses(before: str, argument: str, error: type[Exception], message: str) -> None:
    arguments = KernelArguments.parse(before)

    with pytest.raises(error) as caught:
        arguments.delete(argument)

    assert str(caught.value) == message


def test_delete_if_present_forgives_a_missing_key_only() -> None:
    arguments = KernelArguments.parse("a=1")

    arguments.delete_if_present("b")

    with pytest.raises(NotFoundError):
        arguments.delete_if_present("a=2")


def test_the_running_kernel_loses_what_the_boot_loader_added() -> None:
    text = "BOOT_IMAGE=/vmlinuz root=/dev/sda1 initrd=/initrd ostree=/ostree/boot.1/os/ab/0\n"

    arguments = KernelArguments.of_running_kernel(text)

    assert str(arguments) == "root=/dev/sda1 ostree=/ostree/boot.1/os/ab/0"


@pytest.mark.parametrize("text", ['a="x\ny"', "a=\udc80"])
def test_what_would_break_a_boot_entry_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        KernelArguments.parse(text).check()
