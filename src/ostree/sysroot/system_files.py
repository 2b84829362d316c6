"""Units, generator and the like, as files that a distribution installs (boot §7)."""

from __future__ import annotations

import os

from ostree.errors import SysrootError
from ostree.sysroot.step import describe_error
from ostree.system.files import make_directories, open_directory, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Their tree, within the package; ``@OSTREE@`` stands for the command.
_SOURCE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "system")
_PLACEHOLDER = b"@OSTREE@"
_SCRIPT = b"#!"
_BAD = frozenset(" \t\n\"'\\%$@")


class SystemFile:
    """One of the files.

    Attributes:
        path: Where it belongs, relative to the root of the system.
        data: Its content.
        mode: Its permissions.
    """

    __slots__ = ("data", "mode", "path")

    def __init__(self, path: str, data: bytes, mode: int) -> None:
        self.path = path
        self.data = data
        self.mode = mode


def system_files(program: str) -> Iterator[SystemFile]:
    """All files, sorted by path.

    Args:
        program: The absolute path of the ``ostree`` command on the system.

    Raises:
        SysrootError: a unit file cannot name this program.
    """
    if not program.startswith("/") or _BAD.intersection(program):
        raise SysrootError(f"'{program}' is no absolute path that units can name")
    paths = sorted(
        os.path.join(directory, name) for directory, _, names in os.walk(_SOURCE) for name in names
    )
    for path in paths:
        with open(path, "rb") as file:
            data = file.read().replace(_PLACEHOLDER, os.fsencode(program))
        # Archives of packages do not all keep permissions.
        mode = 0o755 if data.startswith(_SCRIPT) else 0o644
        yield SystemFile(os.path.relpath(path, _SOURCE), data, mode)


def install(destination: str, program: str) -> list[str]:
    """Put them into a tree, replacing what is there; their paths in it.

    Args:
        destination: The root of the tree.
        program: As of :func:`system_files`.

    Raises:
        SysrootError: naming the file that cannot be written.
    """
    installed = []
    try:
        fd = open_directory(destination)
    except OSError as error:
        raise SysrootError(describe_error(error)) from error
    try:
        for file in system_files(program):
            try:
                make_directories(os.path.dirname(file.path), fd, 0o755)
                replace_file(file.path, file.data, fd, mode=file.mode, sync=False)
            except OSError as error:
                raise SysrootError(f"{file.path}: {error.strerror}") from error
            installed.append(file.path)
    finally:
        os.close(fd)
    return installed
