"""Raw deflate, whole and in a stream.

Whole buffers go through libdeflate where it is installed, which is about twice as fast; the
compressed bytes are not part of any checksum (repository format §3.3).
"""

from __future__ import annotations

import zlib

from ostree.errors import CorruptionError

DEFAULT_LEVEL = 6
_WINDOW = -15


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


def stream_encoder(level: int) -> zlib._Compress:
    """An encoder for content that arrives piece by piece."""
    return zlib.compressobj(level, zlib.DEFLATED, _WINDOW, 8, 0)


def stream_decoder() -> zlib._Decompress:
    """A decoder for content that is read piece by piece."""
    return zlib.decompressobj(_WINDOW)
