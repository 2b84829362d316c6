"""Other programs that a step needs, run on the host or inside a deployment."""

from __future__ import annotations

import os
import stat

from ostree.errors import SysrootError
from ostree.sysroot.resolve import resolve_inside
from ostree.system.files import open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What programs inside a deployment see of the host, where the tree has a place for it.
_HOST = ("/dev", "/proc", "/sys")

#: Mounts for one program: arguments are the tree, pairs of directory and mount point, ``--``, and
#: the program.  What the host has in /run is not the tree's business.
_ENTER = """
PATH=$PATH:/usr/sbin:/sbin
root=$1; shift
while [ "$1" != -- ]; do mount --rbind -- "$1" "$root/$2"; shift 2; done; shift
[ ! -d "$root/run" ] || [ -L "$root/run" ] || mount -t tmpfs tmpfs "$root/run"
exec chroot "$root" "$@"
"""


def run_program(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    name: str | None = None,
    quiet: bool = False,
    directory: str | None = None,
) -> None:
    """Run a program to its end.

    Args:
        argv: The program, looked for in ``PATH`` of its environment, and its arguments.
        environ: All of its environment.
        name: What errors call it, unless by its first argument.
        quiet: Whether what it writes is thrown away.
        directory: Where it runs; where we are if None.

    Raises:
        SysrootError: ``PROGRAM: Child process exited with code N``, and its like.
    """
    import subprocess

    name = name or argv[0]
    output = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(
            list(argv),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            check=False,
        )
    except OSError as error:
        raise SysrootError(
            f"Failed to execute child process \u201c{name}\u201d ({error.strerror})"
        ) from error
    if done.returncode:
        raise SysrootError(f"{name}: {describe_end(done.returncode)}")


def describe_end(status: int) -> str:
    """How a program ended that did not succeed; ``status`` is negative for a signal."""
    if status < 0:
        return f"Child process killed by signal {-status}"
    return f"Child process exited with code {status}"


def contained(argv: Sequence[str], tree: str, mounts: Sequence[tuple[str, str]]) -> list[str]:
    """The command that runs a program with a deployment as its root.

    The mounts are seen by nobody else and end with the program.

    Args:
        argv: The program and its arguments, as seen from inside.
        tree: The path of the deployment.
        mounts: Directories of the host and where the tree shows them.

    Raises:
        SysrootError: the tree has no such directory.
        OSError: it cannot be read.
    """
    words: list[str] = []
    tree_fd = open_directory(tree)
    try:
        for source, target in (*mounts, *((path, path) for path in _HOST)):
            point = resolve_inside(target, tree_fd)
            if _is_directory(point, tree_fd):
                words += [source, point]
            elif (source, target) in mounts:
                raise SysrootError(f"The tree has no directory {target}")
    finally:
        os.close(tree_fd)
    enter = ["sh", "-euc", _ENTER, "sh", tree, *words, "--", *argv]
    return ["unshare", "--mount", "--propagation", "private", *enter]


def _is_directory(path: str, dir_fd: int) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
