"""What a server sends does not decide how much memory a pull takes."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError, OSTreeError, TooLargeError
from ostree.formats import gvariant, summary
from ostree.formats.gvariant import Variant
from ostree.repo.repository import Repo
from ostree.repo.summary import regenerate
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from simulator.lying_server import Content, Endless, LyingServer
from support import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT = 120 << 10  # kB
MEGABYTE = 1 << 20

PULL = """
    import sys
    from ostree.errors import OSTreeError
    from ostree.repo.repository import Repo
    from ostree.transfer.options import PullOptions
    from ostree.transfer.pull import pull
    with Repo.open(sys.argv[1]) as repo:
        try:
            pull(repo, "origin", [sys.argv[2]], PullOptions(network_retries=0))
        except OSTreeError as error:
            print(error)
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM:")))
"""


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Repo]:
    """An archive repository whose tree has twelve directories, each of them another."""
    for number in range(12):
        (tmp_path / f"tree/{number}").mkdir(parents=True)
        (tmp_path / f"tree/{number}/file").write_text(str(number))
    with Repo.create(tmp_path / "source", "archive") as repo:
        with repo.transaction(fsync=False) as transaction:
            root = transaction.import_directory(tmp_path / "tree")
            transaction.set_ref("main", transaction.commit(root, timestamp=1))
        yield repo


@pytest.fixture
def server(source: Repo) -> Iterator[LyingServer]:
    with LyingServer(source.path) as running:
        yield running


@pytest.fixture
def device(tmp_path: Path, server: LyingServer) -> Iterator[Repo]:
    with Repo.create(tmp_path / "device", "bare-user") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        yield repo


def pull_in_a_process(device: Repo, ref: str) -> tuple[str, int]:
    """What went wrong, and the most memory that it took, in kB."""
    done = processes.run(PULL, device.path, ref)
    assert done.stderr == ""
    message, peak = done.stdout.splitlines()
    return message, int(peak)


def open_files(repo: Repo) -> list[str]:
    """What this process has open of a repository."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:  # that of the listing itself
            continue
    return sorted(path for path in found if path.startswith(repo.path))


def test_a_summary_of_very_many_refs(server: LyingServer, device: Repo) -> None:
    refs: list[object] = [(f"r{number:06}", (100, bytes(32), [])) for number in range(220_000)]
    data = gvariant.encode(summary.TYPE, (refs, []))
    server.lie("/summary", Content(data))

    message, peak = pull_in_a_process(device, "nope")

    assert len(data) > 12 * MEGABYTE
    assert message == "No such branch 'nope' in repository summary"
    assert peak < LIMIT


def test_a_summary_with_very_much_else(server: LyingServer, device: Repo) -> None:
    """As values it would take many times as much memory as the server has sent."""
    entries = [(f"{number:x}", Variant("y", 1)) for number in range(500_000)]
    server.lie("/summary", Content(gvariant.encode(summary.TYPE, ([], entries))))

    message, peak = pull_in_a_process(device, "main")

    assert message.startswith("Summary has ")
    assert message.endswith(" bytes of metadata, more than is looked at")
    assert peak < LIMIT


def test_one_ref_with_very_much_metadata(server: LyingServer, device: Repo) -> None:
    entries = [("x", Variant("ay", bytes(9 * MEGABYTE)))]
    ref = ("main", (100, bytes(32), entries))
    server.lie("/summary", Content(gvariant.encode(summary.TYPE, ([ref], []))))

    with pytest.raises(FormatError) as caught:
        pull(device, "origin", ["main"])

    assert caught.value.message.startswith("Summary has a ref of ")


def test_large_metadata_waits_on_the_disk(source: Repo, server: LyingServer, device: Repo) -> None:
    """Eight objects at a time may be as large as any metadata; they are checked one by one."""
    root = source.load_commit(source.resolve("main")).root.dirtree
    for _name, dirtree, _dirmeta in source.load_dirtree(root).dirs:
        body = Content(bytes(32 * MEGABYTE))
        server.lie(f"/objects/{dirtree[:2]}/{dirtree[2:]}.dirtree", body)

    message, peak = pull_in_a_process(device, "main")

    assert message.startswith("Corrupted dirtree object; checksum expected=")
    assert peak < LIMIT
    assert device.refs.all() == {}


def test_detached_metadata_without_end(server: LyingServer, device: Repo) -> None:
    server.lie("*.commitmeta", Endless())

    with pytest.raises(TooLargeError) as caught:
        pull(device, "origin", ["main"])

    assert caught.value.message.endswith("exceeded maximum size of 10485760 bytes")


def test_signatures_of_a_summary_without_end(
    source: Repo, server: LyingServer, device: Repo
) -> None:
    regenerate(source)
    server.lie("/summary.sig", Endless())

    with pytest.raises(TooLargeError) as caught:
        pull(device, "origin", ["main"], PullOptions(gpg_verify_summary=True))

    assert caught.value.message.endswith("/summary.sig exceeded maximum size of 1048576 bytes")


def test_a_commit_is_not_looked_into_before_its_signature(
    source: Repo, server: LyingServer, device: Repo
) -> None:
    """A server that has no keys may choose what bytes a ref leads to, but not what is made of them."""
    bomb = b"no commit at all"
    checksum = hashlib.sha256(bomb).hexdigest()
    server.lie("/refs/heads/main", Content(checksum.encode()))
    server.lie(f"/objects/{checksum[:2]}/{checksum[2:]}.commit", Content(bomb))

    with pytest.raises(OSTreeError) as caught:
        pull(device, "origin", ["main"], PullOptions(gpg_verify=True))

    assert "no signatures found" in caught.value.message
    assert not device.fsck().corrupted


def test_nothing_stays_open_when_a_pull_fails(
    source: Repo, server: LyingServer, device: Repo
) -> None:
    """Large bodies that had not come to their end are given back at once."""
    root = source.load_commit(source.resolve("main")).root.dirtree
    first, *others = source.load_dirtree(root).dirs
    server.lie(f"/objects/{first[1][:2]}/{first[1][2:]}.dirtree", Content(bytes(8 * MEGABYTE)))
    for _name, dirtree, _dirmeta in others:
        server.lie(f"/objects/{dirtree[:2]}/{dirtree[2:]}.dirtree", Endless())
    before = open_files(device)

    with pytest.raises(OSTreeError):
        pull(device, "origin", ["main"])

    assert open_files(device) == before
