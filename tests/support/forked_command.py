"""Our command in processes that need not load it: hundreds of runs in a row.

What it does to files, locks and the kernel is what it does otherwise; a process of its own ends with
all that belongs to it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING, NoReturn

import ostree.sysroot
from ostree.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO


def preload(*names: str) -> None:
    """Load the modules of commands, such as ``admin.deploy``, and what those load only when used."""
    for name in names:
        importlib.import_module(f"ostree.cli.commands.{name}")
    for module in pkgutil.iter_modules(ostree.sysroot.__path__, "ostree.sysroot."):
        importlib.import_module(module.name)


def run_forked(
    *arguments: str,
    environment: Mapping[str, str],
    before: Callable[[], None] | None = None,
) -> tuple[int, str]:
    """Run the command; gives its exit status and all that it printed.

    Args:
        arguments: Without the name of the command.
        environment: Instead of ours.
        before: What its process does first.
    """
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            _act(arguments, environment, before, output)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return status, output.read().decode()


def _act(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    before: Callable[[], None] | None,
    output: BinaryIO,
) -> NoReturn:
    """Be the command; nothing may get out of here."""
    status = 1
    try:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        wanted = dict(environment)  # It may be ours, which is emptied.
        os.environ.clear()
        os.environ.update(wanted)
        sys.argv = ["ostree", *arguments]
        if before is not None:
            before()
        status = run()
    except BaseException:  # noqa: BLE001 - it would go on as a second of its parent
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)
