"""uvicorn, set up for serving files: imported only when a server is really started."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

import uvicorn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator

    from ostree.server.application import Application

_KEEP_ALIVE_SECONDS = 60
_SHUTDOWN_SECONDS = 3


class Runner(uvicorn.Server):
    """Runs an application on listening sockets until a signal comes or :meth:`stop` is called."""

    def __init__(self, application: Application, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections and tell so."""
        await super().startup(sockets)
        self._on_started()

    def stop(self) -> None:
        """Shut down soon; from any thread."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Shut down on SIGINT and SIGTERM; unlike uvicorn's, does not raise them again afterwards.

        Stopping is what the user asked for, so it is a success.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
