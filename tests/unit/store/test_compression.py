"""Whatever compresses content, it is the same content for everybody, and no larger than it should be."""

from __future__ import annotations

import random
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.store.compression import StreamEncoder, compress, hardly_shrinks, stream_encoder

KINDS = ("random", "text", "zeros")


def content(kind: str, size: int) -> bytes:
    source = random.Random(f"{kind} {size}")
    if kind == "random":
        return source.randbytes(size)
    if kind == "zeros":
        return bytes(size)
    words = [source.randbytes(3).hex() for _ in range(100)]
    return " ".join(source.choices(words, k=size // 7 + 1)).encode()[:size]


def inflate(data: bytes) -> bytes:
    decoder = zlib.decompressobj(-15)
    plain = decoder.decompress(data)
    assert decoder.eof
    assert decoder.unused_data == b""
    return plain


#: Kinds and sizes: what they stand for is made in the test, so that a failure shows few words.
PIECES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from((0, 1, 500, 32 << 10, 70_000, 300_000))),
    max_size=6,
)


@given(pieces=PIECES, level=st.integers(1, 9))
def test_pieces_of_any_kind_are_one_stream(pieces: list[tuple[str, int]], level: int) -> None:
    plain = [content(*piece) for piece in pieces]
    encoder = StreamEncoder(level)

    stored = b"".join([encoder.compress(piece) for piece in plain]) + encoder.flush()

    assert inflate(stored) == b"".join(plain)


@given(pieces=PIECES, level=st.integers(1, 9))
def test_content_is_inflated_to_what_it_was(pieces: list[tuple[str, int]], level: int) -> None:
    data = b"".join([content(*piece) for piece in pieces])

    assert inflate(compress(data, level)) == data


@pytest.mark.parametrize("size", [40_000, 1 << 20, 3_333_333])
def test_what_is_random_hardly_shrinks(size: int) -> None:
    pytest.importorskip("isal")

    assert hardly_shrinks(content("random", size))
    assert hardly_shrinks(zlib.compress(content("text", 4 * size)))
    assert not hardly_shrinks(content("text", size))
    assert not hardly_shrinks(content("zeros", size))
    # Nor what has such a part, the rest being well worth it.
    assert not hardly_shrinks(content("random", size // 4) + content("text", size))


def test_what_is_small_is_not_looked_at() -> None:
    assert not hardly_shrinks(content("random", 20_000))


def test_what_hardly_shrinks_grows_by_next_to_nothing() -> None:
    data = content("random", 2 << 20)

    assert len(compress(data, 6)) < len(data) * 1.001


def test_what_shrinks_is_as_small_as_it_gets_in_a_stream_too() -> None:
    """A random beginning does not decide for what comes after it."""
    text = content("text", 1 << 20)
    encoder = StreamEncoder(6)

    encoder.compress(content("random", 1 << 20))
    stored = encoder.compress(text) + encoder.flush()

    alone = stream_encoder(6)
    assert len(stored) < (len(alone.compress(text)) + len(alone.flush())) * 1.02


@pytest.mark.parametrize("level", [7, 9])
def test_a_higher_level_is_what_was_asked_for(level: int) -> None:
    data = content("random", 100_000) + content("text", 30_000)
    encoder, reference = StreamEncoder(level), stream_encoder(level)

    assert encoder.compress(data) + encoder.flush() == reference.compress(data) + reference.flush()


def test_without_isa_l_the_others_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    data = content("random", 100_000)
    encoder = StreamEncoder(6)

    assert not hardly_shrinks(data)
    assert inflate(compress(data, 6)) == data
    assert inflate(encoder.compress(data) + encoder.flush()) == data
