"""Kernel arguments of deployments that exist already (deployments §18.17, §18.18)."""

from __future__ import annotations

from ostree.errors import NotFoundError, SysrootError
from ostree.formats.kernel_arguments import KernelArguments
from ostree.sysroot.kernel_argument_options import select_kernel_arguments
from ostree.sysroot.layout import entries_directory
from ostree.sysroot.loading import read_entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.sysroot.changing import ChangeableSysroot
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.kernel_argument_options import KernelArgumentOptions

_NONE = "Unable to find a deployment in sysroot"


def set_arguments(
    sysroot: ChangeableSysroot,
    options: KernelArgumentOptions,
    *,
    merge: bool,
    proc_cmdline: Callable[[], str],
) -> Deployment:
    """Give the first deployment other arguments, by a new boot configuration.

    Args:
        sysroot: Its lock is held and its list is loaded.
        options: The arguments; ``ostree=`` is added.
        merge: Whether they start from those it has.
        proc_cmdline: Reads the command line of the running kernel.

    Raises:
        NotFoundError: there are no deployments.
        SysrootError: the first one has no boot entry yet.
        FormatError: the arguments do not fit in a line of text.
    """
    deployments = sysroot.deployments
    if not deployments:
        raise NotFoundError(_NONE)
    first = deployments[0]
    if first.staged:
        # The reference ends on an assertion.
        raise SysrootError("Cannot change the kernel arguments of a staged deployment")
    arguments = select_kernel_arguments(
        options,
        merge=first.kernel_arguments if merge else None,
        proc_cmdline=proc_cmdline() if options.running else "",
    )
    arguments.check()
    changed = first.placed(first.index, first.bootserial)
    changed.entry = first.entry.clone()
    changed.entry.set("options", str(arguments))
    sysroot.write_deployments([changed, *deployments[1:]])
    sysroot.clean_up()
    return sysroot.deployments[0]


def append_in_place(sysroot: ChangeableSysroot, arguments: Sequence[str]) -> None:
    """Add arguments to all boot entries whose key they have not; nothing else changes.

    Boot loaders with a configuration of their own do not see
    it before the next deployment.

    Args:
        sysroot: Its lock is held and its list is loaded.
        arguments: ``KEY`` or ``KEY=VALUE``.

    Raises:
        NotFoundError: there are no deployments.
        FormatError: the arguments do not fit in a line of text.
    """
    KernelArguments(arguments).check()
    if not sysroot.deployments:
        raise NotFoundError(_NONE)
    directory = entries_directory(sysroot.bootversion)
    sysroot.disk.replace_files(
        {
            # The file that was read: its name may be another version's, or count attempts.
            f"{directory}/{name}": entry.to_text().encode()
            for name, entry in read_entries(sysroot.root_fd, sysroot.bootversion)
            if append_missing(entry, arguments)
        }
    )
    if sysroot.deployments[0].staged:
        _append_to_staged(sysroot.settings.run_directory, arguments)


def _append_to_staged(run_directory: str, arguments: Sequence[str]) -> None:
    """The same for a deployment that has no boot entry yet.

    One that inherits its arguments at shutdown inherits these along with the others; the reference
    makes them the only ones.
    """
    from ostree.sysroot.staged import read_state, write_state

    state = read_state(run_directory)
    if state is None or (state.arguments is None and state.merge is not None):
        return
    words = KernelArguments(state.arguments or ())
    before = len(words)
    for argument in arguments:
        words.append_if_missing(argument)
    if len(words) != before:
        state.arguments = list(words)
        write_state(run_directory, state)


def append_missing(entry: BootEntry, arguments: Sequence[str]) -> bool:
    """Add arguments to an entry whose keys it has not; whether there were any."""
    words = KernelArguments.parse(entry.get("options") or "")
    before = len(words)
    for argument in arguments:
        words.append_if_missing(argument)
    if len(words) == before:
        return False
    entry.set("options", str(words))
    return True
