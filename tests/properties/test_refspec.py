"""Ref names: the hand-written check agrees with the pattern it stands for."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ostree.formats.refspec import is_valid_ref_name, parse_refspec

# Python's \w is str.isalnum() or the underscore, as is the reference's.
NAME = re.compile(r"[\w\d][-._\w\d]*(/[\w\d][-._\w\d]*)*")
TEXTS = st.one_of(st.text(), st.text("ab1_-./:é \n\u0332²"), st.text("ab_-./"))


@given(TEXTS)
def test_valid_ref_names_are_those_that_match_the_pattern(text: str) -> None:
    assert is_valid_ref_name(text) == bool(NAME.fullmatch(text))


@given(st.from_regex(NAME, fullmatch=True))
def test_a_valid_name_is_a_refspec_without_remote(name: str) -> None:
    assert parse_refspec(name) == (None, name)
