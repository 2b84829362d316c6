"""Files and directories relative to directory descriptors.

Errors of the system come out as :class:`OSError`; :func:`describe` gives the words that upstream
uses for them.
"""

from __future__ import annotations

import errno
import os
import stat

from ostree.system.anonymous import AnonymousFile, random_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Not to wait for the other end where somebody has put a pipe; files do not mind.
FILE_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
# Characters of a path that are at most PATH_MAX bytes.
_PIECE = 1000


def path_text(path: str | os.PathLike[str]) -> str:
    """A path as text.

    Raises:
        TypeError: if it is none, or one of bytes.
    """
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"a path is a str or os.PathLike[str], not {type(text).__name__}")
    return text


def describe(call: str, error: OSError) -> str:
    """``call: No such file or directory``, as in upstream's messages."""
    return f"{call}: {os.strerror(error.errno or 0)}"


def open_directory(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """A descriptor of a directory; the last component may be a symbolic link."""
    return os.open(path, DIRECTORY_FLAGS, dir_fd=dir_fd)


def open_subdirectory(dir_fd: int, name: str) -> int:
    """A descriptor of a directory that must not be a symbolic link."""
    return os.open(name, DIRECTORY_FLAGS | os.O_NOFOLLOW, dir_fd=dir_fd)


def open_beneath(dir_fd: int, path: str) -> int:
    """A descriptor of a directory below another, however long the path between them is."""
    try:
        return open_subdirectory(dir_fd, path)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG or len(path) <= _PIECE:
            raise
    # A component has at most 255 bytes: there is a slash, and what is before it is short enough.
    cut = path.rindex("/", 0, _PIECE)
    between = open_subdirectory(dir_fd, path[:cut])
    try:
        return open_beneath(between, path[cut + 1 :])
    finally:
        os.close(between)


def exists(path: str, dir_fd: int) -> bool:
    """Whether there is anything of that name, a dangling link included."""
    return os.access(path, os.F_OK, dir_fd=dir_fd, follow_symlinks=False)


def make_directory(path: str, dir_fd: int, mode: int = 0o777) -> bool:
    """Make a directory (mode less umask) unless it exists; whether it was made."""
    try:
        os.mkdir(path, mode, dir_fd=dir_fd)
    except FileExistsError:
        return False
    return True


def make_directories(path: str, dir_fd: int, mode: int = 0o777) -> None:
    """Make a directory and all missing parents (mode less umask)."""
    try:
        os.mkdir(path, mode, dir_fd=dir_fd)
    except FileExistsError:
        return
    except FileNotFoundError:
        parent = os.path.dirname(path)
        if not parent or parent == path:
            raise
        make_directories(parent, dir_fd, mode)
        make_directory(path, dir_fd, mode)


def read_all(fd: int, size_hint: int = 0) -> bytes:
    """Everything from the descriptor's position on."""
    data = os.read(fd, size_hint + 1)
    if len(data) <= size_hint:
        return data
    parts = [data]
    while part := os.read(fd, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def read_file(path: str, dir_fd: int | None = None, *, limit: int | None = None) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: as open(2) and read(2); EFBIG if it is larger than ``limit`` bytes.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        info = os.fstat(fd)
        if stat.S_ISDIR(info.st_mode):  # before its size is judged, which grows with its entries
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        size = info.st_size
        if limit is not None and size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        return read_all(fd, size)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of it, however many calls that takes."""
    written = os.write(fd, data)
    if written < len(data):
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]


def replace_file(
    path: str, data: bytes, dir_fd: int, *, mode: int = 0o644, sync: bool = True
) -> None:
    """Put a file in place in one step: the old content or the new one, never a mixture.

    ``mode`` is exact (not less the umask).  With ``sync`` the data reaches the disk first.
    """
    directory, name = os.path.split(path)
    with AnonymousFile(dir_fd, directory or ".") as file:
        write_all(file.fd, data)
        os.fchmod(file.fd, mode)
        if sync:
            os.fdatasync(file.fd)
        file.replace(name, directory)


def replace_symlink(target: str, path: str, dir_fd: int) -> None:
    """Put a symbolic link in place in one step."""
    temporary = os.path.join(os.path.dirname(path), random_name(".tmp-"))
    os.symlink(target, temporary, dir_fd=dir_fd)
    try:
        os.rename(temporary, path, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except OSError:
        os.unlink(temporary, dir_fd=dir_fd)
        raise


def list_directory(path: str, dir_fd: int) -> list[str]:
    """Names in a directory, sorted; empty if there is no such directory.

    With ``.`` also what was made since the descriptor was opened: a list of the descriptor itself
    does not show that on Btrfs (Linux 6.5 and later).
    """
    try:
        fd = open_directory(path, dir_fd=dir_fd)
    except FileNotFoundError:
        return []
    try:
        return sorted(os.listdir(fd))
    finally:
        os.close(fd)


def remove_tree(path: str, dir_fd: int) -> bool:
    """Remove a file, or a directory with all that is in it; whether there was anything.

    Symbolic links are removed, not followed.

    Raises:
        OSError: as unlinkat(2) and its like; EMFILE for a tree that is deeper than a process can
            have descriptors.
    """
    try:
        if _remove_file(path, dir_fd):
            return True
    except FileNotFoundError:
        return False
    # One descriptor and the names that are left for each level: trees may be deep.
    levels = [(path, open_subdirectory(dir_fd, path))]
    todo = [os.listdir(levels[-1][1])]
    try:
        while levels:
            name, fd = levels[-1]
            if todo[-1]:
                below = todo[-1].pop()
                if not _remove_file(below, fd):
                    levels.append((below, open_subdirectory(fd, below)))
                    todo.append(os.listdir(levels[-1][1]))
                continue
            todo.pop()
            levels.pop()
            os.close(fd)
            os.rmdir(name, dir_fd=levels[-1][1] if levels else dir_fd)
    finally:
        for _, fd in levels:
            os.close(fd)
    return True


def _remove_file(name: str, dir_fd: int) -> bool:
    """Remove anything but a directory; False if it is one."""
    try:
        os.unlink(name, dir_fd=dir_fd)
    except (IsADirectoryError, PermissionError):
        if not stat.S_ISDIR(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            raise
        return False
    return True


def walk_files(path: str, dir_fd: int, prefix: str = "") -> Iterator[str]:
    """Relative paths of all non-directories below a directory, sorted within each level."""
    for name in list_directory(path, dir_fd):
        here = f"{path}/{name}"
        if stat.S_ISDIR(os.stat(here, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            yield from walk_files(here, dir_fd, f"{prefix}{name}/")
        else:
            yield prefix + name


def sync_filesystem(fd: int) -> None:
    """syncfs(2): everything on the file system of the descriptor reaches the disk."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
