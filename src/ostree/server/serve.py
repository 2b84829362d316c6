"""Starting the repository server."""

from __future__ import annotations

import os
import socket

from ostree.errors import OSTreeError
from ostree.server.application import Application

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.server.application import Access

_BACKLOG = 1024


def serve(
    root: str | os.PathLike[str],
    *,
    bind: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[str], None] | None = None,
    on_access: Callable[[Access], None] | None = None,
    on_stoppable: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """Serve the repositories in and below ``root`` until SIGINT or SIGTERM; blocks.

    Transfers under way get a few seconds to end; a second signal ends them at once.

    Args:
        root: A repository, or a directory with repositories below it.
        bind: Address or name of the interface to listen on.
        port: TCP port; 0 for any free one.
        on_ready: Called with the URL of ``root`` once connections are accepted.
        on_access: Called after each request; without it nothing is logged.
        on_stoppable: Called before ``on_ready`` with a function that ends the server from any
            thread, for callers outside the main thread, which no signal reaches.

    Raises:
        OSTreeError: if ``root`` cannot be opened, the address cannot be had, or the extra
            ``server`` is not installed.
    """
    try:
        from ostree.server.runner import Runner
    except ModuleNotFoundError as error:
        raise OSTreeError(
            "The repository server is not installed", hint="pip install 'pyostree[server]'"
        ) from error
    application = Application(root, on_access=on_access)
    try:
        with _listen(bind, port) as listener:
            url = _url_of(listener)
            runner = Runner(application, lambda: on_ready(url) if on_ready else None)
            if on_stoppable is not None:
                on_stoppable(runner.stop)
            runner.run([listener])
    finally:
        application.close()


def _listen(bind: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSTreeError: if there is no such address or it is taken.
    """
    if not 0 <= port <= 0xFFFF:  # the resolver would take it modulo 65536
        raise OSTreeError(f"Error binding to address {bind}:{port}: Not a port number")
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(
            bind, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        # The text of create_server() names the address again, that of the resolver is its own.
        is_resolver = isinstance(error, socket.gaierror)
        reason = error.strerror if is_resolver else os.strerror(error.errno or 0)
        raise OSTreeError(f"Error binding to address {bind}:{port}: {reason}") from error
    # Inherited by connections.  Head and body are sent one after the other, and without this the
    # body would wait for the client's delayed acknowledgement of the head, 40 ms each time.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
