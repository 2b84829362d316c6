"""Regular expressions of GLib's, as Python runs them."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.glib_pattern import compile_pattern


def replaced(pattern: str, text: str) -> str:
    return compile_pattern(pattern).sub("<>", text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^etc/", "etc/etc/f", "<>etc/f"),
        (r"\Qa.b\E.", "a.bc axbc", "<> axbc"),
        (r"\Qa.b", "a.b", "<>"),
        (r"a\z", "aa", "a<>"),
        (r"a\Z", "aa\n", "a<>\n"),
        (r"\h+", "a \tb\n", "a<>b\n"),
        (r"\H", "a ", "<> "),
        (r"\R", "a\r\nb\u2028c", "a<>b<>c"),
        (r"\N+", "ab\ncd", "<>\n<>"),
        (r"[\h]", "a b", "a<>b"),
        (r"\x{41}\x42\x", "AB\0", "<>"),
        (r"[\x{e9}-\x{eb}]", "é", "<>"),
        (r"\cA\e\a", "\x01\x1b\a", "<>"),
        ("(?<n>a)(?P=n)", "aa", "<>"),
        ("(?'n'a)\\k<n>\\k{n}\\k'n'\\g{n}", "aaaaa", "<>"),
        (r"(a)\g1\g{1}", "aaa", "<>"),
        ("[[:alpha:]_]+", "aé_9", "<>9"),
        ("[^[:alpha:]/]", "a/9", "a/<>"),
        ("[[:^digit:]]", "9a", "9<>"),
        ("[]a]", "]a", "<><>"),
        ("[^]a]", "]b", "]<>"),
        ("[a&&b]", "&", "<>"),
        ("[[]", "[", "<>"),
        ("e{2", "e{2", "<>"),
        ("e{,3}", "e{,3}", "<>"),
        ("(?i)AB", "ab", "<>"),
        ("(?x) a b # c", "ab", "<>"),
        ("(?#comment)a", "a", "<>"),
        ("(?>a)(?=b)", "ab", "<>b"),
        ("a++b", "aab", "<>"),
        ("(*UTF8)a", "a", "<>"),
        (r"\,\é\_", ",é_", "<>"),
    ],
)
def test_it_matches_what_glib_matches(pattern: str, text: str, expected: str) -> None:
    assert replaced(pattern, text) == expected


@pytest.mark.parametrize(
    ("pattern", "at", "message"),
    [
        ("(etc", 4, "missing terminating )"),
        ("(?:e", 4, "missing terminating )"),
        ("(?i", 3, "missing terminating )"),
        ("e)", 1, "missing terminating )"),
        ("[", 1, "missing terminating ] for character class"),
        ("[[:alpha:]", 10, "missing terminating ] for character class"),
        ("*a", 0, "nothing to repeat"),
        ("e**", 2, "nothing to repeat"),
        ("\\", 1, "\\ at end of pattern"),
        ("[\\", 2, "\\ at end of pattern"),
        (r"\c", 2, r"\c at end of pattern"),
        ("[z-a]", 3, "range out of order in character class"),
        ("[[:foo:]]", 3, "unknown POSIX class name"),
        ("(?<1a>e)", 3, "subpattern name must start with a non-digit"),
        ("(?z)", 2, "unrecognized character after (? or (?-"),
        (r"\2(e)", 1, "reference to non-existent subpattern"),
        ("(?P=q)", 4, "reference to non-existent subpattern"),
        ("(?<=e*)t", 0, "lookbehind assertion is not fixed length"),
        (r"\x{110000}", 9, r"character value in \x{...} sequence is too large"),
        (r"\i", 1, "unrecognized character following \\"),
        ("a(?#", 4, "missing ) after comment"),
    ],
)
def test_mistakes_are_told_in_glibs_words(pattern: str, at: int, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        compile_pattern(pattern)

    assert str(caught.value) == (
        f"Error while compiling regular expression ‘{pattern}’ at char {at}: {message}"
    )


@pytest.mark.parametrize("pattern", [r"\Ka", r"\p{L}", "(?R)", "(?|a)", "(?1)(a)", "a(?i)b"])
def test_what_python_cannot_express_is_refused(pattern: str) -> None:
    with pytest.raises(FormatError, match="not supported"):
        compile_pattern(pattern)


def test_a_pattern_nested_too_deeply_is_refused() -> None:
    with pytest.raises(FormatError, match="too large"):
        compile_pattern("(" * 5000 + ")" * 5000)
