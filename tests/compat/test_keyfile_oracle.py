"""Key files against GLib itself, and against what ``ostree config`` makes of a file."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ostree.errors import FormatError, NotFoundError
from ostree.formats.keyfile import KeyFile

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.oracle

HEAD = "[core]\nrepo_version=1\nmode=archive-z2\n"


class GError(ctypes.Structure):
    """GLib's error, to be read and forgotten."""

    _fields_ = (("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p))


GErrorPointer = ctypes.POINTER(GError)
StringList = ctypes.POINTER(ctypes.c_char_p)


class GKeyFile:
    """As much of GLib's GKeyFile as is compared."""

    def __init__(self, library: ctypes.CDLL, data: bytes) -> None:
        self.library = library
        library.g_key_file_new.restype = ctypes.c_void_p
        self.pointer = ctypes.c_void_p(library.g_key_file_new())
        self.call("load_from_data", ctypes.c_int, data, ctypes.c_size_t(len(data)), 0)

    def call(self, name: str, restype: object, *arguments: object) -> object:
        function = getattr(self.library, f"g_key_file_{name}")
        function.restype = restype
        error = GErrorPointer()
        result: object = function(self.pointer, *arguments, ctypes.byref(error))
        if error:
            raise ValueError(error.contents.message.decode("utf-8", "replace"))
        return result

    def to_data(self) -> object:
        return self.call("to_data", ctypes.c_char_p, ctypes.byref(ctypes.c_size_t()))

    def string(self, group: str, key: str) -> str:
        result = self.call("get_string", ctypes.c_char_p, group.encode(), key.encode())
        assert isinstance(result, bytes)
        return result.decode()

    def boolean(self, group: str, key: str) -> bool:
        return bool(self.call("get_boolean", ctypes.c_int, group.encode(), key.encode()))

    def list(self, group: str, key: str) -> list[str]:
        size = ctypes.c_size_t()
        result = self.call(
            "get_string_list", StringList, group.encode(), key.encode(), ctypes.byref(size)
        )
        assert isinstance(result, StringList)
        return [(result[index] or b"").decode() for index in range(size.value)]

    def set_string(self, group: str, key: str, value: str) -> None:
        self.library.g_key_file_set_string(
            self.pointer, group.encode(), key.encode(), value.encode()
        )


@pytest.fixture(scope="module")
def glib() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("libglib-2.0.so.0")
    except OSError:
        pytest.skip("GLib is not installed (Debian: libglib2.0-0)")


def outcome(call: Callable[..., object], *arguments: object) -> object:
    try:
        return call(*arguments)
    except (FormatError, NotFoundError, ValueError) as error:
        return f"error: {error}"


LINES = st.one_of(
    st.sampled_from(["[g]", "[h]", " [g] ", "[g]\r", "# c", "", "  ", "a=1", "a=2", "a[xx]=1"]),
    st.tuples(
        st.text("ab[]-_ \t#é\\", max_size=4), st.text("=", max_size=1), st.text("x\\snr;= \té\r")
    ).map("".join),
    st.text("[]=#ab \t\r\f\v\x7f", max_size=6),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(LINES, max_size=6).map(lambda lines: "\n".join(["[g]", *lines])))
@example("")
@example("a=1")
@example("[g]\nEncoding=latin1\n")
@example("[g]\nx=y\\")
@example("[g]\nx=true\ny=1 \nz=0\n")
def test_files_are_read_refused_and_written_alike(glib: ctypes.CDLL, text: str) -> None:
    theirs = outcome(GKeyFile, glib, text.encode())

    ours = outcome(KeyFile.parse, text)

    if not isinstance(theirs, GKeyFile) or not isinstance(ours, KeyFile):
        assert ours == theirs
        return
    assert ours.to_bytes() == theirs.to_data()
    for group in ours.groups():
        for key in ours.keys(group):
            assert outcome(ours.get_string, group, key) == outcome(theirs.string, group, key)
            assert outcome(ours.get_boolean, group, key) == outcome(theirs.boolean, group, key)
            assert outcome(ours.get_list, group, key) == outcome(theirs.list, group, key)


@settings(deadline=None)
@given(st.text("a\\ \t\n\r;é", max_size=8))
def test_strings_are_escaped_alike(glib: ctypes.CDLL, value: str) -> None:
    theirs = GKeyFile(glib, b"[g]\nx=1\n")
    ours = KeyFile.parse("[g]\nx=1\n")

    theirs.set_string("h", "a", value)
    ours.set_string("h", "a", value)

    assert ours.to_bytes() == theirs.to_data()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a=1\na=2\n",
        "# c\n\n\n[y]\n[core]\nmode=archive-z2\n  q \t=  1 \n",
        "a[de]=3\n[x]\n\n#\n[y]\nb=\\s\n\n",
        '[remote "a.b"]\nurl=http://x\n',
    ],
)
@pytest.mark.parametrize("value", [" x\\", "a\nb", "é;"])
def test_setting_rewrites_the_configuration_to_the_byte(
    oracle: Oracle, tmp_path: Path, text: str, value: str
) -> None:
    repo = tmp_path / "repo"
    oracle("init", f"--repo={repo}", "--mode=archive")
    (repo / "config").write_text(HEAD + text)
    file = KeyFile.parse(HEAD + text)

    oracle("config", f"--repo={repo}", "set", "core.a", value)
    oracle("config", f"--repo={repo}", "set", "new.key", value)
    file.set_string("core", "a", value)
    file.set_string("new", "key", value)

    assert file.to_bytes() == (repo / "config").read_bytes()


def test_a_configuration_must_be_utf8(oracle: Oracle, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    oracle("init", f"--repo={repo}", "--mode=archive")
    data = HEAD.encode() + b"a=\xff\n"
    (repo / "config").write_bytes(data)

    theirs = oracle("refs", f"--repo={repo}", check=False).stderr
    with pytest.raises(FormatError) as caught:
        KeyFile.parse(data, require_utf8=True)

    assert theirs == f"error: opening repo: {caught.value}\n"
