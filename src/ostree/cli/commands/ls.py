"""``ostree ls``: the files of a commit."""

from __future__ import annotations

import stat

from ostree.cli.object_text import xattrs_text
from ostree.cli.options import JSON, REPO, flag
from ostree.cli.repository import open_repo
from ostree.errors import OSTreeError, UsageError
from ostree.repo import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo
    from ostree.types import Checksum, DirMeta, FileHeader, TreeId

USAGE = "COMMIT [PATH...]"
OPTIONS = (
    REPO,
    flag("dironly", "Do not recurse into directory arguments", short="d"),
    flag("recursive", "Print directories recursively", short="R"),
    flag("checksum", "Print checksum", short="C"),
    flag("xattrs", "Print extended attributes", short="X"),
    flag("nul-filenames-only", "Print only filenames, NUL separated"),
    JSON,
)

#: Lines written at a time.
_BATCH = 200
_TYPES = {stat.S_IFDIR: "d", stat.S_IFREG: "-", stat.S_IFLNK: "l"}


def run(ctx: Context, args: Arguments) -> None:
    """Print each path with one level below it, or what the options ask for."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("An COMMIT argument is required")
        rev, *paths = args.words
        commit = repo.resolve(rev)
        found = _found(repo, repo.load_commit(commit).root, paths or ["/"])
        if args.flag("json"):
            from ostree.cli.json_output import print_json, refuse_with_json
            from ostree.cli.object_json import entry_json

            refuse_with_json(args, "nul-filenames-only")
            # All paths are looked up before anything is printed.
            listed = (entry_json(repo, entry) for entry in _entries(repo, args, list(found)))
            print_json(ctx, {"commit": commit, "entries": listed})
            return
        listing = _Listing(ctx, args, repo)
        listing.print_all(_entries(repo, args, found))


def _found(repo: Repo, root: TreeId, paths: list[str]) -> Iterator[tree.Entry]:
    """What is at each path."""
    for path in paths:
        try:
            yield tree.lookup(repo, root, path)
        except OSTreeError as error:
            error.add_prefix(f"Inspecting path '{path}'")
            raise


def _entries(repo: Repo, args: Arguments, found: Iterable[tree.Entry]) -> Iterator[tree.Entry]:
    """Each of them, and what of it is below them that is asked for."""
    for entry in found:
        yield entry
        if entry.tree is None:
            continue
        if args.flag("recursive"):  # whatever --dironly says
            yield from tree.walk(repo, entry)
        elif not args.flag("dironly"):
            yield from tree.children(repo, entry)


class _Listing:
    """Prints entries in the form that the options ask for."""

    def __init__(self, ctx: Context, args: Arguments, repo: Repo) -> None:
        self._ctx = ctx
        self._repo = repo
        self._only_names = args.flag("nul-filenames-only")
        self._with_checksum = args.flag("checksum")
        self._with_xattrs = args.flag("xattrs")
        #: Most directories of a tree share a few dirmetas.
        self._dirmetas: dict[Checksum, DirMeta] = {}

    def print_all(self, entries: Iterable[tree.Entry]) -> None:
        """Print them; what comes before an error is printed, too."""
        lines: list[str] = []
        form = self._name if self._only_names else self._line
        try:
            for entry in entries:
                lines.append(form(entry))
                if len(lines) == _BATCH:
                    self._ctx.stdout.write("".join(lines))
                    lines.clear()
        finally:
            self._ctx.stdout.write("".join(lines))

    def _name(self, entry: tree.Entry) -> str:
        return f"{entry.path}\0"

    def _line(self, entry: tree.Entry) -> str:
        meta: DirMeta | FileHeader
        link = ""
        size = 0
        if entry.tree is not None:
            meta = self._dirmeta(entry.tree.dirmeta)
            checksums = f"{entry.tree.dirtree} {entry.tree.dirmeta}"
        else:
            assert entry.checksum is not None  # either a tree or a file
            checksums = entry.checksum
            meta, size = self._repo.load_file_header(checksums, with_xattrs=self._with_xattrs)
            if meta.is_symlink:
                link = f" -> {meta.target}"
        mode = meta.mode
        kind = _TYPES.get(mode & 0o170000, "?")
        line = f"{kind}0{mode & 0o7777:04o} {meta.uid} {meta.gid} {size:6} "
        if self._with_checksum:
            line += f"{checksums} "
        if self._with_xattrs:
            line += f"{xattrs_text(meta.xattrs)} "
        return f"{line}{entry.path}{link}\n"

    def _dirmeta(self, checksum: Checksum) -> DirMeta:
        known = self._dirmetas.get(checksum)
        if known is None:
            known = self._dirmetas[checksum] = self._repo.load_dirmeta(checksum)
        return known
