"""Netscape cookie jars: one cookie a line, seven fields with tabs between them (§2.6)."""

from __future__ import annotations

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Cookie:
    """A cookie.

    Attributes:
        domain: The host, or with a dot in front all hosts below it.
        path: Below which it is sent.
        name: Its name.
        value: Its value.
        secure: Whether it is sent over TLS only.
        expires: In seconds since the epoch.
    """

    __slots__ = ("domain", "expires", "name", "path", "secure", "value")

    def __init__(
        self, domain: str, path: str, name: str, value: str, *, expires: int, secure: bool = False
    ) -> None:
        self.domain = domain
        self.path = path
        self.name = name
        self.value = value
        self.expires = expires
        self.secure = secure

    def is_called(self, domain: str, path: str, name: str) -> bool:
        """Whether it is the one of that name, domain and path."""
        return (self.domain, self.path, self.name) == (domain, path, name)

    def to_line(self) -> str:
        """The line that holds it, without a line end.

        Raises:
            FormatError: if a field has a character that would end it.
        """
        fields = (
            self.domain,
            "TRUE" if self.domain.startswith(".") else "FALSE",
            self.path,
            "TRUE" if self.secure else "FALSE",
            str(self.expires),
            self.name,
            self.value,
        )
        for field in fields:
            if any(character in field for character in "\t\n\r\0"):
                raise FormatError(f"Invalid character in cookie field {field!r}")
        return "\t".join(fields)


def parse(text: str) -> list[Cookie]:
    """The cookies of a jar; lines that hold none are left out."""
    return [cookie for line in text.split("\n") if (cookie := _parse_line(line)) is not None]


def format_jar(cookies: Iterable[Cookie]) -> str:
    """The jar that holds cookies."""
    return "".join(f"{cookie.to_line()}\n" for cookie in cookies)


def _parse_line(line: str) -> Cookie | None:
    fields = line.split("\t")
    if len(fields) < 7 or not (fields[4].isascii() and fields[4].isdigit()):
        return None
    domain, _below, path, secure, expires, name, value = fields[:7]
    return Cookie(domain, path, name, value, expires=int(expires[:19]), secure=secure == "TRUE")
