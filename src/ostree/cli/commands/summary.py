"""``ostree summary``: make or show the list of what a repository offers."""

from __future__ import annotations

import os

from ostree.cli.object_text import variant_text
from ostree.cli.options import JSON, REPO, OptionError, flag, text, texts
from ostree.cli.repository import open_repo
from ostree.cli.signing import found_text, sign_options, signers
from ostree.cli.summary_text import metadata_keys, metadata_value, summary_text
from ostree.errors import FormatError, NotFoundError, OSTreeError
from ostree.formats import summary as summary_format
from ostree.store.store import MAX_METADATA
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.formats.gvariant import Variant
    from ostree.formats.summary import Summary
    from ostree.repo.repository import Repo
    from ostree.sign.gpg.verifying import GpgVerdict

USAGE = ""
OPTIONS = (
    REPO,
    flag("update", "Update the summary", short="u"),
    flag("view", "View the local summary file", short="v"),
    flag("raw", "View the raw bytes of the summary file"),
    *sign_options("summary", "KEY-ID", "Key ID to sign the summary with"),
    flag("list-metadata-keys", "List the available metadata keys"),
    text("print-metadata-key", "KEY", "Print string value of metadata key"),
    texts(
        "add-metadata",
        "KEY=VALUE",
        "Additional metadata field to add to the summary",
        short="m",
    ),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Write the summary anew, or print what the options ask for."""
    with open_repo(ctx, args) as repo:
        key = args.text("print-metadata-key")
        if args.flag("json"):
            from ostree.cli.json_output import print_json, refuse_with_json
            from ostree.cli.summary_json import summary_document

            refuse_with_json(args, "update", "raw")
            document = summary_document(_load(repo), args, lambda: _inspect(repo, args))
            print_json(ctx, document)
        elif args.flag("update"):
            from ostree.repo.summary import regenerate

            regenerate(repo, metadata=_metadata(args), signers=list(signers(repo, args)))
        elif args.flag("raw"):
            ctx.stdout.line(variant_text(summary_format.TYPE, _read(repo), swap=True))
        elif args.flag("list-metadata-keys"):
            ctx.stdout.write(metadata_keys(_load(repo)))
        elif key is not None:
            ctx.stdout.line(metadata_value(_load(repo), key))
        elif args.flag("view"):
            ctx.stdout.write(summary_text(_load(repo)))
            _print_signatures(ctx, repo, args)
        else:
            raise OSTreeError("No option specified; use -u to update summary")


def _metadata(args: Arguments) -> list[tuple[str, Variant]]:
    from ostree.formats.gvariant.parse import parse_text

    metadata = []
    for pair in args.texts("add-metadata"):
        key, equals, value = pair.partition("=")
        if not equals:
            raise OptionError(f"Missing '=' in KEY=VALUE metadata '{pair}'")
        try:
            metadata.append((key, parse_text(value)))
        except FormatError as error:
            # The empty part is upstream's: a prefix that it has not got.
            error.add_prefix(f"Error parsing variant ‘{value}’: ")
            raise
    return metadata


def _print_signatures(ctx: Context, repo: Repo, args: Arguments) -> None:
    if not files.exists("summary.sig", repo.dir_fd):
        ctx.stdout.line("Summary is unsigned")
        return
    verdict = _inspect(repo, args)
    if verdict is not None:
        ctx.stdout.write("\n" + found_text("Found", verdict.descriptions, " on the summary"))


def _inspect(repo: Repo, args: Arguments) -> GpgVerdict | None:
    """What the summary's OpenPGP signatures are worth; None if there are none."""
    try:
        stored = files.read_file("summary.sig", repo.dir_fd, limit=MAX_METADATA)
    except FileNotFoundError:
        return None
    from ostree.formats import signature_dict
    from ostree.repo.keyrings import verifier_for_signing

    verifier = verifier_for_signing(repo, args.text("gpg-homedir"))
    signatures = verifier.signatures(signature_dict.decode(stored))
    return None if signatures is None else verifier.check(_read(repo), signatures)


def _read(repo: Repo) -> bytes:
    path = os.path.join(repo.path, "summary")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise NotFoundError(f"openat(summary): {error.strerror}") from error


def _load(repo: Repo) -> Summary:
    return summary_format.decode(_read(repo))
