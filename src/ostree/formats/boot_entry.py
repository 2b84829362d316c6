"""Boot Loader Specification entries as OSTree reads and writes them (deployments §5)."""

from __future__ import annotations

from ostree.errors import FormatError, SysrootError
from ostree.formats.hash_order import HashDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Keys that are written first, in this order; ``initrd`` and its overlays come between.
_FIRST_KEYS = ("title", "version", "options", "devicetree", "linux", "initrd")


class BootEntry:
    """Keys and values of one entry; ``overlay_initrds`` are the ``initrd`` lines after the first.

    Attributes:
        counters: What the name of the file that the entry was read from says about boot attempts,
            as (left, done), or None for an entry that was not read from a file.
    """

    __slots__ = ("_values", "counters", "overlay_initrds")

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self.overlay_initrds: list[str] = []
        self.counters: tuple[int, int] | None = None

    @classmethod
    def parse(cls, text: str) -> BootEntry:
        """The entry in a file's text; total: lines that are no entries are ignored."""
        entry = cls()
        for line in text.split("\n"):
            key, value = _split_line(line)
            if value is None:
                continue
            if key == "initrd" and key in entry._values:
                entry.overlay_initrds.append(value)
            else:
                entry._values[key] = value
        return entry

    def copy(self) -> BootEntry:
        """An independent copy."""
        other = BootEntry()
        other._values = dict(self._values)
        other.overlay_initrds = list(self.overlay_initrds)
        other.counters = self.counters
        return other

    def clone(self) -> BootEntry:
        """A copy as upstream makes it of a deployment that goes on with other arguments.

        Its table is filled in the order of the original's, which changes the order of extra keys;
        and it does not go on counting boot attempts.
        """
        other = BootEntry()
        other._values = {
            key: self._values[key] for key, _ in HashDict(self._values.items()).items()
        }
        other.overlay_initrds = list(self.overlay_initrds)
        other.counters = (0, 0)
        return other

    def get(self, key: str) -> str | None:
        """The value of a key."""
        return self._values.get(key)

    def set(self, key: str, value: str) -> None:
        """Set a key; a key that exists keeps its place.

        Raises:
            FormatError: key or value could not be read back from the file.
        """
        if not (key[:1].isascii() and key[:1].isalpha()) or any(c in " \t\n" for c in key):
            raise FormatError(f"Invalid key '{key}' in boot loader entry")
        if "\n" in value or "\0" in value:
            raise FormatError(f"Value of '{key}' in boot loader entry contains a line break")
        self._values[key] = value

    def discard(self, key: str) -> None:
        """Remove a key if it is there."""
        self._values.pop(key, None)

    def keys(self) -> Iterator[str]:
        """All keys in the order in which they were first set."""
        return iter(self._values)

    def to_text(self) -> str:
        """The file's content.

        Keys beyond the usual ones follow in the order of GLib's hash table, so that the file is
        byte for byte the one the C implementation writes.
        """
        lines = [f"{key} {self._values[key]}\n" for key in _FIRST_KEYS if key in self._values]
        lines += [f"initrd {path}\n" for path in self.overlay_initrds]
        table = HashDict(self._values.items())
        lines += [f"{key} {value}\n" for key, value in table.items() if key not in _FIRST_KEYS]
        return "".join(lines)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BootEntry):
            return NotImplemented
        return (
            self._values == other._values
            and self.overlay_initrds == other.overlay_initrds
            and self.counters == other.counters
        )

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"BootEntry({self.to_text()!r})"


def _split_line(line: str) -> tuple[str, str | None]:
    """Key and value, split at the first space or tab; no value if the line is none of an entry."""
    if not (line[:1].isascii() and line[:1].isalpha()):
        return line, None
    end = min((i for i in (line.find(" "), line.find("\t")) if i >= 0), default=None)
    if end is None:
        return line, None
    return line[:end], line[end + 1 :]


def title_of(entry: BootEntry) -> str:
    """What a menu calls an entry."""
    title = entry.get("title")
    return "(Untitled)" if title is None else title


def kernel_path(entry: BootEntry) -> str:
    """The kernel of an entry, without which no boot loader can do.

    Raises:
        SysrootError: it names none.
    """
    path = entry.get("linux")
    if path is None:
        raise SysrootError('No "linux" key in bootloader config')
    return path


def is_entry_name(name: str) -> bool:
    """Whether a file in ``loader/entries`` is ours."""
    return name.startswith("ostree-") and name.endswith(".conf")


def parse_counters(file_name: str) -> tuple[int, int]:
    """Boot attempts left and done, from ``NAME+LEFT-DONE.conf``; what is malformed counts as 0."""
    stem, plus, suffix = file_name.removesuffix(".conf").rpartition("+")
    left, dash, done = suffix.partition("-")
    if not (plus and stem) or not _is_count(left) or (dash and not _is_count(done)):
        return (0, 0)
    return int(left), int(done or "0")


def _is_count(text: str) -> bool:
    return 0 < len(text) <= 9 and text.isascii() and text.isdigit()


def entry_file_name(
    number: int,
    *,
    tries: int = 0,
    counters: tuple[int, int] | None = None,
    stateroot: str | None = None,
) -> str:
    """The name of an entry's file.

    Args:
        number: The entry's ``version``: length of the list minus index.
        tries: ``[sysroot] boot-counting-tries``, 0 if off.
        counters: :attr:`BootEntry.counters`.
        stateroot: That of the deployment, if names are to be as they were before 2024.5; not
            where boot attempts are counted, which came later.
    """
    if tries == 0 and stateroot is not None:
        return f"ostree-{number}-{stateroot}.conf"
    if tries == 0 or counters == (0, 0):
        suffix = ""
    elif counters is None:
        suffix = f"+{tries}"
    else:
        suffix = f"+{counters[0]}-{counters[1]}"
    return f"ostree-{number}{suffix}.conf"


def parse_extra_keys(text: str) -> list[tuple[str, str]]:
    """The pairs of ``bls-append-except-default``, in the order in which they are added.

    Raises:
        FormatError: an item is no ``key=value``.
    """
    table = HashDict()
    for item in text.split(";"):
        if not item:
            continue
        key, equals, value = item.partition("=")
        if not (key and equals):
            raise FormatError(
                'bls-append-except-default key must be of the form "key1=value1;key2=value2..."'
            )
        table.insert(key, value)
    return [(key, str(value)) for key, value in table.items()]
