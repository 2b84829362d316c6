"""Commits that did not start on this machine: remembered, so that no upgrade deploys them again.

One file for each stateroot, ``ostree/deploy/STATEROOT/failed-commits``, with a checksum on each line,
the latest last.  Upstream has nothing of the kind and leaves it alone.
"""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.sysroot.layout import MAX_TEXT, stateroot_directory
from ostree.sysroot.step import step
from ostree.system.files import read_file, replace_file
from ostree.types import Checksum

_FILE = "failed-commits"
#: Older ones are forgotten: no update server offers that many bad releases.
_MOST = 64


def failed_commits(root_fd: int, stateroot: str) -> tuple[Checksum, ...]:
    """The commits that did not start, in order of time; what is no checksum does not count.

    Raises:
        SysrootError: the file cannot be read.
    """
    with step("Reading failed commits"):
        try:
            data = read_file(_path(stateroot), root_fd, limit=MAX_TEXT)
        except FileNotFoundError:
            return ()
    commits = []
    for line in data.decode("ascii", "replace").splitlines():
        try:
            commits.append(Checksum(line))
        except FormatError:
            continue
    return tuple(commits)


def remember_failure(root_fd: int, stateroot: str, commit: Checksum) -> None:
    """Add a commit; it is on the disk when this returns.

    Raises:
        SysrootError: the file cannot be read or written.
    """
    others = [each for each in failed_commits(root_fd, stateroot) if each != commit]
    _write(root_fd, stateroot, [*others, commit][-_MOST:])


def forget_failure(root_fd: int, stateroot: str, commit: Checksum) -> None:
    """Take a commit off the list, as it has started after all.

    Raises:
        SysrootError: the file cannot be read or written.
    """
    failed = failed_commits(root_fd, stateroot)
    if commit in failed:
        _write(root_fd, stateroot, [each for each in failed if each != commit])


def _write(root_fd: int, stateroot: str, commits: list[Checksum]) -> None:
    text = "".join(f"{commit}\n" for commit in commits)
    with step("Writing failed commits"):
        replace_file(_path(stateroot), text.encode(), root_fd)


def _path(stateroot: str) -> str:
    return f"{stateroot_directory(stateroot)}/{_FILE}"
