"""Names of deltas: hex, modified base64, directories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats.delta.name import DeltaName, index_path, target_of_index
from ostree.types import Checksum

A = Checksum("5fc3fb0f012d693e7de24e93a84452bbc2015ab4d77012c3d26d1af2b7d83495")
B = Checksum("ead54b3cf1beb070d6b68997d6872bbd92297553ba63c8e983c492689a747117")
checksums = st.binary(min_size=32, max_size=32).map(Checksum.of_digest)


def test_the_references_paths() -> None:
    assert DeltaName(A, B).directory == (
        "deltas/X8/P7DwEtaT594k6TqERSu8IBWrTXcBLD0m0a8rfYNJU"
        "-6tVLPPG+sHDWtomX1ocrvZIpdVO6Y8jpg8SSaJp0cRc"
    )
    assert DeltaName(None, B).superblock == (
        "deltas/6t/VLPPG+sHDWtomX1ocrvZIpdVO6Y8jpg8SSaJp0cRc/superblock"
    )
    assert index_path(B) == "delta-indexes/6t/VLPPG+sHDWtomX1ocrvZIpdVO6Y8jpg8SSaJp0cRc.index"


@given(st.none() | checksums, checksums)
def test_names_survive_both_ways(source: Checksum | None, target: Checksum) -> None:
    name = DeltaName(source, target)

    assert DeltaName.parse(str(name)) == name
    assert DeltaName.of_directory(name.directory.removeprefix("deltas/").replace("/", "")) == name
    _, prefix, index = index_path(target).split("/")
    assert target_of_index(prefix, index) == target


@pytest.mark.parametrize(
    "text", ["", "-", "GARBAGE", f"{A}-", f"-{A}", f"{A}-{B}-{A}", A[:63], f"{A} "]
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(FormatError, match="Invalid"):
        DeltaName.parse(text)


@given(st.text(max_size=100))
def test_any_directory_name_is_a_delta_or_not(encoded: str) -> None:
    found = DeltaName.of_directory(encoded)

    assert found is None or found.directory.startswith("deltas/")


@pytest.mark.parametrize(
    "encoded", ["x" * 42, "x" * 44, "=" * 43, "/" * 43, f"{'x' * 43}-", "é" * 43]
)
def test_what_is_no_directory_of_a_delta(encoded: str) -> None:
    assert DeltaName.of_directory(encoded) is None


@pytest.mark.parametrize("name", ["x", "x.index", "6t.indexx", f"{'x' * 41}.idx"])
def test_what_is_no_index(name: str) -> None:
    assert target_of_index("6t", name) is None
