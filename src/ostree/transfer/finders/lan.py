"""The finder that asks the local network (§8.3)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from ostree.errors import FormatError
from ostree.formats import service_record
from ostree.transfer.finders.finder import Finder, Lead
from ostree.transfer.finders.keyring import by_remote, keyring_remotes, moved, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ostree.repo.remotes import Remote
    from ostree.repo.repository import Repo
    from ostree.transfer.finders.finder import CollectionRef

    Address = IPv4Address | IPv6Address


class Service:
    """A server that announces a repository.

    Attributes:
        addresses: Where it is.
        interface: The index of the network interface that it was heard on; 0 if unknown.
        port: Its TCP port.
        record: Its TXT record, as it came.
    """

    __slots__ = ("addresses", "interface", "port", "record")

    def __init__(
        self, addresses: Sequence[Address], port: int, record: bytes, *, interface: int = 0
    ) -> None:
        self.addresses = addresses
        self.port = port
        self.record = record
        self.interface = interface


class LanFinder(Finder):
    """Offers repositories that announce themselves on the local network.

    Whoever is on the network may announce anything.  What is believed of it is that it may be worth
    asking; its commits have to be signed with keys that a configured remote of the collection has.

    Args:
        browse: Looks around on the network; by default with the library zeroconf.
    """

    title = "OstreeRepoFinderAvahi"
    priority = 60

    def __init__(self, browse: Callable[[], Iterable[Service]] | None = None) -> None:
        if browse is None:
            from ostree.transfer.finders.lan_browser import LanBrowser

            browse = LanBrowser().browse
        self._browse = browse

    def find(self, repo: Repo, refs: Sequence[CollectionRef]) -> list[Lead]:
        """See the base class."""
        keyrings = keyring_remotes(repo, refs)
        return list(self.leads(self._browse(), refs, keyrings)) if keyrings else []

    def leads(
        self,
        services: Iterable[Service],
        refs: Sequence[CollectionRef],
        keyrings: Mapping[str, Remote],
    ) -> Iterator[Lead]:
        """The services that may have one of the refs, each once for every keyring.

        Args:
            services: Who announces a repository.
            refs: What is looked for.
            keyrings: For collections the remotes that have keys for them.
        """
        seen: set[str] = set()
        for service in services:
            try:
                record = service_record.decode(service.record)
            except FormatError:
                continue  # of another version, or no honest one
            url = service_url(service, record.index)
            if url is None or url in seen:
                continue
            seen.add(url)
            offered = [ref for ref in refs if record.refs.may_have(*ref)]
            for remote, collections in by_remote(offered, keyrings):
                yield Lead(
                    self,
                    name_of(url, remote),
                    moved(remote, url),
                    url,
                    collections=collections,
                    expected=[ref for ref in offered if ref[0] in collections],
                )


def service_url(service: Service, index: int) -> str | None:
    """The address of the repository with a number at a server; None if the server has none.

    Of several addresses an IPv4 one is taken.
    """
    if not 0 < service.port < 1 << 16:
        return None
    for address in sorted(service.addresses, key=lambda address: address.version):
        host = str(address)
        if isinstance(address, IPv6Address):
            host = str(IPv6Address(int(address)))
            # Such an address means something on one network only; "%" is "%25" in a URL.
            if address.is_link_local or address.is_loopback:
                if not service.interface:
                    continue
                host += f"%25{service.interface}"
            host = f"[{host}]"
        return f"http://{host}:{service.port}/{index}"
    return None
