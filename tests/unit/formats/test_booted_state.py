"""How the running system was booted."""

from __future__ import annotations

import pytest

from ostree.formats import gvariant
from ostree.formats.booted_state import BootedState


@pytest.mark.parametrize(
    "state",
    [
        BootedState(),
        BootedState(device_inode=(64769, 1 << 40), sysroot_ro=True),
        BootedState(
            device_inode=(1, 2),
            root_transient=True,
            root_transient_ro=True,
            composefs_signed="/etc/key",
            composefs=True,
            composefs_verity=True,
            transient_etc="/run/ostree/transient-etc.x",
        ),
    ],
)
def test_what_is_written_is_read_back(state: BootedState) -> None:
    back = BootedState.decode(state.encode())

    for name in BootedState.__slots__:
        assert getattr(back, name) == getattr(state, name), name


def test_the_keys_have_their_order() -> None:
    state = BootedState(
        device_inode=(1, 2), composefs_signed="k", composefs=True, transient_etc="d"
    )

    assert [key for key, _ in gvariant.decode("a{sv}", state.encode())] == [
        "backing-root-device-inode",
        "root.transient",
        "root.transient-ro",
        "composefs.signed",
        "composefs",
        "composefs.verity",
        "sysroot-ro",
        "transient-etc",
    ]


@pytest.mark.parametrize("data", [b"", b"nonsense", bytes(100)])
def test_an_empty_file_says_nothing(data: bytes) -> None:
    state = BootedState.decode(data)

    assert state.device_inode is None
    assert not (state.composefs)
    assert not (state.sysroot_ro)
    assert not (state.root_transient)
