"""The ``uEnv.txt`` that U-Boot imports (boot §3.1)."""

from __future__ import annotations

from ostree.formats.boot_entry import kernel_path
from ostree.formats.loader_lines import join_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.formats.boot_entry import BootEntry

#: Further keys of a boot entry whose values are paths below ``/boot``, with the variable for each.
_PATHS = (
    ("initrd", "ramdisk_image"),
    ("devicetree", "fdt_file"),
    ("fdtdir", "fdtdir"),
)


def format_uenv(entries: Sequence[BootEntry], system_uenv: str | None) -> str:
    """The variables for all entries, the default one first.

    Args:
        entries: The boot entries in the order of the deployment list.
        system_uenv: The content of ``usr/lib/ostree-boot/uEnv.txt`` of the default deployment;
            it follows the first ``bootargs``.

    Raises:
        SysrootError: an entry has no kernel.
    """
    return join_lines(_elements(entries, system_uenv))


def _elements(entries: Sequence[BootEntry], system_uenv: str | None) -> Iterator[str]:
    for index, entry in enumerate(entries):
        # Nothing, 2, 3 … but never 1.
        suffix = str(index + 1) if index else ""
        yield f"kernel_image{suffix}=/boot{kernel_path(entry)}"
        for key, variable in _PATHS:
            value = entry.get(key)
            if value is not None:
                yield f"{variable}{suffix}=/boot{value}"
        options = entry.get("options")
        if options is not None:
            yield f"bootargs{suffix}={options}"
            if index == 0 and system_uenv is not None:
                yield system_uenv
