"""Errors of a step, told with the step's name."""

from __future__ import annotations

import os
from contextlib import contextmanager

from ostree.errors import OSTreeError, SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def step(name: str) -> Iterator[None]:
    """Put ``NAME: `` in front of every error inside, errors of the system included."""
    try:
        yield
    except OSTreeError as error:
        error.add_prefix(name)
        raise
    except OSError as error:
        raise SysrootError(f"{name}: {describe_error(error)}") from error


def describe_error(error: OSError) -> str:
    """The file and what is the matter with it."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    names = [
        os.fsdecode(n) for n in (error.filename, error.filename2) if isinstance(n, str | bytes)
    ]
    return ": ".join([" -> ".join(names), reason] if names else [reason])
