"""Names of deployment directories."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats.deployment_name import (
    format_deployment_name,
    next_serial,
    parse_deployment_name,
    parse_deployment_target,
)

A = "a" * 64
B = "b" * 64


def test_round_trip() -> None:
    assert parse_deployment_name(format_deployment_name(A, 12)) == (A, 12)


@pytest.mark.parametrize(
    "name",
    ["foo", "", ".0", "abc.", "abc", "ABC.0", "abc.-1", "abc.1x", "abc.0.1", "a." + "9" * 40],
)
def test_other_names_are_refused_in_upstreams_words(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_deployment_name(name)

    assert str(caught.value) == f"Invalid deploy name '{name}', expected CHECKSUM.TREESERIAL"


def test_a_target_is_a_whole_checksum() -> None:
    assert parse_deployment_target(f"{A}.3") == (A, 3)
    with pytest.raises(FormatError):
        parse_deployment_target("abc.3")


def test_serials_count_per_commit_and_are_used_again() -> None:
    assert next_serial([], A) == 0
    assert next_serial([f"{A}.0", f"{A}.4", f"{B}.9"], A) == 5
    assert next_serial([f"{B}.9"], A) == 0


def test_a_foreign_directory_stops_everything() -> None:
    with pytest.raises(FormatError):
        next_serial([f"{A}.0", "foo"], A)
