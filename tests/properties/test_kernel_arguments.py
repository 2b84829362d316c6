"""Kernel arguments of any shape."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import OSTreeError
from ostree.formats.kernel_arguments import KernelArguments, split_key, split_words

ANY = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
TYPICAL = st.text(alphabet='ab=" \t.', max_size=30)
WORD = st.from_regex(r"[a-c]{1,2}(=[a-c=]{0,3})?", fullmatch=True)


@given(ANY | TYPICAL)
def test_writing_what_was_read_changes_nothing_more(text: str) -> None:
    once = KernelArguments.parse(text)

    again = KernelArguments.parse(str(once))

    assert again == once
    assert str(again) == str(once)


@given(TYPICAL)
def test_no_character_but_blanks_is_lost(text: str) -> None:
    squeezed = "".join(split_words(text))

    assert squeezed.replace(" ", "").replace("\t", "") == text.replace(" ", "").replace("\t", "")


@given(st.lists(WORD), WORD)
def test_replace_leaves_exactly_one_word_with_the_key(words: list[str], word: str) -> None:
    arguments = KernelArguments(words)
    key = split_key(word)[0]
    others = [w for w in words if split_key(w)[0] != key]

    arguments.replace(word)

    assert [w for w in arguments if split_key(w)[0] == key] == [word]
    assert [w for w in arguments if split_key(w)[0] != key] == others


@given(st.lists(WORD), WORD)
def test_delete_takes_one_word_or_fails_and_changes_nothing(words: list[str], word: str) -> None:
    arguments = KernelArguments(words)

    try:
        arguments.delete(word)
    except OSTreeError:
        assert list(arguments) == words
    else:
        assert len(arguments) == len(words) - 1


@given(st.lists(WORD), st.lists(WORD))
def test_append_then_without(words: list[str], more: list[str]) -> None:
    arguments = KernelArguments(words)
    arguments.append(" ".join(more))

    rest = arguments.without("a")

    assert list(arguments) == words + more
    assert list(rest) == [w for w in words + more if split_key(w)[0] != "a"]
