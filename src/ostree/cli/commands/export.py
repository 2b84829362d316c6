"""``ostree export``: a commit as a tar archive."""

from __future__ import annotations

from ostree.cli.options import REPO, flag, path, text
from ostree.cli.repository import open_repo
from ostree.errors import NotFoundError, OSTreeError, RepoError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo import tree
    from ostree.repo.repository import Repo

USAGE = "COMMIT"
OPTIONS = (
    REPO,
    flag("no-xattrs", "Skip output of extended attributes"),
    text("subpath", "PATH", "Checkout sub-directory PATH"),
    text("prefix", "PATH", "Add PATH as prefix to archive pathnames"),
    path("output", "PATH", "Output to PATH ", short="o"),
)


def run(ctx: Context, args: Arguments) -> None:
    """Write a GNU tar archive to standard output, or to a file."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("A COMMIT argument is required")
        output = args.text("output")
        if not output:
            _export_to_stdout(ctx, repo, args)
            return
        found, mtime = _find(repo, args)
        from ostree.system.output_file import OutputFile

        try:
            file = OutputFile(output)
        except OSError as error:
            raise RepoError(f"Failed to open '{output}'") from error
        with file:
            _write(repo, args, found, mtime, file.write, pad=not file.is_regular)
            file.finish()


def _export_to_stdout(ctx: Context, repo: Repo, args: Arguments) -> None:
    from ostree.system.archive import ArchiveWriter

    try:
        found, mtime = _find(repo, args)
    except OSTreeError:
        # As upstream: whatever reads the pipe gets an archive, if an empty one.
        with ArchiveWriter(ctx.stdout.write_bytes, pad=True) as writer:
            writer.finish()
        raise
    _write(repo, args, found, mtime, ctx.stdout.write_bytes, pad=True)


def _find(repo: Repo, args: Arguments) -> tuple[tree.Entry, int]:
    """The directory that is asked for, and the time of its commit."""
    from ostree.repo.tree import lookup

    commit = repo.load_commit(repo.resolve(args.words[0]))
    subpath = args.text("subpath")
    found = lookup(repo, commit.root, "/" if subpath is None else subpath)
    if found.tree is None:
        raise NotFoundError("Not a directory")
    return found, commit.timestamp


def _write(
    repo: Repo,
    args: Arguments,
    found: tree.Entry,
    mtime: int,
    write: Callable[[bytes], None],
    *,
    pad: bool,
) -> None:
    from ostree.repo.archive_export import ArchiveExport
    from ostree.system.archive import ArchiveWriter

    with ArchiveWriter(write, pad=pad) as writer:
        ArchiveExport(repo, writer, prefix=args.text("prefix") or "", mtime=mtime).run(found)
        writer.finish()
