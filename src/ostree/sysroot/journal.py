"""What the system's journal is told of a sysroot's changes (deployments §17).

Each message has an identity of its own, by which programs find it whatever its text.
"""

from __future__ import annotations

from ostree.events import LogEntry, Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.events import Listener
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.etc_diff import EtcChanges

_ETC_MERGED = "d3863baec13e4449ab0384684a8af3a7"
_VAR_RELABELED = "da679b08acd34504b789d96f818ea781"
_LIST_WRITTEN = "dd440e3e549083b63d0efc7dc15255f1"
_FINALIZING = "e8646cd63dff4625b77909a8e7a40994"


def tell_etc_changes(on_event: Listener, changes: EtcChanges) -> None:
    """Which changes of ``/etc`` are taken over; users see it, too."""
    text = changes.summary()
    on_event(Message(text))
    fields = {
        "ETC_N_MODIFIED": str(len(changes.modified)),
        "ETC_N_REMOVED": str(len(changes.removed)),
        "ETC_N_ADDED": str(len(changes.added)),
    }
    on_event(LogEntry(text, _ETC_MERGED, fields))


def tell_var_relabeled(on_event: Listener, stamp: str) -> None:
    """That a stateroot's ``/var`` gets its labels; users see it, too."""
    text = f"Relabeling /var (no stamp file '{stamp}' found)"
    on_event(Message(text))
    on_event(LogEntry(text, _VAR_RELABELED, {}))


def tell_list_written(
    on_event: Listener,
    *,
    versions: tuple[int, int],
    swapped: bool,
    atomic: bool,
    bootloader: str,
    configured: str,
    old_count: int,
    new_count: int,
) -> None:
    """That another list of deployments is booted from; users see it, too.

    Args:
        on_event: Is told.
        versions: Bootversion and subbootversion.
        swapped: Whether the boot configuration is another one.
        atomic: Whether the switch was one step.
        bootloader: What upstream calls the boot loader; ``none`` if none was written for.
        configured: What the repository's configuration says about it.
        old_count: The length of the old list.
        new_count: That of the new one.
    """
    text = (
        f"{'Transaction complete' if atomic else 'Bootloader updated'}; "
        f"bootconfig swap: {_word(swapped)}; "
        f"bootversion: boot.{versions[0]}.{versions[1]}, "
        f"deployment count change: {new_count - old_count}"
    )
    on_event(Message(text))
    fields = {
        "OSTREE_BOOTLOADER": bootloader,
        "OSTREE_BOOTLOADER_CONFIG": configured,
        "OSTREE_BOOTLOADER_ATOMIC": _word(atomic),
        "OSTREE_DID_BOOTSWAP": _word(swapped),
        "OSTREE_N_DEPLOYMENTS": str(new_count),
    }
    on_event(LogEntry(text, _LIST_WRITTEN, fields))


def log_finalizing(on_event: Listener, deployment: Deployment) -> None:
    """That the shutdown makes a staged deployment the one to be booted next."""
    fields = {
        "OSTREE_OSNAME": deployment.stateroot,
        "OSTREE_CHECKSUM": deployment.checksum,
        "OSTREE_DEPLOYSERIAL": str(deployment.serial),
    }
    on_event(LogEntry("Finalizing deployment", _FINALIZING, fields))


def log_not_finalizing(on_event: Listener, reason: str) -> None:
    """Why the shutdown has nothing to do."""
    on_event(LogEntry(f"Not finalizing; {reason}", None, {}))


def _word(flag: bool) -> str:  # noqa: FBT001  # a value to be shown
    return "yes" if flag else "no"
