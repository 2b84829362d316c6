"""Delta indexes of a repository: for each commit the deltas that lead to it (static deltas §7)."""

from __future__ import annotations

from ostree.formats.delta import index as index_format
from ostree.formats.delta.name import index_path, target_of_index
from ostree.repo.static_delta import storage
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ostree.formats.delta.name import DeltaName
    from ostree.repo.repository import Repo
    from ostree.types import Checksum


def targets(repo: Repo) -> Iterator[Checksum]:
    """Commits that have an index, in directory order."""
    for prefix in storage.list_unsorted("delta-indexes", repo.dir_fd):
        for name in storage.list_unsorted(f"delta-indexes/{prefix}", repo.dir_fd):
            target = target_of_index(prefix, name)
            if target is not None:
                yield target


def reindex(
    repo: Repo, digests: Mapping[DeltaName, bytes] | None = None, *, only: Checksum | None = None
) -> None:
    """Bring indexes up to date, and tell clients that there are any.

    Those whose content would be the same are left alone; those of commits that no delta leads to
    are removed.

    Args:
        repo: A writable repository.
        digests: All deltas with the SHA-256 of their superblocks' files, if that is known.
        only: The one target whose index is looked at; None for all.
    """
    repo.require_writable()
    by_target: dict[Checksum, dict[DeltaName, bytes]] = {}
    if digests is None:
        digests = dict(storage.digests(repo))
    for name, digest in digests.items():
        by_target.setdefault(name.target, {})[name] = digest
    _announce(repo)
    for target in {*targets(repo), *by_target}:
        if only is None or target == only:
            _write(repo, target, by_target.get(target))


def _write(repo: Repo, target: Checksum, digests: dict[DeltaName, bytes] | None) -> None:
    path = index_path(target)
    if not digests:
        files.remove_tree(path, repo.dir_fd)
        return
    data = index_format.encode(digests)
    try:
        if files.read_file(path, repo.dir_fd, limit=index_format.MAX_SIZE) == data:
            return
    except OSError:
        pass  # there is none, or none that is of any use
    files.make_directories(path.rpartition("/")[0], repo.dir_fd, 0o775)
    files.replace_file(path, data, repo.dir_fd, sync=repo.config.fsync)


def _announce(repo: Repo) -> None:
    if repo.config.keyfile.find_string("core", "indexed-deltas") not in {"true", "1"}:
        keyfile = repo.config.keyfile.copy()
        keyfile.set_string("core", "indexed-deltas", "true")
        repo.save_config(keyfile)
