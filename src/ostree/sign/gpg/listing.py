"""Keys as ``gpg --list-keys --with-colons`` lists them."""

from __future__ import annotations

from ostree.sign.gpg.process import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Arguments after which ``gpg`` prints what :func:`parse_keys` reads.
LIST = ("--with-colons", "--fixed-list-mode", "--with-subkey-fingerprint")
#: What may stand in a mail address besides letters and digits: before the @, and anywhere.
_LOCAL = frozenset("!#$%&'*+/=?^`{|}~")
_ANYWHERE = frozenset("_-.")
#: What ends what in a user ID.
_BRACKETS = {"<": ">", "(": ")"}
_NAME = "name"


class GpgSubkey:
    """A key, or one below it.

    Attributes:
        fingerprint: In hex digits, upper case.
        created: Seconds since 1970.
        expires: The same; 0 for never.
        revoked: Whether its owner took it back.
        invalid: Whether it cannot be used otherwise.
    """

    __slots__ = ("created", "expires", "fingerprint", "invalid", "revoked")

    def __init__(self, fields: list[str]) -> None:
        self.fingerprint = ""
        self.created = _number(fields[5])
        self.expires = _number(fields[6])
        self.revoked = "r" in fields[1]
        self.invalid = "i" in fields[1]


class GpgUserId:
    """A user ID.

    Attributes:
        text: All of it.
        name: The part before an address or a comment.
        email: What stands in angle brackets, or the whole if that is an address.
        address: The address in lower case, if there is a valid one.
        revoked: Whether its owner took it back.
        invalid: Whether it is not certified by its key.
    """

    __slots__ = ("address", "email", "invalid", "name", "revoked", "text")

    def __init__(self, text: str, *, revoked: bool = False, invalid: bool = False) -> None:
        self.text = text
        self.revoked = revoked
        self.invalid = invalid
        self.address = _address(text)
        self.name, self.email = _name_and_email(text)
        if not self.email and self.address is not None and self.address == self.name:
            self.name, self.email = "", self.address


class GpgKey:
    """A key with all that belongs to it.

    Attributes:
        subkeys: The primary key, then those below it.
        user_ids: In the order of the keyring.
    """

    __slots__ = ("subkeys", "user_ids")

    def __init__(self) -> None:
        self.subkeys: list[GpgSubkey] = []
        self.user_ids: list[GpgUserId] = []

    @property
    def primary(self) -> GpgSubkey:
        """The primary key."""
        return self.subkeys[0]

    def subkey(self, fingerprint: str) -> GpgSubkey | None:
        """The one of a fingerprint."""
        return next((key for key in self.subkeys if key.fingerprint == fingerprint), None)

    def has(self, identifier: str) -> bool:
        """Whether a fingerprint, or the key ID at its end, is that of one of its keys."""
        return any(key.fingerprint.endswith(identifier) for key in self.subkeys)


def parse_keys(output: bytes) -> list[GpgKey]:
    """The keys in a listing, public or secret."""
    keys: list[GpgKey] = []
    for fields in _records(output):
        if fields[0] in {"pub", "sec"}:
            keys.append(GpgKey())
        if not keys:
            continue
        key = keys[-1]
        if fields[0] in {"pub", "sec", "sub", "ssb"}:
            key.subkeys.append(GpgSubkey(fields))
        elif fields[0] == "fpr" and not key.subkeys[-1].fingerprint:
            key.subkeys[-1].fingerprint = fields[9]
        elif fields[0] == "uid":
            text = _unescaped(fields[9])
            validity = fields[1]
            key.user_ids.append(GpgUserId(text, revoked="r" in validity, invalid="i" in validity))
    return keys


def _records(output: bytes) -> Iterator[list[str]]:
    for line in output.split(b"\n"):
        fields = decode(line).split(":")
        if len(fields) >= 10:
            yield fields


def _number(field: str) -> int:
    return int(field) if field.isascii() and field.isdigit() else 0


def _unescaped(field: str) -> str:
    r"""A field without the escapes of C: ``\x3a``."""
    if "\\" not in field:
        return field
    from re import sub

    data = field.encode("utf-8", "surrogateescape")
    named = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"f": b"\f", b"b": b"\b"}
    return decode(
        sub(
            rb"\\(?:x([0-9a-fA-F]{2})|(.))",
            lambda m: bytes([int(m[1], 16)]) if m[1] else named.get(m[2], m[2]),
            data,
        )
    )


def _name_and_email(text: str) -> tuple[str, str]:
    """The name is the first text outside of brackets, the address the first in angle ones."""
    found: dict[str, str] = {}
    kind, depth, start = "", 0, 0
    for index, character in enumerate(text):
        if kind in _BRACKETS:
            depth += (character == kind) - (character == _BRACKETS[kind])
            if not depth:
                found.setdefault(kind, text[start:index])
                kind = ""
        elif character in _BRACKETS:
            if kind:
                found.setdefault(kind, text[start:index])
            kind, depth, start = character, 1, index + 1
        elif not kind and character != " ":
            kind, start = _NAME, index
    if kind == _NAME:
        found.setdefault(kind, text[start:])
    return found.get(_NAME, "").rstrip(" "), found.get("<", "")


def _address(text: str) -> str | None:
    """The mail address of a user ID; one in brackets need not look like one in every respect."""
    before, opened, after = text.partition("<")
    address, closed, _ = after.partition(">")
    if opened:
        is_address = bool(closed) and _may_be_address(address)
    else:
        address = before
        is_address = _may_be_address(address) and _is_strict_address(address)
    return "".join(c.lower() if c.isascii() else c for c in address) if is_address else None


def _may_be_address(text: str) -> bool:
    local, _, domain = text.partition("@")
    if not local or not domain or "@" in domain or text.endswith("."):
        return False
    return ".." not in domain and all(character > " " for character in text)


def _is_strict_address(text: str) -> bool:
    local, _, domain = text.partition("@")
    if ".." in text:
        return False
    return all(_may_stand(c) or c in _LOCAL for c in local) and all(map(_may_stand, domain))


def _may_stand(character: str) -> bool:
    return not character.isascii() or character.isalnum() or character in _ANYWHERE
