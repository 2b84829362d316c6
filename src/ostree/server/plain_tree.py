"""A directory as the test server shows it: every file that everybody may read, and listings (§9)."""

from __future__ import annotations

import os
import stat
from html import escape
from urllib.parse import unquote

_EVERYBODY_READS = stat.S_IROTH
_EVERYBODY_ENTERS = stat.S_IROTH | stat.S_IXOTH


class Found:
    """What a path leads to.

    Attributes:
        status: 200, or why there is nothing.
        file: The file to send; None for none.
        page: What to send instead of a file.
        location: Where it is instead.
    """

    __slots__ = ("file", "location", "page", "status")

    def __init__(
        self, status: int, *, file: str | None = None, page: bytes = b"", location: str = ""
    ) -> None:
        self.status = status
        self.file = file
        self.page = page
        self.location = location


def find(root: str, url_path: str) -> Found:
    """What the path of a URL leads to below a directory; symbolic links are followed."""
    path = unquote(url_path.partition("?")[0], errors="surrogateescape")
    if "\0" in path or ".." in path.split("/"):
        return Found(403)
    place = os.path.join(root, path.lstrip("/"))
    try:
        info = os.stat(place)
    except OSError as error:
        return Found(403 if isinstance(error, PermissionError) else 404)
    if not stat.S_ISDIR(info.st_mode):
        return _file(place, info)
    if info.st_mode & _EVERYBODY_ENTERS != _EVERYBODY_ENTERS:
        return Found(403)
    if not path.endswith("/"):
        return Found(301, location=f"{url_path.partition('?')[0]}/")
    index = os.path.join(place, "index.html")
    if os.path.exists(index):
        return _file(index, os.stat(index))
    return Found(200, page=_listing(place, path))


def _file(place: str, info: os.stat_result) -> Found:
    if not stat.S_ISREG(info.st_mode) or not info.st_mode & _EVERYBODY_READS:
        return Found(403)
    return Found(200, file=place)


def _listing(place: str, path: str) -> bytes:
    title = f"Index of {escape(path, quote=False)}"
    lines = ["<html>", f"<head><title>{title}</title></head>", f"<body><h1>{title}</h1>", "<p>"]
    for name in sorted(os.listdir(place)):
        shown = escape(name)
        lines.append(f'<a href="{shown}">{shown}</a><br>')
    lines += ["</body>", "</html>"]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
