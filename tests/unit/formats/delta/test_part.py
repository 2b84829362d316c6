"""Parts, operations and patches: what the reference writes, and what nobody should have written."""

from __future__ import annotations

import lzma
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.delta import bsdiff, bspatch, operation
from ostree.formats.delta import index as index_format
from ostree.formats.delta import part as part_format
from ostree.formats.delta.name import DeltaName
from ostree.types import Checksum

xattrs = st.lists(
    st.tuples(
        st.binary(min_size=1, max_size=5).filter(lambda name: 0 not in name), st.binary(max_size=9)
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple(sorted(pairs)))
payloads = st.builds(
    part_format.Payload,
    st.lists(st.tuples(*[st.integers(0, (1 << 32) - 1)] * 3), max_size=3),
    st.lists(xattrs, max_size=3),
    st.binary(max_size=300),
    st.binary(max_size=100),
)


@given(payloads)
def test_payloads_are_read_as_written(payload: part_format.Payload) -> None:
    data = part_format.encode(payload)

    found = part_format.decode(data)

    assert (found.modes, found.xattrs) == (payload.modes, payload.xattrs)
    assert (bytes(found.data), bytes(found.operations)) == (payload.data, payload.operations)


@given(st.binary(max_size=200))
def test_garbage_is_a_payload_or_refused(data: bytes) -> None:
    try:
        part_format.decode(data)
    except FormatError:
        return


def test_an_empty_part_is_three_zeros() -> None:
    """And its file the one that the reference writes."""
    payload = part_format.encode(part_format.Payload([], [], b"", b""))
    compressor = part_format.Compressor()

    file = compressor.write(payload) + compressor.finish()

    assert payload == bytes(3)
    assert len(file) == 61
    assert b"".join(part_format.decompress(file, 3)) == payload


@pytest.mark.parametrize("limit", [None, 1 << 20, 400 << 20])
def test_compressed_or_not_the_payload_comes_back(limit: int | None) -> None:
    data = random.Random(1).randbytes(3000) * 1000
    compressor = part_format.Compressor(limit)

    file = compressor.write(data[:100]) + compressor.write(data[100:]) + compressor.finish()

    assert b"".join(part_format.decompress(file, len(data))) == data
    assert b"".join(map(bytes, part_format.decompress(b"\0" + data, len(data)))) == data
    assert len(file) < 10000


def test_a_bomb_is_stopped_at_the_limit() -> None:
    file = b"x" + lzma.compress(bytes(64 << 20))
    pieces: list[bytes | memoryview] = []

    with pytest.raises(FormatError, match="larger than 1000000 bytes when decompressed"):
        pieces.extend(part_format.decompress(file, 1_000_000))

    assert sum(map(len, pieces)) <= 1_000_000


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", "Not normal form"),
        (b"g" + bytes(10), "Invalid compression type '103'"),
        (b"x", "Input buffer too small"),
        (b"x" + lzma.compress(b"data" * 100)[:-30], "Input buffer too small"),
        (b"xnot xz at all, by any means", "File format not recognized"),
        (b"x" + lzma.compress(b"data" * 100)[:40] + b"\xff" * 40, "Data is corrupt"),
        (
            b"x"
            + lzma.compress(b"data", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]),
            "Exceeded memory limit",
        ),
    ],
)
def test_damaged_files(file: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        list(part_format.decompress(file, 1 << 20))


@given(st.integers(0, (1 << 63) - 1))
def test_numbers_take_as_few_bytes_as_they_can(number: int) -> None:
    data = operation.encode_varint(number)

    assert operation.Reader(data).operands(1) == [number]
    assert len(data) == max(1, -(-number.bit_length() // 7))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 10, b"\x80" * 20])
def test_numbers_that_do_not_end(data: bytes) -> None:
    with pytest.raises(FormatError, match="Unexpected EOF reading varint"):
        operation.Reader(data).operands(1)


def test_an_unknown_operation_is_named_with_those_before_it() -> None:
    code = operation.encode(operation.UNSET_READ_SOURCE) * 3 + b"q"

    with pytest.raises(FormatError, match="Unknown opcode 113 at offset 3"):
        list(operation.operations(code, iter(())))


def test_operations_with_their_operands() -> None:
    code = bytes.fromhex("537500 7275 6f0000a501 429501bd01 63 52 53000004d202")

    found = list(operation.operations(code, iter((2, 4, 4))))

    assert found == [
        (0x53, [117, 0]),
        (0x72, [117]),
        (0x6F, [0, 0, 165]),
        (0x42, [149, 189]),
        (0x63, []),
        (0x52, []),
        (0x53, [0, 0, 4, 338]),
    ]


def test_more_operations_than_objects() -> None:
    code = operation.encode(operation.CLOSE) * 2

    with pytest.raises(FormatError, match="More operations than objects"):
        list(operation.operations(code, iter((4,))))


@st.composite
def versions(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """An old file and a new one that resembles it."""
    old = draw(st.binary(max_size=400)) * draw(st.integers(1, 5))
    new = bytearray(old)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(new)))
        new[at : at + draw(st.integers(0, 30))] = draw(st.binary(max_size=30))
    return old, bytes(new)


def apply(stream: bytes, old: bytes, size: int) -> bytes:
    def read(offset: int, count: int) -> bytes:
        assert 0 <= offset <= offset + count <= len(old)
        return old[offset : offset + count]

    return b"".join(bsdiff.patch(stream, size, len(old), read))


def by_definition(stream: bytes, old: bytes, size: int) -> bytes:
    """The stream as the format describes it, byte by byte."""
    out = bytearray()
    place = 0
    for triple in bspatch.read(stream, size):
        for index, byte in enumerate(triple.difference):
            at = place + index
            out.append((byte + (old[at] if 0 <= at < len(old) else 0)) % 256)
        out += triple.extra
        place += len(triple.difference) + triple.seek
    return bytes(out)


@given(versions())
def test_a_patch_makes_the_new_file(pair: tuple[bytes, bytes]) -> None:
    old, new = pair

    stream = bsdiff.diff(old, new)

    assert apply(stream, old, len(new)) == new
    assert by_definition(stream, old, len(new)) == new


steps = st.lists(
    st.tuples(
        st.binary(max_size=20),
        st.binary(max_size=20),
        st.integers(-60, 60) | st.sampled_from([(1 << 63) - 1, -(1 << 63) + 1, 1 << 40]),
    ),
    max_size=8,
)


@given(steps, st.binary(max_size=50))
def test_patches_that_leave_the_old_file(steps: list[tuple[bytes, bytes, int]], old: bytes) -> None:
    """What is outside of it counts as zeros, however far outside."""
    stream = b"".join(
        b"".join(map(bspatch.encode_number, (len(diff), len(extra), seek))) + diff + extra
        for diff, extra, seek in steps
    )
    size = sum(len(diff) + len(extra) for diff, extra, _ in steps)

    assert apply(stream, old, size) == by_definition(stream, old, size)


@given(st.binary(max_size=120), st.integers(0, 1 << 62))
def test_any_stream_is_a_patch_or_refused(stream: bytes, size: int) -> None:
    """Nothing of the announced size is believed before the bytes for it are there."""
    try:
        made = apply(stream, b"old", size)
    except FormatError:
        return

    assert len(made) == size


def test_large_files_are_made_piece_by_piece() -> None:
    """No piece is larger than a megabyte, and no more of the old file is asked for than four."""
    rng = random.Random(5)
    old = rng.randbytes(9 << 20)
    new = old[5 << 20 :] + rng.randbytes(3 << 20) + old[: 5 << 20]
    control = b"".join(
        map(
            bspatch.encode_number,
            (4 << 20, 3 << 20, -(9 << 20)),
        )
    )
    stream = control + bytes(4 << 20) + new[4 << 20 : 7 << 20]
    stream += b"".join(map(bspatch.encode_number, (5 << 20, 0, 0))) + bytes(5 << 20)
    stream = b"".join(map(bspatch.encode_number, (0, 0, 5 << 20))) + stream
    asked: list[int] = []

    def read(offset: int, count: int) -> bytes:
        asked.append(count)
        return old[offset : offset + count]

    pieces = [bytes(piece) for piece in bsdiff.patch(stream, len(new), len(old), read)]

    assert b"".join(pieces) == new
    assert max(map(len, pieces)) <= 1 << 20
    assert max(asked) <= 4 << 20


def test_the_references_stream() -> None:
    """The one of its worked example (static deltas §12.2)."""
    old = b"".join(b"line %02d of the file\n" % number for number in range(8))
    new = old.replace(b"line 03", b"LINE 03") + b"tail\n"

    stream = bsdiff.diff(old, new)

    assert stream[:24] == bytes.fromhex("a0000000000000000500000000000000" + "0100000000000080")
    assert len(stream) == 189
    assert stream.endswith(b"tail\n")


def test_the_references_index() -> None:
    source = Checksum("5fc3fb0f012d693e7de24e93a84452bbc2015ab4d77012c3d26d1af2b7d83495")
    target = Checksum("ead54b3cf1beb070d6b68997d6872bbd92297553ba63c8e983c492689a747117")
    digests = {DeltaName(source, target): bytes(32), DeltaName(None, target): b"1" * 32}

    data = index_format.encode(digests)

    assert len(data) == 322
    assert data.startswith(b"ostree.static-deltas\0\0\0\0" + target.encode())
    assert data.endswith(bytes.fromhex("6c001c01 00") + b"a{sv}" + bytes.fromhex("15004001"))
    assert index_format.decode(data) == digests


@given(st.binary(max_size=200))
def test_any_index_is_one_or_refused(data: bytes) -> None:
    try:
        index_format.decode(data)
    except FormatError:
        return
