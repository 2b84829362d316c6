"""Our own server, for the guest's pulls."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def serving(ostree: str, directory: Path) -> Iterator[int]:
    """Serve the repositories of a directory; gives the port."""
    command = [ostree, "serve", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            # "Serving DIRECTORY at http://127.0.0.1:PORT/"
            yield int(server.stdout.readline().rstrip("/\n").rpartition(":")[2])
        finally:
            server.terminate()
