"""Which old file a new one is made from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ostree.repo.static_delta.similar import Candidate, may_resemble, pair
from ostree.types import Checksum


def name(number: int) -> Checksum:
    return Checksum(f"{number:064x}")


def new(size: int, *names: str) -> Candidate:
    return Candidate(name(1000 + size), size, names)


def old(number: int, size: int, *names: str) -> Candidate:
    return Candidate(name(number), size, names)


def partner(file: Candidate, *candidates: Candidate) -> int | None:
    found = pair([file], candidates).get(file.checksum)
    return None if found is None else int(found, 16)


def test_the_same_name_and_about_the_same_size() -> None:
    assert partner(new(1000, "a"), old(1, 700, "a")) == 1
    assert partner(new(1000, "a"), old(1, 699, "a")) is None
    assert partner(new(1000, "a"), old(1, 1300, "a")) == 1
    assert partner(new(1000, "a"), old(1, 1301, "a")) is None
    assert partner(new(1000, "a"), old(1, 1000, "b")) is None


def test_of_several_the_smallest_and_of_equal_ones_the_first() -> None:
    assert partner(new(1000, "a"), old(1, 1200, "a"), old(2, 900, "a"), old(3, 1000, "a")) == 2
    assert partner(new(1000, "a"), old(1, 900, "a"), old(2, 900, "a")) == 1


def test_any_of_several_names_will_do() -> None:
    assert partner(new(1000, "a", "b"), old(1, 1000, "c", "b")) == 1


def test_names_that_begin_alike_up_to_the_first_dot() -> None:
    assert partner(new(1000, "libz.so.1.3"), old(1, 1000, "libz.so.1.2")) == 1
    assert partner(new(1000, "libz.so"), old(1, 1000, "libz")) is None
    assert partner(new(1000, ".hidden"), old(1, 1000, ".other")) is None


def test_the_full_name_is_better_than_its_beginning() -> None:
    candidates = (old(1, 800, "libz.so.1"), old(2, 1200, "libz.so.2"))

    assert partner(new(1000, "libz.so.2"), *candidates) == 2


def test_compressed_files_and_empty_ones_resemble_nothing() -> None:
    assert partner(new(1000, "a.xz"), old(1, 1000, "a.xz")) is None
    assert partner(new(1000, "a.bz2"), old(1, 1000, "a.bz2")) is None
    assert partner(new(1000, "a.gz"), old(1, 1000, "a.gz")) == 1
    assert partner(new(1000, "a"), old(1, 1000, "a", "b.xz")) is None
    assert partner(new(0, "a"), old(1, 0, "a")) is None


names = st.sets(st.sampled_from(["a", "b", "a.so.1", "a.so.2", "b.txt", ".x", "c.xz"]), min_size=1)
files = st.lists(st.tuples(st.integers(0, 60), names), max_size=12)


@given(files, files)
def test_the_index_finds_what_a_search_finds(
    new_files: list[tuple[int, set[str]]], old_files: list[tuple[int, set[str]]]
) -> None:
    """The rules as they are written down, one file after the other."""
    fresh = [Candidate(name(1000 + i), size, sorted(n)) for i, (size, n) in enumerate(new_files)]
    known = [Candidate(name(i), size, sorted(n)) for i, (size, n) in enumerate(old_files)]

    found = pair(fresh, known)

    assert found == by_search(fresh, known)
    relevant = may_resemble(
        {file.checksum: set(file.names) for file in fresh},
        {file.checksum: set(file.names) for file in known},
    )
    assert set(found.values()) <= set(relevant)


def by_search(fresh: list[Candidate], known: list[Candidate]) -> dict[Checksum, Checksum]:
    found = {}
    for file in fresh:
        for match in (same_name, same_start):
            candidates = [
                other
                for other in sorted(known, key=lambda other: other.size)
                if is_candidate(file)
                and is_candidate(other)
                and file.size * 7 // 10 <= other.size <= file.size * 13 // 10
                and any(match(a, b) for a in file.names for b in other.names)
            ]
            if candidates:
                found[file.checksum] = candidates[0].checksum
                break
    return found


def is_candidate(file: Candidate) -> bool:
    return file.size > 0 and not any(each.endswith((".xz", ".bz2")) for each in file.names)


def same_name(a: str, b: str) -> bool:
    return a == b


def same_start(a: str, b: str) -> bool:
    return (
        "." in a and "." in b and a.split(".", maxsplit=1)[0] == b.split(".", maxsplit=1)[0] != ""
    )
