"""``ostree admin instutil selinux-ensure-labeled``: the labels of the first deployment."""

from __future__ import annotations

import os
from contextlib import contextmanager

from ostree.cli.sysroot import open_sysroot
from ostree.errors import NotFoundError, SysrootError, UsageError
from ostree.sysroot.labelling import read_policy, relabel_tree
from ostree.system.files import open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

USAGE = "[SUBPATH PREFIX]"
OPTIONS: tuple[Option, ...] = ()


def run(ctx: Context, args: Arguments) -> None:
    """Label what has no label in it, or in any directory as if that were at a place in it."""
    if len(args.words) == 1:
        raise UsageError("PREFIX must be specified")
    with open_sysroot(ctx, args) as sysroot:
        deployments = sysroot.deployments
        if not deployments:
            raise SysrootError("Unable to find a deployment in sysroot")
        root = sysroot.deployment_path(deployments[0])
        # Like the reference, and unlike what the name suggests: any path of the running system.
        path, prefix = args.words[:2] if args.words else (root, "")
        with _opened(root) as root_fd:
            policy = read_policy(root_fd)
        if policy is None:
            ctx.stdout.line(f"No SELinux policy found in deployment '{root}'")
            return
        ctx.stdout.line(f"Relabeling using policy '{policy.name}'")
        top = os.path.abspath(path)
        with _opened(top) as fd:
            relabel_tree(
                policy,
                fd,
                f"/{prefix}",
                keep=True,
                on_label=lambda below, name, label: ctx.stdout.line(
                    f"Set label of '{top}{below}' (as '{name}') to '{label}'"
                ),
            )


@contextmanager
def _opened(path: str) -> Iterator[int]:
    """A descriptor of a directory, closed on leaving the context."""
    try:
        fd = open_directory(path)
    except OSError as error:
        raise NotFoundError(f"{path}: {error.strerror}") from error
    try:
        yield fd
    finally:
        os.close(fd)
