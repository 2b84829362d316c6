"""Which URL paths name files that a repository server may show: rules only, no file system."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

#: What a client of a repository may read, by the first component below the repository.
PUBLIC_FILES = frozenset({b"config", b"summary", b"summary.sig"})
PUBLIC_DIRECTORIES = frozenset({b"refs", b"objects", b"deltas", b"delta-indexes"})


def split_path(raw_path: bytes) -> list[bytes] | None:
    """The components of a percent-encoded path without its query; ``None`` for a bad one.

    Repeated slashes count as one.  A component that is ``.`` or ``..``, or that turns out to
    contain a slash or NUL once it is decoded, makes the path a bad one, and so does a slash at its
    end, for directories are not served.
    """
    if not raw_path.startswith(b"/") or raw_path.endswith(b"/"):
        return None
    components = [unquote_to_bytes(part) for part in raw_path.split(b"/") if part]
    for component in components:
        if component in {b".", b".."} or b"/" in component or b"\0" in component:
            return None
    return components


def is_public(components: list[bytes]) -> bool:
    """Whether a path relative to a repository is one that its clients read."""
    if len(components) == 1:
        return components[0] in PUBLIC_FILES
    return bool(components) and components[0] in PUBLIC_DIRECTORIES
