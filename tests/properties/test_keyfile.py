"""Key files: whatever is set reads back, and no input makes the parser fail in its own way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.keyfile import KeyFile

# The format has no escape for a form feed, which is a blank where it leads a value.
VALUES = st.text(st.characters(exclude_characters="\0\f", exclude_categories=["Cs"]), max_size=20)
NAMES = st.text("abc-. é/", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES), max_size=4))
def test_strings_read_back_from_the_file(content: dict[str, dict[str, str]]) -> None:
    file = KeyFile()
    for group, keys in content.items():
        for key, value in keys.items():
            file.set_string(group, key, value)

    again = KeyFile.parse(file.to_bytes(), require_utf8=True)

    assert again.to_text() == file.to_text()
    for group, keys in content.items():
        for key, value in keys.items():
            assert again.get_string(group, key) == value


@given(st.lists(VALUES))
def test_lists_read_back_from_the_file(items: list[str]) -> None:
    file = KeyFile()

    file.set_list("g", "k", items)

    assert KeyFile.parse(file.to_text()).get_list("g", "k") == items


@given(st.one_of(st.binary(), st.text("[]=\\;# \t\r\na1é").map(str.encode)))
def test_any_bytes_are_a_key_file_or_a_format_error(data: bytes) -> None:
    try:
        file = KeyFile.parse(data)
    except FormatError:
        return

    assert KeyFile.parse(file.to_bytes()).to_bytes() == file.to_bytes()
