"""What kernel modules say of themselves, and the lists that belong to a kernel's modules.

A module's section ``.modinfo`` holds ``key=value`` strings that end in NUL.  The lists of ``depmod``
(``modules.dep``, ``modules.alias``) are derived from these; ``modules.builtin`` and
``modules.builtin.modinfo`` come from the kernel's build and tell what is no module at all.
"""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.elf import ElfFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: How files of modules end: what is compressed has one more suffix.
SUFFIXES = (".ko", ".ko.gz", ".ko.xz", ".ko.zst")


class ModuleInfo:
    """The facts of one module; names have underscores for dashes.

    Attributes:
        machine: What it runs on.
        needs: The modules without which it cannot be loaded.
        before: Modules or aliases that it wants to be loaded earlier (``softdep … pre:``).
        after: Those that it wants to be loaded later (``post:``).
        aliases: What else it is found under, patterns of hardware included.
    """

    __slots__ = ("after", "aliases", "before", "machine", "needs")

    def __init__(
        self,
        machine: str,
        needs: Iterable[str] = (),
        before: Iterable[str] = (),
        after: Iterable[str] = (),
        aliases: Iterable[str] = (),
    ) -> None:
        self.machine = machine
        self.needs = tuple(needs)
        self.before = tuple(before)
        self.after = tuple(after)
        self.aliases = tuple(aliases)


def module_name(text: str) -> str:
    """The one spelling of a module's name: of ``-`` and ``_``, which mean the same, ``_``."""
    return text.replace("-", "_")


def name_of_file(filename: str) -> str | None:
    """The name of the module in a file, as in ``mmc_block`` for ``mmc_block.ko.xz``; else None."""
    for suffix in SUFFIXES:
        if filename.endswith(suffix):
            return module_name(filename.removesuffix(suffix))
    return None


def decode_module(data: bytes) -> ModuleInfo:
    """The facts that an uncompressed module holds.

    Raises:
        FormatError: it is no module.
    """
    elf = ElfFile(data)
    section = elf.section(".modinfo")
    if section is None:
        raise FormatError("no section .modinfo")
    needs: list[str] = []
    before: list[str] = []
    after: list[str] = []
    aliases: list[str] = []
    for field in section.split(b"\0"):
        key, _, value = field.decode("utf-8", "surrogateescape").partition("=")
        if key == "depends":
            needs += [module_name(name) for name in value.split(",") if name]
        elif key == "softdep":
            soft_before, soft_after = _parse_softdep(value)
            before += soft_before
            after += soft_after
        elif key == "alias":
            aliases.append(value)
    return ModuleInfo(elf.machine, needs, before, after, aliases)


def _parse_softdep(text: str) -> tuple[list[str], list[str]]:
    """``pre: a b post: c`` as two lists; what precedes the first keyword belongs to neither."""
    lists: dict[str, list[str]] = {"pre:": [], "post:": []}
    current: list[str] | None = None
    for word in text.split():
        if word in lists:
            current = lists[word]
        elif current is not None:
            current.append(module_name(word))
    return lists["pre:"], lists["post:"]


def parse_builtin(text: str) -> frozenset[str]:
    """The names in ``modules.builtin``: a path of a module that is not one, on each line."""
    names = (name_of_file(line.strip().rpartition("/")[2]) for line in text.splitlines())
    return frozenset(name for name in names if name is not None)


def parse_builtin_aliases(data: bytes) -> frozenset[str]:
    """The aliases in ``modules.builtin.modinfo``: ``name.key=value`` strings that end in NUL."""
    aliases = set()
    for field in data.split(b"\0"):
        key, _, value = field.decode("utf-8", "surrogateescape").partition("=")
        if key.rpartition(".")[2] == "alias":
            aliases.add(module_name(value))
    return frozenset(aliases)


def encode_dependencies(dependencies: Mapping[str, Iterable[str]]) -> str:
    """``modules.dep`` for paths with the paths that are loaded before each, first ones first.

    In the file they stand in the opposite order: what is to be loaded first comes last.
    """
    lines = [
        " ".join([f"{path}:", *reversed(list(needed))])
        for path, needed in sorted(dependencies.items())
    ]
    return "".join(f"{line}\n" for line in lines)


def encode_aliases(aliases: Mapping[str, Iterable[str]]) -> str:
    """``modules.alias`` for names of modules with the aliases of each."""
    return "".join(f"alias {alias} {name}\n" for name in sorted(aliases) for alias in aliases[name])
