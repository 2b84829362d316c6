"""Decisions about the list of deployments; nothing here touches a disk (deployments §3.1, §9)."""

from __future__ import annotations

from enum import Enum

from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.sysroot.deployment import Deployment


class Retention:
    """Which deployments a new one leaves in the list, besides those that always stay."""

    __slots__ = ("everything", "not_as_default", "pending", "rollback")

    def __init__(
        self,
        *,
        everything: bool = False,
        pending: bool = False,
        rollback: bool = False,
        not_as_default: bool = False,
    ) -> None:
        self.everything = everything
        self.pending = pending
        self.rollback = rollback
        self.not_as_default = not_as_default

    def check_staging(self) -> None:
        """Make sure that this can be said of a staged deployment, too.

        Raises:
            SysrootError: what stays is decided at shutdown, when nobody remembers this.
        """
        if self.pending or self.rollback:
            raise SysrootError("--stage cannot currently be combined with --retain arguments")
        if self.not_as_default:
            raise SysrootError("--stage cannot currently be combined with --not-as-default")


class SwapKind(Enum):
    """How far the switch to a new list goes."""

    NOTHING = "nothing"
    #: Only the bootlinks change; ``/boot`` stays as it is.
    SUB = "sub"
    #: New boot entries, a new boot loader configuration, another bootversion.
    FULL = "full"


def find_pending(
    deployments: Sequence[Deployment], booted: Deployment | None, stateroot: str
) -> Deployment | None:
    """The first deployment of ``stateroot`` before the booted one, or of all if none is booted."""
    for deployment in deployments:
        if deployment is booted:
            return None
        if deployment.stateroot == stateroot:
            return deployment
    return None


def find_rollback(
    deployments: Sequence[Deployment], booted: Deployment | None, stateroot: str
) -> Deployment | None:
    """The first deployment of ``stateroot`` after the booted one."""
    crossed = False
    for deployment in deployments:
        if deployment is booted:
            crossed = True
        elif crossed and deployment.stateroot == stateroot:
            return deployment
    return None


def find_merge(
    deployments: Sequence[Deployment], booted: Deployment | None, stateroot: str
) -> Deployment | None:
    """The deployment whose ``/etc``, kernel arguments and origin a new one takes over."""
    if booted is not None and booted.stateroot == stateroot:
        return booted
    return next((d for d in deployments if d.stateroot == stateroot), None)


def plan_list(
    current: Sequence[Deployment],
    new: Deployment,
    *,
    booted: Deployment | None,
    merge: Deployment | None,
    retention: Retention,
) -> list[Deployment]:
    """The list with ``new`` in it, without what retention does not keep (§9.1)."""
    nothing_to_cross = booted is None and merge is None
    everything = retention.everything or (
        nothing_to_cross and (retention.pending or retention.rollback)
    )
    pivot = booted if booted is not None else merge
    result = [] if retention.not_as_default else [new]
    crossed = False
    for deployment in current:
        if deployment is pivot:
            crossed = True
        if (
            everything
            or deployment.pinned
            or deployment.stateroot != new.stateroot
            or (retention.pending and not crossed)
            or deployment is booted
            or deployment is merge
            or (retention.rollback and crossed)
        ):
            result.append(deployment)
        if retention.not_as_default and crossed and new not in result:
            result.append(new)
    if new not in result:
        result.append(new)
    return result


def place(deployments: Sequence[Deployment]) -> list[Deployment]:
    """Copies with their indexes and boot serials (§2.2).

    Boot serials count per boot checksum, across stateroots.
    """
    counts: dict[str, int] = {}
    placed = []
    for index, deployment in enumerate(deployments):
        bootserial = counts.get(deployment.bootcsum, 0)
        counts[deployment.bootcsum] = bootserial + 1
        placed.append(deployment.placed(index, bootserial))
    return placed


def plan_swap(
    current: Sequence[Deployment],
    new: Sequence[Deployment],
    *,
    version_of: Callable[[Deployment], str | None],
) -> SwapKind:
    """How the list ``current`` is to be replaced by ``new`` (§9.2).

    Args:
        current: The list that the boot configuration describes.
        new: The wanted list.
        version_of: The ``version`` metadata of a deployment's commit.
    """
    if len(current) != len(new):
        return SwapKind.FULL
    if all(a is b for a, b in zip(current, new, strict=True)):
        return SwapKind.NOTHING
    if all(_boots_alike(a, b, version_of) for a, b in zip(current, new, strict=True)):
        return SwapKind.SUB
    return SwapKind.FULL


def _boots_alike(
    a: Deployment, b: Deployment, version_of: Callable[[Deployment], str | None]
) -> bool:
    """Whether the boot entry of one would do for the other."""
    return (
        a.bootcsum == b.bootcsum
        and a.stateroot == b.stateroot
        and a.entry.overlay_initrds == b.entry.overlay_initrds
        and str(a.kernel_arguments.without("ostree")) == str(b.kernel_arguments.without("ostree"))
        and version_of(a) == version_of(b)
    )


def remove_at(deployments: Sequence[Deployment], index: int) -> list[Deployment]:
    """The list without one entry."""
    check_index(deployments, index)
    return [d for i, d in enumerate(deployments) if i != index]


def check_index(deployments: Sequence[Deployment], index: int) -> None:
    """Make sure that there is a deployment at ``index``.

    Raises:
        SysrootError: there is none.
    """
    if index < 0:
        raise SysrootError(f"Invalid index {index}")
    if index >= len(deployments):
        raise SysrootError(f"Out of range deployment index {index}, expected < {len(deployments)}")


def has_several_stateroots(deployments: Sequence[Deployment]) -> bool:
    """Whether titles have to tell the stateroot."""
    return len({d.stateroot for d in deployments}) > 1
