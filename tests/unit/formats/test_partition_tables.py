"""Partition tables of ours, read by us, by sfdisk and by sgdisk."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import gpt, mbr
from ostree.formats.disk_partition import SECTOR, DiskPartition, PartitionKind

if TYPE_CHECKING:
    from pathlib import Path

MIB = (1 << 20) // SECTOR
DISK = UUID("11223344-5566-7788-99aa-bbccddeeff00")


def partition(
    name: str, first: int, sectors: int, kind: PartitionKind = PartitionKind.LINUX
) -> DiskPartition:
    uuid = UUID(int=first << 64 | sectors)
    return DiskPartition(name, kind, first, sectors, uuid, kind is PartitionKind.FAT)


FOUR = [
    partition("firmware", MIB, 16 * MIB, PartitionKind.FAT),
    partition("boot", 17 * MIB, 100 * MIB, PartitionKind.EXTENDED_BOOT),
    partition("root", 117 * MIB, 300 * MIB),
    partition("data", 417 * MIB, 100 * MIB + 1),
]
SECTORS = 600 * MIB

needs_sfdisk = pytest.mark.skipif(
    not shutil.which("sfdisk"), reason="sfdisk is not installed (Debian: fdisk)"
)
needs_sgdisk = pytest.mark.skipif(
    not shutil.which("sgdisk"), reason="sgdisk is not installed (Debian: gdisk)"
)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[DiskPartition], int]:
    """Up to four partitions with room between them, and the size of their disk."""
    place, found = 2048, []
    for number in range(draw(st.integers(1, 4))):
        place += draw(st.integers(0, 1 << 24))
        sectors = draw(st.integers(1, 1 << 28))
        kind = draw(st.sampled_from(PartitionKind))
        found.append(partition(f"part{number}", place, sectors, kind))
        place += sectors
    return found, place + gpt.TRAILING + draw(st.integers(0, 100))


@given(layouts())
def test_a_gpt_is_read_as_it_was_written(layout: tuple[list[DiskPartition], int]) -> None:
    partitions, sectors = layout

    table = gpt.encode(partitions, disk=DISK, sectors=sectors)

    assert gpt.decode(table.start) == (DISK, partitions)
    assert (len(table.start), len(table.end)) == (34 * SECTOR, 33 * SECTOR)


@given(layouts())
def test_an_mbr_is_read_as_it_was_written(layout: tuple[list[DiskPartition], int]) -> None:
    partitions, sectors = layout

    data = mbr.encode(partitions, signature=0x12345678, sectors=sectors)

    signature, records = mbr.decode(data)
    assert signature == 0x12345678
    assert [(r.bootable, r.type, r.first, r.sectors) for r in records] == [
        (p.bootable, p.kind.mbr_type, p.first, p.sectors) for p in partitions
    ]


@pytest.mark.parametrize(
    ("partitions", "message"),
    [
        ([partition("a", 40, 10), partition("b", 49, 1)], "Partitions a and b overlap"),
        ([partition("b", 50, 10), partition("a", 40, 11)], "Partitions a and b overlap"),
        ([partition("a", 33, 10)], "Partition a is not within sectors 34 to 66"),
        ([partition("a", 40, 28)], "Partition a is not within sectors 34 to 66"),
        ([partition("a", 40, 0)], "Partition a is empty"),
        ([partition("a" * 37, 40, 1)], f"The partition name {'a' * 37} is too long"),
        ([partition("a", 40 + i, 1) for i in range(129)], "A GPT has room for 128 partitions"),
    ],
)
def test_impossible_gpts_are_refused(partitions: list[DiskPartition], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        gpt.encode(partitions, disk=DISK, sectors=100)


def test_impossible_mbrs_are_refused() -> None:
    with pytest.raises(FormatError, match="room for 4"):
        mbr.encode([*FOUR, partition("fifth", 550 * MIB, 1)], signature=0, sectors=SECTORS)
    with pytest.raises(FormatError, match="is not within"):
        mbr.encode([partition("far", 1 << 32, 1)], signature=0, sectors=1 << 33)


@pytest.mark.parametrize("place", [512, 520, 568, 1024, 1030])
def test_damage_is_found(place: int) -> None:
    data = bytearray(gpt.encode(FOUR, disk=DISK, sectors=SECTORS).start)
    data[place] ^= 1

    with pytest.raises(FormatError):
        gpt.decode(bytes(data))


@given(st.binary(max_size=600))
def test_what_is_no_table_is_no_traceback(data: bytes) -> None:
    for decode in (gpt.decode, mbr.decode):
        with pytest.raises(FormatError):
            decode(data)


def write_disk(path: Path, *, with_gpt: bool) -> Path:
    with open(path, "wb") as file:
        file.truncate(SECTORS * SECTOR)
        if with_gpt:
            table = gpt.encode(FOUR, disk=DISK, sectors=SECTORS)
            file.write(table.start)
            file.seek((SECTORS - gpt.TRAILING) * SECTOR)
            file.write(table.end)
        else:
            file.write(mbr.encode(FOUR, signature=0xCAFE1234, sectors=SECTORS))
    return path


def sfdisk(path: Path) -> dict[str, object]:
    subprocess.run(["sfdisk", "--verify", path], check=True, capture_output=True)
    out = subprocess.run(["sfdisk", "-J", path], check=True, capture_output=True).stdout
    table: dict[str, object] = json.loads(out)["partitiontable"]
    return table


@needs_sfdisk
def test_sfdisk_reads_the_gpt(tmp_path: Path) -> None:
    table = sfdisk(write_disk(tmp_path / "disk", with_gpt=True))

    assert (table["label"], table["id"]) == ("gpt", str(DISK).upper())
    assert (table["firstlba"], table["lastlba"]) == (34, SECTORS - 34)
    found = table["partitions"]
    assert isinstance(found, list)
    assert [
        (p["name"], p["start"], p["size"], p["type"], p["uuid"], p.get("attrs")) for p in found
    ] == [
        (
            p.name,
            p.first,
            p.sectors,
            str(p.kind.guid).upper(),
            str(p.uuid).upper(),
            "LegacyBIOSBootable" if p.bootable else None,
        )
        for p in FOUR
    ]


@needs_sfdisk
def test_sfdisk_reads_the_mbr(tmp_path: Path) -> None:
    table = sfdisk(write_disk(tmp_path / "disk", with_gpt=False))

    assert (table["label"], table["id"]) == ("dos", "0xcafe1234")
    found = table["partitions"]
    assert isinstance(found, list)
    assert [(p["start"], p["size"], p["type"], p.get("bootable", False)) for p in found] == [
        (p.first, p.sectors, f"{p.kind.mbr_type:x}", p.bootable) for p in FOUR
    ]


@needs_sfdisk
def test_sfdisk_writes_the_same_mbr(tmp_path: Path) -> None:
    """To the byte: places as cylinder, head and sector as well."""
    ours = write_disk(tmp_path / "ours", with_gpt=False)
    theirs = tmp_path / "theirs"
    with open(theirs, "wb") as file:
        file.truncate(SECTORS * SECTOR)
    lines = [
        f"start={p.first}, size={p.sectors}, type={p.kind.mbr_type:x}"
        + (", bootable" if p.bootable else "")
        for p in FOUR
    ]
    script = "\n".join(["label: dos", "label-id: 0xcafe1234", *lines, ""])

    subprocess.run(["sfdisk", "-q", theirs], input=script.encode(), check=True)

    with open(ours, "rb") as one, open(theirs, "rb") as other:
        assert one.read(SECTOR) == other.read(SECTOR)


@needs_sgdisk
def test_sgdisk_finds_no_problems(tmp_path: Path) -> None:
    disk = write_disk(tmp_path / "disk", with_gpt=True)

    out = subprocess.run(["sgdisk", "-v", disk], check=True, capture_output=True, text=True).stdout

    assert "No problems found." in out
