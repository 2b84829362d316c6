"""Lists of mirrors and metalinks: pulls get what some server has, whatever the others do."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.repo import summary
from ostree.repo.repository import Repo
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.transfer.remote_summary import remote_refs
from simulator.lying_server import Content, LyingServer, Reset, Status, Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HASTY = PullOptions(network_retries=0)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Repo]:
    """An archive repository with a commit on ``main`` and a summary."""
    (tmp_path / "tree").mkdir()
    for number in range(20):
        (tmp_path / "tree" / f"file{number}").write_bytes(os.urandom(200))
    with Repo.create(tmp_path / "one", "archive") as repo:
        with repo.transaction() as transaction:
            root = transaction.import_directory(tmp_path / "tree")
            transaction.set_ref("main", transaction.commit(root))
        summary.regenerate(repo)
        yield repo


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[LyingServer]:
    """Serves lists, not repositories."""
    (tmp_path / "lists").mkdir()
    with LyingServer(tmp_path / "lists") as running:
        yield running


@pytest.fixture
def one(source: Repo) -> Iterator[LyingServer]:
    """A mirror."""
    with LyingServer(source.path) as running:
        yield running


@pytest.fixture
def two(source: Repo, tmp_path: Path) -> Iterator[LyingServer]:
    """Another mirror."""
    shutil.copytree(source.path, tmp_path / "two")
    with LyingServer(tmp_path / "two") as running:
        yield running


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Repo]:
    with Repo.create(tmp_path / "device", "bare-user") as repo:
        yield repo


def list_mirrors(tmp_path: Path, *urls: str) -> None:
    """Write the list of mirrors."""
    (tmp_path / "lists" / "list").write_text("# mirrors\n\n" + "\n".join(urls) + "\n")


def add(device: Repo, **options: str) -> None:
    device.remotes.add("far", [*options.items(), ("gpg-verify", "false")])


def assert_complete(device: Repo, source: Repo) -> None:
    assert device.refs.get("far:main") == source.resolve("main")
    assert not device.fsck().corrupted


def test_what_one_mirror_lacks_comes_from_another(
    source: Repo,
    device: Repo,
    lists: LyingServer,
    one: LyingServer,
    two: LyingServer,
    tmp_path: Path,
) -> None:
    """An error page is not taken for the beginning of the file."""
    list_mirrors(tmp_path, one.url, two.url)
    one.lie("*.filez", Status(404, b"sorry, not here"), times=5)
    one.lie("*.dirtree", Status(500))
    add(device, url=f"mirrorlist={lists.url}/list")

    pull(device, "far", ["main"], HASTY)

    assert_complete(device, source)
    assert sum(path.endswith((".filez", ".dirtree")) for path in two.paths()) == 6


def test_a_mirror_that_breaks_down_is_given_up(
    source: Repo,
    device: Repo,
    lists: LyingServer,
    one: LyingServer,
    two: LyingServer,
    tmp_path: Path,
) -> None:
    list_mirrors(tmp_path, one.url, two.url)
    one.lie("*.filez", Reset())
    one.lie("*.dirtree", Truncated(3))
    add(device, url=f"mirrorlist={lists.url}/list")

    pull(device, "far", ["main"], PullOptions(network_retries=1))

    assert_complete(device, source)


def test_mirrors_that_do_not_work_at_all_are_passed_over(
    source: Repo,
    device: Repo,
    lists: LyingServer,
    one: LyingServer,
    two: LyingServer,
    tmp_path: Path,
) -> None:
    """The first mirror that has a ``config`` is the first one from then on."""
    list_mirrors(tmp_path, "http://127.0.0.1:1/dead", f"{one.url}/nope", two.url)
    add(device, url=f"mirrorlist={lists.url}/list")

    pull(device, "far", ["main"], HASTY)

    assert_complete(device, source)
    assert one.paths() == ["/nope/config"]


def test_content_can_have_mirrors_of_its_own(
    source: Repo,
    device: Repo,
    lists: LyingServer,
    one: LyingServer,
    two: LyingServer,
    tmp_path: Path,
) -> None:
    list_mirrors(tmp_path, two.url)
    add(device, url=one.url, contenturl=f"mirrorlist={lists.url}/list")

    pull(device, "far", ["main"], HASTY)

    assert_complete(device, source)
    assert not any(path.endswith(".filez") for path in one.paths())
    assert not any(path.endswith((".commitmeta", "summary")) for path in two.paths())


def test_without_a_mirror_nothing_is_pulled(
    device: Repo, lists: LyingServer, tmp_path: Path
) -> None:
    list_mirrors(tmp_path, "http://127.0.0.1:1/dead", "nonsense")
    add(device, url=f"mirrorlist={lists.url}/list")

    with pytest.raises(OSTreeError) as caught:
        pull(device, "far", ["main"], HASTY)
    assert str(caught.value) == f"No valid mirrors were found in mirrorlist '{lists.url}/list'"

    lists.lie("/list", Status(404))
    with pytest.raises(OSTreeError) as caught:
        pull(device, "far", ["main"], HASTY)
    assert str(caught.value) == (
        f"While fetching mirrorlist '{lists.url}/list': "
        f"While fetching {lists.url}/list: Server returned HTTP 404"
    )


def write_metalink(tmp_path: Path, data: bytes, *urls: str) -> None:
    """Describe a summary."""
    targets = "".join(
        f'<url protocol="http" type="http" location="US" preference="1">{url}</url>' for url in urls
    )
    (tmp_path / "lists" / "metalink").write_text(
        f'<metalink><files><file name="summary"><size>{len(data)}</size><verification>'
        f'<hash type="sha256">{hashlib.sha256(data).hexdigest()}</hash></verification>'
        f"<resources>{targets}</resources></file></files></metalink>"
    )


def test_a_metalink_leads_to_the_repository_of_the_right_summary(
    source: Repo,
    device: Repo,
    lists: LyingServer,
    one: LyingServer,
    two: LyingServer,
    tmp_path: Path,
) -> None:
    data = (tmp_path / "one" / "summary").read_bytes()
    write_metalink(tmp_path, data, f"{one.url}/summary", f"{one.url}/absent", f"{two.url}/summary")
    one.lie("/summary", Content(bytes(len(data))))
    add(device, metalink=f"{lists.url}/metalink")

    pull(device, "far", ["main"], HASTY)

    assert_complete(device, source)
    assert one.paths() == ["/summary", "/absent"]
    assert "/summary.sig" in two.paths()
    assert remote_refs(device, "far", HASTY) == {"main": source.resolve("main")}


def test_a_mirror_of_everything_by_metalink(
    source: Repo, lists: LyingServer, one: LyingServer, tmp_path: Path
) -> None:
    """The reference does not find the summary here that it has just fetched."""
    data = (tmp_path / "one" / "summary").read_bytes()
    write_metalink(tmp_path, data, f"{one.url}/summary")
    with Repo.create(tmp_path / "mirror", "archive") as mirror:
        add(mirror, metalink=f"{lists.url}/metalink")

        pull(mirror, "far", options=PullOptions(mirror=True))

        assert mirror.refs.get("main") == source.resolve("main")
    assert (tmp_path / "mirror" / "summary").read_bytes() == data


def test_a_metalink_whose_targets_are_all_wrong(
    device: Repo, lists: LyingServer, one: LyingServer, tmp_path: Path, source: Repo
) -> None:
    data = (tmp_path / "one" / "summary").read_bytes()
    add(device, metalink=f"{lists.url}/metalink")
    size = len(data)
    actual = hashlib.sha256(data).hexdigest()
    other = hashlib.sha256(b"x" * size).hexdigest()

    messages = []
    for described in (data + b"more", b"x" * size):
        write_metalink(tmp_path, described, f"{one.url}/summary")
        with pytest.raises(OSTreeError) as caught:
            pull(device, "far", ["main"], HASTY)
        messages.append(str(caught.value))

    prefix = "Exhausted 1 metalink targets, last error: "
    assert messages == [
        f"{prefix}Expected size is {size + 4} bytes but content is {size} bytes",
        f"{prefix}Expected checksum is {other} but actual is {actual}",
    ]
    assert device.refs.all() == {}
