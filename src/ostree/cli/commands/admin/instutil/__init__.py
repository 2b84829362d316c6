"""``ostree admin instutil``: for programs that install systems."""

from __future__ import annotations

from ostree.cli.command import Entry, Group
from ostree.cli.sysroot import OPTIONS, print_current_directory

GROUP = Group(
    "admin instutil",
    "ostree.cli.commands.admin.instutil",
    (
        Entry("selinux-ensure-labeled", "Relabel all or part of a deployment"),
        Entry("set-kargs", "Set new kernel command line arguments(Not stable)"),
        Entry("grub2-generate", "Generate GRUB2 configuration from given BLS entries"),
    ),
    summary="Deprecated commands intended for installer programs",
    entry_width=24,
    options=OPTIONS,
    before=print_current_directory,
    passes_dashes=True,
)
