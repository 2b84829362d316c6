"""What boot loaders have counted, wherever they keep it."""

from __future__ import annotations

import os

from ostree.sysroot import boot_counter, entry_counter, grub_counter
from ostree.sysroot.firmware_partition import visit_partitions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class BootCounts:
    """The counts of the boot loaders of one system.

    Args:
        root: Its root directory.
        device: The device of the physical root.
        run_directory: Where a directory for a mount can be made.
    """

    def __init__(self, root: str, device: int, run_directory: str) -> None:
        self._root = root
        self._device = device
        self._run_directory = run_directory

    def fell_back(self, link: str) -> bool:
        """Whether a boot loader has noted that it did not start the first deployment.

        U-Boot's script says that to the kernel instead.

        Args:
            link: The first deployment's ``ostree=``.

        Raises:
            SysrootError: something cannot be read.
        """

        def look(directory: str) -> bool:
            blocks = grub_counter.blocks_of_partition(directory)
            if any(map(grub_counter.fell_back, blocks)):
                return True
            return entry_counter.is_exhausted(directory, link)

        blocks = grub_counter.blocks_of_system(self._root)
        return any(map(grub_counter.fell_back, blocks)) or self._visit(look)

    def accept(self, link: str) -> bool:
        """Have a boot loader count from the start again; whether there is one that counts.

        Args:
            link: The ``ostree=`` of the deployment that runs.

        Raises:
            SysrootError: something cannot be read or written.
        """

        def set_back(directory: str) -> bool:
            blocks = grub_counter.blocks_of_partition(directory)
            counts = [grub_counter.accept(block) for block in blocks]
            counts.append(entry_counter.accept(directory, link))
            return boot_counter.reset_counter(directory) or any(counts)

        blocks = grub_counter.blocks_of_system(self._root)
        counts = [grub_counter.accept(block) for block in blocks]
        # Copies of these entries may be on a partition, too, with counters of their own.
        entry_counter.accept(os.path.join(self._root, "boot"), link)
        return any(counts) or self._visit(set_back)

    def _visit(self, visitor: Callable[[str], bool]) -> bool:
        return visit_partitions(self._root, self._device, self._run_directory, visitor)
