"""What is wrong with an object, or with writing it, in upstream's words (repository format §2.6)."""

from __future__ import annotations

from ostree.errors import ChecksumError, OSTreeError, RepoError, SpaceError
from ostree.formats import commit as commit_format
from ostree.formats import commitmeta, dirmeta, dirtree
from ostree.types import ObjectType

_VALIDATORS = {
    ObjectType.COMMIT: commit_format.decode,
    ObjectType.DIRTREE: dirtree.decode,
    ObjectType.DIRMETA: dirmeta.decode,
    ObjectType.COMMITMETA: commitmeta.decode,
    ObjectType.TOMBSTONE_COMMIT: commitmeta.decode,
}


def validate_metadata(type: ObjectType, data: bytes) -> None:
    """Check the structure of a metadata object (§2.6).

    Raises:
        FormatError: naming what is wrong.
    """
    _VALIDATORS[type](data)


def corrupted(type: ObjectType, expected: str, actual: str) -> ChecksumError:
    """The error for an object that is not what its name says."""
    return ChecksumError(
        f"Corrupted {type.extension} object; checksum expected='{expected}' actual='{actual}'"
    )


def write_error(context: str, error: OSError) -> OSTreeError:
    """What a failed write means to the user."""
    import errno

    text = f"{context}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpaceError(text)
    return RepoError(text)
