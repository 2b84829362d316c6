"""What is known of a root file system before anything is decided."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Kind(Enum):
    """What an entry is; the values are the letters of ``ls -l``."""

    FILE = "-"
    DIRECTORY = "d"
    LINK = "l"
    FIFO = "p"
    CHARACTER_DEVICE = "c"
    BLOCK_DEVICE = "b"
    SOCKET = "s"


class Entry(NamedTuple):
    """One entry of a directory.

    Attributes:
        kind: What it is.
        mode: Permission bits, with setuid, setgid and sticky.
        uid: The owner's number.
        gid: The group's number.
        target: Of a link.
        size: In bytes, of a file.
        xattrs: The names of its extended attributes; not asked for outside of what becomes state.
    """

    kind: Kind
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    target: str = ""
    size: int = 0
    xattrs: tuple[str, ...] = ()


class StaleCode(NamedTuple):
    """A directory of Python modules.

    Attributes:
        directory: Its path.
        interpreter: A program of the same version of Python.
        modules: How many modules have no byte code that is good in a deployment.
    """

    directory: str
    interpreter: str
    modules: int


class TreeFacts(NamedTuple):
    """A root file system.

    Attributes:
        entries: Everything in it, by its path without a slash in front.
        mounts: Paths at which something else is mounted; nothing below is among the entries.
        texts: The contents of files that decisions depend on, as far as they exist:
            ``tmpfiles.d`` snippets and the machine's identity.
        same: Whether two files have the same content.
        stale_code: Directories of Python modules, if they are to be compiled.
    """

    entries: Mapping[str, Entry]
    mounts: Sequence[str] = ()
    texts: Mapping[str, bytes] = {}
    same: Callable[[str, str], bool] = lambda _one, _other: False
    stale_code: Sequence[StaleCode] = ()
