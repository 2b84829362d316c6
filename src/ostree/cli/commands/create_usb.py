"""``ostree create-usb``: copy refs to a volume for other machines."""

from __future__ import annotations

from ostree.cli.options import REPO, text
from ostree.cli.progress import PullListener
from ostree.cli.pulling import DISABLE_FSYNC
from ostree.cli.repository import open_repo
from ostree.errors import UsageError
from ostree.transfer.create_usb import DEFAULT_DESTINATION, copy_to_volume
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments

USAGE = "MOUNT-PATH COLLECTION-ID REF [COLLECTION-ID REF...]"
OPTIONS = (
    REPO,
    DISABLE_FSYNC,
    text("destination-repo", "DEST", "Use custom repository directory within the mount"),
    text("commit", "COMMIT", "Pull a specific commit (only works when a single ref is specified)"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Copy the refs."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("A MOUNT-PATH must be specified")
        mount, *words = args.words
        refs = collection_ref_pairs(words)
        commit = args.text("commit")
        if commit is not None and len(refs) > 1:
            raise UsageError(
                "The --commit option can only be used when a single COLLECTION-ID REF pair is "
                "specified"
            )
        destination = args.text("destination-repo") or DEFAULT_DESTINATION
        listener = PullListener(ctx)
        try:
            copy_to_volume(
                repo,
                mount,
                refs,
                destination=destination,
                commit=Checksum(commit) if commit is not None else None,
                fsync=False if args.flag("disable-fsync") else None,
                on_event=listener,
            )
        finally:
            listener.close()
        count = len(refs)
        ctx.stdout.line(
            f"Copied {count}/{count} refs successfully from ‘{repo.path}’ "
            f"to ‘{destination}’ repository in ‘{mount}’."
        )


def collection_ref_pairs(words: list[str]) -> list[tuple[str, str]]:
    """The pairs of collection ID and ref that words stand for.

    Raises:
        UsageError: if there are none, or the last one lacks its ref.
    """
    if len(words) < 2:
        raise UsageError("At least one COLLECTION-ID REF pair must be specified")
    if len(words) % 2:
        raise UsageError("Only complete COLLECTION-ID REF pairs may be specified")
    return list(zip(words[::2], words[1::2], strict=True))
