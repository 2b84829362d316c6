"""Run by the interpreter that a tree has, which need not be ours: standard library only.

``byte_code_worker.py check|compile ROOT DIRECTORY`` looks at the modules below a directory of a tree,
compiles those without good byte code if it is to, and tells how many they are.
"""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: In the header's flags: a hash, and nobody is to check it.
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def sources(top: str) -> Iterator[str]:
    """The modules below a directory."""
    for directory, names, files in os.walk(top):
        names.sort()
        if os.path.islink(os.path.join(directory, "__pycache__")):
            continue  # Nothing is written out of the tree.
        for name in sorted(files):
            path = os.path.join(directory, name)
            if name.endswith(".py") and not os.path.islink(path):
                yield path


def is_stale(path: str, source: bytes) -> bool:
    """Whether the byte code of a module is missing, checked, or of another source."""
    wanted = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
    try:
        with open(importlib.util.cache_from_source(path, optimization=""), "rb") as file:
            return file.read(len(wanted)) != wanted
    except OSError:
        return True


def compiles(source: bytes, name: str) -> bool:
    """Whether it is Python of this version; trees have templates and tests that are not."""
    import warnings

    warnings.simplefilter("ignore")
    try:
        compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def main(verb: str, root: str, directory: str) -> int:
    """Check or compile; returns how many modules were stale."""
    count = 0
    for path in sources(os.path.join(root, directory)):
        with open(path, "rb") as file:
            source = file.read()
        # As the tree's own interpreter will name it in tracebacks.
        name = "/" + os.path.relpath(path, root)
        if not is_stale(path, source) or not compiles(source, name):
            continue
        count += 1
        if verb == "compile":
            py_compile.compile(
                path,
                importlib.util.cache_from_source(path, optimization=""),
                name,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
    return count


if __name__ == "__main__":
    sys.stdout.write(str(main(*sys.argv[1:4])))
