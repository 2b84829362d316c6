"""Where partitions are, and how large."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import ImageError
from ostree.formats import gpt, mbr
from ostree.formats.disk_partition import SECTOR, PartitionKind
from ostree.image.layout import (
    MIB,
    DiskLayout,
    LayoutRequest,
    Role,
    Table,
    needed_size,
    plan_layout,
)

_sizes = st.integers(1, 1 << 38)
requests = st.builds(
    LayoutRequest,
    table=st.sampled_from(Table),
    firmware=st.sampled_from([None, PartitionKind.FAT, PartitionKind.EFI]),
    boot_content=st.none() | st.integers(0, 1 << 30),
    root_content=_sizes,
    firmware_content=st.integers(0, 1 << 28),
    data=st.none() | _sizes,
    size=st.none() | _sizes,
    reserve=st.integers(1, 1 << 26),
    seed=st.none() | st.just("seed"),
)


def encode(layout: DiskLayout) -> None:
    sectors = layout.size // SECTOR
    if layout.table is Table.GPT:
        gpt.encode(layout.partitions, disk=layout.disk, sectors=sectors)
    else:
        mbr.encode(layout.partitions, signature=layout.signature, sectors=sectors)


@given(requests)
def test_every_layout_can_be_written_or_is_refused(request: LayoutRequest) -> None:
    try:
        layout = plan_layout(request)
    except ImageError:
        # Only a size that is given can be too small.
        assert plan_layout(request._replace(size=None)).size > (request.size or 1 << 60)
        return

    encode(layout)
    assert layout.size % MIB == 0
    assert all(volume.offset % MIB == volume.size % MIB == 0 for volume in layout.volumes)
    assert layout.volumes[0].offset >= request.reserve
    root = layout.volume(Role.ROOT)
    assert root is not None
    assert root.size >= needed_size(request.root_content)
    if request.size is not None:
        assert request.size - MIB < layout.size <= request.size


def test_the_size_that_an_error_names_is_enough() -> None:
    request = LayoutRequest(Table.GPT, PartitionKind.FAT, 20 * MIB, 300 * MIB, size=100 * MIB)
    with pytest.raises(ImageError) as caught:
        plan_layout(request)
    needed = int(caught.value.message.split()[-4])

    assert plan_layout(request._replace(size=needed * MIB)).size == needed * MIB
    with pytest.raises(ImageError, match="too small"):
        plan_layout(request._replace(size=(needed - 1) * MIB))


def test_what_a_seed_makes_is_always_the_same() -> None:
    request = LayoutRequest(Table.GPT, PartitionKind.EFI, 0, MIB, data=MIB, seed="release 1")

    one, other = plan_layout(request), plan_layout(request)

    assert one == other
    assert plan_layout(request._replace(seed="release 2")).disk != one.disk
    identities = {v.uuid for v in one.volumes} | {v.partition.uuid for v in one.volumes}
    assert len(identities) == 8
    assert plan_layout(request._replace(seed=None)) != plan_layout(request._replace(seed=None))


@pytest.mark.parametrize(
    ("firmware", "boot", "bootable"),
    [
        (PartitionKind.FAT, None, Role.FIRMWARE),
        (None, None, Role.ROOT),
        (None, 0, Role.BOOT),
        (PartitionKind.EFI, 0, None),
    ],
)
def test_where_firmware_looks_for_something_to_boot(
    firmware: PartitionKind | None, boot: int | None, bootable: Role | None
) -> None:
    layout = plan_layout(LayoutRequest(Table.MBR, firmware, boot, MIB))

    assert [v.role for v in layout.volumes if v.partition.bootable] == [bootable][
        : bootable is not None
    ]
