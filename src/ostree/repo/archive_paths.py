"""Paths in archives: what they mean in a tree, and how they are rewritten (repository format §6.5)."""

from __future__ import annotations

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    #: Rewrites a relative path.
    PathnameFilter = Callable[[str], str]


def relative_path(stored: str) -> str:
    """The path of an entry relative to the root of the archive.

    Directories keep their slash at the end.  An absolute path starts at the archive's root, above
    which there is nothing: ``/../x`` is ``x``.

    Raises:
        FormatError: ``While making relative path "X":Invalid uplink '..' in path X``.
    """
    path = stored
    while path.startswith(("/", "./")):
        if path.startswith("/../"):
            path = path[3:]
        else:
            path = path[1:] if path[0] == "/" else path[2:]
    if ".." in path.split("/"):
        raise FormatError(
            f"While making relative path \"{path}\":Invalid uplink '..' in path {path}"
        )
    return path


def split_path(path: str) -> list[str]:
    """The names in a relative path; none for the root.

    Raises:
        FormatError: ``Invalid uplink '..' in path X``, which a filter can cause.
    """
    names = path.split("/")
    if ".." in names:
        raise FormatError(f"Invalid uplink '..' in path {path.rstrip('/')}")
    return [name for name in names if name not in {"", "."}]


def parse_pathname_filter(text: str) -> PathnameFilter:
    """What ``REGEX,REPLACEMENT`` does to paths; the first comma separates.

    Raises:
        FormatError: in GLib's words, if one of them is none.
    """
    from ostree.formats.glib_pattern import compile_pattern
    from ostree.formats.glib_replacement import Replacement, replace_all

    expression, comma, replacement = text.partition(",")
    if not comma:
        raise FormatError("Missing ',' in --tar-pathname-filter")
    try:
        pattern = compile_pattern(expression)
        new_text = Replacement(replacement)
    except FormatError as error:
        error.add_prefix("--tar-pathname-filter")
        raise
    return lambda path: replace_all(pattern, path, new_text)
