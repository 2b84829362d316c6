"""Making a static delta: planned first, worked out on all processors, written in order (§6)."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack

from ostree.events import ignore
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.superblock import Fallback, Superblock
from ostree.formats.gvariant import Variant
from ostree.repo.object_errors import write_error
from ostree.repo.static_delta.install import install, install_beside, workplace
from ostree.repo.static_delta.object_writer import ObjectWriter
from ostree.repo.static_delta.plan import (
    DeltaOptions,
    bsdiff_memory,
    is_fallback,
    make_plan,
    may_bsdiff,
    may_roll,
    read_tree,
    rolling_memory,
)
from ostree.repo.static_delta.report import Report
from ostree.system import files
from ostree.system.ordered import run_in_order
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostree.events import Listener
    from ostree.formats.delta.name import DeltaName
    from ostree.repo.repository import Repo
    from ostree.repo.static_delta.modified import Patch
    from ostree.repo.static_delta.plan import NewFile, Plan, TreeContents
    from ostree.types import Checksum

#: Bytes that may be in use at a time, unless the caller says otherwise.
DEFAULT_MEMORY = 1 << 30


class Trees:
    """Trees of commits, read once for several deltas."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._known: dict[Checksum, TreeContents] = {}

    def of(self, commit: Checksum) -> TreeContents:
        """What the tree of a commit contains.

        Raises:
            ObjectNotFoundError: if part of it is missing.
        """
        found = self._known.get(commit)
        if found is None:
            found = self._known[commit] = read_tree(self._repo, commit)
        return found


def make_delta(
    repo: Repo,
    name: DeltaName,
    dir_fd: int,
    options: DeltaOptions | None = None,
    *,
    on_event: Listener | None = None,
    trees: Trees | None = None,
) -> Superblock:
    """Make a delta: its parts as files ``0``, ``1`` … in a directory, and its superblock.

    The same commits and options give the same bytes, but for the time in the superblock.

    Args:
        repo: Where both commits are, complete.
        name: From where to where.
        dir_fd: An empty directory.
        options: How.
        on_event: Is given upstream's diagnostics and progress.
        trees: Remembers trees between deltas.

    Raises:
        ObjectNotFoundError: if an object of one of the commits is missing.
    """
    options = options or DeltaOptions()
    trees = trees or Trees(repo)
    before = trees.of(name.source) if name.source is not None else None
    plan = make_plan(repo, before, trees.of(name.target))
    report = Report(on_event or ignore, plan)
    with ObjectWriter(repo, dir_fd, plan, options, report) as writer:
        fallbacks = _write_objects(repo, plan, options, writer, report)
        headers = writer.end()
    report.end(headers)
    metadata = []
    if options.inline:
        metadata += [(name.part(index), _take_in(dir_fd, index)) for index in range(len(headers))]
    detached = repo.load_detached(name.target)
    if detached is not None:
        metadata.append((name.commitmeta_key, Variant("a{sv}", detached)))
    return Superblock(
        name,
        repo.load_metadata(name.target, ObjectType.COMMIT),
        headers,
        fallbacks,
        timestamp=int(time.time()),
        metadata=metadata,
        endianness=options.endianness,
    )


def _take_in(dir_fd: int, index: int) -> Variant:
    """Turn the file of a part into what a superblock holds."""
    file = files.read_file(str(index), dir_fd)
    os.unlink(str(index), dir_fd=dir_fd)
    return Variant("(yay)", (file[0], file[1:]))


def _write_objects(
    repo: Repo, plan: Plan, options: DeltaOptions, writer: ObjectWriter, report: Report
) -> list[Fallback]:
    """Write everything, first what is at hand.

    The compressor works on that while the files that are to be compared are worked out; upstream
    has them the other way round, which gives it nothing.
    """
    for type, checksum in plan.metadata:
        writer.metadata(type, checksum)
    fallbacks = _write_regular(plan.regular, options, writer, report)
    for file in plan.symlinks:
        writer.symlink(file)
    rest: list[NewFile] = []
    for patch in _patches(repo, plan, options):
        if patch.matches is not None:
            writer.rolled(patch, patch.matches)
        elif patch.stream is not None:
            writer.compared(patch, patch.stream)
        else:
            rest.append(patch.file)
    fallbacks += _write_regular(rest, options, writer, report)
    report.modified_done()
    return [
        Fallback(file.checksum, repo.stored_size(file.checksum, ObjectType.FILE), file.size)
        for file in fallbacks
    ]


def _write_regular(
    files: list[NewFile], options: DeltaOptions, writer: ObjectWriter, report: Report
) -> list[NewFile]:
    """Write files as they are, but for those that are to be fetched by themselves: the result."""
    fallbacks = []
    for file in files:
        if is_fallback(file, options):
            report.fallback(file)
            fallbacks.append(file)
        else:
            writer.regular(file)
    return fallbacks


def _patches(repo: Repo, plan: Plan, options: DeltaOptions) -> Iterator[Patch]:
    """Each modified file with the way to make it, in the order of the plan."""
    from ostree.repo.static_delta.modified import Patch, compare

    def job(file: NewFile, partner: Checksum) -> Callable[[], Patch]:
        if not may_roll(file, options):
            return lambda: Patch(file, partner)
        use_bsdiff = may_bsdiff(file, options)
        return lambda: compare(repo, file, partner, use_bsdiff=use_bsdiff)

    def cost(file: NewFile) -> int:
        return bsdiff_memory(file) if may_bsdiff(file, options) else rolling_memory(file)

    jobs = ((cost(file), job(file, file.partner)) for file in plan.modified if file.partner)
    return run_in_order(jobs, budget=options.memory_share or DEFAULT_MEMORY)


def generate(
    repo: Repo,
    name: DeltaName,
    options: DeltaOptions | None = None,
    *,
    filename: str | None = None,
    sign: Callable[[bytes], bytes] | None = None,
    on_event: Listener | None = None,
    trees: Trees | None = None,
) -> Superblock:
    """Make a delta and put it into the repository, or elsewhere.

    Args:
        repo: A repository with both commits; writable, unless there is a file name.
        name: From where to where.
        options: How.
        filename: A file for the superblock; its parts go beside it.
        sign: Turns the superblock's bytes into those of its file.
        on_event: As :func:`make_delta`.
        trees: As :func:`make_delta`.

    Raises:
        OSTreeError: if objects are missing, or something cannot be written; no delta has changed.
    """
    sync = repo.config.fsync
    try:
        with ExitStack() as stack:
            if filename is None:
                repo.require_writable()
                parent_fd = files.open_directory("tmp", dir_fd=repo.dir_fd)
            else:
                parent_fd = files.open_directory(os.path.dirname(os.path.abspath(filename)))
            stack.callback(os.close, parent_fd)
            stack.enter_context(repo.lock.hold(exclusive=False))
            place = stack.enter_context(workplace(parent_fd))
            superblock = make_delta(repo, name, place.fd, options, on_event=on_event, trees=trees)
            data = superblock_format.encode(superblock)
            if sign is not None:
                data = sign(data)
            if filename is None:
                install(place, data, repo.dir_fd, name.directory, sync=sync)
            else:
                install_beside(place, data, filename, sync=sync)
    except OSError as error:
        raise write_error("Writing static delta", error) from error
    return superblock
