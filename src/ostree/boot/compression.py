"""Compression of a ramdisk, as every kernel can undo it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Compressor(Protocol):
        """A stream in, a stream out."""

        def compress(self, data: bytes, /) -> bytes:
            """What is ready so far."""

        def flush(self) -> bytes:
            """The rest."""


COMPRESSIONS = ("gzip", "xz", "none")


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def make_compressor(name: str) -> Compressor:
    """The compressor of a name of :data:`COMPRESSIONS`; its output has no time and no name in it."""
    if name == "gzip":
        import zlib

        return zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    if name == "xz":
        import lzma

        # The kernel's decoder knows no other checksum, and holds the whole dictionary in memory.
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]
        return lzma.LZMACompressor(lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters)
    return _Plain()
