"""File objects as a part writes them: named only when their checksum is proven."""

from __future__ import annotations

import hashlib
import stat

from ostree.errors import FormatError
from ostree.formats import file_header
from ostree.repo.object_errors import corrupted, write_error
from ostree.system.closing import Closing
from ostree.types import Checksum, FileHeader, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.store.content import ContentWriter
    from ostree.store.store import LooseStore

    Buffer = bytes | memoryview
    Charge = Callable[[int], None]

#: Files up to this many bytes are collected in memory, which is quicker.
_SMALL = 1 << 20


class HashedHeader:
    """A header that many files have, with what of it is hashed before their content."""

    __slots__ = ("header", "prefix")

    def __init__(self, header: FileHeader) -> None:
        self.header = header
        self.prefix = file_header.content_prefix(header)


def put_whole(
    store: LooseStore,
    charge: Charge,
    checksum: Checksum,
    hashed: HashedHeader,
    data: Buffer,
    *,
    bare_user_only: bool = False,
) -> None:
    """Write a regular file with its whole content, or a symbolic link with its target.

    Raises:
        FormatError: if there can be no such file.
        ChecksumError: if it is not what its name says.
        OSTreeError: if it cannot be written.
    """
    header = hashed.header
    if header.is_symlink:
        header = FileHeader(header.uid, header.gid, header.mode, _target(data), header.xattrs)
        hashed = HashedHeader(header)
        data = b""
    if len(data) > _SMALL:
        with FileTarget(
            store, charge, checksum, hashed, len(data), bare_user_only=bare_user_only
        ) as target:
            target.write(data)
            target.finish()
        return
    content = bytes(data)
    _check(checksum, header, bare_user_only=bare_user_only)
    digest = hashlib.sha256(hashed.prefix)
    digest.update(content)
    actual = digest.hexdigest()
    if actual != checksum:
        raise corrupted(ObjectType.FILE, checksum, actual)
    try:
        charge(len(content))
        store.put_bytes(checksum, header, content)
    except OSError as error:
        raise write_error("Writing content object", error) from error


def _target(data: Buffer) -> str:
    raw = bytes(data)
    if b"\0" in raw:
        raise FormatError("Symlink target has a NUL")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError("Symlink target is not UTF-8") from error


def _check(checksum: Checksum, header: FileHeader, *, bare_user_only: bool) -> None:
    file_header.check(header)
    if bare_user_only:
        file_header.check_bare_user_only(checksum, header)


class FileTarget(Closing):
    """A regular file that is written piece by piece.

    Attributes:
        size: Bytes that were announced for it.
        written: Bytes that it has.
    """

    __slots__ = (
        "_charge",
        "_checksum",
        "_content",
        "_digest",
        "_header",
        "_store",
        "_writer",
        "size",
        "written",
    )

    def __init__(
        self,
        store: LooseStore,
        charge: Charge,
        checksum: Checksum,
        hashed: HashedHeader,
        size: int,
        *,
        bare_user_only: bool = False,
    ) -> None:
        header = hashed.header
        if not stat.S_ISREG(header.mode):
            raise FormatError(f"Invalid mode {header.mode} of a regular file")
        _check(checksum, header, bare_user_only=bare_user_only)
        self._store = store
        self._charge = charge
        self._checksum = checksum
        self._header = header
        self._digest = hashlib.sha256(hashed.prefix)
        self._content: list[bytes] = []
        self._writer: ContentWriter | None = None
        self.size = size
        self.written = 0
        charge(size)
        if size > _SMALL:
            self._writer = self._begin()

    def check_room(self, length: int) -> None:
        """Refuse to become larger than announced.

        Raises:
            FormatError: naming the sizes.
        """
        if length > self.size - self.written:
            raise FormatError(
                f"Content of object {self._checksum} is larger than the {self.size} bytes announced"
            )

    def write(self, data: Buffer) -> None:
        """Append.

        Raises:
            FormatError: if that is more than was announced.
            RepoError: if it cannot be written.
        """
        self.check_room(len(data))
        self.written += len(data)
        self._digest.update(data)
        if self._writer is None:
            self._content.append(bytes(data))
            return
        try:
            self._writer.write(data)
        except OSError as error:
            raise write_error("Writing content object", error) from error

    def finish(self) -> None:
        """Store it under its name.

        Raises:
            FormatError: if it is smaller than announced.
            ChecksumError: if it is not what its name says.
            RepoError: if it cannot be written.
        """
        if self.written != self.size:
            raise FormatError(
                f"Content of object {self._checksum} has {self.written} bytes, "
                f"and {self.size} were announced"
            )
        actual = self._digest.hexdigest()
        if actual != self._checksum:
            raise corrupted(ObjectType.FILE, self._checksum, actual)
        try:
            if self._writer is None:
                self._store.put_bytes(self._checksum, self._header, b"".join(self._content))
            else:
                self._writer.finish(self._checksum)
        except OSError as error:
            raise write_error("Writing content object", error) from error

    def close(self) -> None:
        """Give back what it holds; what is not finished leaves nothing behind."""
        self._content.clear()
        if self._writer is not None:
            self._writer.close()

    def _begin(self) -> ContentWriter:
        try:
            return self._store.begin(self._header, self.size)
        except OSError as error:
            raise write_error("Writing content object", error) from error
