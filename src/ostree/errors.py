"""The errors of pyostree.

::

    OSTreeError (exit_code, hint, add_prefix)
    ├── UsageError
    ├── NotFoundError ── RefNotFoundError, ObjectNotFoundError, RemoteNotFoundError,
    │                    PathNotFoundError
    ├── ExistsError
    ├── CorruptionError ── FormatError, ChecksumError
    ├── RepoError ── SpaceError, LockError
    ├── SignatureError
    ├── TrustError
    ├── TransferError ── FetchError, StatusError, TooLargeError, FetchTimeoutError
    ├── SysrootError
    ├── TreeError
    ├── ImageError
    └── CancelledError

The text of an error is the sentence the command prints after ``error: ``.  Context is prefixed on
the way up with :meth:`OSTreeError.add_prefix`, as in ``Writing content object: …``.
"""

from __future__ import annotations


class OSTreeError(Exception):
    """Base of every error that a caller can cause or should handle.

    Attributes:
        exit_code: What the command exits with.
        hint: The next step for the user, where one is known; printed on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    def add_prefix(self, prefix: str) -> None:
        """Put ``prefix: `` in front of the message."""
        self.message = f"{prefix}: {self.message}"
        self.args = (self.message,)


class UsageError(OSTreeError):
    """The command line or a call is wrong in itself; the command prints its help first."""


class NotFoundError(OSTreeError):
    """A ref, object, remote, path or deployment does not exist."""


class RefNotFoundError(NotFoundError):
    """A revision resolves to nothing."""


class ObjectNotFoundError(NotFoundError):
    """The repository does not have an object."""


class RemoteNotFoundError(NotFoundError):
    """No remote of that name is configured."""


class PathNotFoundError(NotFoundError, KeyError):
    """A committed tree has nothing at a path; trees are mappings, so this is a KeyError too."""


class ExistsError(OSTreeError):
    """Something that was to be created exists already."""


class CorruptionError(OSTreeError):
    """Stored or received data is not what it has to be."""


class FormatError(CorruptionError):
    """Bytes or text do not follow their format.

    Attributes:
        offset: Where in the input, in bytes, if known.
        field: Which member of the structure, if known.
    """

    def __init__(
        self, message: str, *, offset: int | None = None, field: str | None = None
    ) -> None:
        super().__init__(message)
        self.offset = offset
        self.field = field


class ChecksumError(CorruptionError):
    """The checksum of an object is not its name."""


class RepoError(OSTreeError):
    """The repository cannot do that: its mode, rights or configuration forbid it."""


class SpaceError(RepoError):
    """The minimum of free space would not be kept, or the disk is full."""


class LockError(RepoError):
    """A lock was not to be had in time."""


class SignatureError(OSTreeError):
    """A signature is missing, invalid or of an unknown key."""


class TrustError(OSTreeError):
    """Data is genuine but not acceptable: a downgrade, or bound to another ref."""


class TransferError(OSTreeError):
    """Data could not be moved between two places.

    Attributes:
        received: How much of the body had come before it failed, in bytes from its start.
        last_modified: The modification time of that body, in seconds since the epoch, if known.
        retry_after: Seconds after which the server wants to be asked again, if it said so.
    """

    received = 0
    last_modified: int | None = None
    retry_after: int | None = None


class FetchError(TransferError):
    """A request failed below the level of the protocol (connection, name, TLS).

    Attributes:
        may_pass: Whether the same request may work later; what is wrong with a certificate or with
            our own settings does not go away.
    """

    def __init__(self, message: str, *, may_pass: bool = True) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class StatusError(TransferError):
    """A server answered with an error status.

    Attributes:
        status: The HTTP status code.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class TooLargeError(TransferError):
    """A response is larger than the limit given for it."""


class FetchTimeoutError(TransferError):
    """A server took too long."""


class SysrootError(OSTreeError):
    """A deployment or boot loader operation is not possible."""


class TreeError(OSTreeError):
    """A root file system cannot be prepared for deployments.

    Attributes:
        problems: All that stands in the way, each in words.
    """

    def __init__(self, message: str, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class ImageError(OSTreeError):
    """A disk image cannot be made."""


class CancelledError(OSTreeError):
    """The user or the program stopped the operation."""

    exit_code = 130
