"""An existing file object that a part copies from (static deltas §4.4)."""

from __future__ import annotations

import os

from ostree.errors import CorruptionError, FormatError
from ostree.store.content import CHUNK
from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.objects import ObjectSource
    from ostree.store.content import LoadedContent
    from ostree.types import Checksum


class ReadSource(Closing):
    """The content of a regular file, to be read anywhere.

    Args:
        repo: Where the object is.
        checksum: Its name.
        tmp_fd: A directory for its content, where that is not stored as it is.

    Attributes:
        checksum: Its name.
        size: Bytes of its content.

    Raises:
        ObjectNotFoundError: if it is not there.
        FormatError: if it is no regular file.
    """

    __slots__ = ("_fd", "_holder", "checksum", "size")

    def __init__(self, repo: ObjectSource, checksum: Checksum, tmp_fd: int) -> None:
        self.checksum = checksum
        content = repo.load_content(checksum)
        self.size = content.size
        self._holder: Closing = content
        if content.fd is not None:
            self._fd = content.fd
            return
        with content:
            if content.header.is_symlink:
                raise FormatError(f"Object {checksum} is not a regular file")
            self._holder, self._fd = _unpacked(content, tmp_fd)

    def read(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes from an offset on.

        Raises:
            CorruptionError: ``Unexpected EOF reading object SUM``.
        """
        if offset + size > self.size:
            raise self._too_short()
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                raise self._too_short()
            data += more
        return data

    def close(self) -> None:
        """Give back what it holds."""
        self._holder.close()

    def _too_short(self) -> CorruptionError:
        return CorruptionError(f"Unexpected EOF reading object {self.checksum}")


def _unpacked(content: LoadedContent, tmp_fd: int) -> tuple[AnonymousFile, int]:
    """A file with the plain content, and its descriptor."""
    file = AnonymousFile(tmp_fd)
    try:
        while data := content.read(CHUNK):
            files.write_all(file.fd, data)
    except BaseException:
        file.close()
        raise
    return file, file.fd
