"""``ostree trivial-httpd``, as a process of its own."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Oracle

    Start = Callable[..., int]

REFERENCE = "/usr/libexec/libostree/ostree-trivial-httpd"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory to serve."""
    root = tmp_path / "root"
    (root / "sub" / "objects").mkdir(parents=True)
    (root / "file").write_text("0123456789\n")
    (root / "sub" / "index.html").write_text("<p>")
    (root / "sub" / "objects" / "a&b").write_text("object")
    (root / "secret").write_text("x")
    (root / "secret").chmod(0o600)
    (root / "link").symlink_to("file")
    for path in (root, root / "sub", root / "sub" / "objects"):
        path.chmod(0o755)
    os.utime(root / "file", (1_000_000_000, 1_000_000_000))
    return root


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts the server in the background; returns its port."""

    def run(*options: str, program: tuple[str, ...] = (), bind: bool = True) -> int:
        port_file = tmp_path / "port"
        port_file.unlink(missing_ok=True)
        command = program or (sys.executable, "-m", "ostree", "trivial-httpd")
        address = ("--bind=127.0.0.1",) if bind else ()
        where = ("-d", "--autoexit", f"--port-file={port_file}")
        subprocess.run([*command, *where, *address, *options, root], check=True, timeout=20)
        return int(port_file.read_text())

    yield run
    # It ends when what it serves is gone, which tests look at themselves where it matters.
    root.rename(tmp_path / "gone")


def get(
    port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """One request on its own connection; without the headers that tell time and server."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers=headers or {})
        with connection.getresponse() as response:
            kept = {
                name: value.replace(str(port), "PORT")
                for name, value in response.getheaders()
                if name not in {"Date", "Server"}
            }
            return response.status, kept, response.read()
    finally:
        connection.close()


REQUESTS: list[tuple[str, dict[str, str], str]] = [
    ("/file", {}, "GET"),
    ("/file", {}, "HEAD"),
    ("/file?query=1", {}, "GET"),
    ("//file", {}, "GET"),
    ("/link", {}, "GET"),
    ("/%66ile", {}, "GET"),
    ("/file", {"Range": "bytes=2-4"}, "GET"),
    ("/file", {"Range": "bytes=4-"}, "GET"),
    ("/file", {"Range": "bytes=20-30"}, "GET"),
    ("/file", {"If-Modified-Since": "Sun, 09 Sep 2001 01:46:40 GMT"}, "GET"),
    ("/file", {"If-Modified-Since": "Sun, 09 Sep 2001 01:46:39 GMT"}, "GET"),
    ("/file", {"If-None-Match": '"x"'}, "GET"),
    ("/sub", {}, "GET"),
    ("/sub/", {}, "GET"),
    ("/secret", {}, "GET"),
    ("/nope", {}, "GET"),
    ("/file", {}, "PUT"),
]


@pytest.mark.oracle
def test_answers_are_the_references(start: Start, oracle: Oracle) -> None:
    del oracle
    if not os.path.exists(REFERENCE):
        pytest.skip("the reference's test server is not installed (Debian: ostree-tests)")
    theirs = start(program=(REFERENCE,), bind=False)
    ours = start()

    for path, headers, method in REQUESTS:
        assert get(ours, path, headers, method) == get(theirs, path, headers, method), path


def test_a_directory_without_index_is_listed(start: Start) -> None:
    status, headers, body = get(start(), "/sub/objects/")

    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert b'<a href="a&amp;b">a&amp;b</a><br>\r\n' in body


def test_nothing_outside_is_shown(start: Start, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    port = start()

    for path in (
        "/../outside",
        "/sub/../../outside",
        "/sub/%2e%2e/%2e%2e/outside",
        "/..%2foutside",
    ):
        assert get(port, path)[0] == 403


def test_objects_are_cut_off_in_the_middle(start: Start) -> None:
    port = start("--force-range-requests")

    with pytest.raises(http.client.IncompleteRead) as caught:
        get(port, "/sub/objects/a&b")

    assert caught.value.partial == b"obj"
    assert get(port, "/sub/objects/a&b", {"Range": "bytes=3-"})[2] == b"ect"
    assert get(port, "/file")[2] == b"0123456789\n"


def test_who_asks_has_to_be_known(start: Start) -> None:
    port = start("--require-basic-auth")

    assert get(port, "/file")[0] == 401
    assert get(port, "/file", {"Authorization": "Basic Zm9vdXNlcjpiYXJwdw=="})[0] == 200


def test_errors_at_random_end_some_time(start: Start) -> None:
    port = start(
        "--random-500s=99", "--random-500s-max=3", "--random-408s=99", "--random-408s-max=2"
    )

    statuses = [get(port, "/file")[0] for _ in range(50)]

    assert statuses.count(500) == 3
    assert statuses.count(408) == 2
    assert statuses.count(200) == 45


def test_cookies_headers_and_the_log(start: Start, tmp_path: Path, root: Path) -> None:
    log = tmp_path / "log"
    port = start("--expected-cookies=a=b", "--expected-header=X=1", f"--log-file={log}")

    get(port, "/file", {"Cookie": "a=b"})
    get(port, "/file", {"Cookie": "a=b", "X": "1", "Range": "bytes=0-0"})

    lines = log.read_text().splitlines()
    assert [line[26:] for line in lines] == [
        " - serving at root " + str(root),
        " - serving /file",
        " - Expected header not found X",
        " -   status: Forbidden (403)",
        " - serving /file",
        " -   status: OK (200)",
    ]
    assert log.stat().st_mode & 0o777 == 0o600


def test_it_ends_when_its_directory_is_gone(start: Start, root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    port = start(f"--log-file={log}")
    (tmp_path / "new").mkdir()

    root.rename(tmp_path / "moved")

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            get(port, "/")
        except ConnectionError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("still there")
    assert log.read_text().endswith(" - root directory removed, exiting\n")
    root.mkdir()  # for the fixture to take away


def test_in_the_foreground_it_ends_with_its_parent(root: Path) -> None:
    """The process in between is killed before it can end its child."""
    command = (
        f'"{sys.executable}" -m ostree trivial-httpd --bind=127.0.0.1 -p - "{root}" & echo $!; wait'
    )
    with subprocess.Popen(["/bin/sh", "-c", command], stdout=subprocess.PIPE, text=True) as between:
        assert between.stdout is not None
        child, port = (int(between.stdout.readline()) for _ in range(2))
        assert get(port, "/file")[0] == 200

        between.kill()

        assert between.stdout.read() == ""  # closed by the last process that had it
    assert not os.path.exists(f"/proc/{child}/exe")


def test_errors(root: Path, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")

    assert misuse("trivial-httpd", "-d", "--log-file=-") == (
        "error: Cannot use --log-file=- and --daemonize at the same time"
    )
    for status in (500, 408):
        for percentage in (100, -1):
            option = f"--random-{status}s={percentage}"
            assert fail("trivial-httpd", option) == f"error: Invalid {option}"
    command = [sys.executable, "-m", "ostree", "trivial-httpd", "-d", "--bind=127.0.0.1"]
    for options, message in (
        ([f"--log-file={tmp_path}/log"], f"Error opening file “{tmp_path}/log”: File exists"),
        (["--port=70000"], "Error binding to port 70000: "),
    ):
        done = subprocess.run(
            [*command, *options, root],
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {message}")
