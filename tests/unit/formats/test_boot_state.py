"""What U-Boot's boot script keeps between boots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.formats import boot_state


@pytest.mark.parametrize(
    ("data", "tries"),
    [
        (b"", 0),
        (b"bootcount=0\n", 0),
        (b"bootcount=3\n\0\0\0\0", 3),
        (b"other=1\r\nbootcount=2\r\n", 2),
        (b"bootcount=many\n", 0),
        (b"bootcount=99999999999\n", 0),
        (b"x\0bootcount=3\n", 0),
        (b"bootcount=1\nbootcount=2", 1),
    ],
)
def test_tries_are_read(data: bytes, tries: int) -> None:
    assert boot_state.read_tries(data) == tries


def test_a_reset_keeps_what_else_is_there() -> None:
    data = b"one=1\nbootcount=3\nbroken\ntwo=a=b\n\0\0\0"

    assert boot_state.reset_tries(data) == b"bootcount=0\none=1\ntwo=a=b\n"


@given(st.binary(max_size=300))
def test_whatever_is_there_can_be_reset(data: bytes) -> None:
    reset = boot_state.reset_tries(data)

    assert boot_state.read_tries(reset) == 0
    assert boot_state.reset_tries(reset) == reset
    assert b"\0" not in reset
