"""``ostree show``: an object, or a part of one, as text."""

from __future__ import annotations

from ostree.cli.object_text import METADATA_TYPES, commit_text, file_text, variant_text
from ostree.cli.options import JSON, REPO, flag, text
from ostree.cli.repository import open_repo
from ostree.cli.signing import GPG_HOMEDIR
from ostree.errors import NotFoundError, OSTreeError, UsageError
from ostree.formats.refspec import looks_like_checksum
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.formats.gvariant import Variant
    from ostree.repo.repository import Repo
    from ostree.sign.gpg.verifying import GpgVerdict

USAGE = "OBJECT"
OPTIONS = (
    REPO,
    flag("print-related", 'Show the "related" commits'),
    text(
        "print-variant-type",
        "TYPE",
        "Memory map OBJECT (in this case a filename) to the GVariant type string",
    ),
    flag("list-metadata-keys", "List the available metadata keys"),
    text("print-metadata-key", "KEY", "Print string value of metadata key"),
    flag("list-detached-metadata-keys", "List the available detached metadata keys"),
    text("print-detached-metadata-key", "KEY", "Print string value of detached metadata key"),
    flag("print-hex", "For byte array valued keys, output an unquoted hexadecimal string"),
    flag("print-sizes", "Show the commit size metadata"),
    flag("raw", "Show raw variant data"),
    flag(
        "no-byteswap",
        "Do not automatically convert variant data from big endian",
        short="B",
    ),
    GPG_HOMEDIR,
    text("gpg-verify-remote", "REMOTE", "Use REMOTE name for GPG configuration"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Print what the options ask for; without any, the whole object."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("An object argument is required")
        rev = args.words[0]
        if args.flag("json"):
            from ostree.cli.json_output import print_json, refuse_with_json
            from ostree.cli.show_json import show_document

            refuse_with_json(args, "raw", "no-byteswap", "print-hex")
            print_json(ctx, show_document(repo, args, rev))
        elif args.text("print-variant-type") is not None:
            _print_file_as_variant(ctx, args, rev)
        elif args.flag("list-metadata-keys") or args.text("print-metadata-key") is not None:
            commit = repo.load_commit(repo.resolve(rev))
            key = args.text("print-metadata-key")
            _print_metadata(ctx, args, commit.metadata, key)
        elif (
            args.flag("list-detached-metadata-keys")
            or args.text("print-detached-metadata-key") is not None
        ):
            _print_detached(ctx, args, repo, repo.resolve(rev))
        elif args.flag("print-related"):
            for name, digest in repo.load_commit(repo.resolve(rev)).related:
                ctx.stdout.line(f"{name} {digest.hex()}")
        elif args.flag("print-sizes"):
            _print_sizes(ctx, repo, repo.resolve(rev))
        else:
            _print_object(ctx, args, repo, rev)


def _print_file_as_variant(ctx: Context, args: Arguments, name: str) -> None:
    type = args.text("print-variant-type") or ""
    ctx.stdout.line(variant_text(type, read_file(name), swap=not args.flag("no-byteswap")))


def read_file(name: str) -> bytes:
    """A file that holds a variant.

    Raises:
        NotFoundError: ``openat(NAME): …``.
    """
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise NotFoundError(f"openat({name}): {error.strerror}") from error


def _print_detached(ctx: Context, args: Arguments, repo: Repo, checksum: Checksum) -> None:
    detached = repo.load_detached(checksum)
    if detached is None:
        raise NotFoundError(f"No detached metadata for commit {checksum}")
    _print_metadata(ctx, args, detached, args.text("print-detached-metadata-key"))


def _print_metadata(
    ctx: Context, args: Arguments, pairs: Sequence[tuple[str, Variant]], key: str | None
) -> None:
    """The value of a key, or all keys."""
    if key is None:
        for name in sorted({name for name, _ in pairs}):
            ctx.stdout.line(name)
        return
    from ostree.formats import gvariant
    from ostree.formats.gvariant.text import print_text

    found = next((variant for name, variant in pairs if name == key), None)
    if found is None:
        raise NotFoundError(f"No such metadata key '{key}'")
    if args.flag("print-hex") and found.type == "ay":
        ctx.stdout.line(found.value.hex())
        return
    value = found.value
    if not args.flag("no-byteswap"):
        value = gvariant.byteswap(found.type, value)
    ctx.stdout.line(print_text(found.type, value))


def _print_sizes(ctx: Context, repo: Repo, checksum: Checksum) -> None:
    from ostree.formats import sizes
    from ostree.formats.size_text import format_size

    try:
        stored = repo.load_commit(checksum).metadata_value("ostree.sizes", "aay")
    except OSTreeError as error:
        error.add_prefix("Failed to read commit")
        raise
    if stored is None:
        raise NotFoundError("No metadata key ostree.sizes in commit")
    entries = [sizes.decode_entry(data) for data in stored]
    missing = [entry for entry in entries if not repo.has_object(entry.checksum, entry.type)]
    for title, needed, total in (
        ("Compressed", sum(e.archived for e in missing), sum(e.archived for e in entries)),
        ("Unpacked", sum(e.unpacked for e in missing), sum(e.unpacked for e in entries)),
    ):
        ctx.stdout.line(f"{title} size (needed/total): {format_size(needed)}/{format_size(total)}")
    ctx.stdout.line(f"Number of objects (needed/total): {len(missing)}/{len(entries)}")


def _print_object(ctx: Context, args: Arguments, repo: Repo, rev: str) -> None:
    if not looks_like_checksum(rev):
        _print_metadata_object(ctx, args, repo, repo.resolve(rev), ObjectType.COMMIT)
        return
    checksum = Checksum(rev)
    is_metadata = False
    for type in (ObjectType.COMMIT, ObjectType.DIRMETA, ObjectType.DIRTREE):
        if repo.has_object(checksum, type):
            is_metadata = True
            _print_metadata_object(ctx, args, repo, checksum, type)
    if not is_metadata:
        header, size = repo.load_file_header(checksum)
        ctx.stdout.write(file_text(checksum, header, size))


def _print_metadata_object(
    ctx: Context, args: Arguments, repo: Repo, checksum: Checksum, type: ObjectType
) -> None:
    data = repo.load_metadata(checksum, type)
    ctx.stdout.line(f"{type.extension} {checksum}")
    unswapped = args.flag("no-byteswap")
    if args.flag("raw") or unswapped:
        ctx.stdout.line(variant_text(METADATA_TYPES[type], data, swap=not unswapped))
    # As upstream: the option that keeps the byte order does not suppress the readable form.
    if type is ObjectType.COMMIT:
        if not args.flag("raw"):
            ctx.stdout.write(commit_text(repo.load_commit(checksum)))
        _print_signatures(ctx, args, repo, checksum)


def _print_signatures(ctx: Context, args: Arguments, repo: Repo, commit: Checksum) -> None:
    """What OpenPGP signatures the commit has."""
    verdict = inspect_signatures(args, repo, commit)
    if verdict is not None:
        from ostree.cli.signing import found_text

        ctx.stdout.write(found_text("Found", verdict.descriptions))


def inspect_signatures(args: Arguments, repo: Repo, commit: Checksum) -> GpgVerdict | None:
    """What the OpenPGP signatures of a commit are worth; None if it has none.

    Raises:
        OSTreeError: if they are none, or keys cannot be read.
    """
    from ostree.repo.signing import inspect_commit, is_signed

    if not is_signed(repo, commit):
        return None
    from ostree.repo import keyrings

    remote = args.text("gpg-verify-remote")
    if remote is not None:
        verifier = keyrings.verifier_for_remote(repo, remote)
    else:
        verifier = keyrings.verifier_for_repo(repo, args.text("gpg-homedir"))
    return inspect_commit(repo, commit, verifier)
