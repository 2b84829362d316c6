"""Applying a delta from files at hand (static deltas §8.5)."""

from __future__ import annotations

import hashlib
import os

from ostree.errors import ChecksumError, FormatError, NotFoundError, OSTreeError
from ostree.formats import commit as commit_format
from ostree.formats import commitmeta
from ostree.formats.delta import signed as signed_format
from ostree.formats.delta import superblock as superblock_format
from ostree.repo.object_errors import corrupted
from ostree.repo.static_delta.completeness import require_complete
from ostree.repo.static_delta.part_workers import PartWorkers
from ostree.repo.static_delta.storage import MAX_PART
from ostree.system import files
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.formats.commit import Commit
    from ostree.formats.delta.signed import SignedSuperblock
    from ostree.formats.delta.superblock import PartHeader, Superblock
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction


class OfflineDelta:
    """A delta in files.

    Attributes:
        signed: The wrapper of the superblock, None if it has none.
        data: The superblock itself.
    """

    __slots__ = ("_dir_fd", "data", "signed")

    def __init__(self, data: bytes, dir_fd: int) -> None:
        self.signed: SignedSuperblock | None = signed_format.decode(data)
        self.data = data if self.signed is None else self.signed.superblock
        self._dir_fd = dir_fd

    def part(self, index: int, header: PartHeader) -> bytes:
        """The file of a part, verified.

        Raises:
            NotFoundError: ``Opening deltapart '0': No such file or directory``.
            ChecksumError: ``Checksum mismatch in static delta part; expected=A actual=B``.
        """
        try:
            data = files.read_file(str(index), self._dir_fd, limit=MAX_PART)
        except OSError as error:
            text = files.describe(f"Opening deltapart '{index}'", error)
            raise NotFoundError(text) from error
        check_part(header, data)
        return data


def check_part(header: PartHeader, file: bytes | memoryview) -> None:
    """Compare a part's file with what the superblock says of it.

    Raises:
        ChecksumError: ``Checksum mismatch in static delta part; expected=A actual=B``.
    """
    actual = hashlib.sha256(file).hexdigest()
    if actual != header.digest.hex():
        raise ChecksumError(
            "Checksum mismatch in static delta part; "
            f"expected={header.digest.hex()} actual={actual}"
        )


def apply_offline(
    repo: Repo,
    path: str | os.PathLike[str],
    verify: Callable[[SignedSuperblock | None], None] | None = None,
) -> None:
    """Import what a delta brings; no ref is set.

    Args:
        repo: A writable repository with the commit that the delta starts from.
        path: The superblock's file, or a directory with one; its parts are beside it.
        verify: Is given the wrapper before anything else is looked at; raises if it is not good.

    Raises:
        OSTreeError: naming what is wrong; nothing has been imported then.
    """
    repo.require_writable()
    text = os.path.abspath(files.path_text(path))
    try:
        directory = files.open_directory(text)
        name = "superblock"
    except NotADirectoryError:
        directory = files.open_directory(os.path.dirname(text))
        name = os.path.basename(text)
    except OSError as error:
        raise NotFoundError(files.describe("openat(O_DIRECTORY)", error)) from error
    try:
        try:
            data = files.read_file(name, directory, limit=superblock_format.MAX_SIZE)
        except OSError as error:
            raise NotFoundError(files.describe(f"openat({name})", error)) from error
        delta = OfflineDelta(data, directory)
        if verify is not None:
            verify(delta.signed)
        with repo.transaction() as transaction:
            _apply(repo, transaction, delta)
    finally:
        os.close(directory)


def _apply(repo: Repo, transaction: Transaction, delta: OfflineDelta) -> None:
    superblock = superblock_format.decode(delta.data)
    name = superblock.name
    if name.source is not None and not repo.has_object(name.source, ObjectType.COMMIT):
        raise NotFoundError(
            f"Commit {name.source}, which is the delta source, is not in repository"
        )
    commit = check_commit(superblock)
    if superblock.fallbacks:
        raise OSTreeError("Cannot execute delta offline: contains nonempty http fallback entries")
    with PartWorkers(repo, transaction, superblock.parts) as workers:
        for index, header in enumerate(superblock.parts):
            check_version(header)
            if all(repo.has_object(checksum, type) for type, checksum in header.each_name()):
                continue
            workers.prepare(header)
            try:
                inline = superblock.inline_part(index)
                workers.run(index, delta.part(index, header) if inline is None else inline)
            except NotFoundError:
                raise
            except OSTreeError as error:
                error.add_prefix(f"Executing delta part {index}")
                raise
    # Only now, and only if all is there: what is interrupted must leave no commit behind.
    require_complete(repo, commit, name.source)
    import_commit(repo, transaction, superblock)


def check_version(header: PartHeader) -> None:
    """Refuse parts of a later format.

    Raises:
        FormatError: ``Delta part has too new version N``.
    """
    if header.version > superblock_format.PART_VERSION:
        raise FormatError(f"Delta part has too new version {header.version}")


def check_commit(superblock: Superblock) -> Commit:
    """The target commit, which is verified.

    Raises:
        ChecksumError: if it is not the commit that the delta leads to.
        FormatError: if it is none at all.
    """
    actual = hashlib.sha256(superblock.commit).hexdigest()
    if actual != superblock.name.target:
        raise corrupted(ObjectType.COMMIT, superblock.name.target, actual)
    return commit_format.decode(superblock.commit)


def import_commit(repo: Repo, transaction: Transaction, superblock: Superblock) -> None:
    """Write the target commit, its detached metadata before it, unless it is there.

    Raises:
        ChecksumError: if it is not the commit that the delta leads to.
    """
    target = superblock.name.target
    if repo.has_object(target, ObjectType.COMMIT):
        return
    detached = superblock.commitmeta
    if detached is not None:
        transaction.write_detached(target, commitmeta.encode(detached))
    transaction.write_metadata(ObjectType.COMMIT, superblock.commit, expected=target)
