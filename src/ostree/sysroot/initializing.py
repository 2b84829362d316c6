"""An empty directory made into a sysroot (deployments §1.4, §18.1)."""

from __future__ import annotations

import os

from ostree.errors import SysrootError
from ostree.formats.boot_link import check_stateroot
from ostree.sysroot.step import step
from ostree.system.files import (
    describe,
    make_directories,
    make_directory,
    open_directory,
    open_subdirectory,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_EMPTY_DIRECTORIES = (
    ("dev", 0o755),
    ("home", 0o755),
    ("proc", 0o755),
    ("run", 0o755),
    ("sys", 0o755),
    ("root", 0o700),
    ("tmp", 0o1777),
)


def init_fs(path: str | os.PathLike[str], *, epoch: int) -> None:
    """See :meth:`ostree.sysroot.sysroot.Sysroot.init_fs`."""
    absolute = os.path.abspath(os.fspath(path))
    try:
        root_fd = open_directory(absolute)
    except OSError as error:
        raise SysrootError(describe(f"opendir({os.fspath(path)})", error)) from error
    try:
        with step("Initializing sysroot"):
            make_directory("boot", root_fd, 0o755)
            if epoch < 0:
                raise SysrootError(f"Invalid epoch: {epoch}")
            if epoch == 2:
                make_directory("ostree", root_fd, 0o700)
            ensure_initialized(root_fd, absolute)
            if epoch == 0:
                make_empty_directories(_EMPTY_DIRECTORIES, root_fd)
    finally:
        os.close(root_fd)


def make_empty_directories(wanted: Iterable[tuple[str, int]], dir_fd: int) -> None:
    """Make those that are missing, of names and modes; the umask narrows none that is sticky."""
    for name, mode in wanted:
        if make_directory(name, dir_fd, mode) and mode & 0o1000:
            # The process's umask must not narrow what everybody writes to.
            fd = open_subdirectory(dir_fd, name)
            try:
                os.fchmod(fd, mode)
            finally:
                os.close(fd)


def ensure_initialized(root_fd: int, path: str) -> None:
    """Make repository and deployment directory where they are missing; otherwise do nothing."""
    from ostree.repo.repository import Repo

    make_directories("ostree/repo", root_fd, 0o755)
    make_directories("ostree/deploy", root_fd, 0o755)
    Repo.create(os.path.join(path, "ostree/repo")).close()


def init_stateroot(root_fd: int, name: str) -> None:
    """Make a stateroot with an empty ``/var``.

    Raises:
        SysrootError: it exists already.
        FormatError: it cannot have that name.
    """
    check_stateroot(name)
    path = f"ostree/deploy/{name}"
    try:
        os.mkdir(path, 0o777, dir_fd=root_fd)
        os.mkdir(f"{path}/var", 0o777, dir_fd=root_fd)
    except OSError as error:
        raise SysrootError(describe(f"Creating {path}", error)) from error
