"""SELinux labels of what is checked out (repository format §6.7)."""

from __future__ import annotations

from ostree.system.selinux import ATTRIBUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.system.selinux import Policy
    from ostree.types import Xattrs


class Labels:
    """A policy, and where in its world a checkout is.

    Args:
        policy: Gives the labels.
        prefix: The path that what is checked out, a directory or one file, has for the policy;
            None for the path that it has in its commit.
    """

    def __init__(self, policy: Policy, prefix: str | None = None) -> None:
        self._policy = policy
        self.prefix = prefix

    def apply(self, xattrs: Xattrs, path: str, mode: int) -> Xattrs:
        """Attributes with the policy's label in place of any other.

        Args:
            xattrs: What the commit says.
            path: For the policy.
            mode: With its type bits.
        """
        label = self._policy.label(path, mode)
        rest = [pair for pair in xattrs if pair[0] != ATTRIBUTE]
        if label is not None:
            # On disk the NUL is the kernel's affair, as the reference has it.
            rest.append((ATTRIBUTE, label.removesuffix(b"\0")))
        return tuple(sorted(rest))


def top_path(labels: Labels | None, place: str) -> str:
    """The path that ``place`` in a commit has for a policy when checked out; ``/`` is empty."""
    path = place if labels is None or labels.prefix is None else labels.prefix
    return "".join(f"/{part}" for part in path.split("/") if part)
