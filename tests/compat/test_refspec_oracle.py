"""Ref names: the reference command accepts and refuses the same, in the same words."""

from __future__ import annotations

import ctypes
import unicodedata
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError
from ostree.formats.refspec import (
    check_collection_id,
    check_new_ref_name,
    check_remote_name,
    is_valid_fragment,
    parse_refspec,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.oracle

NAMES = [
    *("a", "é", "²", "Ⅷ", "①", "〇", "_x", "a_", "a-", "a.", "a..b", "a/b", "o:a", "o:a/b", "ZZ"),
    *("a\u0332", ".a", "a/./b", "/a", "a/", "a//b", "a b", "a+b", "a~", "a@b", "zz^b", "😀", "ﾀ"),
    *("o:a:b", ":a", "o:", "o/p:a", "-"),
]
COLLECTIONS = ["a", "a.b", "a.1b", "_a._b", "1a.b", "a..b", ".a.b", "a.b.", "a-b.c", "é.b", "a.b\n"]


@pytest.fixture(scope="module")
def repo(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("refspec") / "repo"
    oracle("init", f"--repo={path}", "--mode=archive")
    (path.parent / "empty").mkdir()
    tree = f"--tree=dir={path.parent}/empty"
    oracle("commit", f"--repo={path}", "-b", "zz", "--timestamp=@1", tree)
    return path


def verdict(call: Callable[[str], object], text: str) -> str:
    try:
        call(text)
    except FormatError as error:
        return f"error: {error}\n"
    return ""


@pytest.mark.parametrize("name", NAMES)
def test_refspecs_are_accepted_alike(oracle: Oracle, repo: Path, name: str) -> None:
    theirs = oracle("rev-parse", f"--repo={repo}", "--", name, check=False).stderr

    ours = verdict(parse_refspec, name)

    assert (ours or f"error: Refspec '{name}' not found\n") == theirs


@pytest.mark.parametrize("text", COLLECTIONS)
def test_collection_ids_are_accepted_alike(oracle: Oracle, repo: Path, text: str) -> None:
    theirs = oracle("refs", f"--repo={repo}", "-c", text, check=False).stderr

    ours = verdict(check_collection_id, text)

    assert ours.replace("error: ", "error: Listing refs: ") == theirs


@pytest.mark.parametrize("name", ["a", "a.b", ".a", "", "a b", "a/b", "a:b"])
def test_remote_names_are_accepted_alike(oracle: Oracle, repo: Path, name: str) -> None:
    add = ("remote", "add", f"--repo={repo}", "--no-gpg-verify", "--if-not-exists")
    theirs = oracle(*add, name, "http://localhost", check=False).stderr

    ours = verdict(check_remote_name, name)

    assert ours == theirs


def test_refs_named_like_checksums_are_refused_alike(oracle: Oracle, repo: Path) -> None:
    name = "0123456789abcdef" * 4
    create = ("refs", f"--repo={repo}", "--force", f"--create={name}", "zz")
    theirs = oracle(*create, check=False).stderr

    ours = verdict(check_new_ref_name, name)

    assert ours == theirs


def test_letters_and_digits_are_glib_s() -> None:
    r"""A character stands in a name exactly if GLib's ``[\w\d]`` matches it."""
    try:
        glib = ctypes.CDLL("libglib-2.0.so.0")
    except OSError:
        pytest.skip("GLib is not installed (Debian: libglib2.0-0)")
    glib.g_regex_new.restype = ctypes.c_void_p
    pattern = ctypes.c_void_p(glib.g_regex_new(rb"^[\w\d]\z", 0, 0, None))
    # Only old characters: GLib and Python may know different versions of Unicode.
    characters = [
        chr(code)
        for code in range(1, 0x10000)
        if unicodedata.ucd_3_2_0.category(chr(code)) not in {"Cn", "Cs"}
    ]

    differing = [
        c
        for c in characters
        if bool(glib.g_regex_match(pattern, c.encode(), 0, None)) != is_valid_fragment(c)
    ]

    assert differing == []
