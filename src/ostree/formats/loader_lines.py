"""How the files of boot loaders are put together from lines (boot §3.1, "Line joining")."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def join_lines(elements: Iterable[str]) -> str:
    """Each element and a line feed.

    Of the empty elements only the first survives, and only if it is not the very first element.
    An element may itself hold several lines, which are left as they are.
    """
    out: list[str] = []
    empty_seen = False
    for position, element in enumerate(elements):
        if not element:
            if empty_seen or position == 0:
                continue
            empty_seen = True
        out.append(f"{element}\n")
    return "".join(out)
