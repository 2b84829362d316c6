"""Which kernel arguments a new deployment starts with (deployments §7.3)."""

from __future__ import annotations

from ostree.errors import SysrootError, UsageError
from ostree.formats.kernel_arguments import KernelArguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class KernelArgumentOptions:
    """The kernel argument options of ``deploy``.

    Attributes:
        none: Start from nothing.
        running: Start from those of the running kernel.
        replace: Arguments to put in the place of those with the same key.
        append: Arguments to add at the end.
        delete: Arguments to remove if their key is present.
    """

    __slots__ = ("append", "delete", "none", "replace", "running")

    def __init__(
        self,
        *,
        none: bool = False,
        running: bool = False,
        replace: Sequence[str] = (),
        append: Sequence[str] = (),
        delete: Sequence[str] = (),
    ) -> None:
        self.none = none
        self.running = running
        self.replace = tuple(replace)
        self.append = tuple(append)
        self.delete = tuple(delete)

    @property
    def inherit(self) -> bool:
        """Whether nothing is wanted: the arguments are those of the merge deployment then.

        Which ones these are is decided when the deployment is finished, maybe at shutdown.
        """
        return not (self.none or self.running or self.replace or self.append or self.delete)

    def check(self, *, merging: bool) -> None:
        """Refuse combinations that contradict each other.

        Raises:
            UsageError: there is such a combination.
        """
        if self.running and self.none:
            raise UsageError("Can't specify both --karg-proc-cmdline and --karg-none")
        if self.none and self.delete:
            raise UsageError("Can't specify both --karg-none and --karg-delete")
        if not merging and self.delete:
            raise UsageError("Can't specify both --no-merge and --karg-delete")


def select_kernel_arguments(
    options: KernelArgumentOptions,
    *,
    merge: KernelArguments | None,
    proc_cmdline: str,
) -> KernelArguments:
    """The arguments of a new deployment.

    Args:
        options: What the user wants.
        merge: Those of the merge deployment, or None if there is none.
        proc_cmdline: The content of ``/proc/cmdline``; used only if asked for.

    Raises:
        SysrootError: arguments are to be deleted and there are none to start from, or a deletion
            is ambiguous.
        NotFoundError: an argument to be deleted has its key but another value.
    """
    if options.running:
        arguments = KernelArguments.of_running_kernel(proc_cmdline)
    elif options.none or merge is None:
        if options.delete:
            # The reference crashes here.
            raise SysrootError("No merge deployment to delete kernel arguments from")
        arguments = KernelArguments()
    else:
        arguments = merge.copy()
    for word in options.replace:
        arguments.replace(word)
    for word in options.append:
        arguments.append(word)
    for word in options.delete:
        arguments.delete_if_present(word)
    return arguments
