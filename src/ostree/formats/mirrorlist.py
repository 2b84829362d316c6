"""Lists of mirrors: one URL a line (remotes and pull §5.9)."""

from __future__ import annotations


def parse(data: bytes) -> list[str]:
    """The web addresses of a list, in its order.

    Empty lines, comments (``#`` first) and lines that are no http or https URL are left out.
    """
    urls = []
    for line in data.split(b"\n"):
        text = line.decode("utf-8", "surrogateescape").strip()
        scheme, separator, rest = text.partition("://")
        if separator and scheme.lower() in {"http", "https"} and rest.strip("/"):
            urls.append(text.rstrip("/"))
    return urls
