"""Copying refs to a volume that is carried to other machines (repository format §7.18)."""

from __future__ import annotations

import os

from ostree.errors import NotFoundError, OSTreeError, RefNotFoundError, RepoError, UsageError
from ostree.formats.refspec import check_collection_id, check_ref_name
from ostree.repo.collections import collection_refs
from ostree.repo.repository import Repo
from ostree.repo.summary import regenerate
from ostree.system import files
from ostree.transfer.options import PullOptions
from ostree.transfer.pull_local import pull_local
from ostree.types import Checksum, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.events import Listener

#: Where a repository on a volume is, unless the user wants it elsewhere.
DEFAULT_DESTINATION = ".ostree/repo"

#: Places that finders look at without being told.
_WELL_KNOWN = (".ostree/repo", "ostree/repo")
_LINKS = ".ostree/repos.d"
_MOST_LINKS = 100


def copy_to_volume(
    repo: Repo,
    mount: str,
    refs: Sequence[tuple[str, str]],
    *,
    destination: str = DEFAULT_DESTINATION,
    commit: Checksum | None = None,
    fsync: bool | None = None,
    on_event: Listener | None = None,
) -> None:
    """Copy refs into a repository on a volume, which is made if need be, with its summary.

    Args:
        repo: Where the refs are.
        mount: The root directory of the volume.
        refs: Each a collection ID and a ref.
        destination: The repository, relative to the volume.
        commit: What the only ref is to point to there instead.
        fsync: False leaves out all syncing.
        on_event: Is given the progress of the copying.

    Raises:
        UsageError: if the destination is not on the volume, or is the repository itself.
        OSTreeError: naming what went wrong.
    """
    wanted = [(*ref, commit or known) for ref, known in _resolve(repo, refs)]
    try:
        mount_fd = files.open_directory(mount)
    except OSError as error:
        raise NotFoundError(files.describe(f"opendir({mount})", error)) from error
    try:
        path = _prepare(mount, mount_fd, destination)
        with Repo.create(path, RepoMode.ARCHIVE) as volume:
            if os.path.samestat(os.fstat(volume.dir_fd), os.fstat(repo.dir_fd)):
                raise UsageError("--destination-repo must not be the source repository")
            options = PullOptions(mirror=True, fsync=fsync, collection_refs=wanted)
            pull_local(volume, repo.path, options=options, on_event=on_event)
            regenerate(volume)
        if os.path.normpath(destination) not in _WELL_KNOWN:
            _link(mount, mount_fd, destination, path)
    finally:
        os.close(mount_fd)


def _resolve(repo: Repo, refs: Sequence[tuple[str, str]]) -> list[tuple[tuple[str, str], Checksum]]:
    """What the refs point to.  A summary is not asked: it may be older than they are."""
    known = collection_refs(repo)
    found = []
    for collection, name in refs:
        check_collection_id(collection)
        check_ref_name(name)
        value = known.get((collection, name))
        if value is None:
            raise RefNotFoundError(f"Collection–ref ({collection}, {name}) not found")
        found.append(((collection, name), Checksum(value)))
    return found


def _prepare(mount: str, mount_fd: int, destination: str) -> str:
    """Make the directories above a repository; its path, which is on the volume for sure."""
    parent = os.path.dirname(os.path.normpath(destination))
    root = os.path.realpath(mount)
    path = os.path.realpath(os.path.join(root, destination))
    # Also where symbolic links on the volume lead somewhere else.
    if os.path.isabs(destination) or os.path.commonpath((root, path)) != root:
        raise UsageError("--destination-repo must be a descendent of MOUNT-PATH")
    try:
        if parent:
            files.make_directories(parent, mount_fd, 0o755)
    except OSError as error:
        raise RepoError(files.describe(f"mkdir({destination})", error)) from error
    return path


def _link(mount: str, mount_fd: int, destination: str, path: str) -> None:
    """Have finders look at a repository that is in a place of its own."""
    try:
        files.make_directories(_LINKS, mount_fd, 0o755)
        taken = set(files.list_directory(_LINKS, mount_fd))
        for name in taken:
            if os.path.realpath(os.path.join(mount, _LINKS, name)) == path:
                return
        for number in range(_MOST_LINKS):
            name = f"{number:02}-generated"
            if name not in taken:
                target = f"../../{os.path.normpath(destination)}"
                os.symlink(target, f"{_LINKS}/{name}", dir_fd=mount_fd)
                return
    except OSError as error:
        raise RepoError(files.describe(f"symlinkat({_LINKS})", error)) from error
    raise OSTreeError("Could not find an unused symlink name for the repository")
