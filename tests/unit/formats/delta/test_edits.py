"""Files that differ in few places: what the streams make, and which files are left to bsdiff."""

from __future__ import annotations

import random

import pytest

from ostree.formats.delta import bsdiff, bspatch, edits

OLD = random.Random(1).randbytes(20_000)
NOISE = random.Random(2).randbytes(5_000)


def made(stream: bytes, old: bytes, size: int) -> bytes:
    """What a stream makes, by the definition of the format (§4.5)."""
    out = bytearray()
    place = 0
    for triple in bspatch.read(stream, size):
        for at, byte in enumerate(triple.difference, place):
            out.append(byte + (old[at] if 0 <= at < len(old) else 0) & 0xFF)
        place += len(triple.difference) + triple.seek
        out += triple.extra
    return bytes(out)


class Reader:
    """The old file."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, at: int, size: int) -> bytes:
        return self._data[at : at + size]


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        NOISE[:3] + OLD,
        OLD[7:],
        NOISE[:9] + OLD[2:],
        OLD + NOISE[:50],
        OLD[:-50],
        OLD[:100],
        OLD[:-1] + NOISE[:1],
        OLD[:9000] + NOISE[:8] + OLD[9008:],
        OLD[:9000] + NOISE[:30] + OLD[9030:],
        OLD[:9000] + NOISE[:300] + OLD[9000:],
        OLD[:9000] + OLD[9100:],
        OLD[:9000] + OLD[2000:2800] + OLD[9000:],
        OLD[:9000] + bytes(40) + OLD[9000:],
    ],
    ids=[
        "same",
        "start inserted",
        "start removed",
        "start replaced",
        "end appended",
        "end removed",
        "nearly all removed",
        "end replaced",
        "few replaced",
        "replaced",
        "inserted",
        "removed",
        "repeated",
        "zeros inserted",
    ],
)
def test_one_edit(new: bytes) -> None:
    stream = edits.diff(OLD, new)

    assert stream is not None
    assert made(stream, OLD, len(new)) == new


def test_the_stream_is_the_difference() -> None:
    """All that is the same, then what is new, and how far to go on in the old file (§4.5)."""
    new = OLD[:9000] + NOISE[:40] + OLD[9025:]
    numbers = [bspatch.encode_number(number) for number in (9000, 40, 25, 10_975, 0, 0)]

    assert edits.diff(OLD, new) == b"".join(
        (*numbers[:3], bytes(9000), NOISE[:40], *numbers[3:], bytes(10_975))
    )


def test_a_short_replacement_is_a_difference() -> None:
    new = OLD[:9000] + bytes((OLD[9000] ^ 0xFF, OLD[9001] ^ 0x10)) + OLD[9002:]

    triples = list(bspatch.read(edits.diff(OLD, new) or b"", len(new)))

    assert [(len(each.difference), bytes(each.extra)) for each in triples] == [(len(new), b"")]


@pytest.mark.parametrize("alphabet", [b"ab", b"abcde", bytes(range(256))], ids=len)
def test_any_edits(alphabet: bytes) -> None:
    """Whatever files are like, a stream makes the new one, with our patch as by the definition."""
    rng = random.Random(alphabet)
    count = 0
    for _ in range(400):
        old = bytes(rng.choices(alphabet, k=rng.choice((1, 40, 700, 3000))))
        new = bytearray(old)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(new) + 1)
            new[at : at + rng.choice((0, 3, 50))] = rng.choices(alphabet, k=rng.choice((0, 5, 40)))
        stream = edits.diff(old, bytes(new))
        if stream is not None:
            count += 1
            assert made(stream, old, len(new)) == new
            patched = bsdiff.patch(stream, len(new), len(old), Reader(old).read)
            assert b"".join(patched) == new

    assert count > 100


@pytest.mark.parametrize(
    "new",
    [
        NOISE,
        OLD[:5000] + NOISE + OLD[5000:],
        bytes(byte ^ (not at % 400) for at, byte in enumerate(OLD)),
    ],
    ids=["another", "much inserted", "changed everywhere"],
)
def test_what_is_left_to_bsdiff(new: bytes) -> None:
    """Too many new bytes, or too many edits."""
    assert edits.diff(OLD, new) is None


@pytest.mark.parametrize("size", [16_000, 20_000])
def test_at_one_place_not_many_bytes_are_new(size: int) -> None:
    """However large the file is: the time would grow with the square."""
    old = 40 * OLD
    new = old[:300_000] + random.Random(8).randbytes(size) + old[300_000:]

    assert (edits.diff(old, new) is None) == (size > 1 << 14)


def test_no_larger_than_bsdiff_makes_it() -> None:
    """Compressed, as it is in a part: patches of files with edits, short and long ones."""
    import lzma

    rng = random.Random(5)
    ours, theirs = bytearray(), bytearray()
    for _ in range(30):
        old = rng.randbytes(rng.randint(500, 30_000))
        new = bytearray(old)
        for _ in range(max(1, len(new) // 4000)):
            at = rng.randrange(len(new) + 1)
            new[at : at + rng.randint(0, 30)] = rng.randbytes(rng.randint(1, 30))
        ours += edits.diff(old, bytes(new)) or b""
        theirs += bsdiff.diff(old, bytes(new))

    assert len(ours) > 0.9 * len(theirs)
    assert len(lzma.compress(ours)) < 1.01 * len(lzma.compress(theirs))
