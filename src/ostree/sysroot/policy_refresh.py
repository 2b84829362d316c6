"""An SELinux policy compiled again after a merge (deployments §7, step 11).

Modules that an administrator has added are in ``/etc``, and so is what was compiled from them and
from those of the old version.  The new version's ``semodule`` makes it anew, with the deployment
as its root.
"""

from __future__ import annotations

import os

from ostree.errors import SysrootError
from ostree.sysroot.programs import contained, describe_end
from ostree.sysroot.step import step
from ostree.system.files import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAMS = ("usr/sbin/semodule", "usr/bin/semodule")
_OPTION = "--refresh"


def refresh_policy(deployment_fd: int, environ: Mapping[str, str]) -> None:
    """Have the policy compiled, if the tree has one and a ``semodule`` that can be asked to.

    Args:
        deployment_fd: The deployment.
        environ: The environment of programs.

    Raises:
        SysrootError: it failed, or cannot be run.
    """
    if not exists("etc/selinux/config", deployment_fd):
        return
    program = next((path for path in _PROGRAMS if exists(path, deployment_fd)), None)
    if program is None:
        return
    tree = os.readlink(f"/proc/self/fd/{deployment_fd}")
    with step("Finalizing SELinux policy"):
        if _OPTION in _run([f"/{program}", "--help"], tree, environ):
            _run([f"/{program}", "-N", _OPTION], tree, environ)


def _run(argv: list[str], tree: str, environ: Mapping[str, str]) -> str:
    """What a program of the deployment prints."""
    import subprocess

    done = subprocess.run(
        contained(argv, tree, ()),
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise SysrootError(f"failed to run semodule: {describe_end(done.returncode)}")
    return done.stdout.decode("utf-8", "replace")
