"""OpenPGP packets: where one ends and the next begins."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.openpgp import dearmored, packets, signature_packets
from support.openpgp import VECTOR_SIGNATURE


def test_old_and_new_headers() -> None:
    """Every way to write a length."""
    written = [
        (2, b"\x88\x03abc"),
        (2, b"\x89\x00\x03abc"),
        (6, b"\x9a\x00\x00\x00\x03abc"),
        (2, b"\xc2\x03abc"),
        (13, b"\xcd\xc0\x00" + bytes(192)),
        (13, b"\xcd\xdf\xff" + bytes(8383)),
        (60, b"\xfc\xff\x00\x00\x00\x03abc"),
        (2, b"\xc2\x00"),
    ]
    data = b"".join(packet for _, packet in written)

    found = list(packets(data))

    assert [tag for tag, _, _ in found] == [tag for tag, _ in written]
    assert [data[start:end] for _, start, end in found] == [packet for _, packet in written]


def test_the_vector_is_one_signature() -> None:
    assert signature_packets(VECTOR_SIGNATURE * 2) == [VECTOR_SIGNATURE] * 2
    assert signature_packets(b"") == []


@pytest.mark.parametrize(
    ("data", "text", "offset"),
    [
        (b"garbage", "No OpenPGP packet", 0),
        (b"\xc2\x00\x00", "No OpenPGP packet", 2),
        (b"\x8bxx", "OpenPGP packet without length", 0),
        (b"\xc2\xe1xx", "OpenPGP packet in pieces", 1),
        (b"\x88\x04abc", "OpenPGP packet is cut short", 0),
        (b"\x89\x00", "OpenPGP packet is cut short", 1),
        (b"\xc2", "OpenPGP packet is cut short", 1),
        (b"\xc2\xff\x00\x00", "OpenPGP packet is cut short", 2),
        (b"\xc2\x00\xc6\x00", "OpenPGP packet 6 among signatures", 2),
    ],
)
def test_what_is_none(data: bytes, text: str, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        signature_packets(data)

    assert (caught.value.message, caught.value.offset) == (text, offset)


ARMOURED = b"""-----BEGIN PGP SIGNATURE-----
Comment: made by hand

iHUEABYIAB0WIQQgdctOS1nQsU2WN/uN2VMQxF9w7QUCZZdGgAAKCRCN2VMQxF9w
7RViAPwKWNzNXyPv5vwUU7YDV3e4MrqfymE/h9QI1hCphu7FBgD/XyvCl8MKIpaW
vuNaTnHvLEagb5itL6I9SG/w9gDoXA0=
=abcd
-----END PGP SIGNATURE-----
"""


def test_armour() -> None:
    """It is taken off; what has none is left alone, and so is what only looks like it."""
    assert dearmored(ARMOURED) == VECTOR_SIGNATURE
    assert dearmored(ARMOURED.replace(b"\n", b"\r\n")) == VECTOR_SIGNATURE
    for data in (VECTOR_SIGNATURE, b"", ARMOURED[:-20], b"x" + ARMOURED):
        assert dearmored(data) == data
