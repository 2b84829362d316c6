"""``ostree static-delta generate``: make a delta between two commits, or from scratch."""

from __future__ import annotations

from ostree.cli.options import REPO, flag, text
from ostree.cli.progress import StepListener
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError
from ostree.formats.delta.name import DeltaName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.events import Event
    from ostree.repo.repository import Repo
    from ostree.repo.static_delta.plan import DeltaOptions

USAGE = "[TO]"
OPTIONS = (
    REPO,
    text("from", "REV", "Create delta from revision REV"),
    flag("empty", "Create delta from scratch"),
    flag("inline", "Inline delta parts into main delta"),
    text("to", "REV", "Create delta to revision REV"),
    flag("disable-bsdiff", "Disable use of bsdiff"),
    flag("if-not-exists", "Only generate if a delta does not already exist", short="n"),
    text("set-endianness", "ENDIAN", "Choose metadata endianness ('l' or 'B')"),
    flag("swap-endianness", "Swap metadata endianness from host order"),
    text(
        "min-fallback-size",
        "",
        "Minimum uncompressed size in megabytes for individual HTTP request",
    ),
    text(
        "max-bsdiff-size",
        "",
        "Maximum size in megabytes to consider bsdiff compression for input files",
    ),
    text("max-chunk-size", "", "Maximum size of delta chunks in megabytes"),
    text(
        "filename",
        "PATH",
        "Write the delta content to PATH (a directory).  If not specified, the OSTree repository "
        "is used",
    ),
    text("sign", "KEY_ID", "Sign the delta with"),
    text("sign-type", "NAME", "Signature type to use (defaults to 'ed25519')"),
)
_MEGABYTE = 1_000_000


def run(ctx: Context, args: Arguments) -> None:
    """Make it, unless it exists and that is enough."""
    with open_repo(ctx, args) as repo:
        name = _name(repo, args)
        options = _options(args)
        if args.flag("if-not-exists") and _exists(repo, name):
            ctx.stdout.line(f"Delta {name} already exists.")
            return
        if args.text("sign") is not None:
            raise OSTreeError("Requested signature type is not implemented")
        ctx.stdout.line("Generating static delta:")
        ctx.stdout.line(f"  From: {name.source or 'empty'}")
        ctx.stdout.line(f"  To:   {name.target}")
        ctx.stdout.flush()
        _generate(ctx, repo, name, options, args.text("filename"))


def _generate(
    ctx: Context, repo: Repo, name: DeltaName, options: DeltaOptions, filename: str | None
) -> None:
    from ostree.repo.static_delta.generate import generate

    listener = StepListener(ctx, "static delta objects")

    def show(event: Event) -> None:
        # Elsewhere than on a terminal upstream's lines on standard error are all there is.
        from ostree.events import Message

        if ctx.stdout.is_terminal or isinstance(event, Message):
            listener(event)

    try:
        generate(repo, name, options, filename=filename, on_event=show)
    finally:
        listener.close()


def _name(repo: Repo, args: Arguments) -> DeltaName:
    to = args.words[0] if args.words else None
    to = args.text("to") or to
    if to is None:
        raise OSTreeError("TO revision must be specified")
    source = args.text("from")
    if args.flag("empty"):
        if source is not None:
            raise OSTreeError("Cannot specify both --empty and --from=REV")
        return DeltaName(None, repo.resolve(to))
    return DeltaName(repo.resolve(source or f"{to}^"), repo.resolve(to))


def _options(args: Arguments) -> DeltaOptions:
    from ostree.repo.static_delta.plan import DeltaOptions

    endianness = args.text("set-endianness") or "l"
    if endianness not in {"l", "B"}:
        raise OSTreeError(f"Invalid endianness '{endianness}'")
    if args.flag("swap-endianness"):
        endianness = "l" if endianness == "B" else "B"
    defaults = DeltaOptions()
    return DeltaOptions(
        min_fallback_size=_megabytes(args, "min-fallback-size", defaults.min_fallback_size),
        max_bsdiff_size=_megabytes(args, "max-bsdiff-size", defaults.max_bsdiff_size),
        max_chunk_size=_megabytes(args, "max-chunk-size", defaults.max_chunk_size),
        bsdiff=not args.flag("disable-bsdiff"),
        inline=args.flag("inline"),
        endianness=endianness,
    )


def _megabytes(args: Arguments, name: str, default: int) -> int:
    """A number as C reads it: its leading digits, 0 if there are none."""
    value = args.text(name)
    if value is None:
        return default
    value = value.strip()
    digits = ""
    for character in value.removeprefix("+"):
        if character not in "0123456789":
            break
        digits += character
    return int(digits or "0")


def _exists(repo: Repo, name: DeltaName) -> bool:
    from ostree.repo.static_delta import storage

    return storage.has(repo, name)
