"""Starting and stopping the server."""

from __future__ import annotations

import builtins
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from ostree.errors import NotFoundError, OSTreeError
from ostree.server.background import BackgroundServer
from ostree.server.serve import serve

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
from ostree.server.serve import serve
serve(sys.argv[1], on_ready=lambda url: print(url, flush=True))
print("stopped")
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "objects").mkdir()
    (tmp_path / "config").write_bytes(b"[core]\n")
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_it_says_nothing_itself(
    repo: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, repo],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}config") as response:
            body = response.read()

        process.send_signal(number)
        output, errors = process.communicate(timeout=10)

    assert body == b"[core]\n"
    assert (output, errors, process.returncode) == ("stopped\n", "", 0)


def test_it_stops_in_spite_of_open_connections(repo: Path) -> None:
    with (
        BackgroundServer(repo) as server,
        socket.create_connection(("127.0.0.1", int(server.url.split(":")[2][:-1]))) as client,
    ):
        client.sendall(b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_a_port_in_use(repo: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(OSTreeError) as caught:
            serve(repo, port=port)

    assert str(caught.value) == f"Error binding to address 127.0.0.1:{port}: Address already in use"


@pytest.mark.parametrize(("bind", "port"), [("256.256.256.256", 0), ("127.0.0.1", 70000)])
def test_an_address_that_is_none(repo: Path, bind: str, port: int) -> None:
    with pytest.raises(OSTreeError, match=f"Error binding to address {bind}:{port}: "):
        serve(repo, bind=bind, port=port)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        serve(tmp_path / "absent")
    with pytest.raises(NotFoundError), BackgroundServer(tmp_path / "absent"):
        pass


def test_an_address_of_ipv6_is_shown_in_brackets(repo: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")

    with BackgroundServer(repo, bind="::1") as server:
        assert server.url.startswith("http://[::1]:")
        with urllib.request.urlopen(f"{server.url}config") as response:
            assert response.status == 200


def test_the_extra_that_is_missing_is_named(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_uvicorn(name: str, *args: object) -> object:
        if name == "uvicorn":
            raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")
        return real_import(name, *args)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "ostree.server.runner", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_uvicorn)

    with pytest.raises(OSTreeError) as caught:
        serve(repo)

    assert caught.value.hint == "pip install 'pyostree[server]'"
