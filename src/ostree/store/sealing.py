"""Objects sealed with fs-verity before they get their names (repository format §3.8)."""

from __future__ import annotations

from ostree.errors import RepoError
from ostree.system import fsverity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.system.anonymous import AnonymousFile


class Sealing:
    """Seals complete files.

    Args:
        required: Whether a file system that cannot do it is an error, or left alone.
    """

    __slots__ = ("_required", "_useless")

    def __init__(self, *, required: bool) -> None:
        self._required = required
        self._useless = False

    def seal(self, file: AnonymousFile) -> None:
        """Seal a new file, which cannot be written to afterwards.

        Raises:
            RepoError: if it has to be and cannot.
        """
        if not self._useless:
            file.stop_writing()
            self.seal_open(file.fd)

    def seal_open(self, fd: int) -> None:
        """Seal a file that is open for reading only; raises as :meth:`seal`."""
        if self._useless or fsverity.enable(fd):
            return
        if self._required:
            raise RepoError("fsverity required but filesystem does not support it")
        self._useless = True
