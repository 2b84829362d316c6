"""The summary: what is written reads back, what is read is written again to the byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.gvariant import Variant
from ostree.formats.summary import SummaryRef, build, decode, encode
from ostree.types import Checksum

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
REFS = st.builds(
    lambda name, digest, size, timestamp, version: SummaryRef.of_commit(
        name, Checksum.of_digest(digest), size, timestamp=timestamp, version=version
    ),
    TEXTS,
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.none() | TEXTS,
)
REF_LISTS = st.lists(REFS, max_size=5, unique_by=lambda ref: ref.name)
EXTRAS = st.lists(st.tuples(TEXTS, TEXTS.map(lambda text: Variant("s", text))), max_size=8)


@given(REF_LISTS, st.dictionaries(TEXTS, REF_LISTS, max_size=3), EXTRAS)
def test_summaries_read_back(
    refs: list[SummaryRef],
    collections: dict[str, list[SummaryRef]],
    extra: list[tuple[str, Variant]],
) -> None:
    summary = build(refs, mode="bare", last_modified=2**40, collection_map=collections, extra=extra)

    again = decode(encode(summary))

    assert again == summary
    assert again.last_modified == 2**40
    assert all(again.find(ref.name) == ref for ref in refs)
    assert set(again.collection_map) == set(collections)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_summary_or_a_format_error(data: bytes) -> None:
    try:
        summary = decode(data)
    except FormatError:
        return

    assert encode(summary) == data
