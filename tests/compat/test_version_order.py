"""The order of versions against strverscmp(3) of the C library."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.formats.version_order import compare_versions

VERSION = st.text(alphabet="0129ab.-", max_size=8)


@pytest.mark.oracle
@given(VERSION, VERSION)
def test_signs_agree(left: str, right: str) -> None:
    libc = ctypes.CDLL(None)

    theirs = libc.strverscmp(left.encode(), right.encode())

    ours = compare_versions(left, right)
    assert (ours > 0) - (ours < 0) == (theirs > 0) - (theirs < 0)
