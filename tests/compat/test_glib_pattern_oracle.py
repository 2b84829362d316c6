"""Patterns and replacement texts mean what they mean to GLib itself."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.glib_pattern import compile_pattern
from ostree.formats.glib_replacement import Replacement, replace_all

pytestmark = pytest.mark.oracle


class _Error(ctypes.Structure):
    _fields_ = (
        ("domain", ctypes.c_uint32),
        ("code", ctypes.c_int),
        ("message", ctypes.c_char_p),
    )


class GLib:
    """``g_regex_replace``."""

    def __init__(self) -> None:
        self._library = library = ctypes.CDLL("libglib-2.0.so.0")
        library.g_regex_new.restype = ctypes.c_void_p
        library.g_regex_replace.restype = ctypes.c_void_p
        library.g_free.argtypes = library.g_regex_unref.argtypes = [ctypes.c_void_p]
        library.g_free.restype = library.g_regex_unref.restype = None

    def replace(self, pattern: str, text: str, replacement: str) -> str:
        """The result, or ``error: MESSAGE``."""
        error = ctypes.POINTER(_Error)()
        where = ctypes.byref(error)
        regex = self._library.g_regex_new(pattern.encode(), 0, 0, where)
        if error:
            return f"error: {error.contents.message.decode()}"
        result = self._library.g_regex_replace(
            ctypes.c_void_p(regex),
            text.encode(),
            ctypes.c_ssize_t(-1),
            0,
            replacement.encode(),
            0,
            where,
        )
        self._library.g_regex_unref(regex)
        if error:
            return f"error: {error.contents.message.decode()}"
        value = ctypes.string_at(result).decode()
        self._library.g_free(result)
        return value


@pytest.fixture(scope="module")
def glib() -> GLib:
    try:
        return GLib()
    except OSError:
        pytest.skip("GLib is not installed (Debian: libglib2.0-0)")


def ours(pattern: str, text: str, replacement: str) -> str:
    try:
        return replace_all(compile_pattern(pattern), text, Replacement(replacement))
    except FormatError as error:
        return f"error: {error}"


ATOMS = st.sampled_from(
    [
        r"a",
        r"b",
        r"/",
        r".",
        r"é",
        r"\w",
        r"\d",
        r"\.",
        r"\h",
        r"\b",
        r"[ab]",
        r"[^a/]",
        r"[[:alpha:]]",
        r"[[:digit:]x]",
        r"[^[:space:]]",
        r"[a-c]",
        r"(a)",
        r"(?:b|/)",
        r"(?<n>a)",
        r"\x62",
        r"\Qa/\E",
        r"(?=a)",
        r"(?!b)",
        r"(?<=a)",
        r"(?>a)",
        r"^",
        r"$",
        r"\z",
        r"(a|b)",
        r"\N",
        r"[\w-]",
        r"x{",
        r"\/",
    ]
)
REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "{2}", "{1,2}", "++"])
PATTERNS = st.lists(st.builds(str.__add__, ATOMS, REPEATS), min_size=1, max_size=4).map("".join)
TEXTS = st.text("abcé/x {1.", max_size=12)
PIECES = st.sampled_from(
    ["x", r"\0", r"\1", r"\2", r"\g<1>", r"\g<n>", r"\\", r"\x41", r"\u", r"\L", r"\E", "é", r"\n"]
)
REPLACEMENTS = st.lists(PIECES, max_size=4).map("".join)


@settings(max_examples=2000, deadline=None, database=None)
@given(pattern=PATTERNS, text=TEXTS, replacement=REPLACEMENTS)
def test_replacing(glib: GLib, pattern: str, text: str, replacement: str) -> None:
    expected = glib.replace(pattern, text, replacement)
    found = ours(pattern, text, replacement)

    if expected.startswith("error: "):
        assert found.startswith("error: ")
    else:
        assert found == expected


@settings(max_examples=1000, deadline=None, database=None)
@given(replacement=st.text("\\gxuLE<>{}0123456789abn\xe9", max_size=8))
def test_any_replacement_text(glib: GLib, replacement: str) -> None:
    """Messages are the same, too."""
    expected = glib.replace("(a)(?<n>b)?", "ab", replacement)

    found = ours("(a)(?<n>b)?", "ab", replacement)

    assert found == expected or "too large" in found
