"""What is believed of those who announce themselves on the local network."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.formats.keyfile import KeyFile
from ostree.repo.remotes import Remote
from ostree.transfer.finders import lan_browser
from ostree.transfer.finders.lan import LanFinder, Service, service_url
from ostree.transfer.finders.lan_browser import SERVICE_TYPE, LanBrowser
from support.announcements import announcement

if TYPE_CHECKING:
    from collections.abc import Sequence

APPS, OS = "org.example.Apps", "org.example.Os"


def service(
    *refs: tuple[str, str], host: str = "192.0.2.1", port: int = 8080, index: int = 0
) -> Service:
    return announcement(port, index, *refs, host=host)


def remote(name: str) -> Remote:
    keyfile = KeyFile.parse(
        f'[remote "{name}"]\nurl=http://origin\ncontenturl=http://content\nproxy=http://proxy\n'
        "gpg-verify-summary=true\nsign-verify-summary=ed25519\nsign-verify=ed25519\n"
        "verification-ed25519-key=key\n".encode()
    )
    return Remote(name, keyfile)


def leads(
    services: Sequence[Service], refs: Sequence[tuple[str, str]], keyrings: dict[str, Remote]
) -> list[tuple[str, str, set[str], list[tuple[str, str]]]]:
    found = LanFinder(lambda: services).leads(services, refs, keyrings)
    return [
        (lead.url, lead.remote.name, set(lead.collections or ()), list(lead.expected))
        for lead in found
    ]


def test_who_may_have_a_ref_is_a_lead_for_each_keyring() -> None:
    apps, os = remote("apps"), remote("os")
    both = service((APPS, "one"), (OS, "main"), host="192.0.2.1")
    one = service((APPS, "one"), host="192.0.2.2", index=3)
    none = service((APPS, "two"), host="192.0.2.3")

    found = leads([both, one, both, none], [(APPS, "one"), (OS, "main")], {APPS: apps, OS: os})

    assert found == [
        ("http://192.0.2.1:8080/0", "apps", {APPS}, [(APPS, "one")]),
        ("http://192.0.2.1:8080/0", "os", {OS}, [(OS, "main")]),
        ("http://192.0.2.2:8080/3", "apps", {APPS}, [(APPS, "one")]),
    ]


def test_without_keys_there_is_no_lead() -> None:
    assert leads([service((APPS, "one"))], [(APPS, "one")], {OS: remote("os")}) == []


def test_it_has_to_sign_commits_as_the_remote_whose_keys_it_needs() -> None:
    """Its summary is its own, which nobody has signed."""
    services = [service((APPS, "one"))]

    (lead,) = LanFinder(lambda: services).leads(services, [(APPS, "one")], {APPS: remote("apps")})

    assert set(lead.remote.options()) == {"url", "sign-verify", "verification-ed25519-key"}
    assert lead.remote.require_url() == "http://192.0.2.1:8080/0"


def test_records_that_are_none_are_passed_over() -> None:
    bad = Service([ip_address("192.0.2.1")], 80, b"\x03v=\x02")
    nowhere = service((APPS, "one"), port=0)

    assert leads([bad, nowhere], [(APPS, "one")], {APPS: remote("apps")}) == []


@pytest.mark.parametrize(
    ("addresses", "interface", "url"),
    [
        (["192.0.2.1"], 0, "http://192.0.2.1:80/7"),
        (["2001:db8::1", "192.0.2.1"], 0, "http://192.0.2.1:80/7"),
        (["2001:db8::1"], 4, "http://[2001:db8::1]:80/7"),
        (["fe80::1"], 4, "http://[fe80::1%254]:80/7"),
        (["fe80::1%eth0"], 4, "http://[fe80::1%254]:80/7"),
        (["::1"], 1, "http://[::1%251]:80/7"),
        (["fe80::1", "2001:db8::1"], 0, "http://[2001:db8::1]:80/7"),
        (["fe80::1"], 0, None),
        ([], 4, None),
    ],
)
def test_addresses(addresses: list[str], interface: int, url: str | None) -> None:
    found = Service([ip_address(text) for text in addresses], 80, b"", interface=interface)

    assert service_url(found, 7) == url


def test_services_on_a_real_network() -> None:
    """The loopback interface, with a server that announces two repositories."""
    zeroconf = pytest.importorskip("zeroconf", reason="the extra lan is not installed")
    wanted = [service((APPS, "one"), host="127.0.0.1", port=8080 + number) for number in (0, 1)]
    network = zeroconf.Zeroconf(interfaces=["127.0.0.1"])
    try:
        for number, announced in enumerate(wanted):
            info = zeroconf.ServiceInfo(
                SERVICE_TYPE,
                f"repo{number}.{SERVICE_TYPE}",
                port=announced.port,
                addresses=[address.packed for address in announced.addresses],
                properties=announced.record,
                server=f"host{number}.local.",
            )
            network.register_service(info, strict=False)  # for the underscore in its type

        found = LanBrowser(["127.0.0.1"]).browse()
    finally:
        network.close()

    ours = [one for one in found if one.record == wanted[0].record]
    assert [service_url(one, 0) for one in ours] == [
        "http://127.0.0.1:8080/0",
        "http://127.0.0.1:8081/0",
    ]


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)

    with pytest.raises(OSTreeError) as caught:
        lan_browser.LanBrowser().browse()

    assert "needs the Python library zeroconf" in caught.value.message
    assert caught.value.hint == "pip install 'pyostree[lan]'"
