"""How the kernel's command line names the root file system."""

from __future__ import annotations

from enum import Enum

from ostree.errors import ImageError
from ostree.image.layout import Role, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.image.layout import DiskLayout


class RootBy(Enum):
    """What is looked for; a kernel without a ramdisk knows those of the partition table only."""

    UUID = "uuid"
    LABEL = "label"
    PARTUUID = "partuuid"
    PARTLABEL = "partlabel"


def check_root_by(by: RootBy, table: Table) -> None:
    """Look whether a partition table has what is looked for.

    Raises:
        ImageError: it has not.
    """
    if by is RootBy.PARTLABEL and table is Table.MBR:
        raise ImageError("Partitions of an MBR have no labels: --root-by=partlabel needs a GPT")


def root_argument(layout: DiskLayout, by: RootBy) -> str:
    """The word ``root=`` for the root partition of a disk.

    Args:
        layout: A disk that has one.
        by: What it is named by.
    """
    number, root = next(
        (number, volume)
        for number, volume in enumerate(layout.volumes, 1)
        if volume.role is Role.ROOT
    )
    if by is RootBy.UUID:
        value = str(root.uuid)
    elif by is RootBy.PARTUUID:
        value = layout.partition_uuid(number)
    else:
        value = root.role.value
    return f"root={by.name}={value}"
