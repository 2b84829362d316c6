"""What the cheapest commands import: scripts call them thousands of times.

A bare interpreter takes about 10 ms.  ``typing`` would add 7, ``argparse`` 9, ``logging`` 10 and
``dataclasses`` 15 of them, so a module that is not listed here has to be worth its time.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.running import succeed

if TYPE_CHECKING:
    from pathlib import Path

PRINT_NEW_MODULES = """
import os, sys
before = set(sys.modules)
from ostree.cli.main import run
sys.argv[1:] = {argv!r}
status = run()
sys.stdout.flush()
new = {{name for name in set(sys.modules) - before}}
os.write(2, "\\n".join(sorted(new)).encode())
sys.exit(status)
"""

#: For the command line itself.
FRAMEWORK = {
    "__future__",
    "gc",
    "ostree",
    "ostree.cli",
    "ostree.cli.command",
    "ostree.cli.commands",
    "ostree.cli.context",
    "ostree.cli.help",
    "ostree.cli.main",
    "ostree.cli.options",
    "ostree.errors",
}

#: What the enumerations of ostree.types cost, and the locks' context manager.
ENUM = {
    "_collections",
    "_functools",
    "_operator",
    "collections",
    "collections.abc",
    "contextlib",
    "enum",
    "errno",
    "functools",
    "itertools",
    "keyword",
    "operator",
    "reprlib",
    "types",
}

#: For an open repository and its refs.
REPOSITORY = {
    "ostree.cli.repository",
    "ostree.formats",
    "ostree.formats.keyfile",
    "ostree.formats.refspec",
    "ostree.repo",
    "ostree.repo.config",
    "ostree.repo.locking",
    "ostree.repo.objects",
    "ostree.repo.refs",
    "ostree.repo.repository",
    "ostree.store",
    "ostree.store.layout",
    "ostree.store.opening",
    "ostree.system",
    "ostree.system.anonymous",
    "ostree.system.closing",
    "ostree.system.files",
    "ostree.types",
}

#: For a store, which every open repository has.
STORE = {
    "_struct",
    "ostree.formats.dirmeta",
    "ostree.formats.file_header",
    "ostree.formats.framing",
    "ostree.formats.xattrs",
    "ostree.store.archive",
    "ostree.store.compression",
    "ostree.store.content",
    "ostree.store.store",
    "struct",
    "zlib",
}

#: For finding out whether the C library that reads archives is there.
LIBRARIES = {
    "_ctypes",
    "_struct",
    "ctypes",
    "ctypes._endian",
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "importlib.machinery",
    "ostree.system",
    "ostree.system.archive",
    "ostree.system.closing",
    "struct",
    "types",
    "warnings",
}

ALLOWED = {
    "--version": FRAMEWORK | LIBRARIES | {"ostree.cli.version", "ostree.settings"},
    "rev-parse": FRAMEWORK
    | ENUM
    | REPOSITORY
    | STORE
    | {"ostree.cli.commands.rev_parse", "ostree.repo.revision"},
    "refs": FRAMEWORK | ENUM | REPOSITORY | STORE | {"ostree.cli.commands.refs"},
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a ref."""
    repo = tmp_path / "repo"
    (tmp_path / "tree").mkdir()
    succeed("init", f"--repo={repo}", "--mode=archive")
    succeed("commit", f"--repo={repo}", "--branch=main", tmp_path / "tree")
    return repo


@pytest.mark.parametrize("command", ALLOWED)
def test_only_what_is_needed_is_imported(command: str, repo: Path) -> None:
    argv = {
        "--version": ["--version"],
        "rev-parse": ["rev-parse", f"--repo={repo}", "main"],
        "refs": ["refs", f"--repo={repo}"],
    }[command]

    result = subprocess.run(
        [sys.executable, "-c", PRINT_NEW_MODULES.format(argv=argv)],
        check=True,
        capture_output=True,
        text=True,
    )

    surplus = set(result.stderr.split()) - ALLOWED[command]
    assert not surplus, f"{command} imports {', '.join(sorted(surplus))}"
