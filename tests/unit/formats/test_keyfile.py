"""Key files: what is read, what is refused in which words, and what is written."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ostree.errors import FormatError, NotFoundError
from ostree.formats.keyfile import KeyFile


def test_groups_and_keys_keep_their_order() -> None:
    file = KeyFile.parse("[b]\nz=1\na=2\n[a]\n[c]\nq=3")

    assert file.groups() == ["b", "a", "c"]
    assert file.keys("b") == ["z", "a"]
    assert file.keys("a") == []


def test_duplicate_groups_merge_and_the_last_value_counts() -> None:
    file = KeyFile.parse("[g]\na=1\nb=2\n[h]\n[g]\na=3\n")

    assert file.groups() == ["g", "h"]
    assert file.keys("g") == ["a", "b"]
    assert file.get_string("g", "a") == "3"


def test_writing_drops_comments_and_separates_groups_by_one_empty_line() -> None:
    text = "# top\n\n[g]\n# c\n  a \t=  1 \n\n\nb=2\n\n\n[h]\n#d\n\n"

    file = KeyFile.parse(text)

    assert file.to_text() == "[g]\na=1 \nb=2\n\n[h]\n"


def test_translated_keys_are_dropped() -> None:
    file = KeyFile.parse("[g]\nName[de]=Bier\nName=Beer\n")

    assert file.to_text() == "[g]\nName=Beer\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=1\n", "Key file does not start with a group"),
        (
            "[g]\njunk\n",
            "Key file contains line “junk” which is not a key-value pair, group, or comment",
        ),
        (
            "[g]\n =1\n",
            "Key file contains line “ =1” which is not a key-value pair, group, or comment",
        ),
        (
            "[g] x\n",
            "Key file contains line “[g] x” which is not a key-value pair, group, or comment",
        ),
        ("[]\n", "Invalid group name: "),
        ("[a\tb]\n", "Invalid group name: a\tb"),
        ("[g]\na[d=1\n", "Invalid key name: a[d"),
        ("[g]\na[d]x=1\n", "Invalid key name: a[d]x"),
        ("[g]\nEncoding=latin1\n", "Key file contains unsupported encoding “latin1”"),
        (
            "[g]\na=1\0\n",
            "Key file contains line “a=1\ufffd” which is not a key-value pair, group, or comment",
        ),
    ],
)
def test_what_is_no_key_file_is_refused_in_glib_s_words(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        KeyFile.parse(text)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("raw", "value"),
    [(r"a\\b", "a\\b"), (r"\sx\t\n\r", " x\t\n\r"), ("", ""), ("é", "é"), ("x ", "x ")],
)
def test_strings_are_unescaped(raw: str, value: str) -> None:
    file = KeyFile.parse(f"[g]\na={raw}\n")

    assert file.get_raw("g", "a") == raw
    assert file.get_string("g", "a") == value


@pytest.mark.parametrize("raw", ["a\\z", "a\\", "a\\;"])
def test_unknown_escapes_cannot_be_interpreted(raw: str) -> None:
    file = KeyFile.parse(f"[g]\na={raw}\n")

    with pytest.raises(FormatError) as caught:
        file.get_string("g", "a")

    expected = "Key file contains key “a” which has a value that cannot be interpreted."
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("raw", "value"),
    [("true", True), ("1", True), ("false ", False), ("0\t", False)],
)
def test_booleans(raw: str, *, value: bool) -> None:
    file = KeyFile.parse(f"[g]\na={raw}\n")

    assert file.get_boolean("g", "a") is value


@pytest.mark.parametrize("raw", ["yes", "TRUE", "", "2", "1 2", "true\\s"])
def test_other_words_are_no_booleans(raw: str) -> None:
    file = KeyFile.parse(f"[core]\nfsync={raw}\n")

    with pytest.raises(FormatError) as caught:
        file.get_boolean("core", "fsync", default=True)

    expected = "Key file contains key “fsync” which has a value that cannot be interpreted."
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("raw", "separators", "items"),
    [
        ("", ";", []),
        (";", ";", [""]),
        ("a", ";", ["a"]),
        ("a;b;;c;", ";", ["a", "b", "", "c"]),
        (r"a\;b;\sc", ";", ["a;b", " c"]),
        ("a;b", ",", ["a;b"]),
        ("a;b,c", ";,", ["a", "b", "c"]),
    ],
)
def test_lists(raw: str, separators: str, items: list[str]) -> None:
    file = KeyFile.parse(f"[g]\na={raw}\n")

    assert file.get_list("g", "a", separators) == items


def test_missing_groups_and_keys_are_named() -> None:
    file = KeyFile.parse("[core]\n")

    with pytest.raises(NotFoundError, match=r"^Key file does not have key “x” in group “core”$"):
        file.get_string("core", "x")
    with pytest.raises(NotFoundError, match=r"^Key file does not have group “x”$"):
        file.get_boolean("x", "y")
    with pytest.raises(NotFoundError, match=r"^Key file does not have group “x”$"):
        file.keys("x")
    with pytest.raises(NotFoundError, match=r"^Key file does not have key “y” in group “core”$"):
        file.remove_key("core", "y")
    with pytest.raises(NotFoundError, match=r"^Key file does not have group “x”$"):
        file.remove_group("x")


def test_defaults_stand_in_for_missing_groups_and_keys() -> None:
    file = KeyFile.parse("[core]\n")

    assert file.get_string("core", "x", "d") == "d"
    assert file.get_raw("x", "x", "d") == "d"
    assert file.find_string("x", "x") is None
    assert file.get_boolean("core", "x", default=True) is True
    assert file.get_list("core", "x", default=["a"]) == ["a"]


def test_strings_set_are_escaped_so_that_they_read_back() -> None:
    file = KeyFile()
    value = " \t x\\\n\r\t y \t"

    file.set_string("g", "a", value)

    assert file.to_text() == "[g]\na=\\s\\t\\sx\\\\\\n\\r\t y \t\n"
    assert KeyFile.parse(file.to_text()).get_string("g", "a") == value


def test_lists_set_end_every_item_with_the_separator() -> None:
    file = KeyFile()
    items = ["b;c", "", " d", "e\\f"]

    file.set_list("g", "a", items)

    assert file.get_raw("g", "a") == "b\\;c;;\\sd;e\\\\f;"
    assert file.get_list("g", "a") == items


def test_setting_changes_the_value_that_counts_or_appends() -> None:
    file = KeyFile.parse("[g]\na=1\nb=2\na=3\n")

    file.set_string("g", "a", "9")
    file.set_string("g", "c", "8")
    file.set_string("h", "d", "7")

    assert file.to_text() == "[g]\na=1\nb=2\na=9\nc=8\n\n[h]\nd=7\n"


def test_a_removed_key_does_not_come_back_from_an_earlier_line() -> None:
    file = KeyFile.parse("[g]\na=1\nb=2\na=3\n")

    file.remove_key("g", "a")

    assert file.to_text() == "[g]\nb=2\n"


def test_removing_a_group_removes_its_keys() -> None:
    file = KeyFile.parse("[g]\na=1\n[h]\n")

    file.remove_group("g")

    assert file.to_text() == "[h]\n"


@pytest.mark.parametrize("key", ["", " a", "a ", "a=b", "a[b", "a]", "a[b]c", "#a", "a\nb"])
def test_impossible_keys_are_refused(key: str) -> None:
    file = KeyFile()

    with pytest.raises(FormatError) as caught:
        file.set_string("g", key, "v")

    assert str(caught.value) == f"Invalid key name: {key}"
    assert file.groups() == []


@pytest.mark.parametrize("group", ["", "a[b", "a]", "a\nb", "a\x7f"])
def test_impossible_groups_are_refused(group: str) -> None:
    file = KeyFile()

    with pytest.raises(FormatError) as caught:
        file.set_string(group, "k", "v")

    assert str(caught.value) == f"Invalid group name: {group}"


def test_a_raw_value_cannot_smuggle_in_a_line() -> None:
    file = KeyFile()

    with pytest.raises(FormatError):
        file.set_raw("g", "a", "1\n[h]")


def test_bytes_that_are_not_utf8_matter_only_in_strings() -> None:
    data = b"[g]\na=\xff\nb=\xc3\xa9\n"
    file = KeyFile.parse(data)

    with pytest.raises(FormatError) as caught:
        file.get_string("g", "a")

    expected = "Key file contains key “a” with value “\ufffd” which is not UTF-8"
    assert str(caught.value) == expected
    assert file.get_string("g", "b") == "é"
    assert file.to_bytes() == data


def test_a_file_that_must_be_utf8_is_refused_as_a_whole() -> None:
    with pytest.raises(FormatError, match=r"^Invalid UTF-8$"):
        KeyFile.parse(b"[g]\na=\xff\n", require_utf8=True)


def test_a_copy_is_independent() -> None:
    file = KeyFile.parse("[g]\na=1\n")
    copy = file.copy()

    copy.set_string("g", "a", "2")

    assert file.get_string("g", "a") == "1"
    assert copy.get_string("g", "a") == "2"


def test_importing_it_costs_next_to_nothing() -> None:
    program = (
        "import sys, ostree.errors; before = set(sys.modules); "
        "import ostree.formats.keyfile, ostree.formats.refspec; "
        "print(*sorted(set(sys.modules) - before))"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    names = result.stdout.split()
    assert names == ["ostree.formats", "ostree.formats.keyfile", "ostree.formats.refspec"]
