"""Key files: groups of ``key=value`` lines, as GLib's GKeyFile reads and writes them.

The repository configuration, remotes, origins and the os-release-like files of a system have this
form.  Values are kept as they stand in the file (*raw*); escapes are resolved when a value is
read as a string and made when a string is set.  Comments, empty lines and translated keys
(``name[de]=…``) are not kept, so writing a file again drops them (repository format §4.2).
"""

from __future__ import annotations

from ostree.errors import FormatError, NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What GLib calls white space: str.strip() without an argument would take far more.
_BLANKS = " \t\n\f\r"

_UNESCAPED = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class KeyFile:
    """The groups of a key file in their order, each with its keys in their order.

    A key that a file gives twice is kept twice; its last value counts, as in GLib.
    """

    __slots__ = ("_groups",)

    def __init__(self) -> None:
        self._groups: dict[str, list[tuple[str, str]]] = {}

    @classmethod
    def parse(cls, data: bytes | str, *, require_utf8: bool = False) -> KeyFile:
        """The key file of some text.

        Bytes that are not UTF-8 do no harm until the value they stand in is read as a string.

        Args:
            data: The whole file.
            require_utf8: Whether to refuse them at once, as for a repository's ``config``.

        Raises:
            FormatError: with GLib's words, for a line that is none of key, group and comment, a
                bad name, a key before the first group, or an encoding that is not UTF-8.
        """
        if isinstance(data, str):
            text = data
        else:
            text = _decode(data, require_utf8=require_utf8)
        file = cls()
        lines = text.split("\n")
        entries: list[tuple[str, str]] | None = None
        for number, whole in enumerate(lines, 1):
            line = whole if number == len(lines) else whole.removesuffix("\r")
            content = line.lstrip(_BLANKS)
            if not content or content[0] == "#":
                continue
            group = _group_of(line, content)
            if group is not None:
                entries = file._groups.setdefault(group, [])
                continue
            key, value = _pair_of(line, content)
            if entries is None:
                raise FormatError("Key file does not start with a group")
            if key == "Encoding" and len(file._groups) == 1 and value.lower() != "utf-8":
                raise FormatError(f"Key file contains unsupported encoding “{_shown(value)}”")
            if key[-1] != "]" or key.endswith("[]"):
                entries.append((key, value))
        return file

    def copy(self) -> KeyFile:
        """An independent key file with the same content."""
        other = KeyFile()
        other._groups = {group: entries.copy() for group, entries in self._groups.items()}
        return other

    def __repr__(self) -> str:
        return f"KeyFile({self.to_text()!r})"

    # Reading

    def groups(self) -> list[str]:
        """The names of all groups."""
        return list(self._groups)

    def keys(self, group: str) -> list[str]:
        """The keys of a group, each once.

        Raises:
            NotFoundError: if there is no such group.
        """
        return list(dict(self._entries(group)))

    def has_group(self, group: str) -> bool:
        """Whether there is such a group, be it empty."""
        return group in self._groups

    def has_key(self, group: str, key: str) -> bool:
        """Whether there is such a group with such a key."""
        return self._find(group, key) is not None

    def get_raw(self, group: str, key: str, default: str | None = None) -> str:
        """The value as it stands in the file.

        Raises:
            NotFoundError: if group or key is missing and there is no default.
        """
        value = self._find(group, key)
        if value is not None:
            return value
        if default is not None:
            return default
        self._entries(group)
        raise NotFoundError(f"Key file does not have key “{key}” in group “{group}”")

    def get_string(self, group: str, key: str, default: str | None = None) -> str:
        """The value with its escapes resolved.

        Raises:
            NotFoundError: if group or key is missing and there is no default.
            FormatError: if the value has an unknown escape or is not UTF-8.
        """
        raw = self._find(group, key)
        if raw is None:
            return self.get_raw(group, key, default)
        return _unescape(key, raw, "")[0]

    def find_string(self, group: str, key: str) -> str | None:
        """The value with its escapes resolved; None if group or key is missing.

        Raises:
            FormatError: if the value has an unknown escape or is not UTF-8.
        """
        raw = self._find(group, key)
        return None if raw is None else _unescape(key, raw, "")[0]

    def get_boolean(self, group: str, key: str, *, default: bool | None = None) -> bool:
        """Whether the value says yes: ``true`` or ``1``, not ``false`` or ``0``.

        Raises:
            NotFoundError: if group or key is missing and there is no default.
            FormatError: if the value is any other word.
        """
        if default is not None and not self.has_key(group, key):
            return default
        raw = self.get_raw(group, key).rstrip(_BLANKS)
        if raw in {"true", "1"}:
            return True
        if raw in {"false", "0"}:
            return False
        raise _uninterpretable(key)

    def get_list(
        self,
        group: str,
        key: str,
        separators: str = ";",
        default: Sequence[str] | None = None,
    ) -> list[str]:
        r"""The items of a list, each with its escapes resolved.

        An item ends with a separator, the last one need not; ``\;`` is a separator that does not
        separate.

        Args:
            group: Where the key is.
            key: Whose value.
            separators: The characters that end an item.
            default: What to give when group or key is missing.

        Raises:
            NotFoundError: if group or key is missing and there is no default.
            FormatError: if the value has an unknown escape or is not UTF-8.
        """
        if default is not None and not self.has_key(group, key):
            return list(default)
        items = _unescape(key, self.get_raw(group, key), separators)
        if not items[-1]:
            items.pop()
        return items

    def to_text(self) -> str:
        """The file: groups separated by one empty line, without comments."""
        blocks = []
        for group, entries in self._groups.items():
            lines = [f"[{group}]\n"]
            lines += [f"{key}={value}\n" for key, value in entries]
            blocks.append("".join(lines))
        return "\n".join(blocks)

    def to_bytes(self) -> bytes:
        """The file as it is stored; bytes that were not UTF-8 are what they were."""
        return self.to_text().encode("utf-8", "surrogateescape")

    # Changing

    def set_string(self, group: str, key: str, value: str) -> None:
        """Set a key, making the group if needed; escapes what would be lost.

        Raises:
            FormatError: if group or key is not a possible name.
        """
        self.set_raw(group, key, _escape(value, ""))

    def set_list(self, group: str, key: str, items: Iterable[str], separator: str = ";") -> None:
        """Set a key to a list; every item, the last one too, is followed by the separator.

        Raises:
            FormatError: if group or key is not a possible name.
        """
        self.set_raw(group, key, "".join(_escape(item, separator) + separator for item in items))

    def set_raw(self, group: str, key: str, value: str) -> None:
        """Set a key to text that is already escaped.

        Raises:
            FormatError: if group or key is not a possible name, or if the value cannot stand in
                one line.
        """
        if not _is_group_name(group):
            raise FormatError(f"Invalid group name: {group}")
        if not _is_key_name(key) or key[0] == "#" or "\n" in key or "\0" in key:
            raise FormatError(f"Invalid key name: {key}")
        if "\n" in value or "\0" in value:
            raise _uninterpretable(key)
        entries = self._groups.setdefault(group, [])
        for index in range(len(entries) - 1, -1, -1):
            if entries[index][0] == key:
                entries[index] = (key, value)
                return
        entries.append((key, value))

    def remove_key(self, group: str, key: str) -> None:
        """Remove a key, every line of it; GLib leaves lines that the last one had overridden.

        Raises:
            NotFoundError: if there is no such group or key.
        """
        self.get_raw(group, key)
        self._groups[group] = [entry for entry in self._groups[group] if entry[0] != key]

    def remove_group(self, group: str) -> None:
        """Remove a group with all its keys.

        Raises:
            NotFoundError: if there is no such group.
        """
        self._entries(group)
        del self._groups[group]

    # Inside

    def _entries(self, group: str) -> list[tuple[str, str]]:
        entries = self._groups.get(group)
        if entries is None:
            raise NotFoundError(f"Key file does not have group “{group}”")
        return entries

    def _find(self, group: str, key: str) -> str | None:
        for name, value in reversed(self._groups.get(group, ())):
            if name == key:
                return value
        return None


def _decode(data: bytes, *, require_utf8: bool) -> str:
    if require_utf8:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise FormatError("Invalid UTF-8", offset=error.start) from error
    return data.decode("utf-8", "surrogateescape")


def _shown(text: str) -> str:
    """Text for a message: what is not UTF-8, and NUL, as the replacement character."""
    text = text.replace("\0", "\ufffd")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _not_a_line(line: str) -> FormatError:
    return FormatError(
        f"Key file contains line “{_shown(line)}” which is not a key-value pair, group, or comment"
    )


def _uninterpretable(key: str) -> FormatError:
    return FormatError(
        f"Key file contains key “{_shown(key)}” which has a value that cannot be interpreted.",
        field=key,
    )


def _group_of(line: str, content: str) -> str | None:
    """The name in a ``[group]`` line, or None if the line is something else."""
    if content[0] != "[":
        return None
    group, bracket, rest = content[1:].partition("]")
    if not bracket or rest.strip(" \t"):
        return None
    if "\0" in group:
        raise _not_a_line(line)
    if not _is_group_name(group):
        raise FormatError(f"Invalid group name: {_shown(group)}")
    return group


def _pair_of(line: str, content: str) -> tuple[str, str]:
    """Key and raw value of a ``key=value`` line."""
    key, equals, value = content.partition("=")
    key = key.rstrip(_BLANKS)
    # GLib cuts a value at a NUL; nothing good comes of half a value.
    if not equals or not key or "\0" in content:
        raise _not_a_line(line)
    if ("[" in key or "]" in key) and not _is_key_name(key):
        raise FormatError(f"Invalid key name: {_shown(key)}")
    return key, value.lstrip(_BLANKS)


def _is_group_name(name: str) -> bool:
    if not name or "[" in name or "]" in name:
        return False
    return not any(char < " " or char == "\x7f" for char in name)


def _is_key_name(name: str) -> bool:
    """Whether this is text without brackets, perhaps followed by one ``[LOCALE]``."""
    if not name or name[0] == " " or name[-1] == " " or "=" in name:
        return False
    base, bracket, locale = name.partition("[")
    if "]" in base or not base:
        return False
    if not bracket:
        return True
    return locale[-1:] == "]" and all(
        char.isalpha() or char.isdecimal() or char in "-_.@" for char in locale[:-1]
    )


def _unescape(key: str, raw: str, separators: str) -> list[str]:
    """The items of a raw value; without separators there is exactly one."""
    if not raw.isascii():
        try:
            raw.encode()
        except UnicodeEncodeError as error:
            shown = _shown(raw)
            raise FormatError(
                f"Key file contains key “{_shown(key)}” with value “{shown}” which is not UTF-8",
                field=key,
            ) from error
    if "\\" not in raw and not separators:
        return [raw]
    items = []
    item: list[str] = []
    chars = iter(raw)
    for char in chars:
        if char in separators:
            items.append("".join(item))
            item = []
        elif char != "\\":
            item.append(char)
        else:
            escaped = next(chars, "")
            if escaped and escaped in separators:
                item.append(escaped)
            elif escaped in _UNESCAPED:
                item.append(_UNESCAPED[escaped])
            else:
                raise _uninterpretable(key)
    items.append("".join(item))
    return items


def _escape(value: str, separator: str) -> str:
    """The raw form of a string: leading blanks, line ends, backslashes and separators escaped."""
    body = value.lstrip(" \t\n\r")
    lead = value[: len(value) - len(body)].replace(" ", "\\s").replace("\t", "\\t")
    body = body.replace("\\", "\\\\")
    body = (lead + body).replace("\n", "\\n").replace("\r", "\\r")
    if separator:
        body = body.replace(separator, "\\" + separator)
    return body
