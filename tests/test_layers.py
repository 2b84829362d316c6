"""The floors of the package, held by reading every import (see docs/adr/0001)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).resolve().parent.parent / "src" / "ostree"

#: A module imports from the floors below its own, and from its own package.
FLOORS = {
    "errors": 0,
    "types": 0,
    "events": 0,
    "settings": 0,
    "formats": 1,
    "system": 2,
    "store": 3,
    "sign": 3,
    "tree": 3,
    "net": 3,
    "boot": 3,
    "repo": 4,
    "transfer": 5,
    "server": 6,
    "sysroot": 6,
    "image": 7,
    "cli": 8,
}

#: The package root re-exports lazily, and ``python -m ostree`` starts the command.
ABOVE_ALL = {"ostree", "ostree.__main__"}

MOST_LINES = 600

#: Codecs turn bytes into values and back: what would give them the outside world.
OUTSIDE_WORLD = {
    "asyncio",
    "glob",
    "io",
    "multiprocessing",
    "os",
    "pathlib",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
}

#: Of the time module, calendar arithmetic is pure; the clock and the machine's zone are not.
PURE_TIME = {"gmtime", "struct_time"}

#: Where the environment is read, something printed and the process ended.
EDGE = (
    "ostree.cli",
    "ostree.server.serve",
    "ostree.__main__",
    "ostree.system.freeze_watchdog",  # a process of its own, forked
    "ostree.system.worker_processes",  # more of these, which end there
    "ostree.tree.byte_code_worker",  # a program of its own, for other interpreters
)
EDGE_CALLS = {"print", "input", "exit", "quit", "breakpoint"}
EDGE_ATTRIBUTES = {
    "os": {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv", "_exit"},
    "sys": {"stdin", "stdout", "stderr", "argv", "exit"},
}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}


def all_modules() -> dict[str, Path]:
    """Every module of the package, by its full name."""
    modules = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


MODULES = all_modules()


def floor_name(module: str) -> str:
    """The first component below the root: ``formats`` for ``ostree.formats.commit``."""
    return module.split(".")[1] if "." in module else ""


def imports(module: str, tree: ast.AST, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, wherever the statement stands.

    ``from a import b`` gives ``a.b``: what matters is the prefix.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                drop = node.level - 1 if is_package else node.level
                package = module.split(".")
                package = package[: len(package) - drop]
                base = ".".join([*package, base] if base else package)
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def broken_floors(module: str, tree: ast.AST, *, is_package: bool = False) -> Iterator[str]:
    """Imports that go up, sideways, or through the package root."""
    if module in ABOVE_ALL:
        return
    mine = floor_name(module)
    if mine not in FLOORS:
        yield f"{module}: not on any floor; give {mine!r} one in docs/adr/0001 and here"
        return
    for line, target in imports(module, tree, is_package=is_package):
        if target.split(".")[0] != "ostree":
            continue
        where = f"{module}:{line}: imports {target}"
        theirs = floor_name(target)
        if target == "ostree.__version__":
            continue
        if theirs not in FLOORS:
            yield f"{where}: name the module itself; the root's exports are for users"
        elif theirs == mine:
            continue
        elif FLOORS[theirs] > FLOORS[mine]:
            yield f"{where}: floor {FLOORS[mine]} ({mine}) may not import upward from {FLOORS[theirs]}"
        elif FLOORS[theirs] == FLOORS[mine] and FLOORS[mine] != 0:
            yield f"{where}: {mine} and {theirs} share a floor and may not know each other"


def broken_purity(module: str, tree: ast.AST) -> Iterator[str]:
    """What ``formats`` may not touch: files, sockets, time, environment."""
    if floor_name(module) != "formats":
        return
    for line, target in imports(module, tree):
        root, _, name = target.partition(".")
        if root in OUTSIDE_WORLD or (root == "time" and name and name not in PURE_TIME):
            yield f"{module}:{line}: imports {target}: codecs are pure"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called_name(node)
            if name == "open" or (name == "gmtime" and not node.args):
                yield f"{module}:{node.lineno}: calls {name}(): codecs are pure"
        elif isinstance(node, ast.Attribute) and asks_time(node):
            yield f"{module}:{node.lineno}: uses {ast.unparse(node)}: codecs are pure"


def asks_time(node: ast.Attribute) -> bool:
    """Whether this is ``time.X`` where X asks the clock or the machine's zone."""
    return (
        isinstance(node.value, ast.Name) and node.value.id == "time" and node.attr not in PURE_TIME
    )


def called_name(node: ast.Call) -> str:
    """``f`` for both ``f(...)`` and ``module.f(...)``."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def broken_edge(module: str, tree: ast.AST) -> Iterator[str]:
    """Reading the environment, printing or exiting anywhere but at the edge."""
    if any(module == edge or module.startswith(f"{edge}.") for edge in EDGE):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in EDGE_CALLS:
                yield f"{module}:{node.lineno}: calls {node.func.id}(): only the edge talks"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in EDGE_ATTRIBUTES.get(node.value.id, ()):
                yield f"{module}:{node.lineno}: uses {node.value.id}.{node.attr}: only the edge talks"
        elif isinstance(node, ast.ImportFrom) and node.module in EDGE_ATTRIBUTES:
            for alias in node.names:
                if alias.name in EDGE_ATTRIBUTES[node.module]:
                    what = f"{node.module}.{alias.name}"
                    yield f"{module}:{node.lineno}: imports {what}: only the edge talks"


def broken_name(module: str) -> Iterator[str]:
    """Names that say nothing."""
    for part in module.split("."):
        if part.strip("_") in VAGUE_NAMES:
            yield f"{module}: {part!r} says nothing; name it what it is about"


def parse(module: str) -> ast.Module:
    path = MODULES[module]
    return ast.parse(path.read_bytes(), filename=str(path))


def fail_on(broken: Iterator[str]) -> None:
    lines = list(broken)
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def test_every_floor_exists() -> None:
    """A floor without a module is a typing error in the table."""
    present = {floor_name(module) for module in MODULES} - {""}

    assert present - {"__main__"} == set(FLOORS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downward(module: str) -> None:
    is_package = MODULES[module].name == "__init__.py"

    fail_on(broken_floors(module, parse(module), is_package=is_package))


@pytest.mark.parametrize("module", [m for m in MODULES if floor_name(m) == "formats"])
def test_formats_are_pure(module: str) -> None:
    fail_on(broken_purity(module, parse(module)))


@pytest.mark.parametrize("module", MODULES)
def test_only_the_edge_talks(module: str) -> None:
    fail_on(broken_edge(module, parse(module)))


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_readable(module: str) -> None:
    """No module is longer than 600 lines or named after nothing."""
    count = len(MODULES[module].read_bytes().splitlines())

    fail_on(broken_name(module))
    assert count <= MOST_LINES, f"{module} has {count} lines, the limit is {MOST_LINES}"


@pytest.mark.parametrize(
    ("module", "source", "words"),
    [
        ("ostree.formats.x", "from ostree.system import xattr", "upward"),
        ("ostree.formats.x", "import ostree.repo.refs", "upward"),
        ("ostree.repo.x", "def f():\n    from ostree.transfer.pull import y", "upward"),
        ("ostree.repo.x", "if TYPE_CHECKING:\n    from ostree.cli import y", "upward"),
        ("ostree.repo.x", "from ..transfer import pull", "upward"),
        ("ostree.store.x", "from ostree.net.fetcher import Fetcher", "share a floor"),
        ("ostree.sysroot.x", "from ostree.server import app", "share a floor"),
        ("ostree.repo.x", "from ostree import Repo", "the root's exports"),
        ("ostree.repo.x", "import ostree", "the root's exports"),
        ("ostree.extra.x", "import os", "not on any floor"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str, words: str) -> None:
    broken = list(broken_floors(module, ast.parse(source)))

    assert len(broken) == 1
    assert words in broken[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ostree.formats.x", "from ostree.errors import FormatError\nimport struct"),
        ("ostree.formats.x", "from ostree.formats import gvariant"),
        ("ostree.repo.x", "from . import refs"),
        ("ostree.types", "from ostree.errors import FormatError"),
        ("ostree.cli.x", "from ostree import __version__"),
        ("ostree.cli.x", "from ostree.sysroot.sysroot import Sysroot"),
        ("ostree", "from ostree.cli import main"),
    ],
)
def test_an_allowed_import_is_not(module: str, source: str) -> None:
    assert list(broken_floors(module, ast.parse(source))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os.path",
        "from time import time",
        "import time\ntime.localtime(0)",
        "import time\ntime.gmtime()",
        "def f():\n    import socket",
        "open('x')",
    ],
)
def test_impure_codecs_are_found(source: str) -> None:
    assert list(broken_purity("ostree.formats.x", ast.parse(source)))
    assert not list(broken_purity("ostree.system.x", ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["print(1)", "os.environ['X']", "from os import environ", "sys.exit(1)", "x = sys.stdout"],
)
def test_talk_below_the_edge_is_found(source: str) -> None:
    assert list(broken_edge("ostree.repo.x", ast.parse(source)))
    assert not list(broken_edge("ostree.cli.commands.x", ast.parse(source)))
