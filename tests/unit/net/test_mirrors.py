"""The fetcher that goes on to the next mirror, over a fetcher that answers as it is told."""

from __future__ import annotations

import pytest

from ostree.errors import ChecksumError, FetchError, OSTreeError, StatusError
from ostree.net.fetcher import Fetcher, MemorySink, Request, Response
from ostree.net.mirrors import MirroredFetcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Done, Sink

MIRRORS = ["http://one/repo", "http://two/repo", "http://three/repo"]


class Servers(Fetcher):
    """Answers each URL as told, or else with its URL for a body."""

    def __init__(self, **outcomes: OSTreeError) -> None:
        super().__init__()
        self.outcomes = outcomes
        self.queue: list[tuple[Request, Sink, Done]] = []
        self.urls: list[str] = []

    def submit(self, request: Request, sink: Sink, done: Done) -> None:
        self.urls.append(request.url)
        self.queue.append((request, sink, done))

    def step(self, timeout: float | None = None) -> int:
        del timeout
        request, sink, done = self.queue.pop(0)
        host = request.url.split("/")[2]
        sink.write(request.url.encode())
        done(self.outcomes.get(host, Response(200, len(request.url))))
        return len(self.queue)

    def outstanding(self) -> int:
        return len(self.queue)

    def wake(self) -> None:
        pass

    def cancel(self) -> None:
        self.queue.clear()

    def close(self) -> None:
        pass


def absent() -> StatusError:
    return StatusError("absent", status=404)


def body(fetcher: Fetcher, url: str = "http://one/repo/config") -> bytes:
    """What comes from a URL."""
    sink = MemorySink()
    fetcher.fetch(Request(url), sink)
    return sink.value()


def test_the_first_mirror_is_asked_first() -> None:
    servers = Servers()

    assert body(MirroredFetcher(servers, [MIRRORS])) == b"http://one/repo/config"
    assert servers.urls == ["http://one/repo/config"]


def test_what_one_mirror_lacks_the_next_may_have() -> None:
    servers = Servers(one=absent(), two=StatusError("broken", status=500))

    found = body(MirroredFetcher(servers, [MIRRORS]))

    assert found == b"http://three/repo/config"


def test_a_mirror_that_lacks_a_file_is_still_asked_for_others() -> None:
    servers = Servers(one=absent())
    fetcher = MirroredFetcher(servers, [MIRRORS])
    body(fetcher)

    body(fetcher, "http://one/repo/summary")

    assert servers.urls[2:] == ["http://one/repo/summary", "http://two/repo/summary"]


def test_a_mirror_that_cannot_be_reached_is_asked_last() -> None:
    servers = Servers(one=FetchError("no route"))
    fetcher = MirroredFetcher(servers, [MIRRORS])
    body(fetcher)

    body(fetcher, "http://one/repo/summary")

    assert servers.urls[2:] == ["http://two/repo/summary"]


def test_the_last_mirror_has_the_last_word() -> None:
    servers = Servers(one=FetchError("no route"), two=absent(), three=FetchError("no route"))

    with pytest.raises(FetchError, match="no route"):
        body(MirroredFetcher(servers, [MIRRORS]))


def test_the_rest_of_a_body_is_not_wanted_of_another_mirror() -> None:
    error = FetchError("cut off")
    error.received = 100
    servers = Servers(one=error, two=error, three=error)

    with pytest.raises(FetchError) as caught:
        body(MirroredFetcher(servers, [MIRRORS]))

    assert caught.value.received == 0


def test_what_the_sink_refuses_is_refused() -> None:
    servers = Servers(one=ChecksumError("wrong"))

    with pytest.raises(ChecksumError):
        body(MirroredFetcher(servers, [MIRRORS]))

    assert len(servers.urls) == 1


def test_a_sink_that_cannot_restart_fails_the_request() -> None:
    class Stubborn(MemorySink):
        def restart(self) -> None:
            raise ChecksumError("cannot go back")

    fetcher = MirroredFetcher(Servers(one=absent()), [MIRRORS])

    with pytest.raises(ChecksumError):
        fetcher.fetch(Request("http://one/repo/config"), Stubborn())


def test_other_urls_and_lonely_servers_are_left_alone() -> None:
    servers = Servers(one=absent(), other=absent())
    fetcher = MirroredFetcher(servers, [["http://one/repo"], ["http://other/x", "http://y"]])

    for url in ("http://one/repo/config", "http://other/xy"):
        with pytest.raises(StatusError):
            body(fetcher, url)

    assert servers.urls == ["http://one/repo/config", "http://other/xy"]
