"""Servers as others run them: we pull from nginx, also through tinyproxy; the reference from ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.repo.repository import Repo
from ostree.repo.summary import regenerate
from support.web_server import Authority, Nginx, Program, Tinyproxy, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Oracle = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = str(Path(sys.executable).parent / "ostree")
FILES = 60


class Site:
    """A repository on ``main``, who serves it, and who vouches for the server."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(directory, "authority")
        self.stranger = Authority(directory, "stranger")
        self.source = directory / "source"
        tree = directory / "tree"
        for number in range(FILES):
            below = tree / f"{number % 7}"
            below.mkdir(parents=True, exist_ok=True)
            (below / str(number)).write_bytes(os.urandom(3000))
        (tree / "large").write_bytes(os.urandom(3 << 20))
        with Repo.create(self.source, "archive") as repo:
            with repo.transaction() as transaction:
                root = transaction.import_directory(tree)
                transaction.set_ref("main", transaction.commit(root, timestamp=1))
            regenerate(repo)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def nginx(site: Site) -> Iterator[Nginx]:
    as_root = os.geteuid() == 0
    with Nginx(site.directory / "nginx", site.source, site.authority, as_root=as_root) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(site: Site) -> Iterator[Tinyproxy]:
    with Tinyproxy(site.directory / "tinyproxy") as server:
        yield server


def ostree(*arguments: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, check=False, env=environ, timeout=60
    )


class Device:
    """A repository that pulls from a URL."""

    def __init__(self, path: Path, url: str, **settings: str | os.PathLike[str]) -> None:
        self.repo = f"--repo={path}"
        assert ostree("init", self.repo, "--mode=bare-user").returncode == 0
        options = [f"--set={key.replace('_', '-')}={value}" for key, value in settings.items()]
        added = ostree("remote", "add", self.repo, "--no-gpg-verify", *options, "origin", url)
        assert added.stderr == ""

    def pull(self, *options: str) -> subprocess.CompletedProcess[str]:
        return ostree("pull", self.repo, *options, "origin", "main")

    def pull_all(self) -> None:
        done = self.pull()
        assert done.stderr == ""
        assert ostree("fsck", self.repo, "-q").returncode == 0

    def is_refused(self) -> str:
        done = self.pull("--network-retries=0")
        assert done.returncode == 1
        assert ostree("refs", self.repo).stdout == ""
        return done.stderr


def requests_of(nginx: Nginx, before: int) -> list[list[str]]:
    """What was asked for since, without what is missing anyway."""
    return [request for request in nginx.requests()[before:] if request[2] == "200"]


def files_in(requests: list[list[str]]) -> list[str]:
    return [request[3] for request in requests if request[3].endswith(".filez")]


def test_http_1(tmp_path: Path, nginx: Nginx) -> None:
    before = len(nginx.requests())

    Device(tmp_path / "repo", nginx.plain).pull_all()

    requests = requests_of(nginx, before)
    assert {request[1] for request in requests} == {"HTTP/1.1"}
    assert len(files_in(requests)) == len(set(files_in(requests))) == FILES + 1
    # Connections are kept.
    assert len({request[4] for request in requests}) <= 9


def test_http_2_with_a_certificate_of_the_authority(
    tmp_path: Path, site: Site, nginx: Nginx
) -> None:
    before = len(nginx.requests())

    Device(tmp_path / "repo", nginx.secure, tls_ca_path=site.authority.certificate).pull_all()

    requests = requests_of(nginx, before)
    assert {request[1] for request in requests} == {"HTTP/2.0"}
    assert len(files_in(requests)) == len(set(files_in(requests))) == FILES + 1
    # All of them share a connection, or nearly all.
    assert len({request[4] for request in requests}) <= 2


def test_http_2_not_wanted(tmp_path: Path, site: Site, nginx: Nginx) -> None:
    before = len(nginx.requests())
    ca = site.authority.certificate

    Device(tmp_path / "repo", nginx.secure, tls_ca_path=ca, http2="false").pull_all()

    assert {request[1] for request in requests_of(nginx, before)} == {"HTTP/1.1"}


@pytest.mark.parametrize("trusts", ["stranger", "nobody special"])
def test_a_certificate_of_somebody_else(
    tmp_path: Path, site: Site, nginx: Nginx, trusts: str
) -> None:
    settings = {"tls_ca_path": site.stranger.certificate} if trusts == "stranger" else {}
    before = len(nginx.requests())

    message = Device(tmp_path / "repo", nginx.secure, **settings).is_refused()

    assert "[60] " in message
    assert nginx.requests()[before:] == []


def test_a_certificate_that_is_not_looked_at(tmp_path: Path, nginx: Nginx) -> None:
    Device(tmp_path / "repo", nginx.secure, tls_permissive="true").pull_all()


def test_a_client_certificate(tmp_path: Path, site: Site, nginx: Nginx) -> None:
    certificate, key = site.authority.issue("client")
    ca = site.authority.certificate

    Device(
        tmp_path / "repo",
        nginx.demanding,
        tls_ca_path=ca,
        tls_client_cert_path=certificate,
        tls_client_key_path=key,
    ).pull_all()


@pytest.mark.parametrize("has", ["none", "that of a stranger"])
def test_without_the_right_client_certificate(
    tmp_path: Path, site: Site, nginx: Nginx, has: str
) -> None:
    settings: dict[str, Path] = {"tls_ca_path": site.authority.certificate}
    if has != "none":
        certificate, key = site.stranger.issue("strange-client")
        settings |= {"tls_client_cert_path": certificate, "tls_client_key_path": key}

    message = Device(tmp_path / "repo", nginx.demanding, **settings).is_refused()

    assert "400" in message


def test_a_password(tmp_path: Path, nginx: Nginx) -> None:
    url = nginx.protected.replace("//", "//joe:s3cret@")

    Device(tmp_path / "repo", url).pull_all()


@pytest.mark.parametrize("user", ["", "joe:wrong-one@"])
def test_without_the_right_password(tmp_path: Path, nginx: Nginx, user: str) -> None:
    url = nginx.protected.replace("//", f"//{user}")

    message = Device(tmp_path / "repo", url).is_refused()

    assert "401" in message
    assert "wrong-one" not in message


def test_through_a_proxy(tmp_path: Path, nginx: Nginx, proxy: Tinyproxy) -> None:
    before = len(proxy.requests())

    Device(tmp_path / "repo", nginx.plain, proxy=proxy.url).pull_all()

    passed = proxy.requests()[before:]
    assert len([line for line in passed if ".filez" in line]) == FILES + 1
    assert all(line.startswith(f"GET {nginx.plain}/") for line in passed)


def test_through_a_tunnel_of_a_proxy(
    tmp_path: Path, site: Site, nginx: Nginx, proxy: Tinyproxy
) -> None:
    before = len(proxy.requests())
    ca = site.authority.certificate

    Device(tmp_path / "repo", nginx.secure, tls_ca_path=ca, proxy=proxy.url).pull_all()

    passed = proxy.requests()[before:]
    host = nginx.secure.removeprefix("https://")
    assert passed
    assert all(line.startswith(f"CONNECT {host} ") for line in passed)


def test_a_proxy_that_is_not_there(tmp_path: Path, nginx: Nginx) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    before = len(nginx.requests())

    message = Device(tmp_path / "repo", nginx.plain, proxy=proxy).is_refused()

    assert "[7] " in message
    assert nginx.requests()[before:] == []


# the reference pulls from us -----------------------------------------------------------------------


@pytest.mark.oracle
@pytest.mark.parametrize("server", ["serve", "trivial-httpd"])
def test_the_reference_pulls_from_our_servers(
    tmp_path: Path, site: Site, oracle: Oracle, server: str
) -> None:
    port = free_port()
    words = ["--bind=127.0.0.1"] if server == "serve" else []
    repo = f"--repo={tmp_path / 'repo'}"
    oracle("init", repo, "--mode=bare-user")
    oracle("remote", "add", repo, "--no-gpg-verify", "origin", f"http://127.0.0.1:{port}/")

    with Program([COMMAND, server, f"--port={port}", *words, str(site.source)], [port]):
        done = oracle("pull", repo, "origin", "main")

    assert f"{FILES + 1} content objects fetched" in done.stdout
    oracle("fsck", repo, "-q")
    with Repo.open(site.source) as source:
        assert oracle("rev-parse", repo, "origin:main").stdout.strip() == source.resolve("main")
