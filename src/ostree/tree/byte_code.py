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
from ostree.tree.facts import Kind, StaleCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ostree.tree.facts import Entry

_VERSIONED = re.compile(r"python(3\.[0-9]+)")
#: Where Debian has modules for all versions of Python 3.
_SHARED = "python3"
_PLACES = ("usr/lib", "usr/local/lib")


def find(root: str, entries: Mapping[str, Entry]) -> tuple[StaleCode, ...]:
    """The directories of Python modules of a tree, with what has to be compiled in them.

    Links to such directories are left alone.

    Args:
        root: The tree.
        entries: Everything in it.

    Raises:
        TreeError: the interpreter for one of them is missing here.
    """
    return tuple(_find(root, entries))


def _find(root: str, entries: Mapping[str, Entry]) -> Iterator[StaleCode]:
    for directory, version in module_directories(entries):
        interpreter = _interpreter(version)
        stale = _work("check", root, directory, interpreter)
        yield StaleCode(directory, interpreter, int(stale))


def module_directories(entries: Mapping[str, Entry]) -> list[tuple[str, str]]:
    """Directories of modules, and the versions of Python that look there."""
    directories = {
        path
        for place in _PLACES
        for path in entries
        if path.startswith(f"{place}/python") and entries[path].kind is Kind.DIRECTORY
    }
    own = {
        path: match[1]
        for path in directories
        if (match := _VERSIONED.fullmatch(path.rpartition("/")[2]))
        and path.rpartition("/")[0] in _PLACES
    }
    shared = [
        (path, version)
        for path in (f"{place}/{_SHARED}" for place in _PLACES)
        if path in directories
        for version in set(own.values())
    ]
    return sorted([*own.items(), *shared])


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
