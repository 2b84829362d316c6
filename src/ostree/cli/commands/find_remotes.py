"""``ostree find-remotes``: who has refs of collections."""

from __future__ import annotations

from ostree.cli.caching import CACHE_DIR, apply_cache_options
from ostree.cli.commands.create_usb import collection_ref_pairs
from ostree.cli.options import REPO, flag, text
from ostree.cli.progress import PullListener
from ostree.cli.pulling import DISABLE_FSYNC
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError, UsageError
from ostree.transfer.options import PullOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.transfer.finders.finder import CollectionRef, Finder
    from ostree.transfer.ranking import Result

USAGE = "COLLECTION-ID REF [COLLECTION-ID REF...]"
OPTIONS = (
    REPO,
    CACHE_DIR,
    DISABLE_FSYNC,
    text(
        "finders",
        "FINDERS",
        "Use the specified comma separated list of finders (e.g. config,lan,mount)",
    ),
    flag("pull", "Pull the updates after finding them"),
    flag("mirror", "Do a mirror pull (see ostree pull --mirror)"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Print who has the refs, and pull them if asked to."""
    with open_repo(ctx, args) as repo:
        refs = list(dict.fromkeys(collection_ref_pairs(args.words)))
        if args.flag("mirror") and not args.flag("pull"):
            raise UsageError("When --mirror is specified, --pull must also be")
        finders = _finders(repo, args.text("finders"))
        _check(refs)
        from ostree.transfer.find_remotes import find_remotes

        options = apply_cache_options(ctx, args, PullOptions(mirror=args.flag("mirror")))
        if args.flag("disable-fsync"):
            options.fsync = False
        results = find_remotes(repo, finders, refs, options)
        if not results:
            ctx.stdout.line("No results.")
            return
        for number, result in enumerate(results):
            _print_result(ctx, number, result)
        found = _print_summary(ctx, refs, results)
        if args.flag("pull"):
            _pull(ctx, repo, results, found, options)


def _check(refs: Sequence[CollectionRef]) -> None:
    from ostree.transfer.wanted import collection_wanted

    collection_wanted((collection, name, None) for collection, name in refs)


def _finders(repo: Repo, chosen: str | None) -> list[Finder]:
    """The finders of a list, or else those of the configuration.

    Raises:
        UsageError: if the list is empty, or names one that is unknown or there already.
    """
    from ostree.transfer.finders.choice import make_finder

    if chosen is None:
        names = repo.config.repo_finders
        return [finder for name in names if (finder := make_finder(name)) is not None]
    if not chosen:
        raise UsageError("List of finders in --finders option must not be empty")
    finders: dict[str, Finder] = {}
    for name in chosen.split(","):
        finder = make_finder(name)
        if finder is None or name in finders:
            raise UsageError(
                f"Unknown or duplicate finder type given in --finders option: ‘{name}’"
            )
        finders[name] = finder
    return list(finders.values())


def _print_result(ctx: Context, number: int, result: Result) -> None:
    from ostree.formats.date_text import format_rfc3339

    offer = result.offer
    modified = offer.summary.last_modified
    when = format_rfc3339(modified) if modified is not None else None
    ctx.stdout.line(f"Result {number}: {offer.url}")
    ctx.stdout.line(f" - Finder: {offer.finder.title}")
    ctx.stdout.line(f" - Keyring: {offer.remote.name}.trustedkeys.gpg")
    ctx.stdout.line(f" - Priority: {offer.finder.priority}")
    ctx.stdout.line(f" - Summary last modified: {when or 'unknown'}")
    ctx.stdout.line(" - Refs:")
    for (collection, name), commit in result.commits.items():
        ctx.stdout.line(f"    - ({collection}, {name}) = {commit or '(not found)'}")
    ctx.stdout.line()


def _print_summary(ctx: Context, refs: Sequence[CollectionRef], results: Sequence[Result]) -> int:
    """Say how many refs were found, and which were not; the number of the former."""
    from ostree.transfer.ranking import found_in

    missing = [ref for ref in refs if not found_in(results, ref)]
    found = len(refs) - len(missing)
    ctx.stdout.line(f"{found}/{len(refs)} refs were found.")
    if missing:
        ctx.stdout.line("Refs not found in any remote:")
        for collection, name in missing:
            ctx.stdout.line(f" - ({collection}, {name})")
    return found


def _pull(
    ctx: Context, repo: Repo, results: Sequence[Result], found: int, options: PullOptions
) -> None:
    from ostree.transfer.find_remotes import pull_found

    listener = PullListener(ctx)
    try:
        missing = pull_found(repo, results, options, listener)
    finally:
        listener.close()
    if missing:
        names = ", ".join(f"({collection}, {name})" for collection, name in missing)
        raise OSTreeError(
            f"Failed to pull some refs from the remotes: {names}",
            hint="; ".join(dict.fromkeys(missing.values())),
        )
    ctx.stdout.line(f"Pulled {found}/{found} refs successfully.")
