"""Whether this process may change the system it runs on."""

from __future__ import annotations

import os

_PR_CAPBSET_READ = 23
_CAP_SYS_ADMIN = 21


def is_privileged() -> bool:
    """Whether we are root, and not one whom a container took the mounts away from."""
    if os.geteuid() != 0:
        return False
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_CAPBSET_READ, ctypes.c_ulong(_CAP_SYS_ADMIN), 0, 0, 0) == 1)
