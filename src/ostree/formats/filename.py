"""Names of directory entries (repository format §2.6)."""

from __future__ import annotations

from ostree.errors import FormatError


def check_filename(name: str) -> None:
    """Refuse what cannot be the name of a directory entry.

    Raises:
        FormatError: for ``.``, ``..``, the empty name and names with a slash or NUL.
    """
    if name == ".":
        raise FormatError("Invalid self-referential filename '.'")
    if name == "..":
        raise FormatError("Invalid path uplink filename '..'")
    if "/" in name:
        raise FormatError(f"Invalid / in filename {name}")
    # Upstream's validator lets the empty name pass; a checkout of one could only go wrong.
    if not name or "\0" in name:
        raise FormatError("Invalid empty filename")


def decode_filename(raw: bytes) -> str:
    """A file name from its bytes.

    Raises:
        FormatError: if the bytes are not UTF-8.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        shown = raw.decode("utf-8", "replace")
        raise FormatError(f"Invalid UTF-8 in filename {shown}", offset=error.start) from error


def encode_filename(name: str) -> bytes:
    """The bytes of a file name, which :func:`os.listdir` may have given with surrogate escapes.

    Raises:
        FormatError: if the name on disk was not UTF-8.
    """
    try:
        return name.encode()
    except UnicodeEncodeError as error:
        shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        raise FormatError(f"Invalid UTF-8 in filename {shown}") from error
