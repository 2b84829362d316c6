"""The service that finishes a staged deployment when it is stopped, at shutdown (deployments §11.1)."""

from __future__ import annotations

import os
import subprocess

from ostree.errors import SysrootError

_SERVICE = "ostree-finalize-staged.service"


def start_service(run_directory: str) -> None:
    """Make the service manager run ``finalize-staged`` at shutdown.

    Where systemd is not the service manager, what shuts the system down has to do that.

    Raises:
        SysrootError: it does not start.
    """
    if not os.path.isdir(f"{run_directory}/systemd/system"):
        return
    try:
        result = subprocess.run(
            ["systemctl", "start", "--quiet", _SERVICE],
            check=False,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        reason = f"systemctl: {error.strerror}"
    else:
        if result.returncode == 0:
            return
        reason = f"Child process exited with code {result.returncode}"
    raise SysrootError(
        f"Failed to start {_SERVICE}: {reason}",
        hint="its unit has to be installed: ostree admin install-units",
    )
