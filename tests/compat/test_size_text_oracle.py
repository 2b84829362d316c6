"""Sizes against GLib's own formatter."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostree.formats.size_text import format_size

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def glib() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libglib-2.0.so.0")
    except OSError:
        pytest.skip("GLib is not installed (Debian: libglib2.0-0)")
    library.g_format_size.restype = ctypes.c_char_p
    library.g_format_size.argtypes = [ctypes.c_uint64]
    return library


@settings(deadline=None, max_examples=500)
@given(
    st.one_of(
        st.integers(0, 2**64 - 1),
        st.builds(
            lambda power, step: max(0, 10**power + step), st.integers(0, 18), st.integers(-60, 60)
        ),
    )
)
def test_sizes_read_alike(glib: ctypes.CDLL, size: int) -> None:
    theirs = glib.g_format_size(size).decode()

    assert format_size(size) == theirs
