"""OSTree in Python: a content-addressed store and deployment tool for operating system binaries.

What is listed in ``__all__`` is public; every other module may change without notice.  Names are
resolved when first used, so ``import ostree`` itself costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.errors import (
        CancelledError,
        ChecksumError,
        CorruptionError,
        ExistsError,
        FetchError,
        FetchTimeoutError,
        FormatError,
        LockError,
        NotFoundError,
        ObjectNotFoundError,
        OSTreeError,
        RefNotFoundError,
        RemoteNotFoundError,
        RepoError,
        SignatureError,
        SpaceError,
        StatusError,
        SysrootError,
        TooLargeError,
        TransferError,
        TrustError,
        UsageError,
    )
    from ostree.formats.commit import Commit
    from ostree.repo.diff import Change, ChangeKind
    from ostree.repo.repository import Repo
    from ostree.sysroot.sysroot import Sysroot
    from ostree.types import Checksum, ObjectType, RepoMode

__version__ = "0.1.0"

__all__ = [
    "CancelledError",
    "Change",
    "ChangeKind",
    "Checksum",
    "ChecksumError",
    "Commit",
    "CorruptionError",
    "ExistsError",
    "FetchError",
    "FetchTimeoutError",
    "FormatError",
    "LockError",
    "NotFoundError",
    "OSTreeError",
    "ObjectNotFoundError",
    "ObjectType",
    "RefNotFoundError",
    "RemoteNotFoundError",
    "Repo",
    "RepoError",
    "RepoMode",
    "SignatureError",
    "SpaceError",
    "StatusError",
    "Sysroot",
    "SysrootError",
    "TooLargeError",
    "TransferError",
    "TrustError",
    "UsageError",
    "__version__",
]

#: Where the exports that are not errors live.
_HOMES = {
    "Change": "ostree.repo.diff",
    "ChangeKind": "ostree.repo.diff",
    "Checksum": "ostree.types",
    "Commit": "ostree.formats.commit",
    "ObjectType": "ostree.types",
    "Repo": "ostree.repo.repository",
    "RepoMode": "ostree.types",
    "Sysroot": "ostree.sysroot.sysroot",
}


if not TYPE_CHECKING:  # A type checker knows the names from above, and that there are no others.

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

        from importlib import import_module

        value = getattr(import_module(_HOMES.get(name, "ostree.errors")), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return list(__all__)
