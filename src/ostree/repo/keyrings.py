"""Which OpenPGP keys count for what (signatures §2.2 to §2.5)."""

from __future__ import annotations

import os
import stat

from ostree.errors import FormatError, NotFoundError, RepoError
from ostree.sign.gpg.keyring import import_keys, list_keys, with_key_files
from ostree.sign.gpg.verifying import GpgVerifier
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.repo.remotes import Remote
    from ostree.repo.repository import Repo
    from ostree.sign.gpg.listing import GpgKey

_SUFFIX = ".gpg"
#: Files of GnuPG homes that have the suffix of keyrings and are none.
_NO_KEYRINGS = ("trustdb.gpg", "secring.gpg")
#: Largest keyring that is read, in bytes.
_MAX_RING = 64 << 20


def ring_name(remote: str) -> str:
    """The file of a remote's keyring."""
    return f"{remote}.trustedkeys.gpg"


def verifier_for_remote(repo: Repo, name: str) -> GpgVerifier:
    """Trusts the keys of a remote: its own, or if it has none the global ones; more if configured.

    Keys are read when they are needed for the first time; then the verifier may raise
    ``Remote "NAME" not found`` and other errors of reading.
    """

    def ring() -> bytes:
        remote = repo.remotes.get(name)
        own = _remote_ring(repo, name)
        return with_key_files(_global_ring(repo) if own is None else own, _key_files(remote))

    return GpgVerifier(ring)


def verifier_for_repo(repo: Repo, directory: str | None = None) -> GpgVerifier:
    """Trusts all keys there are: of every remote, the global ones, those in another directory.

    They are read when they are needed for the first time.
    """

    def ring() -> bytes:
        home = b"" if directory is None else _read_home(directory)
        return _read_rings(repo.dir_fd) + _global_ring(repo) + home

    return GpgVerifier(ring)


def verifier_for_signing(repo: Repo, directory: str | None = None) -> GpgVerifier:
    """Trusts the global keys and those in another directory.

    They are read when they are needed for the first time.
    """

    def ring() -> bytes:
        return _global_ring(repo) + (b"" if directory is None else _read_home(directory))

    return GpgVerifier(ring)


def list_remote_keys(repo: Repo, name: str | None) -> list[GpgKey]:
    """The keys of a remote, never the global ones; those if there is no remote.

    Raises:
        RemoteNotFoundError: ``Remote "NAME" not found``.
        OSTreeError: if keys cannot be read.
    """
    if name is None:
        return list_keys(_global_ring(repo))
    remote = repo.remotes.get(name)
    ring = _remote_ring(repo, name) or b""
    return list_keys(with_key_files(ring, _key_files(remote)))


def import_remote_keys(
    repo: Repo, name: str, source: bytes, names: Sequence[str] | None = None
) -> int:
    """Add keys to the keyring of a remote; the number of those that are new.

    Args:
        repo: The repository.
        name: The remote.
        source: Keys, armoured or not.
        names: Only take these keys, or all.

    Raises:
        RemoteNotFoundError: ``GPG: Remote "NAME" not found``.
        SignatureError: if there are no such keys.
        RepoError: if the keyring cannot be written.
    """
    try:
        repo.remotes.get(name)
    except NotFoundError as error:
        error.add_prefix("GPG")
        raise
    ring, imported = import_keys(_remote_ring(repo, name) or b"", [source], names)
    try:
        files.replace_file(ring_name(name), ring, repo.dir_fd, sync=repo.config.fsync)
    except OSError as error:
        raise RepoError(files.describe("open(O_TMPFILE)", error)) from error
    return imported


# reading --------------------------------------------------------------------------------------


def _remote_ring(repo: Repo, name: str) -> bytes | None:
    """The first keyring of a remote that there is: here, beside remotes' files, in the parent."""
    file = ring_name(name)
    try:
        return files.read_file(file, repo.dir_fd, limit=_MAX_RING)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise RepoError(files.describe(f"openat({file})", error)) from error
    if repo.remotes_directory is not None:
        path = os.path.join(repo.remotes_directory, file)
        try:
            return files.read_file(path, limit=_MAX_RING)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise RepoError(files.describe(f"openat({path})", error)) from error
    return None if repo.parent is None else _remote_ring(repo.parent, name)


def _global_ring(repo: Repo) -> bytes:
    directory = repo.sign_settings.global_keyrings
    return _read_rings(directory) if os.path.isdir(directory) else b""


def _read_home(directory: str) -> bytes:
    path = os.path.abspath(directory)
    if not os.path.isdir(path):
        raise _not_there(path)
    return _read_rings(path)


def _read_rings(directory: str | int) -> bytes:
    """All keyrings in a directory (a path or a descriptor), one behind the other."""
    dir_fd = directory if isinstance(directory, int) else files.open_directory(directory)
    try:
        names = [name for name in sorted(os.listdir(dir_fd)) if name.endswith(_SUFFIX)]
        return b"".join(_read_ring(dir_fd, name) for name in names if name not in _NO_KEYRINGS)
    finally:
        if not isinstance(directory, int):
            os.close(dir_fd)


def _read_ring(dir_fd: int, name: str) -> bytes:
    try:
        return files.read_file(name, dir_fd, limit=_MAX_RING)
    except OSError as error:
        raise RepoError(files.describe(f"openat({name})", error)) from error


def _key_files(remote: Remote) -> list[str]:
    """The files that ``gpgkeypath`` names, and those in directories that it names."""
    text = remote.get("gpgkeypath")
    if text is None:
        return []
    if ";" in text and "," in text:
        raise FormatError("key value list contains more than one separator")
    listed = text.replace(",", ";").removesuffix(";")
    # An empty entry names no directory, and is an error as any other that is not there.
    return [file for path in listed.split(";") for file in _files_at(path)] if listed else []


def _files_at(path: str) -> list[str]:
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            return [os.path.abspath(path)]
        entries = [os.path.join(os.path.abspath(path), name) for name in sorted(os.listdir(path))]
    except OSError as error:
        raise _not_there(path) from error
    return [entry for entry in entries if os.path.isfile(entry)]


def _not_there(path: str) -> NotFoundError:
    return NotFoundError(f"opendir({path}): No such file or directory")
