"""What a repository announces of itself on a local network."""

from __future__ import annotations

from ipaddress import ip_address

from ostree.formats import gvariant
from ostree.formats.bloom import BloomFilter
from ostree.transfer.finders.lan import Service


def announcement(port: int, index: int, *refs: tuple[str, str], host: str = "127.0.0.1") -> Service:
    """The announcement of a repository with some refs."""
    bloom = BloomFilter(bytes(64), 4)
    for ref in refs:
        bloom.add(*ref)
    values = {
        "v": b"\x01",
        "rb": gvariant.encode("(yyay)", (bloom.functions, 1, bloom.bits)),
        "st": bytes(8),
        "ri": index.to_bytes(2, "big"),
    }
    strings = [name.encode() + b"=" + value for name, value in values.items()]
    record = b"".join(bytes((len(text),)) + text for text in strings)
    return Service([ip_address(host)], port, record)
