"""Raw deflate, whole and in a stream.

Whole buffers go through libdeflate where it is installed, which is about twice as fast as zlib, and
what can hardly be compressed through ISA-L, which is four times as fast as that and then no worse;
the compressed bytes are not part of any checksum (repository format §3.3).
"""

from __future__ import annotations

import zlib

from ostree.errors import CorruptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Encoder(Protocol):
        """What compresses a stream piece by piece."""

        def compress(self, data: bytes | memoryview, /) -> bytes:
            """Take a piece, and give what is ready."""

        def flush(self, mode: int = ..., /) -> bytes:
            """Give the rest."""


DEFAULT_LEVEL = 6
_WINDOW = -15
#: Bytes from which on it pays to look at samples first; their size, and how many of them.
_WORTH_A_LOOK, _SAMPLE, _FEWEST, _MOST = 32 << 10, 4 << 10, 3, 16
#: Percentage of its size from which on compressed content has hardly become smaller.
_HARDLY = 85
#: ISA-L's level for it.
_FAST_LEVEL = 2


def clamp_level(text: str | None) -> int:
    """The level that ``archive.zlib-level`` means: 1 to 9, 1 for garbage."""
    if text is None:
        return DEFAULT_LEVEL
    try:
        return max(1, min(9, int(text)))
    except ValueError:
        return 1


def compress(data: bytes, level: int) -> bytes:
    """A raw deflate stream of ``data``."""
    if level <= DEFAULT_LEVEL and hardly_shrinks(data):
        from isal import isal_zlib

        return isal_zlib.compress(data, _FAST_LEVEL, _WINDOW)
    try:
        import deflate
    except ImportError:
        return compress_exactly(data, level)
    compressed: bytes = bytes(deflate.deflate_compress(data, level))
    return compressed


def compress_exactly(data: bytes, level: int) -> bytes:
    """The raw deflate stream that the reference makes, byte for byte with the same zlib."""
    coder = stream_encoder(level)
    return coder.compress(data) + coder.flush()


def hardly_shrinks(data: bytes | memoryview) -> bool:
    """Whether samples of content say that it is compressed already, or random.

    False for what is small, and where ISA-L is not installed.
    """
    size = len(data)
    if size < _WORTH_A_LOOK:
        return False
    try:
        from isal import isal_zlib
    except ImportError:
        return False
    count = min(max(size // (64 << 10), _FEWEST), _MOST)
    starts = [size * number // count for number in range(count)]
    sample = b"".join([data[at : at + _SAMPLE] for at in starts])
    return len(isal_zlib.compress(sample, 1, _WINDOW)) * 100 >= len(sample) * _HARDLY


def decompress(data: bytes | memoryview, size: int) -> bytes:
    """Inflate a raw deflate stream that must give exactly ``size`` bytes.

    Raises:
        CorruptionError: if it is damaged, or gives fewer or more.
    """
    try:
        import deflate
    except ImportError:
        return _inflate(data, size)
    if not size:
        return _inflate(data, size)
    try:
        plain: bytes = bytes(deflate.deflate_decompress(data, size))
    except deflate.DeflateError as error:
        raise CorruptionError("Invalid compressed content") from error
    if len(plain) != size:
        raise CorruptionError("Content is shorter than its header says")
    return plain


def _inflate(data: bytes | memoryview, size: int) -> bytes:
    decoder = stream_decoder()
    try:
        plain = decoder.decompress(data, size + 1)
    except zlib.error as error:
        raise CorruptionError(f"Invalid compressed content: {error}") from error
    if len(plain) != size or not decoder.eof:
        raise CorruptionError("Content is not as long as its header says")
    return plain


class StreamEncoder:
    """Compresses content that arrives piece by piece, each with the encoder that suits it.

    Args:
        level: What is asked for; above the default one there is only zlib.
    """

    __slots__ = ("_coder", "_is_fast", "_level")

    def __init__(self, level: int) -> None:
        self._level = level
        self._is_fast = False
        self._coder: Encoder = stream_encoder(level)

    def compress(self, data: bytes | memoryview) -> bytes:
        """Take a piece, and give what is ready."""
        if len(data) < _WORTH_A_LOOK or self._level > DEFAULT_LEVEL:
            return self._coder.compress(data)
        is_fast = hardly_shrinks(data)
        ready = b""
        if is_fast is not self._is_fast:
            # What comes next begins at a byte, and refers to nothing before.
            ready = self._coder.flush(zlib.Z_SYNC_FLUSH)
            self._coder = _fast_encoder() if is_fast else stream_encoder(self._level)
            self._is_fast = is_fast
        return ready + self._coder.compress(data)

    def flush(self) -> bytes:
        """Give the rest."""
        return self._coder.flush(zlib.Z_FINISH)


def stream_encoder(level: int) -> zlib._Compress:
    """An encoder for content that arrives piece by piece, which does what the reference does."""
    return zlib.compressobj(level, zlib.DEFLATED, _WINDOW, 8, 0)


def _fast_encoder() -> Encoder:
    from isal import isal_zlib

    return isal_zlib.compressobj(_FAST_LEVEL, zlib.DEFLATED, _WINDOW)


def stream_decoder() -> zlib._Decompress:
    """A decoder for content that is read piece by piece."""
    return zlib.decompressobj(_WINDOW)
