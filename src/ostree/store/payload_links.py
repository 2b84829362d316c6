"""Payload links: where content lies that another object may share (repository format §2.5).

``YY/….payload-link`` is named by the checksum of the content alone and leads to a file object that
has it. An object with the same content and other metadata then shares its blocks.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import contextmanager

from ostree.errors import CorruptionError, FormatError
from ostree.store.content import CHUNK
from ostree.store.layout import loose_path
from ostree.system import copying, files
from ostree.system.anonymous import AnonymousFile
from ostree.types import Checksum, ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.store.layout import ObjectDirectory
    from ostree.store.store import LooseStore

_MODES = (RepoMode.BARE, RepoMode.BARE_USER, RepoMode.BARE_USER_ONLY)
_EXTENSION = "payload-link"
_BLOCK = 4096


def is_wanted(mode: RepoMode, size: int, threshold: int) -> bool:
    """Whether an object with that many bytes of content takes part, if blocks can be shared."""
    return mode in _MODES and size > 0 and size >= threshold


def target_of(checksum: Checksum) -> str:
    """What the link to a file object says."""
    return f"../{loose_path(checksum, 'file')}"


def parse_target(text: str) -> Checksum | None:
    """The file object that a link leads to; None if it leads anywhere else."""
    try:
        checksum = Checksum(text[3:5] + text[6:].removesuffix(".file"))
    except FormatError:
        return None
    return checksum if text == target_of(checksum) else None


def read_target(directory: ObjectDirectory, payload: Checksum) -> Checksum | None:
    """The file object that a payload's link leads to, if there is a proper link."""
    try:
        text = os.readlink(loose_path(payload, _EXTENSION), dir_fd=directory.fd)
    except OSError:
        return None  # none, or no link
    return parse_target(text)


class PayloadLinks:
    """Shares blocks between the objects of a store.

    Args:
        store: Whose objects; plain files.
        threshold: Bytes of content from which on it is tried.
    """

    def __init__(self, store: LooseStore, threshold: int) -> None:
        self._store = store
        self._threshold = threshold
        self._can_share: bool | None = None
        self._making: set[Checksum] = set()
        self._made = threading.Condition()

    @contextmanager
    def sharing(self, fd: int) -> Iterator[Checksum | None]:
        """Let a complete new file share the blocks of an object with the same content.

        Nothing is believed: the object's content is read before it replaces the file's.  Until the
        end of the context, threads with more files of this content wait: the object that they are
        to share blocks with is being made.

        Yields:
            The checksum of the content, if a link to the new object is to be made.
        """
        size = os.fstat(fd).st_size
        if not self._takes_part(size):
            yield None
            return
        payload = _checksum(fd, size)
        with self._made:
            self._made.wait_for(lambda: payload not in self._making)
            self._making.add(payload)
        try:
            yield None if self._share(payload, fd, size) else payload
        finally:
            with self._made:
                self._making.remove(payload)
                self._made.notify_all()

    def _takes_part(self, size: int) -> bool:
        if not is_wanted(self._store.properties.mode, size, self._threshold):
            return False
        if self._can_share is None:
            self._can_share = _can_share(self._store.target.temporary_fd)
        return self._can_share

    def _share(self, payload: Checksum, fd: int, size: int) -> bool:
        """Whether the blocks of an object were to be had."""
        for place in (self._store.staging, self._store.objects):
            other = None if place is None else read_target(place, payload)
            if other is not None and self._clone(other, payload, fd, size):
                return True
        return False

    def record(self, payload: Checksum, checksum: Checksum) -> None:
        """Make the link to an object that was just stored; one that was of no use goes."""
        path = loose_path(payload, _EXTENSION)
        for place in (self._store.staging, self._store.objects):
            if place is not None:
                place.remove(path)
        self._store.target.symlink(target_of(checksum), path)

    def _clone(self, other: Checksum, payload: Checksum, fd: int, size: int) -> bool:
        try:
            source = self._store.open_file(other, ObjectType.FILE)
        except CorruptionError:
            return False
        if source is None:
            return False
        try:
            same = os.fstat(source).st_size == size and _checksum(source, size) == payload
            return same and copying.clone(source, fd)
        finally:
            os.close(source)


def _checksum(fd: int, size: int) -> Checksum:
    digest = hashlib.sha256()
    at = 0
    while at < size and (data := os.pread(fd, min(CHUNK, size - at), at)):
        digest.update(data)
        at += len(data)
    return Checksum.of_digest(digest.digest())


def _can_share(dir_fd: int) -> bool:
    """Whether files of a file system can share blocks."""
    with AnonymousFile(dir_fd) as one, AnonymousFile(dir_fd) as other:
        files.write_all(one.fd, bytes(_BLOCK))
        return copying.clone(one.fd, other.fd)
