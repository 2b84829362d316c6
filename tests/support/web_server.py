"""nginx and tinyproxy as others run them, on free ports of 127.0.0.1, in a directory of their own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

#: What nginx, which is run as an ordinary program here, is called and where else it may be.
_PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_NGINX = """
daemon off;
master_process off;
{user}
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 128; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    log_format requests '$server_port $server_protocol $status $request_uri $connection';
    access_log {directory}/access.log requests;
    keepalive_requests 10000;
    default_type application/octet-stream;
    {servers}
}}
"""
_SERVER = "server {{ listen 127.0.0.1:{port} {flags}; root {root}; {extra} }}\n"


def find(program: str, package: str) -> str:
    """The path of a program; skips where it is missing."""
    path = shutil.which(program, path=_PLACES)
    if path is None:
        pytest.skip(f"{program} is missing (Debian: {package})")
    return path


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """A server that runs while the context lasts, once it listens on all of its ports."""

    def __init__(self, command: list[str], ports: list[int]) -> None:
        self._command = command
        self._ports = ports

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=None
        )
        try:
            for port in self._ports:
                self._await(port)
        except BaseException:
            self._end()
            raise
        return self

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + 20
        while True:
            assert self._process.poll() is None, "the server has ended"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.02)
            else:
                return

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()


class Authority:
    """A certificate authority that nobody else knows.

    Attributes:
        certificate: Its own, in a file.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._key = directory / f"{name}.key"
        self.certificate = directory / f"{name}.crt"
        self._openssl("-x509", "-subj", f"/CN={name}", key=self._key, out=self.certificate)

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 and its key, in files."""
        key, certificate = self._directory / f"{name}.key", self._directory / f"{name}.crt"
        self._openssl(
            *("-x509", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *("-CA", str(self.certificate), "-CAkey", str(self._key)),
            key=key,
            out=certificate,
        )
        return certificate, key

    @staticmethod
    def _openssl(*options: str, key: Path, out: Path) -> None:
        command = [find("openssl", "openssl"), "req", "-newkey", "ec", "-nodes", "-days", "2"]
        command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", str(key)]
        subprocess.run([*command, "-out", str(out), *options], check=True, capture_output=True)


class Nginx(Program):
    """nginx, which serves a directory in several ways.

    Attributes:
        plain: Base URL over HTTP.
        secure: Over TLS, with HTTP/2.
        demanding: Over TLS, for who has a certificate of the authority.
        protected: Over HTTP, for the user ``joe`` with the password ``s3cret``; without both.
    """

    def __init__(self, directory: Path, root: Path, authority: Authority, *, as_root: bool) -> None:
        directory.mkdir()
        ports = [free_port() for _ in range(4)]
        self._log = directory / "access.log"
        self.plain, self.protected = (f"http://127.0.0.1:{port}" for port in (ports[0], ports[3]))
        self.secure, self.demanding = (f"https://127.0.0.1:{port}" for port in ports[1:3])
        certificate, key = authority.issue("server")
        tls = f"ssl_certificate {certificate}; ssl_certificate_key {key};"
        client = f"ssl_client_certificate {authority.certificate}; ssl_verify_client on;"
        (directory / "passwords").write_text("joe:{PLAIN}s3cret\n")
        auth = f"auth_basic closed; auth_basic_user_file {directory}/passwords;"
        servers = [("", ""), ("ssl http2", tls), ("ssl", tls + client), ("", auth)]
        configuration = directory / "nginx.conf"
        configuration.write_text(
            _NGINX.format(
                user="user root;" if as_root else "",
                directory=directory,
                servers="".join(
                    _SERVER.format(port=port, flags=flags, extra=extra, root=root)
                    for port, (flags, extra) in zip(ports, servers, strict=True)
                ),
            )
        )
        command = [find("nginx", "nginx-light"), "-p", str(directory), "-c", str(configuration)]
        super().__init__([*command, "-e", str(directory / "error.log")], ports)

    def requests(self) -> list[list[str]]:
        """What was asked for: port, protocol, status, path, and the number of the connection."""
        return [line.split() for line in self._log.read_text().splitlines()]


class Tinyproxy(Program):
    """A forward proxy.

    Attributes:
        url: Where it is.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / "log"
        configuration = directory / "tinyproxy.conf"
        configuration.write_text(
            f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\n"
            f'LogFile "{self._log}"\nLogLevel Connect\nPidFile "{directory}/pid"\n'
        )
        command = [find("tinyproxy", "tinyproxy"), "-d", "-c", str(configuration)]
        super().__init__(command, [port])

    def requests(self) -> list[str]:
        """The first lines of the requests that passed."""
        return [
            line.partition("): ")[2]
            for line in self._log.read_text().splitlines()
            if " Request (" in line
        ]
