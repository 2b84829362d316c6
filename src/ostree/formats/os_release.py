"""``os-release`` and the title of a boot entry made from it (deployments §5.3)."""

from __future__ import annotations

from ostree.errors import FormatError, SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Characters that a backslash inside double quotes makes literal.
_ESCAPABLE = frozenset('$`"\\\n')


def unquote(text: str) -> str:
    """Take a value's shell quoting away, as GLib does.

    Blanks outside quotes are kept; nothing is expanded.

    Raises:
        FormatError: a quote is not closed, or the text ends in a backslash.
    """
    out: list[str] = []
    rest = iter(text)
    for char in rest:
        if char == "\\":
            escaped = _next(rest)
            out.append("" if escaped == "\n" else escaped)
        elif char == "'":
            while (inner := _next(rest)) != "'":
                out.append(inner)
        elif char == '"':
            _unquote_double(rest, out)
        else:
            out.append(char)
    return "".join(out)


def _unquote_double(rest: Iterator[str], out: list[str]) -> None:
    while (char := _next(rest)) != '"':
        if char == "\\":
            escaped = _next(rest)
            if escaped not in _ESCAPABLE:
                out.append("\\")
            out.append("" if escaped == "\n" else escaped)
        else:
            out.append(char)


def _next(rest: Iterator[str]) -> str:
    char = next(rest, None)
    if char is None:
        raise FormatError("Text ended before a quote or an escape was complete")
    return char


def parse_os_release(text: str) -> dict[str, str]:
    """The variables of an os-release file.

    A line whose value cannot be unquoted is skipped; of several with one key the last counts.
    """
    values = {}
    for line in text.split("\n"):
        key, equals, quoted = line.partition("=")
        if line.startswith("#") or not equals:
            continue
        try:
            values[key] = unquote(quoted)
        except FormatError:
            continue
    return values


def boot_title(
    os_release: dict[str, str], *, version: str | None, stateroot: str | None, index: int
) -> str:
    """The title of the boot entry of the deployment at ``index``.

    Args:
        os_release: The variables of the deployment's os-release file.
        version: The commit's ``version`` metadata.
        stateroot: The stateroot, to be given if the list has deployments of several.
        index: The place in the list.

    Raises:
        SysrootError: os-release tells no name.
    """
    base = os_release.get("PRETTY_NAME", os_release.get("ID"))
    if base is None:
        raise SysrootError("No PRETTY_NAME or ID in /etc/os-release")
    if version and version not in base:
        base += f" {version}"
    where = f"{stateroot}:{index}" if stateroot is not None else f"{index}"
    # Whoever wrote the commit must not be able to add lines to the boot configuration.
    base = "".join(" " if ord(char) < 0x20 else char for char in base)
    return f"{base} (ostree:{where})"
