"""Names of refs, remotes and collections, and how a revision is written.

A *fragment* is a letter, digit or underscore followed by any of those, ``-`` and ``.``; letters
and digits are those of Unicode.  A ref name is fragments joined by ``/``, a remote name is one
fragment, a refspec is ``[REMOTE:]REF`` (repository format §4.4).
"""

from __future__ import annotations

from ostree.errors import FormatError

_HEX = frozenset("0123456789abcdef")
_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_LATER = _FIRST | frozenset("0123456789")


def is_valid_fragment(text: str) -> bool:
    """Whether this is one component of a ref name; listings skip files that are not."""
    # Dropping what may stand besides letters and digits leaves the check to one fast method.
    bare = text.replace("_", "a")
    return bare[:1].isalnum() and bare.replace("-", "a").replace(".", "a").isalnum()


def is_valid_ref_name(name: str) -> bool:
    """Whether this is fragments joined by ``/``."""
    return all(map(is_valid_fragment, name.split("/")))


def check_ref_name(name: str) -> None:
    """Check a ref name (without a remote).

    Raises:
        FormatError: ``Invalid ref name X``.
    """
    if is_valid_ref_name(name):
        return
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise FormatError("Invalid ref name: not valid UTF-8") from error
    raise FormatError(f"Invalid ref name {name}")


def check_new_ref_name(name: str) -> None:
    """Check the name of a ref that is to be written, which must not be mistaken for a commit.

    Raises:
        FormatError: ``Invalid ref name X`` or ``Rev name 'X' looks like a checksum``.
    """
    check_ref_name(name)
    if looks_like_checksum(name):
        raise FormatError(f"Rev name '{name}' looks like a checksum")


def check_remote_name(name: str) -> None:
    """Check the name of a remote.

    Raises:
        FormatError: ``Invalid remote name X``.
    """
    if not is_valid_fragment(name):
        raise FormatError(f"Invalid remote name {name}")


def check_collection_id(text: str) -> None:
    """Check a collection ID, which has the form of a D-Bus interface name.

    Raises:
        FormatError: ``Invalid collection ID X``.
    """
    elements = text.split(".")
    if len(elements) < 2 or len(text) > 255 or not all(map(_is_element, elements)):
        raise FormatError(f"Invalid collection ID {text}")


def parse_refspec(text: str) -> tuple[str | None, str]:
    """The remote, if any, and the ref name of ``[REMOTE:]REF``.

    Raises:
        FormatError: ``Invalid refspec X``.
    """
    remote, colon, name = text.partition(":")
    if not colon:
        if is_valid_ref_name(text):
            return None, text
    elif is_valid_fragment(remote) and is_valid_ref_name(name):
        return remote, name
    raise FormatError(f"Invalid refspec {text}")


def format_refspec(remote: str | None, name: str) -> str:
    """``REMOTE:REF``, or ``REF`` without a remote."""
    return name if remote is None else f"{remote}:{name}"


def split_revision(rev: str) -> tuple[str, int]:
    """What comes before the carets at the end of a revision, and how many there are."""
    base = rev.rstrip("^")
    return base, len(rev) - len(base)


def looks_like_checksum(text: str) -> bool:
    """Whether this is 64 lower-case hex digits, which always mean a commit, never a ref."""
    return len(text) == 64 and _HEX.issuperset(text)


def _is_element(text: str) -> bool:
    return text[:1] in _FIRST and _LATER.issuperset(text)
