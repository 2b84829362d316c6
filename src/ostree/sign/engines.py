"""The table of engines, and the keys that a machine has for them (signatures §3.1, §3.5)."""

from __future__ import annotations

import os
import stat

from ostree.errors import SignatureError
from ostree.sign.engine import PublicKeys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.sign.engine import SignEngine
    from ostree.sign.settings import SignSettings

#: All engines, in the order in which they are asked.
NAMES = ("ed25519", "spki", "dummy")
#: Largest file of keys that is read, in bytes.
_MAX_FILE = 16 << 20


def find_engine(name: str, settings: SignSettings) -> SignEngine:
    """The engine of a name.

    Raises:
        SignatureError: ``Requested signature type is not implemented``.
    """
    if name == "ed25519":
        from ostree.sign.ed25519 import Ed25519Engine

        return Ed25519Engine()
    if name == "spki":
        from ostree.sign.spki import SpkiEngine

        return SpkiEngine()
    if name == "dummy":
        from ostree.sign.dummy import DummyEngine

        return DummyEngine(enabled=settings.dummy)
    raise SignatureError("Requested signature type is not implemented")


def load_public_keys(engine: SignEngine, path: str) -> list[bytes]:
    """The public keys in a file; revoked keys are not asked for.

    Raises:
        SignatureError: if it is no file of keys, or none of them is usable.
    """
    _require_key_files(engine)
    keys = engine.public_keys(read_key_file(path))
    if not keys:
        raise SignatureError(f"signature: {engine.name}: no valid keys in file '{path}'")
    return keys


def read_key_file(path: str) -> bytes:
    """The content of a file of keys.

    Raises:
        SignatureError: ``File object 'X' is not a regular file``, or why it cannot be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise SignatureError(f"File object '{path}' is not a regular file") from error
    except OSError as error:
        raise SignatureError(f"Error opening file {path}: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SignatureError(f"File object '{path}' is not a regular file")
        data = os.read(fd, _MAX_FILE + 1)
    finally:
        os.close(fd)
    if len(data) > _MAX_FILE:
        raise SignatureError(f"File '{path}' is too large for a file of keys")
    return data


def search_public_keys(engine: SignEngine, directories: Sequence[str]) -> PublicKeys:
    """The trusted keys below some directories, and those revoked there.

    Files that cannot be read, or hold no keys, are passed over.

    Raises:
        SignatureError: ``signature: ENGINE: no keys loaded`` if there is no trusted one at all.
    """
    _require_key_files(engine)
    trusted = list(_search(engine, directories, "trusted"))
    if not trusted:
        raise SignatureError(f"signature: {engine.name}: no keys loaded")
    return PublicKeys(trusted, list(_search(engine, directories, "revoked")))


def _require_key_files(engine: SignEngine) -> None:
    if not engine.has_key_files:
        raise SignatureError("not implemented")


def _search(engine: SignEngine, directories: Sequence[str], kind: str) -> Iterator[bytes]:
    for directory in directories:
        path = os.path.join(directory, f"{kind}.{engine.name}")
        for file in (path, *_entries(f"{path}.d")):
            try:
                yield from engine.public_keys(read_key_file(file))
            except SignatureError:
                continue


def _entries(directory: str) -> list[str]:
    try:
        return [os.path.join(directory, name) for name in os.listdir(directory)]
    except OSError:
        return []
