"""Conditional requests (RFC 9110, section 13): is the client's copy current, may a range be sent?"""

from __future__ import annotations

from ostree.net.http_date import parse_http_date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def is_not_modified(headers: Mapping[str, str], etag: str, modified: int) -> bool:
    """Whether to answer 304: by entity tag if the request has any, else by date."""
    tags = headers.get("if-none-match")
    if tags is not None:
        opaque = etag.removeprefix("W/")
        return any(
            tag == "*" or tag.removeprefix("W/") == opaque
            for tag in (item.strip(" \t") for item in tags.split(","))
        )
    since = _parse_date(headers.get("if-modified-since", ""))
    return since is not None and modified <= since


def allows_range(headers: Mapping[str, str], etag: str, modified: int, now: float) -> bool:
    """Whether ``If-Range``, if present, names the file as it is now, byte for byte.

    A date is good for that only if the file cannot have changed again within the same second.
    """
    condition = headers.get("if-range")
    if condition is None:
        return True
    condition = condition.strip(" \t")
    if condition.startswith('"'):
        return condition == etag
    return _parse_date(condition) == modified and now - modified >= 2


def _parse_date(text: str) -> int | None:
    text = text.strip(" \t")
    # Upstream's client writes the time zone as UTC.
    return parse_http_date(f"{text[:-4]} GMT" if text.endswith(" UTC") else text)
