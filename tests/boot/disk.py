"""Disk images of a sysroot directory, without mounts: partitions and file systems."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_MIB = 1 << 20

_TOOLS = {
    "sfdisk": "fdisk",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
}


class Partition(NamedTuple):
    """A partition and its file system.

    Attributes:
        label: Of the file system.
        size: In MiB.
        source: A directory for ext4; None for FAT.
        files: What FAT is to hold, for U-Boot.
    """

    label: str
    size: int
    source: Path | None = None
    files: tuple[Path, ...] = ()


def make_disk(image: Path, partitions: list[Partition]) -> None:
    """Write an image with a DOS table; FAT partitions are marked bootable."""
    for tool, package in _TOOLS.items():
        if not shutil.which(tool):
            pytest.skip(f"{tool} (Debian: {package}) is not installed")
    table = "label: dos\nlabel-id: 0x0b007ab1\n"
    start = 1
    places = []
    for partition in partitions:
        kind = "type=83" if partition.source is not None else "type=c, bootable"
        table += f"start={start * 2048}, size={partition.size * 2048}, {kind}\n"
        places.append(start)
        start += partition.size
    with image.open("wb") as file:
        file.truncate((start + 1) * _MIB)
    _run(["sfdisk", "-q", str(image)], table)
    for partition, place in zip(partitions, places, strict=True):
        if partition.source is not None:
            _make_ext4(image, place, partition)
        else:
            _make_fat(image, place, partition)


def _make_ext4(image: Path, place: int, partition: Partition) -> None:
    extended = f"offset={place * _MIB},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
    command = ["mkfs.ext4", "-q", "-F", "-b", "4096", "-L", partition.label, "-E", extended]
    _run([*command, "-d", str(partition.source), str(image), f"{partition.size * 1024}k"])


def _make_fat(image: Path, place: int, partition: Partition) -> None:
    command = ["mkfs.vfat", "-F", "16", "-n", partition.label, "--offset", str(place * 2048)]
    _run([*command, str(image), str(partition.size * 1024)])
    for file in partition.files:
        _run(["mcopy", "-i", f"{image}@@{place * _MIB}", str(file), "::"])


def _run(command: list[str], input: str = "") -> None:
    subprocess.run(command, input=input, text=True, check=True, capture_output=True)
