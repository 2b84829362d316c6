"""A repository server in a thread, for tests, demonstrations and programs that share a directory."""

from __future__ import annotations

import threading

from ostree.errors import OSTreeError
from ostree.server.serve import serve

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from ostree.server.application import Access


class BackgroundServer:
    """Serves a directory from its own thread while the ``with`` block runs.

    Attributes:
        url: Of the root, with a slash at its end.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        bind: str = "127.0.0.1",
        port: int = 0,
        on_access: Callable[[Access], None] | None = None,
    ) -> None:
        self.url = ""
        self._root = root
        self._bind = bind
        self._port = port
        self._on_access = on_access
        self._settled = threading.Event()
        self._stop: Callable[[], None] | None = None
        self._error: OSTreeError | None = None
        self._thread = threading.Thread(target=self._run, name="ostree-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._settled.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stop is not None:
            self._stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            serve(
                self._root,
                bind=self._bind,
                port=self._port,
                on_ready=self._on_ready,
                on_access=self._on_access,
                on_stoppable=self._on_stoppable,
            )
        except OSTreeError as error:
            self._error = error
        finally:
            self._settled.set()

    def _on_ready(self, url: str) -> None:
        self.url = url
        self._settled.set()

    def _on_stoppable(self, stop: Callable[[], None]) -> None:
        self._stop = stop
