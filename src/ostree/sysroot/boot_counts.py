"""What boot loaders have counted, wherever they keep it."""

from __future__ import annotations

from ostree.sysroot import boot_counter, grub_counter
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

    def fell_back(self) -> bool:
        """Whether a boot loader has noted that it did not start the first deployment.

        U-Boot's script says that to the kernel instead.

        Raises:
            SysrootError: something cannot be read.
        """

        def look(directory: str) -> bool:
            return any(map(grub_counter.fell_back, grub_counter.blocks_of_partition(directory)))

        blocks = grub_counter.blocks_of_system(self._root)
        return any(map(grub_counter.fell_back, blocks)) or self._visit(look)

    def accept(self) -> bool:
        """Have a boot loader count from the start again; whether there is one that counts.

        Raises:
            SysrootError: something cannot be read or written.
        """

        def set_back(directory: str) -> bool:
            blocks = grub_counter.blocks_of_partition(directory)
            counts = [grub_counter.accept(block) for block in blocks]
            return boot_counter.reset_counter(directory) or any(counts)

        blocks = grub_counter.blocks_of_system(self._root)
        counts = [grub_counter.accept(block) for block in blocks]
        return any(counts) or self._visit(set_back)

    def _visit(self, visitor: Callable[[str], bool]) -> bool:
        return visit_partitions(self._root, self._device, self._run_directory, visitor)
