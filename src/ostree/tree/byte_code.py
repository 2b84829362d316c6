"""Python byte code that is good in a deployment.

Every file of a deployment has the modification time 0, so byte code that is checked by time never
matches, and cannot be written anew on a read-only ``/usr``: each start compiles everything.  Byte
code with an unchecked hash is taken as it is (PEP 552).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from ostree.errors import TreeError
from ostree.system.files import list_directory
from ostree.tree.facts import StaleCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSIONED = re.compile(r"python(3\.[0-9]+)")
#: Where Debian has modules for all versions of Python 3.
_SHARED = "python3"
_PLACES = ("usr/lib", "usr/local/lib")


def find(root: str, root_fd: int) -> tuple[StaleCode, ...]:
    """The directories of Python modules of a tree, with what has to be compiled in them.

    Raises:
        TreeError: the interpreter for one of them is missing here.
    """
    return tuple(_find(root, root_fd))


def _find(root: str, root_fd: int) -> Iterator[StaleCode]:
    versions = sorted(
        {
            match[1]
            for place in _PLACES
            for name in list_directory(place, root_fd)
            if (match := _VERSIONED.fullmatch(name))
        }
    )
    for place in _PLACES:
        names = list_directory(place, root_fd)
        for version in versions:
            for name in (f"python{version}", _SHARED):
                if name in names:
                    interpreter = _interpreter(version)
                    directory = f"{place}/{name}"
                    stale = _work("check", root, directory, interpreter)
                    yield StaleCode(directory, interpreter, int(stale))


def compile_directory(root: str, directory: str, interpreter: str) -> None:
    """Compile what has no good byte code; sources that are no Python of this version are left.

    Raises:
        TreeError: the interpreter failed.
    """
    _work("compile", root, directory, interpreter)


def _interpreter(version: str) -> str:
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    from shutil import which

    found = which(f"python{version}")
    if found is None:
        raise TreeError(
            f"The tree has Python {version}: compiling its modules needs python{version} here"
        )
    return found


def _work(verb: str, root: str, directory: str, interpreter: str) -> str:
    """Run the worker in the tree's version of Python; returns what it prints."""
    worker = os.path.join(os.path.dirname(__file__), "byte_code_worker.py")
    result = subprocess.run(
        [interpreter, "-I", "-S", worker, verb, root, directory],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
        raise TreeError(f"Compiling /{directory} with {interpreter}: {lines[-1]}")
    return result.stdout
