"""The deltas that a repository has (static deltas §2)."""

from __future__ import annotations

import os

from ostree.errors import FormatError, NotFoundError
from ostree.formats.delta import signed
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.formats.delta.superblock import Superblock
    from ostree.repo.repository import Repo

#: Largest part that is read for inspection, in bytes; in a pull the superblock gives the limit.
MAX_PART = 4 << 30


def names(repo: Repo) -> Iterator[DeltaName]:
    """All deltas, in directory order, which is what upstream lists."""
    for prefix in list_unsorted("deltas", repo.dir_fd):
        for rest in list_unsorted(f"deltas/{prefix}", repo.dir_fd):
            name = DeltaName.of_directory(prefix + rest)
            if name is not None and has(repo, name):
                yield name


def has(repo: Repo, name: DeltaName) -> bool:
    """Whether there is such a delta; without a superblock there is not."""
    return files.exists(name.superblock, repo.dir_fd)


def digests(repo: Repo) -> Iterator[tuple[DeltaName, bytes]]:
    """Each delta, in directory order, with the SHA-256 of its superblock's file."""
    import hashlib

    for name in names(repo):
        yield name, hashlib.sha256(read_superblock_file(repo, name)).digest()


def read_superblock_file(repo: Repo, name: DeltaName) -> bytes:
    """The file of a superblock, with the wrapper if it is signed.

    Raises:
        NotFoundError: ``openat(deltas/…/superblock): No such file or directory``.
    """
    return read_limited(name.superblock, repo.dir_fd, superblock_format.MAX_SIZE)


def read_named(repo: Repo, shown: str) -> bytes:
    """The file of a superblock: of a delta of the repository, or any path, which has a slash.

    Raises:
        NotFoundError: ``openat(PATH): No such file or directory``.
        FormatError: ``Invalid rev X``.
    """
    if "/" not in shown:
        return read_superblock_file(repo, DeltaName.parse(shown))
    return read_limited(shown, None, superblock_format.MAX_SIZE)


def load_superblock(repo: Repo, name: DeltaName) -> Superblock:
    """A superblock, its wrapper taken off.

    Raises:
        NotFoundError: if there is no such delta.
        FormatError: if it is damaged, or that of another delta.
    """
    superblock = superblock_format.decode(signed.unwrap(read_superblock_file(repo, name)))
    if superblock.name != name:
        raise FormatError(f"The superblock of delta {name} is that of {superblock.name}")
    return superblock


def read_part(repo: Repo, name: DeltaName, index: int) -> bytes:
    """The file of a part.

    Raises:
        NotFoundError: ``openat(deltas/…/0): No such file or directory``.
    """
    return read_limited(name.part(index), repo.dir_fd, MAX_PART)


def delete(repo: Repo, name: DeltaName) -> None:
    """Remove a delta; the directory that it shares with others stays.

    Raises:
        NotFoundError: ``Can't find delta X``.
    """
    if not has(repo, name):
        raise NotFoundError(f"Can't find delta {name}")
    # Without its superblock it is gone, whatever ends this halfway.
    os.unlink(name.superblock, dir_fd=repo.dir_fd)
    files.remove_tree(name.directory, repo.dir_fd)


def read_limited(path: str, dir_fd: int | None, limit: int) -> bytes:
    """A file of a delta.

    Raises:
        NotFoundError: ``openat(PATH): No such file or directory``.
        FormatError: if it is larger than the limit.
    """
    import errno

    try:
        return files.read_file(path, dir_fd, limit=limit)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise FormatError(f"{path} is larger than {limit} bytes") from error
        raise NotFoundError(files.describe(f"openat({path})", error)) from error


def list_unsorted(path: str, dir_fd: int) -> list[str]:
    """Names in a directory as the file system lists them; none if there is no such directory."""
    try:
        fd = files.open_directory(path, dir_fd=dir_fd)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        return os.listdir(fd)
    finally:
        os.close(fd)
