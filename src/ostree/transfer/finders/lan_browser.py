"""Looking for services on the local network by multicast DNS, with the library zeroconf."""

from __future__ import annotations

import time

from ostree.errors import OSTreeError
from ostree.transfer.finders.lan import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

#: The type of the services.
SERVICE_TYPE = "_ostree_repo._tcp.local."
#: How long answers are waited for: to the question who is there, and then to who that is.
_SECONDS = 2.0
_MOST_SECONDS = 3.0
#: A network on which more servers answer is not looked at any further.
_MOST_SERVICES = 256


class LanBrowser:
    """Asks who is there.

    Args:
        interfaces: Addresses of the network interfaces to ask on; all of them if None.
        seconds: How long to wait for answers.
    """

    def __init__(
        self, interfaces: Sequence[str] | None = None, *, seconds: float = _SECONDS
    ) -> None:
        self._interfaces = interfaces
        self._seconds = seconds

    def browse(self) -> list[Service]:
        """The services that answer, in the order of their names; none if there is no network.

        Raises:
            OSTreeError: if the library is not installed.
        """
        library = _library()
        interfaces = self._interfaces
        try:
            network = library.Zeroconf(
                interfaces=library.InterfaceChoice.All if interfaces is None else list(interfaces)
            )
        except OSError:
            return []
        names: set[str] = set()

        def heard(name: str, state_change: object, **_: object) -> None:
            if state_change is not library.ServiceStateChange.Removed:
                names.add(name)

        try:
            browser = library.ServiceBrowser(network, SERVICE_TYPE, handlers=[heard])
            time.sleep(self._seconds)
            browser.cancel()
            deadline = time.monotonic() + _MOST_SECONDS
            found = [
                _ask(library, network, name, deadline) for name in sorted(names)[:_MOST_SERVICES]
            ]
            return [service for service in found if service is not None]
        finally:
            network.close()


def _ask(library: ModuleType, network: object, name: str, deadline: float) -> Service | None:
    """What a service says of itself; None if it does not in time."""
    info = library.ServiceInfo(SERVICE_TYPE, name)
    left = deadline - time.monotonic()
    if not info.load_from_cache(network) and (
        left <= 0 or not info.request(network, min(left, _SECONDS) * 1000)
    ):
        return None
    if info.port is None:
        return None
    addresses = info.ip_addresses_by_version(library.IPVersion.All)
    return Service(addresses, info.port, info.text, interface=info.interface_index or 0)


def _library() -> ModuleType:
    try:
        import zeroconf
    except ImportError as error:
        raise OSTreeError(
            "Finding remotes on the local network needs the Python library zeroconf, "
            "which is not installed",
            hint="pip install 'pyostree[lan]'",
        ) from error
    module: ModuleType = zeroconf
    return module
