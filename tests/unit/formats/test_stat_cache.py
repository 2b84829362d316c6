"""The stat cache's file: what is written is read again, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import stat_cache
from ostree.formats.stat_cache import Group, Header

_MARK = stat_cache.header_mark(b"uid, gid, mode, attributes")
_BOOT = stat_cache.boot_mark("6e3f2f4c-2e58-43a9-9b07-3d3cbf0f8d25")
_RECORDS = b"".join(bytes([number]) * stat_cache.RECORD_SIZE for number in (1, 2, 3))


def cache_file() -> bytes:
    """A cache of two directories."""
    groups = {
        (2049, 11): stat_cache.group_of(_RECORDS[:80], 64, 3),
        (2049, 12): stat_cache.group_of(_RECORDS[80:], 144, 7),
    }
    index = stat_cache.encode_index(groups)
    header = Header.of_index(_BOOT, 7, 64 + len(_RECORDS), index)
    return stat_cache.encode_header(header) + _RECORDS + index


def read(data: bytes) -> dict[tuple[int, int], dict[bytes, bytes]]:
    """All that a cache says."""
    header = stat_cache.decode_header(data[: stat_cache.HEADER_SIZE], len(data))
    index = data[header.index_at : header.index_at + header.index_size]
    return {
        directory: stat_cache.decode_records(data[group.offset : group.offset + group.size], group)
        for directory, group in stat_cache.decode_index(index, header).items()
    }


def test_what_is_written_is_read() -> None:
    found = read(cache_file())

    assert found == {
        (2049, 11): {b"\1" * 48: b"\1" * 32},
        (2049, 12): {b"\2" * 48: b"\2" * 32, b"\3" * 48: b"\3" * 32},
    }


def test_a_key_is_all_that_a_file_says_of_itself() -> None:
    key = stat_cache.key_of(1, 2, -3, 4, _MARK)

    assert key == b"".join(
        [
            (1).to_bytes(8, "little"),
            (2).to_bytes(8, "little"),
            (-3).to_bytes(8, "little", signed=True),
            (4).to_bytes(8, "little"),
            _MARK,
        ]
    )


def test_times_of_no_range_have_no_key() -> None:
    assert stat_cache.key_of(1, 2, 1 << 63, 4, _MARK) is None
    assert stat_cache.key_of(1, 2, 3, -(1 << 63) - 1, _MARK) is None


@given(at=st.integers(0, len(cache_file()) - 1), value=st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_says_another_boot(at: int, value: int) -> None:
    """Whatever byte changes, no record is read that was not written."""
    data = bytearray(cache_file())
    data[at] ^= value

    try:
        found = read(bytes(data))
    except FormatError:
        return

    assert 16 <= at < 36 or 52 <= at < 64, "only the boot, the number and what is not used"
    assert found == read(cache_file())


@given(st.binary(max_size=400))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        read(data)


@given(st.integers(0, len(cache_file()) - 1))
def test_a_part_is_refused(size: int) -> None:
    with pytest.raises(FormatError):
        read(cache_file()[:size])


@pytest.mark.parametrize(("offset", "count"), [(0, 1), (64, 4), (1 << 60, 1), (64, 0xFFFFFFFF)])
def test_an_index_does_not_lead_out_of_the_file(offset: int, count: int) -> None:
    index = stat_cache.encode_index({(1, 2): Group(offset, count, 1, 0)})
    header = Header.of_index(_BOOT, 1, 64 + len(_RECORDS), index)

    with pytest.raises(FormatError, match="leads out of it"):
        stat_cache.decode_index(index, header)


def test_a_file_without_end_is_refused() -> None:
    start = stat_cache.encode_header(Header(_BOOT, 1, 0, stat_cache.MAX_SIZE + 1, 0))

    with pytest.raises(FormatError):
        stat_cache.decode_header(start, stat_cache.MAX_SIZE + 1)
