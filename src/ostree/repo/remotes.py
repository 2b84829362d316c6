"""Remotes: groups of the configuration, or files of their own (remotes and pull §1, §2)."""

from __future__ import annotations

import os

from ostree.errors import ExistsError, FormatError, RemoteNotFoundError
from ostree.formats.keyfile import KeyFile
from ostree.formats.refspec import check_remote_name
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.repo.config import Config


def group_name(remote: str) -> str:
    """The key file group of a remote."""
    return f'remote "{remote}"'


def remote_of_group(group: str) -> str | None:
    """The remote that a key file group configures, if it does."""
    if group.startswith('remote "') and group.endswith('"') and len(group) > 9:
        return group[8:-1]
    return None


class Remote:
    """One remote: its name and where its options are written.

    Attributes:
        file: Path of the ``.conf`` file it comes from; None for the repository's own config.
    """

    __slots__ = ("_keyfile", "file", "name")

    def __init__(self, name: str, keyfile: KeyFile, file: str | None = None) -> None:
        self.name = name
        self._keyfile = keyfile
        self.file = file

    def options(self) -> list[str]:
        """The options that are set."""
        return self._keyfile.keys(group_name(self.name))

    def get(self, key: str) -> str | None:
        """The value of an option, None if it is not set."""
        return self._keyfile.find_string(group_name(self.name), key)

    def get_boolean(self, key: str, *, default: bool) -> bool:
        """A yes-or-no option.

        Raises:
            FormatError: if the value is neither.
        """
        group = group_name(self.name)
        if not self._keyfile.has_key(group, key):
            return default
        return self._keyfile.get_boolean(group, key)

    def get_list(self, key: str) -> list[str]:
        """A list option; empty if it is not set."""
        group = group_name(self.name)
        if not self._keyfile.has_key(group, key):
            return []
        return [item for item in self._keyfile.get_list(group, key) if item]

    def require_url(self) -> str:
        """The ``url`` option.

        Raises:
            RemoteNotFoundError: if there is none.
        """
        url = self.get("url")
        if url is None:
            raise RemoteNotFoundError(f'No "url" option in remote "{self.name}"')
        return url


class Remotes:
    """The remotes of a repository.

    Args:
        dir_fd: The repository's directory.
        config: Its configuration.
        save: Writes a changed configuration.
        directory: Directory of further ``*.conf`` files, if the repository has one.
        parent: The remotes of the parent repository, asked when a name is unknown here.
    """

    def __init__(
        self,
        dir_fd: int,
        config: Config,
        save: Callable[[KeyFile], None],
        *,
        directory: str | None = None,
        parent: Remotes | None = None,
    ) -> None:
        self._dir_fd = dir_fd
        self._config = config
        self._save = save
        self._directory = directory
        self._parent = parent

    def _own(self) -> dict[str, Remote]:
        found: dict[str, Remote] = {}
        sources: list[tuple[KeyFile, str | None]] = [(self._config.keyfile, None)]
        if self._directory is not None and os.path.isdir(self._directory):
            for name in sorted(os.listdir(self._directory)):
                path = os.path.join(self._directory, name)
                if name.endswith(".conf") and os.path.isfile(path):
                    sources.append((_parse(path), path))
        for keyfile, file in sources:
            for group in keyfile.groups():
                remote = remote_of_group(group)
                if remote is None:
                    continue
                if remote in found:
                    raise FormatError(f'Multiple specifications found for remote "{remote}"')
                found[remote] = Remote(remote, keyfile, file)
        return found

    def names(self) -> list[str]:
        """All names, the parent's included, sorted by bytes."""
        names = set(self._own())
        if self._parent is not None:
            names.update(self._parent.names())
        return sorted(names, key=os.fsencode)

    def get(self, name: str) -> Remote:
        """One remote.

        Raises:
            RemoteNotFoundError: ``Remote "NAME" not found``.
        """
        own = self._own().get(name)
        if own is not None:
            return own
        if self._parent is not None:
            return self._parent.get(name)
        raise RemoteNotFoundError(f'Remote "{name}" not found')

    def has(self, name: str) -> bool:
        """Whether there is a remote of that name."""
        return name in self.names()

    def add(self, name: str, options: Sequence[tuple[str, str]], *, replace: bool = False) -> None:
        """Write a new remote with its options, in order.

        ``replace`` drops an existing one of that name first; its keyring stays.

        Raises:
            FormatError: if the name is none for a remote.
            ExistsError: if it exists already.
        """
        check_remote_name(name)
        existing = self._own().get(name)
        if existing is not None and not replace:
            where = existing.file or "(in config)"
            raise ExistsError(f'Remote configuration for "{name}" already exists: {where}')
        if existing is not None:
            self._remove(existing)
        target = self._target_file(name)
        keyfile = self._config.keyfile.copy() if target is None else KeyFile()
        for key, value in options:
            keyfile.set_string(group_name(name), key, value)
        if target is None:
            self._save(keyfile)
        else:
            _write(target, keyfile)

    def delete(self, name: str) -> None:
        """Remove a remote and its keyring.

        Raises:
            RemoteNotFoundError: if there is none of that name here.
        """
        check_remote_name(name)
        own = self._own().get(name)
        if own is None:
            raise RemoteNotFoundError(f'Remote "{name}" not found')
        self._remove(own)
        files.remove_tree(f"{name}.trustedkeys.gpg", self._dir_fd)

    def _remove(self, remote: Remote) -> None:
        if remote.file is not None:
            os.unlink(remote.file)
            return
        keyfile = self._config.keyfile.copy()
        keyfile.remove_group(group_name(remote.name))
        self._save(keyfile)

    def _target_file(self, name: str) -> str | None:
        """The file a new remote goes to; None for the repository's config."""
        if self._directory is None:
            return None
        if not self._config.keyfile.get_boolean("core", "add-remotes-config-dir", default=True):
            return None
        return os.path.join(self._directory, f"{name}.conf")


def _parse(path: str) -> KeyFile:
    try:
        return KeyFile.parse(files.read_file(path, limit=1 << 20))
    except FormatError as error:
        error.add_prefix(f"Reloading remotes: Failed to parse {path}")
        raise


def _write(path: str, keyfile: KeyFile) -> None:
    directory, name = os.path.split(path)
    os.makedirs(directory, 0o755, exist_ok=True)
    fd = files.open_directory(directory)
    try:
        files.replace_file(name, keyfile.to_bytes(), fd)
    finally:
        os.close(fd)
