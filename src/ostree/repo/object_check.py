"""Whether an object is what its name says (repository format §8.3)."""

from __future__ import annotations

import hashlib

from ostree.errors import CorruptionError, FormatError, ObjectNotFoundError, OSTreeError
from ostree.repo.hashing import checksum_loaded
from ostree.repo.object_errors import corrupted, validate_metadata
from ostree.store.store import unreadable
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ostree.repo.objects import ObjectSource
    from ostree.store.content import LoadedContent

    _T = TypeVar("_T")


class ObjectCheck:
    """Reads objects and says what is wrong with them; may be used from several threads.

    Args:
        source: Where the objects are.
    """

    def __init__(self, source: ObjectSource) -> None:
        self._source = source

    def problem_of(self, name: ObjectName) -> OSTreeError | None:
        """What is wrong with an object of any type, None if nothing is.

        An ObjectNotFoundError says that it is missing, a CorruptionError that it is damaged.

        Raises:
            RepoError: if this process lacks what it needs to read it.
        """
        if name.type is not ObjectType.FILE:
            return _attempt(name, lambda: self._verify_metadata(name))
        content = self.open(name)
        return content if isinstance(content, OSTreeError) else self.problem_with(name, content)

    def open(self, name: ObjectName) -> LoadedContent | OSTreeError:
        """A file object for :meth:`problem_with`, or what is wrong with it."""
        return _attempt(name, lambda: self._load(name.checksum))

    def problem_with(self, name: ObjectName, content: LoadedContent) -> OSTreeError | None:
        """What is wrong with an open file object, None if nothing is; closes it."""
        with content:
            return _attempt(name, lambda: _verify_content(name.checksum, content))

    def _load(self, checksum: Checksum) -> LoadedContent:
        try:
            return self._source.load_content(checksum)
        except CorruptionError as error:
            error.add_prefix(f"fsck content object {checksum}")
            raise

    def _verify_metadata(self, name: ObjectName) -> None:
        try:
            data = self._source.load_metadata(name.checksum, name.type)
            check_metadata(name, data)
        except CorruptionError as error:
            error.add_prefix(f"fsck {name}")
            raise


def check_metadata(name: ObjectName, data: bytes) -> None:
    """Check the bytes of a metadata object against its name, and their structure.

    Raises:
        ChecksumError: ``Corrupted EXT object; checksum expected=… actual=…``.
        FormatError: if it is right, and no such object nevertheless.
    """
    actual = Checksum.of_digest(hashlib.sha256(data).digest())
    if actual != name.checksum:
        raise corrupted(name.type, name.checksum, actual)
    try:
        validate_metadata(name.type, data)
    except FormatError as error:
        error.add_prefix(str(name))  # twice in what fsck says, as upstream has it
        raise


def _verify_content(checksum: Checksum, content: LoadedContent) -> None:
    try:
        actual = checksum_loaded(content)
        if actual != checksum:
            raise corrupted(ObjectType.FILE, checksum, actual)
    except CorruptionError as error:
        error.add_prefix(f"fsck content object {checksum}")
        raise


def _attempt(name: ObjectName, action: Callable[[], _T]) -> _T | OSTreeError:
    """The result of an action on an object, or what is wrong with the object."""
    try:
        return action()
    except (CorruptionError, ObjectNotFoundError) as error:
        return error
    except OSError as error:
        problem = unreadable(f"Reading {name}", error)
        if not isinstance(problem, CorruptionError):
            raise problem from error
        return problem
