"""The ``syslinux.cfg`` of syslinux and extlinux (boot §3.2)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.formats.boot_entry import kernel_path, title_of
from ostree.formats.loader_lines import join_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.formats.boot_entry import BootEntry

#: Kernels below these are those of entries that were generated before.
_OUR_KERNELS = ("/ostree/", "/boot/ostree/")
_LABEL = "LABEL "
_KERNEL = "\tKERNEL "
_DEFAULT = "DEFAULT "


def format_syslinux(entries: Sequence[BootEntry], current: str, *, prefix: str) -> str:
    """The configuration for all entries, with what ``current`` says beside them.

    Args:
        entries: The boot entries in the order of the deployment list.
        current: The configuration that is replaced; what is not generated survives, except
            for a ``DEFAULT``.
        prefix: Goes in front of the paths of the entries.

    Raises:
        SysrootError: an entry has no kernel, or a ``LABEL`` of ``current`` has none.
    """
    kept, generate_default = _keep(current.split("\n"))
    return join_lines([*kept, *_elements(entries, prefix, generate_default=generate_default)])


def _keep(lines: Sequence[str]) -> tuple[list[str], bool]:
    """The lines that stay, and whether a ``DEFAULT`` is to be generated."""
    kept: list[str] = []
    block: list[str] = []
    # As upstream does, from block to block: one without a kernel has that of the last before it.
    kernel: str | None = None
    defaults: list[str] = []
    for line in lines:
        if block and line.startswith("\t"):
            block.append(line)
            if line.startswith(_KERNEL):
                kernel = line.removeprefix(_KERNEL)
            continue
        kept += _close_block(block, kernel)
        block = []
        if line.startswith(_LABEL):
            block.append(line)
        elif line.startswith(_DEFAULT):
            defaults.append(line)
        else:
            kept.append(line)
    kept += _close_block(block, kernel)
    ours = any(line.startswith("DEFAULT ostree:") or "(ostree" in line for line in defaults)
    return kept, ours or not defaults


def _close_block(block: list[str], kernel: str | None) -> list[str]:
    """A finished block, or nothing if it was generated."""
    if not block:
        return block
    if kernel is None:
        raise SysrootError("No KERNEL argument found after LABEL")
    return [] if kernel.startswith(_OUR_KERNELS) else block


def _elements(
    entries: Sequence[BootEntry], prefix: str, *, generate_default: bool
) -> Iterator[str]:
    for index, entry in enumerate(entries):
        title = title_of(entry)
        if index == 0 and generate_default:
            yield f"{_DEFAULT}{title}"
        yield f"{_LABEL}{title}"
        yield f"{_KERNEL}{prefix}{kernel_path(entry)}"
        for key, word in (("initrd", "INITRD"), ("devicetree", "DEVICETREE")):
            value = entry.get(key)
            if value is not None:
                yield f"\t{word} {prefix}{value}"
        options = entry.get("options")
        if options is not None:
            yield f"\tAPPEND {options}"
