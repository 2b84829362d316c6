"""``ostree remote add``: configure a remote."""

from __future__ import annotations

from ostree.cli.commands.remote.target import OPTIONS as TARGET_OPTIONS
from ostree.cli.commands.remote.target import open_target
from ostree.cli.options import flag, path, text, texts
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.sign.settings import SignSettings

USAGE = "NAME [metalink=|mirrorlist=]URL [BRANCH...]"
OPTIONS = (
    texts("set", "KEY=VALUE", "Set config option KEY=VALUE for remote"),
    flag("no-gpg-verify", "Disable GPG verification"),
    flag("no-sign-verify", "Disable signature verification"),
    texts(
        "sign-verify",
        "KEYTYPE=[inline|file]:PUBKEY",
        "Verify signatures using KEYTYPE=inline:PUBKEY or KEYTYPE=file:/path/to/key",
    ),
    flag("if-not-exists", "Do nothing if the provided remote exists"),
    flag("force", "Replace the provided remote if it exists"),
    path("gpg-import", "FILE", "Import GPG key from FILE"),
    text("custom-backend", "NAME", "This remote has content not fetched via libostree"),
    text("contenturl", "URL", "Use URL when fetching content"),
    text(
        "collection-id",
        "COLLECTION-ID",
        "Globally unique ID for this repository as an collection of refs for redistribution to "
        "other repositories",
    ),
    *TARGET_OPTIONS,
)


def run(ctx: Context, args: Arguments) -> None:
    """Write the remote's options in upstream's order."""
    with open_target(ctx, args) as repo:
        backend = args.text("custom-backend")
        if not args.words or (len(args.words) < 2 and backend is None):
            raise UsageError(
                "NAME must be specified"
                if backend is not None
                else "NAME and URL must be specified"
            )
        if args.flag("if-not-exists") and args.flag("force"):
            raise UsageError("Can only specify one of --if-not-exists and --force")
        name = args.words[0]
        options = _options(args, repo.sign_settings)
        if not (args.flag("if-not-exists") and repo.remotes.has(name)):
            repo.remotes.add(name, options, replace=args.flag("force"))
        keys = args.text("gpg-import")
        if keys is not None:
            from ostree.cli.commands.remote.gpg_import import read_keys
            from ostree.cli.signing import imported_text
            from ostree.repo.keyrings import import_remote_keys

            count = import_remote_keys(repo, name, read_keys(keys))
            ctx.stdout.line(imported_text(count, name))


def _options(args: Arguments, settings: SignSettings) -> list[tuple[str, str]]:
    _, *rest = args.words
    url, branches = (rest[0], rest[1:]) if rest else (None, [])
    options: list[tuple[str, str]] = []
    if url is not None and url.startswith("metalink="):
        options.append(("metalink", url.removeprefix("metalink=")))
    elif url is not None:
        options.append(("url", url))
    if branches:
        options.append(("branches", "".join(f"{branch};" for branch in branches)))
    for key in ("contenturl", "custom-backend"):
        value = args.text(key)
        if value is not None:
            options.append((key, value))
    for pair in args.texts("set"):
        key, equals, value = pair.partition("=")
        if not equals:
            raise OSTreeError("Missing '=' in KEY=VALUE for --set")
        options.append((key, value))
    # Upstream has the second flag imply the first.
    if args.flag("no-gpg-verify") or args.flag("no-sign-verify"):
        options.append(("gpg-verify", "false"))
    if args.flag("no-sign-verify"):
        options.append(("sign-verify", "false"))
    options += _verification(args, settings)
    collection = args.text("collection-id")
    if collection is not None:
        options.append(("collection-id", collection))
    return options


def _verification(args: Arguments, settings: SignSettings) -> list[tuple[str, str]]:
    """The keys that signatures are verified with, and the engines that have to find them good."""
    references = args.texts("sign-verify")
    if not references:
        return []
    if args.flag("no-sign-verify"):
        raise OSTreeError("Cannot specify both --sign-verify and --no-sign-verify")
    from ostree.sign.engines import find_engine

    options = []
    names = []
    for given in references:
        name, equals, reference = given.partition("=")
        if not equals:
            raise OSTreeError(f"Failed to parse KEYTYPE=[inline|file]:DATA in {given}")
        find_engine(name, settings)
        kind, colon, data = reference.partition(":")
        if not colon or kind not in {"inline", "file"}:
            raise OSTreeError(f"Invalid key reference {kind}, expected inline|file")
        suffix = "key" if kind == "inline" else "file"
        options.append((f"verification-{name}-{suffix}", data))
        names.append(name)
    return [*options, ("sign-verify", ",".join(names))]
