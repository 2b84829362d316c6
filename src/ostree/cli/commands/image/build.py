"""``ostree image build``: build a disk image with a deployed system."""

from __future__ import annotations

from ostree.cli.json_output import JSON, print_json
from ostree.cli.options import OptionError, flag, path, text, texts
from ostree.errors import ImageError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.json_output import Json
    from ostree.cli.options import Arguments
    from ostree.events import Event
    from ostree.image.building import ImageRequest, MadeImage
    from ostree.image.firmware import Loader

USAGE = ""
OPTIONS = (
    path("repo", "PATH", "Repository that has the commit"),
    text("ref", "REF", "What to deploy"),
    text("os", "NAME", "Name of the stateroot"),
    text("bootloader", "NAME", "uboot, grub2, systemd-boot or none"),
    text("table", "KIND", "Partition table: gpt (default) or mbr"),
    text(
        "layout",
        "KIND",
        "single (default: /boot is in the root file system) or boot-partition",
    ),
    text("size", "SIZE", "Size of the disk, as in 4G (default: what two deployments need)"),
    text("data", "SIZE", "Add a partition of this size, mounted at /data"),
    text("reserve", "SIZE", "Leave so much in front of the first partition (default: 1M)"),
    texts(
        "kargs", "ARGS", "Kernel arguments, separated by blanks; root= is added if it is missing"
    ),
    text(
        "root-by",
        "KIND",
        "What root= names the root file system by: uuid (default), label, partuuid or partlabel",
    ),
    text(
        "tries", "N", "Starts of a new deployment before the one before (default: 3; 0: for ever)"
    ),
    path("boot-script", "FILE", "U-Boot script, as source or compiled, instead of our own"),
    path("firmware", "DIR", "Put the files of DIR on the FAT partition as well"),
    text("arch", "ARCH", "Architecture of the device as in uname -m (default: x86_64)"),
    text("remote", "NAME=URL", "Configure where updates come from"),
    texts("remote-option", "KEY=VALUE", "Configure the remote further"),
    flag("no-gpg-verify", "Do not verify the remote's commits with GPG"),
    text("seed", "TEXT", "Make all UUIDs from TEXT instead of at random"),
    path("output", "FILE", "Where to write the image", short="o"),
    JSON,
)
_LAYOUTS = ("single", "boot-partition")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MAX_SIZE = 1 << 50
_DEFAULT_TRIES = 3
_TRIES_HINT = (
    "U-Boot's script takes ostree_boot_limit from usr/lib/ostree-boot/uEnv.txt of the tree"
)


def run(ctx: Context, args: Arguments) -> None:
    """Build it, and tell what is in it."""
    from ostree.events import Message
    from ostree.image.building import build_image

    if args.words:
        raise UsageError(f"Unexpected argument {args.words[0]}")
    output = _required(args, "output")
    request = _request(ctx, args)
    as_json = args.flag("json")

    def listen(event: Event) -> None:
        if isinstance(event, Message) and not as_json:
            (ctx.stderr if event.warning else ctx.stdout).line(event.text)
            ctx.stdout.flush()

    made = build_image(request, output, environ=ctx.environ, on_event=listen)
    if as_json:
        print_json(ctx, _document(made))
    else:
        _print(ctx, made, output)


def _required(args: Arguments, name: str) -> str:
    value = args.text(name)
    if not value:
        raise UsageError(f"--{name} must be specified")
    return value


def _request(ctx: Context, args: Arguments) -> ImageRequest:
    from ostree.image.building import ImageRequest
    from ostree.image.firmware import Loader
    from ostree.image.layout import Table
    from ostree.image.root_argument import RootBy

    repository = args.text("repo") or ctx.environ.get("OSTREE_REPO")
    if not repository:
        raise UsageError("--repo must be specified")
    ref, stateroot = _required(args, "ref"), _required(args, "os")
    loader = Loader(_choice(args, "bootloader", [loader.value for loader in Loader], None))
    return ImageRequest(
        repository,
        ref,
        stateroot,
        loader,
        kernel_arguments=[word for words in args.texts("kargs") for word in words.split()],
        table=Table(_choice(args, "table", [table.value for table in Table], "gpt")),
        separate_boot=_choice(args, "layout", list(_LAYOUTS), "single") == "boot-partition",
        size=_size(args, "size"),
        data=_size(args, "data"),
        reserve=_size(args, "reserve") or _UNITS["M"],
        boot_script=_boot_script(args) if loader is Loader.UBOOT else None,
        extra=args.text("firmware"),
        architecture=args.text("arch") or "x86_64",
        remote=_remote(args),
        remote_options=_remote_options(args),
        seed=args.text("seed"),
        root_by=RootBy(_choice(args, "root-by", [by.value for by in RootBy], "uuid")),
        tries=_tries(args, loader),
    )


def _tries(args: Arguments, loader: Loader) -> int:
    from ostree.formats.sysroot_config import MAX_TRIES
    from ostree.image.firmware import COUNTING

    value = args.text("tries")
    if loader not in COUNTING:
        if value is not None:
            names = " and ".join(each.value for each in COUNTING)
            raise OptionError(f"--tries is for {names}", hint=_TRIES_HINT)
        return 0
    if value is None:
        return _DEFAULT_TRIES
    if not (len(value) == 1 and "0" <= value <= str(MAX_TRIES)):
        raise OptionError(f"Invalid --tries '{value}': it is 0 to {MAX_TRIES}")
    return int(value)


def _choice(args: Arguments, name: str, values: list[str], default: str | None) -> str:
    value = _required(args, name) if default is None else args.text(name) or default
    if value not in values:
        raise OptionError(f"Invalid --{name} '{value}': it is one of {', '.join(values)}")
    return value


def _size(args: Arguments, name: str) -> int | None:
    value = args.text(name)
    return None if value is None else parse_size(name, value)


def parse_size(name: str, value: str) -> int:
    """A number of bytes, or of what its last letter says, in powers of 1024.

    Raises:
        OptionError: it is none, or out of reason.
    """
    number, unit = (value, "") if value[-1:].isdigit() else (value[:-1], value[-1:].upper())
    size = 0
    if unit in _UNITS and number.isascii() and number.isdigit() and len(number) < 20:
        size = int(number) * _UNITS[unit]
    if not 0 < size <= _MAX_SIZE:
        raise OptionError(f"Invalid --{name} '{value}': a size is a number with K, M, G or T")
    return size


def _boot_script(args: Arguments) -> bytes:
    name = args.text("boot-script")
    if name is None:
        from ostree.boot.scripts import read_script

        return read_script("boot.cmd")
    try:
        with open(name, "rb") as file:
            return file.read(1 << 21)
    except OSError as error:
        raise ImageError(f"Reading {name}: {error.strerror}") from error


def _remote(args: Arguments) -> tuple[str, str] | None:
    value = args.text("remote")
    if value is None:
        return None
    name, equals, url = value.partition("=")
    if not (name and equals and url):
        raise OptionError(f"Invalid --remote '{value}': it is NAME=URL")
    return name, url


def _remote_options(args: Arguments) -> list[tuple[str, str]]:
    options = []
    for value in args.texts("remote-option"):
        key, equals, rest = value.partition("=")
        if not (key and equals):
            raise OptionError(f"Invalid --remote-option '{value}': it is KEY=VALUE")
        options.append((key, rest))
    if args.flag("no-gpg-verify"):
        options.append(("gpg-verify", "false"))
    if args.text("remote") is None and options:
        raise OptionError("Options of a remote need --remote")
    return options


def _print(ctx: Context, made: MadeImage, output: str) -> None:
    ctx.stdout.line(f"{output}: {made.layout.size >> 20} MiB, commit {made.system.checksum}")
    for number, volume in enumerate(made.layout.volumes, 1):
        ctx.stdout.line(f"  {number} {volume.role.value}: {volume.size >> 20} MiB, {volume.uuid}")


def _document(made: MadeImage) -> dict[str, Json]:
    layout = made.layout
    return {
        "size": layout.size,
        "table": layout.table.value,
        "disk": str(layout.disk),
        "commit": made.system.checksum,
        "deployment": f"/{made.system.deployment}",
        "partitions": [
            {
                "role": volume.role.value,
                "offset": volume.offset,
                "size": volume.size,
                "file_system": "vfat" if volume.role.value == "firmware" else "ext4",
                "uuid": str(volume.uuid),
                "partition_uuid": layout.partition_uuid(number),
            }
            for number, volume in enumerate(layout.volumes, 1)
        ],
    }
