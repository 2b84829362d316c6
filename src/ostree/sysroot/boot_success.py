"""What a system does that is up: the boot loader is told, and what did not start is put away."""

from __future__ import annotations

import os
from typing import NamedTuple

from ostree.errors import SysrootError
from ostree.events import Message
from ostree.formats.kernel_arguments import split_words
from ostree.sysroot.boot_config import boot_link_of
from ostree.sysroot.boot_counts import BootCounts
from ostree.sysroot.boot_failures import forget_failure, remember_failure
from ostree.sysroot.reordering import make_default, undeploy
from ostree.sysroot.step import step
from ostree.system.watchdog import stop_watchdog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment

#: The boot loader's word for: this is not the deployment that was to be started.
_FALLBACK = "ostree.fallback="
#: The word by which our ramdisk starts a watchdog.
_WATCHDOG = "ostree.watchdog="


class Verdict(NamedTuple):
    """What a successful boot says of the deployments.

    Attributes:
        failed: The one that was to be started and did not.
        works: The one that runs.
    """

    failed: Deployment | None
    works: Deployment


def judge(
    deployments: Sequence[Deployment],
    booted: Deployment,
    arguments: str,
    counted_out: Callable[[str], bool],
) -> Verdict:
    """What the fact that a deployment runs says, given the kernel's command line.

    The boot loader says that it fell back, or notes it where it counts, or the first one's entry has
    no tries left, as where systemd-boot counts.  A deployment that waits for the shutdown was not
    tried, and who chose an older one in the boot loader's menu had no fallback.

    Args:
        deployments: All, in their order.
        booted: The one that runs.
        arguments: The kernel's command line.
        counted_out: Whether the boot loader has noted a fallback from the deployment with an
            ``ostree=``; not asked where it is plain.
    """
    first = next((each for each in deployments if not each.staged), booted)
    failed = first is not booted and (
        any(word.startswith(_FALLBACK) for word in split_words(arguments))
        or _has_no_tries_left(first)
        or counted_out(boot_link_of(first.entry))
    )
    return Verdict(first if failed else None, booted)


def _has_no_tries_left(deployment: Deployment) -> bool:
    left, done = deployment.entry.counters or (0, 0)
    return left == 0 and done > 0


def accept_boot(sysroot: ChangeableSysroot) -> None:
    """Tell the boot loader that the running system is up.

    After a fallback the failed deployment's commit is remembered and the running one becomes the
    default: in this order, and the count last, so that after a power cut the next boot leads here.

    Args:
        sysroot: Its lock is held and its list is loaded.

    Raises:
        SysrootError: nothing is booted, or something cannot be written.
    """
    booted = _running(sysroot)
    arguments = sysroot.read_command_line()
    settings = sysroot.settings
    device = os.fstat(sysroot.root_fd).st_dev
    counts = BootCounts(settings.host_directory, device, settings.run_directory)
    verdict = judge(sysroot.deployments, booted, arguments, counts.fell_back)
    works, failed = verdict.works, verdict.failed
    if failed is not None:
        remember_failure(sysroot.root_fd, failed.stateroot, failed.checksum)
        sysroot.on_event(Message(f"Deployment {failed.name} did not start; back to {works.name}"))
        if failed.pinned:
            make_default(sysroot, sysroot.deployments.index(works))
        else:
            undeploy(sysroot, sysroot.deployments.index(failed))
    forget_failure(sysroot.root_fd, works.stateroot, works.checksum)
    if counts.accept(boot_link_of(_running(sysroot).entry)):
        sysroot.on_event(Message("The boot loader counts from 0 again"))
    if any(word.startswith(_WATCHDOG) for word in split_words(arguments)):
        with step("Stopping the watchdog"):
            if stop_watchdog():
                sysroot.on_event(Message("The watchdog of the start is stopped"))


def _running(sysroot: ChangeableSysroot) -> Deployment:
    """The deployment that runs, as it is in the present list."""
    if sysroot.booted is None:
        raise SysrootError("Not currently booted into an OSTree system")
    return sysroot.booted
