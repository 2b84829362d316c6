"""The modules below ``lib/modules/V``, as installed by a kernel's package, compressed or not."""

from __future__ import annotations

import os

from ostree.errors import FormatError, NotFoundError, OSTreeError
from ostree.formats.kernel_module import (
    decode_module,
    module_name,
    name_of_file,
    parse_builtin,
    parse_builtin_aliases,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostree.formats.kernel_module import ModuleInfo

#: The largest modules of graphics cards have about 30 MB uncompressed.
MAX_MODULE = 256 << 20
_MAX_LIST = 64 << 20


class ModuleDirectory:
    """The modules of one kernel.

    ``depmod`` need not have run: what modules need is read from the modules themselves.

    Args:
        path: The directory, ``…/lib/modules/V``.

    Raises:
        NotFoundError: there is none.
        OSTreeError: a list of the kernel's cannot be read.
    """

    def __init__(self, path: str) -> None:
        if not os.path.isdir(path):
            raise NotFoundError(f"No kernel modules in {path}")
        self.path = path
        self._files = dict(_find_modules(path))
        self._infos: dict[str, ModuleInfo] = {}
        self._aliases: dict[str, set[str]] | None = None
        builtin = _read_list(os.path.join(path, "modules.builtin"))
        aliases = _read_list(os.path.join(path, "modules.builtin.modinfo"))
        self._builtin = parse_builtin(builtin.decode("utf-8", "surrogateescape"))
        self._builtin_aliases = parse_builtin_aliases(aliases)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def below(self, directory: str) -> list[str]:
        """The names of the modules below ``kernel/DIRECTORY``, sorted."""
        prefix = f"kernel/{directory}/"
        return sorted(name for name, path in self._files.items() if path.startswith(prefix))

    def file(self, name: str) -> str:
        """Where a module is, relative to the directory, and without what says it is compressed."""
        directory, _, filename = self._files[name].rpartition("/")
        return f"{directory}/{filename.partition('.ko')[0]}.ko"

    def is_builtin(self, name: str) -> bool:
        """Whether the kernel itself has what the name or alias stands for."""
        return name in self._builtin or module_name(name) in self._builtin_aliases

    def info(self, name: str) -> ModuleInfo | None:
        """The facts of a module; None if there is none of that name.

        Raises:
            OSTreeError: its file cannot be read.
        """
        if name not in self._files:
            return None
        if name not in self._infos:
            self.read(name)
        return self._infos[name]

    def read(self, name: str) -> bytes:
        """A module, uncompressed.

        Raises:
            OSTreeError: its file cannot be read.
        """
        path = os.path.join(self.path, self._files[name])
        try:
            data = _read_uncompressed(path)
            self._infos[name] = decode_module(data)
        except FormatError as error:
            error.add_prefix(path)
            raise
        return data

    def with_alias(self, alias: str) -> Iterable[str]:
        """The modules that are found under an alias, exactly as it is written.

        The first question reads every module, as ``depmod`` does: seconds with a large kernel.
        """
        if self._aliases is None:
            self._aliases = {}
            for name in self._files:
                info = self.info(name)
                for each in info.aliases if info is not None else ():
                    self._aliases.setdefault(module_name(each), set()).add(name)
        return self._aliases.get(module_name(alias), set())


def _find_modules(root: str) -> Iterable[tuple[str, str]]:
    """Names and relative paths; what was installed beside the kernel's own modules wins."""
    for top in ("kernel", "extra", "updates"):
        for directory, _, filenames in os.walk(os.path.join(root, top)):
            for filename in sorted(filenames):
                name = name_of_file(filename)
                if name is not None:
                    yield name, os.path.relpath(os.path.join(directory, filename), root)


def _read_list(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return _limited(file.read(_MAX_LIST + 1), _MAX_LIST)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise OSTreeError(f"Reading {path}: {error.strerror}") from error


def _read_uncompressed(path: str) -> bytes:
    suffix = path.rpartition(".")[2]
    try:
        if suffix == "gz":
            return _read_gzip(path)
        if suffix == "xz":
            return _read_xz(path)
        if suffix == "zst":
            return _read_zstd(path)
        with open(path, "rb") as file:
            return _limited(file.read(MAX_MODULE + 1), MAX_MODULE)
    except (OSError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OSTreeError(f"Reading {path}: {reason}") from error


def _read_gzip(path: str) -> bytes:
    import gzip
    import zlib

    try:
        with gzip.open(path) as file:
            return _limited(file.read(MAX_MODULE + 1), MAX_MODULE)
    except zlib.error as error:
        raise FormatError(str(error)) from error


def _read_xz(path: str) -> bytes:
    import lzma

    try:
        with lzma.open(path) as file:
            return _limited(file.read(MAX_MODULE + 1), MAX_MODULE)
    except lzma.LZMAError as error:
        raise FormatError(str(error)) from error


def _read_zstd(path: str) -> bytes:
    """By libarchive, which has the one decoder that is installed with us."""
    from libarchive import file_reader
    from libarchive.exception import ArchiveError

    size = 0
    blocks = []
    try:
        with file_reader(path, format_name="raw", filter_name="zstd") as archive:
            for entry in archive:
                for block in entry.get_blocks():
                    size += len(block)
                    if size > MAX_MODULE:
                        break
                    blocks.append(block)
    except ArchiveError as error:
        raise FormatError(str(error)) from error
    return _limited(b"".join(blocks), MAX_MODULE, size)


def _limited(data: bytes, limit: int, size: int | None = None) -> bytes:
    if (len(data) if size is None else size) > limit:
        raise FormatError(f"larger than {limit} bytes")
    return data
