"""A sysroot whose deployments are edited: their order, their number, what is said of them."""

from __future__ import annotations

from ostree.sysroot.changing import ChangeableSysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.repo.prune import PruneResult
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.kernel_argument_options import KernelArgumentOptions


class EditableSysroot(ChangeableSysroot):
    """The verbs of :class:`~ostree.sysroot.sysroot.Sysroot` that make no deployment.

    Each takes the lock, reads the list again if somebody changed it, and leaves the work to a
    room of its own.
    """

    def undeploy(self, index: int) -> None:
        """Take a deployment out of the list and remove what only it needed.

        Raises:
            SysrootError: there is no such deployment, or it is running.
        """
        from ostree.sysroot.reordering import undeploy

        with self.changing():
            self.load()
            undeploy(self, index)

    def set_default(self, index: int) -> Deployment:
        """Make a deployment the one to be booted next; nothing happens if it is.

        Raises:
            SysrootError: there is no such deployment.
        """
        from ostree.sysroot.reordering import make_default

        with self.changing():
            self.load()
            return make_default(self, index)

    def roll_back(self, stateroot: str | None = None) -> Deployment:
        """Make the deployment before the current one the one to be booted next.

        The current one is the running one or, of a stateroot that does not run, its first.

        Args:
            stateroot: Of which; that of the booted deployment if None.

        Raises:
            NotFoundError: there is nothing to go back to.
        """
        from ostree.sysroot.reordering import find_previous, make_default

        with self.changing():
            self.load()
            name = self._stateroot_or_booted(stateroot)
            previous = find_previous(self._deployments, self._booted, name)
            return make_default(self, previous.index)

    def pin(self, which: int | str, *, pinned: bool = True) -> bool:
        """Make a deployment stay until it is unpinned, or unpin it.

        Args:
            which: An index, or ``booted``, ``pending`` or ``rollback``.
            pinned: What it is to be.

        Returns:
            Whether that was a change.

        Raises:
            NotFoundError: the running system has none of that kind.
            SysrootError: there is no such deployment, or it is staged.
        """
        from ostree.sysroot.pinning import set_pinned

        with self.changing():
            self.load()
            return set_pinned(self, which, pinned=pinned)

    def set_origin(
        self,
        remote: str,
        options: Sequence[tuple[str, str]],
        *,
        branch: str | None = None,
        index: int | None = None,
    ) -> str:
        """Make a deployment follow a remote; everything else in its origin is dropped.

        Args:
            remote: Is added if there is none of that name.
            options: What a new remote is like: ``url`` and others.
            branch: What to follow there; the branch it follows now if None.
            index: Which deployment; the running one if None.

        Returns:
            The refspec that is followed now.

        Raises:
            SysrootError: there is no such deployment, or no branch.
            FormatError: the names make no refspec.
        """
        from ostree.sysroot.origin_changes import follow_remote

        with self.changing():
            self.load()
            return follow_remote(self, remote, options, branch=branch, index=index)

    def set_kernel_arguments(
        self, options: KernelArgumentOptions, *, merge: bool = False
    ) -> Deployment:
        """Give the first deployment other kernel arguments, by a new boot configuration.

        Args:
            options: The new arguments.
            merge: Whether they start from those it has, and not from none.

        Raises:
            NotFoundError: there are no deployments.
            SysrootError: the first one is staged.
        """
        from ostree.sysroot.kernel_argument_changes import set_arguments

        with self.changing():
            self.load()
            return set_arguments(self, options, merge=merge, proc_cmdline=self.read_command_line)

    def append_kernel_arguments(self, arguments: Sequence[str]) -> None:
        """Add arguments to the boot entries, as they are, of all deployments that lack their keys.

        Boot loaders with a configuration of their own do not see them before the next deployment.

        Raises:
            NotFoundError: there are no deployments.
        """
        from ostree.sysroot.kernel_argument_changes import append_in_place

        with self.changing():
            self.load()
            append_in_place(self, arguments)

    def post_copy(self) -> int:
        """Seal objects and images anew after the whole system was copied to another file system.

        Nothing happens unless the repository wants fs-verity and the file system has it.

        Returns:
            How many files are sealed.

        Raises:
            SysrootError: a file cannot be sealed.
        """
        from ostree.sysroot.post_copy import seal_copies

        with self.changing():
            self.load()
            return seal_copies(self)

    def cleanup(self) -> PruneResult | None:
        """What ``ostree admin cleanup`` does: :meth:`clean_up` after reading the list again."""
        with self.changing():
            self.load()
            return self.clean_up()
