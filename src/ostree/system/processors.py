"""The processors that this process may use."""

from __future__ import annotations

import os


def default_workers() -> int:
    """How many threads or processes keep them busy, within reason."""
    return max(1, min(4, len(os.sched_getaffinity(0))))
