"""``ostree ramdisk build``: a small initramfs for a kernel."""

from __future__ import annotations

import os

from ostree.boot.compression import COMPRESSIONS
from ostree.cli.options import OptionError, path, text, texts
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = ""
OPTIONS = (
    path("root", "TREE", "Root directory of the system it is for (defaults to /)"),
    text("kernel-version", "V", "The kernel it is for, as in lib/modules/V"),
    texts("module", "M", "Include a kernel module and what it needs, and load it at the start"),
    path("busybox", "FILE", "Static busybox (defaults to that of TREE or of this machine)"),
    path("fsck", "FILE", "Static program that checks the root file system before it is mounted"),
    text("release", "TEXT", "Content of the ramdisk's /etc/ramdisk-release"),
    text("compression", "NAME", "gzip (default), xz or none"),
    path("output", "FILE", "Where to write it", short="o"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Build it, and tell what is in it."""
    from ostree.boot.ramdisk import RamdiskOptions, build_ramdisk
    from ostree.system.output_file import OutputFile

    output = args.text("output")
    if output is None:
        raise UsageError("--output must be specified")
    if args.words:
        raise UsageError(f"Unexpected argument {args.words[0]}")
    compression = args.text("compression") or COMPRESSIONS[0]
    if compression not in COMPRESSIONS:
        raise OptionError(f"Unknown compression '{compression}'")
    root = args.text("root") or "/"
    version = args.text("kernel-version")
    if version is None and os.path.realpath(root) == "/":
        version = os.uname().release
    options = RamdiskOptions(
        root=root,
        kernel_version=version,
        modules=args.texts("module"),
        busybox=args.text("busybox"),
        fsck=args.text("fsck"),
        release=args.text("release"),
        mtime=_source_date_epoch(ctx),
    )
    try:
        with OutputFile(output) as file:
            facts = build_ramdisk(options, file.write, compression=compression)
            file.finish()
    except OSError as error:
        raise OSTreeError(f"Writing {output}: {error.strerror}") from error
    ctx.stdout.line(
        f"Kernel {facts.kernel_version} ({facts.machine}), {len(facts.modules)} modules, "
        f"{facts.size} bytes"
    )


def _source_date_epoch(ctx: Context) -> int:
    """The time of all files, as reproducible-builds.org has it; without it the same for all."""
    value = ctx.environ.get("SOURCE_DATE_EPOCH")
    if not value:
        return 0
    if not (value.isascii() and value.isdigit()):
        raise OSTreeError(f"SOURCE_DATE_EPOCH is no number of seconds: {value}")
    return int(value)
