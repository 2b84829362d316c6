"""``ostree static-delta generate``: make a delta between two commits, or from scratch."""

from __future__ import annotations

from ostree.cli.delta_signing import KEYS_FILE, signer
from ostree.cli.options import REPO, OptionError, flag, integer, text, texts
from ostree.cli.progress import StepListener
from ostree.cli.repository import open_repo
from ostree.cli.signing import SIGN_TYPE
from ostree.errors import OSTreeError
from ostree.events import Message
from ostree.formats.delta.name import DeltaName
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.events import Event
    from ostree.repo.repository import Repo
    from ostree.repo.static_delta.plan import DeltaOptions
    from ostree.types import Checksum

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
    texts("sign", "KEY_ID", "Sign the delta with"),
    KEYS_FILE,
    SIGN_TYPE,
    integer("last", "N", "Create deltas from each of the last N commits before TO"),
    texts("from-each-of", "REV", "Create deltas from each of these revisions (may be repeated)"),
    integer("max-memory", "MB", "Use no more than about MB megabytes of memory"),
)
_MEGABYTE = 1_000_000


def run(ctx: Context, args: Arguments) -> None:
    """Make it, unless it exists and that is enough; or several, and say what each costs."""
    with open_repo(ctx, args) as repo:
        names = _names(repo, args)
        options = _options(args)
        filename = args.text("filename")
        several = args.has("last") or args.has("from-each-of")
        if several and filename is not None:
            raise OSTreeError("Cannot specify --filename for several deltas")
        _generate_all(ctx, repo, args, names, options)
        if several:
            from ostree.cli.delta_text import share_table
            from ostree.repo.static_delta.shares import shares

            ctx.stdout.write(share_table(shares(repo, names)))


def _generate_all(
    ctx: Context, repo: Repo, args: Arguments, names: list[DeltaName], options: DeltaOptions
) -> None:
    from ostree.repo.static_delta.generate import Trees, generate

    trees = Trees(repo)
    for name in names:
        if args.flag("if-not-exists") and _exists(repo, name):
            ctx.stdout.line(f"Delta {name} already exists.")
            continue
        ctx.stdout.line("Generating static delta:")
        ctx.stdout.line(f"  From: {name.source or 'empty'}")
        ctx.stdout.line(f"  To:   {name.target}")
        ctx.stdout.flush()
        listener = StepListener(ctx, "static delta objects")

        def show(event: Event, listener: StepListener = listener) -> None:
            # Elsewhere than on a terminal upstream's lines on standard error are all there is.
            if ctx.stdout.is_terminal or isinstance(event, Message):
                listener(event)

        try:
            generate(
                repo,
                name,
                options,
                filename=args.text("filename"),
                sign=signer(repo, args),
                on_event=show,
                trees=trees,
            )
        finally:
            listener.close()


def _names(repo: Repo, args: Arguments) -> list[DeltaName]:
    """The deltas that are asked for, each once."""
    to = args.text("to") or (args.words[0] if args.words else None)
    if to is None:
        raise OSTreeError("TO revision must be specified")
    source, empty = args.text("from"), args.flag("empty")
    if empty and source is not None:
        raise OSTreeError("Cannot specify both --empty and --from=REV")
    if args.has("last") or args.has("from-each-of"):
        if source is not None:
            raise OSTreeError("Cannot specify --from=REV with --last or --from-each-of")
        return _several(repo, args, to, empty=empty)
    if empty:
        return [DeltaName(None, repo.resolve(to))]
    return [DeltaName(repo.resolve(source or f"{to}^"), repo.resolve(to))]


def _several(repo: Repo, args: Arguments, to: str, *, empty: bool) -> list[DeltaName]:
    target = repo.resolve(to)
    sources: list[Checksum | None] = [None] if empty else []
    count = args.integer("last", 0)
    if count < 0:
        raise OptionError(f"Invalid --last={count}")
    parent = repo.load_commit(target).parent
    while count and parent is not None and repo.has_object(parent, ObjectType.COMMIT):
        sources.append(parent)
        parent = repo.load_commit(parent).parent
        count -= 1
    sources += [repo.resolve(rev) for rev in args.texts("from-each-of")]
    return [DeltaName(source, target) for source in dict.fromkeys(sources) if source != target]


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
        max_memory=_max_memory(args),
    )


def _max_memory(args: Arguments) -> int | None:
    if not args.has("max-memory"):
        return None
    megabytes = args.integer("max-memory", 0)
    if megabytes < 1:
        raise OptionError(f"Invalid --max-memory={megabytes}")
    return megabytes * _MEGABYTE


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
