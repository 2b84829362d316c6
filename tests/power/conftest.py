"""The fixtures of the booted machines, and what is told of them."""

from __future__ import annotations

from boot.conftest import (
    logs,
    ostree,
    pytest_runtest_makereport,
    work,
)

__all__ = ["logs", "ostree", "pytest_runtest_makereport", "work"]
