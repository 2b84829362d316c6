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
        PathNotFoundError,
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
    from ostree.events import Doubt, Event, LogEntry, Message, PullProgress, StepProgress
    from ostree.formats.commit import Commit
    from ostree.formats.gvariant import Variant
    from ostree.repo.checkout_options import CheckoutOptions, Existing
    from ostree.repo.diff import Change, ChangeKind
    from ostree.repo.modifier import Modifier
    from ostree.repo.prune_roots import Keep
    from ostree.repo.repository import Repo
    from ostree.repo.transaction import Transaction
    from ostree.repo.tree_view import Tree
    from ostree.sysroot.deploy_plan import DeployPlan
    from ostree.sysroot.deployment import Deployment, UnlockedState
    from ostree.sysroot.deployment_list import Retention
    from ostree.sysroot.kernel_argument_options import KernelArgumentOptions
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.sysroot import Sysroot
    from ostree.types import Checksum, ObjectType, RepoMode, TreeId

__version__ = "0.1.0"

__all__ = [
    "CancelledError",
    "Change",
    "ChangeKind",
    "CheckoutOptions",
    "Checksum",
    "ChecksumError",
    "Commit",
    "CorruptionError",
    "DeployPlan",
    "Deployment",
    "Doubt",
    "Event",
    "Existing",
    "ExistsError",
    "FetchError",
    "FetchTimeoutError",
    "FormatError",
    "Keep",
    "KernelArgumentOptions",
    "LockError",
    "LogEntry",
    "Message",
    "Modifier",
    "NotFoundError",
    "OSTreeError",
    "ObjectNotFoundError",
    "ObjectType",
    "PathNotFoundError",
    "PullProgress",
    "RefNotFoundError",
    "RemoteNotFoundError",
    "Repo",
    "RepoError",
    "RepoMode",
    "Retention",
    "SignatureError",
    "SpaceError",
    "StatusError",
    "StepProgress",
    "Sysroot",
    "SysrootError",
    "SysrootSettings",
    "TooLargeError",
    "Transaction",
    "TransferError",
    "Tree",
    "TreeId",
    "TrustError",
    "UnlockedState",
    "UsageError",
    "Variant",
    "__version__",
]

#: Where the exports that are not errors live.
_HOMES = {
    "Change": "ostree.repo.diff",
    "ChangeKind": "ostree.repo.diff",
    "CheckoutOptions": "ostree.repo.checkout_options",
    "Checksum": "ostree.types",
    "Commit": "ostree.formats.commit",
    "DeployPlan": "ostree.sysroot.deploy_plan",
    "Deployment": "ostree.sysroot.deployment",
    "Doubt": "ostree.events",
    "Event": "ostree.events",
    "Existing": "ostree.repo.checkout_options",
    "Keep": "ostree.repo.prune_roots",
    "KernelArgumentOptions": "ostree.sysroot.kernel_argument_options",
    "LogEntry": "ostree.events",
    "Message": "ostree.events",
    "Modifier": "ostree.repo.modifier",
    "ObjectType": "ostree.types",
    "PullProgress": "ostree.events",
    "Repo": "ostree.repo.repository",
    "RepoMode": "ostree.types",
    "Retention": "ostree.sysroot.deployment_list",
    "StepProgress": "ostree.events",
    "Sysroot": "ostree.sysroot.sysroot",
    "SysrootSettings": "ostree.sysroot.settings",
    "Transaction": "ostree.repo.transaction",
    "Tree": "ostree.repo.tree_view",
    "TreeId": "ostree.types",
    "UnlockedState": "ostree.sysroot.deployment",
    "Variant": "ostree.formats.gvariant.value",
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
