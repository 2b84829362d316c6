"""The processors that this process may use."""

from __future__ import annotations

import os


def default_workers() -> int:
    """How many threads or processes keep them busy, within reason."""
    return max(1, min(4, len(os.sched_getaffinity(0))))


def has_other_threads() -> bool:
    """Whether the process has more than one thread, as the kernel sees it: others than ours, too.

    One that was joined may be there for a moment more.
    """
    return len(os.listdir("/proc/self/task")) > 1
