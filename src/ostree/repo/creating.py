"""Making a repository (repository format §4.1)."""

from __future__ import annotations

import os

from ostree.errors import RepoError
from ostree.formats.keyfile import KeyFile
from ostree.formats.refspec import check_collection_id
from ostree.system import files
from ostree.types import RepoMode

_SUBDIRECTORIES = (
    "tmp",
    "extensions",
    "state",
    "refs",
    "refs/heads",
    "refs/mirrors",
    "refs/remotes",
    "objects",
)


def create(path: str | os.PathLike[str], mode: RepoMode | str, collection_id: str | None) -> str:
    """Make a repository, unless there is one; its absolute path.

    Raises:
        FormatError: if mode or collection ID are none.
        RepoError: if the directory cannot be made, or the file system does not suit the mode.
    """
    if not isinstance(mode, RepoMode):
        mode = RepoMode.parse(mode)
    if collection_id is not None:
        check_collection_id(collection_id)
    absolute = os.path.abspath(files.path_text(path))
    try:
        os.mkdir(absolute, 0o775)
    except FileExistsError:
        pass
    except OSError as error:
        raise RepoError(files.describe("Creating repo: mkdirat", error)) from error
    try:
        dir_fd = files.open_directory(absolute)
    except OSError as error:
        raise RepoError(files.describe(f"Creating repo: opendir({absolute})", error)) from error
    try:
        if not files.exists("objects", dir_fd):
            _create_in(dir_fd, mode, collection_id)
    except OSError as error:
        raise RepoError(f"Creating repo: {error.strerror}") from error
    finally:
        os.close(dir_fd)
    return absolute


def _create_in(dir_fd: int, mode: RepoMode, collection_id: str | None) -> None:
    if mode is RepoMode.BARE_USER:
        from ostree.store.bare_user import check_support

        check_support(dir_fd)
    keyfile = KeyFile()
    keyfile.set_string("core", "repo_version", "1")
    keyfile.set_string("core", "mode", mode.value)
    if collection_id is not None:
        keyfile.set_string("core", "collection-id", collection_id)
    files.replace_file("config", keyfile.to_bytes(), dir_fd)
    for name in _SUBDIRECTORIES:
        files.make_directory(name, dir_fd, 0o775)
