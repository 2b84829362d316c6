"""Pulls from servers that lie: an error that names the thing, and nothing half-done.

After each lie the destination is what it was, and a pull from the honest server succeeds.
"""

from __future__ import annotations

import os
import zlib
from itertools import product
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, OSTreeError, SignatureError
from ostree.formats.file_header import archive_prefix
from ostree.repo import summary
from ostree.repo.repository import Repo
from ostree.transfer.options import PullOptions
from ostree.transfer.pull import pull
from ostree.transfer.remote_summary import remote_refs
from ostree.types import Checksum, FileHeader, ObjectType
from simulator.lying_server import (
    Content,
    Endless,
    Garbage,
    Handler,
    Lie,
    LyingServer,
    Reset,
    Silence,
    Status,
    Trickle,
    Truncated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Impatient, so that the tests are quick.
HASTY = PullOptions(network_retries=0, low_speed_limit=1000, low_speed_time=1)


def commit_tree(repo: Repo, tree: Path, *, large: bool = False) -> Checksum:
    """Commit a directory to ``main``."""
    (tree / "sub").mkdir(parents=True, exist_ok=True)
    count = len(list(tree.iterdir()))
    (tree / f"file{count}").write_bytes(os.urandom(3000))
    (tree / "sub" / f"text{count}").write_text(f"text {count}\n" * 1000)
    (tree / "sub" / "link").unlink(missing_ok=True)
    (tree / "sub" / "link").symlink_to(f"target{count}")
    if large:
        (tree / "large").write_bytes(os.urandom(2_500_000))
    with repo.transaction() as transaction:
        root = transaction.import_directory(tree)
        commit = transaction.commit(root, parent=repo.refs.get("main"), timestamp=count)
        transaction.set_ref("main", commit)
    return commit


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Repo]:
    """An archive repository with one commit on ``main``."""
    with Repo.create(tmp_path / "source", "archive") as repo:
        commit_tree(repo, tmp_path / "tree")
        yield repo


@pytest.fixture
def server(source: Repo) -> Iterator[LyingServer]:
    """Serves the source."""
    with LyingServer(source.path) as running:
        yield running


@pytest.fixture
def destination(tmp_path: Path, source: Repo, server: LyingServer) -> Iterator[Repo]:
    """Has pulled the first commit; the source has a second one by now, with a large file."""
    with Repo.create(tmp_path / "destination", "bare-user") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])
        pull(repo, "origin", ["main"])
        commit_tree(source, tmp_path / "tree", large=True)
        yield repo


def assert_untouched_then_fine(source: Repo, destination: Repo, server: LyingServer) -> None:
    """What must hold after every failure."""
    before = destination.refs.all()
    first = source.load_commit(source.resolve("main")).parent
    assert before == {"origin:main": first}
    assert not destination.fsck().corrupted
    server.be_honest()
    pull(destination, "origin", ["main"])
    assert destination.refs.get("origin:main") == source.resolve("main")
    assert not destination.fsck().corrupted
    assert os.listdir(f"{destination.path}/state") == []


NETWORK_LIES = {
    "500": Status(500),
    "garbage": Garbage(),
    "truncated": Truncated(10),
    "reset": Reset(),
    "reset after a while": Reset(keep=5),
}
#: What each object pattern is called in messages.
OBJECTS = ("commit", "dirtree", "dirmeta", "filez")


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("lie", NETWORK_LIES.values(), ids=NETWORK_LIES)
def test_objects_that_do_not_come(
    source: Repo, destination: Repo, server: LyingServer, kind: str, lie: Lie
) -> None:
    if kind == "dirmeta":
        (destination_dirmeta,) = destination.store.objects_of(ObjectType.DIRMETA)
        os.unlink(
            f"{destination.path}/objects/{destination_dirmeta[:2]}/{destination_dirmeta[2:]}.dirmeta"
        )
    server.lie(f"/objects/*.{kind}", lie)

    with pytest.raises(OSTreeError, match=rf"/objects/.*\.{kind}"):
        pull(destination, "origin", ["main"], HASTY)

    if kind == "dirmeta":
        with destination.transaction() as transaction:
            transaction.write_metadata(
                ObjectType.DIRMETA, source.load_metadata(destination_dirmeta, ObjectType.DIRMETA)
            )
    assert_untouched_then_fine(source, destination, server)


@pytest.mark.parametrize("kind", ["commit", "dirtree", "filez"])
def test_objects_that_are_missing(
    source: Repo, destination: Repo, server: LyingServer, kind: str
) -> None:
    server.lie(f"/objects/*.{kind}", Status(404))

    with pytest.raises(OSTreeError, match=rf"\.{kind}: Server returned HTTP 404"):
        pull(destination, "origin", ["main"], HASTY)

    assert_untouched_then_fine(source, destination, server)


@pytest.mark.parametrize("kind", ["commit", "dirtree", "filez"])
@pytest.mark.parametrize("body", [b"", b"nonsense", b"\0" * 5000], ids=len)
def test_objects_that_are_something_else(
    source: Repo, destination: Repo, server: LyingServer, kind: str, body: bytes
) -> None:
    server.lie(f"/objects/*.{kind}", Content(body))

    with pytest.raises(CorruptionError, match=r"[0-9a-f]{64}"):
        pull(destination, "origin", ["main"], HASTY)

    assert_untouched_then_fine(source, destination, server)


SMALL_FILES = ["/refs/heads/main", "/summary", "/config"]
#: The others may be large: 128 MiB would be read before it is too much.
NEVER_LARGE = ["/refs/heads/main", "/config"]


@pytest.mark.parametrize(
    ("path", "lie"),
    [
        *product(SMALL_FILES, [Status(500), Garbage(), Content(b"\xff" * 300)]),
        *product(["/objects/*.commitmeta"], [Status(500), Garbage()]),
        *product(NEVER_LARGE, [Endless()]),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_small_files_that_lie(
    source: Repo, destination: Repo, server: LyingServer, path: str, lie: Lie
) -> None:
    if path in ("/summary", "/config"):
        summary.regenerate(source)
    server.lie(path, lie)

    with pytest.raises(OSTreeError):
        pull(destination, "origin", ["main"], HASTY)

    assert_untouched_then_fine(source, destination, server)


@pytest.mark.parametrize(
    ("path", "lie"),
    [
        ("/refs/heads/main", Silence()),
        ("/objects/*.commit", Silence()),
        ("/objects/*.filez", Silence()),
        ("/refs/heads/main", Trickle(1, 0.02)),
        ("/objects/*.dirtree", Trickle(1, 0.02)),
        ("/objects/*.filez", Trickle(1, 0.02)),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_servers_that_do_not_answer(
    source: Repo, destination: Repo, server: LyingServer, path: str, lie: Lie
) -> None:
    """They are given up after the low speed time."""
    server.lie(path, lie)

    with pytest.raises(OSTreeError, match="While fetching http"):
        pull(destination, "origin", ["main"], HASTY)

    assert_untouched_then_fine(source, destination, server)


def test_nobody_there(tmp_path: Path, source: Repo) -> None:
    with Repo.create(tmp_path / "destination", "archive") as repo:
        with LyingServer(source.path) as server:
            repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])

        with pytest.raises(OSTreeError, match=r"\[7\]"):
            pull(repo, "origin", ["main"], HASTY)


def test_failures_that_pass_are_overcome(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    """Retries start a body again from its beginning, that of a large file too."""
    server.lie("/objects/*.filez", Reset(keep=1_500_000), times=2)
    server.lie("/objects/*.dirtree", Status(500), times=2)
    server.lie("/refs/heads/main", Truncated(3), times=1)

    pull(destination, "origin", ["main"])

    assert destination.refs.get("origin:main") == source.resolve("main")
    assert not destination.fsck().corrupted


def test_files_that_do_not_end(source: Repo, destination: Repo, server: LyingServer) -> None:
    """What is behind the end of an object is overlooked, but not for ever: links and small files."""
    server.lie("/objects/*.filez", Endless(honest=True))

    with pytest.raises(CorruptionError, match="Content does not end where its header says"):
        pull(destination, "origin", ["main"], HASTY)

    assert_untouched_then_fine(source, destination, server)


def test_commit_larger_than_the_summary_says(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    summary.regenerate(source)
    size = len(source.load_metadata(source.resolve("main"), ObjectType.COMMIT))
    server.lie("/objects/*.commit", Content(b"x" * (size + 1)))

    with pytest.raises(OSTreeError, match=f"exceeded maximum size of {size} bytes"):
        pull(destination, "origin", ["main"], HASTY)

    assert_untouched_then_fine(source, destination, server)


def deflated(data: bytes) -> bytes:
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    return coder.compress(data) + coder.flush()


REGULAR = FileHeader(0, 0, 0o100644)
FALSE_CONTENT = {
    "longer than its header says": archive_prefix(REGULAR, 10) + deflated(bytes(50_000_000)),
    "longer, in a large file": archive_prefix(REGULAR, 2 << 20) + deflated(bytes(500_000_000)),
    "shorter": archive_prefix(REGULAR, 1000) + deflated(bytes(999)),
    "shorter, in a large file": archive_prefix(REGULAR, 1 << 30) + deflated(bytes(3 << 20)),
    "cut off": archive_prefix(REGULAR, 3000) + deflated(os.urandom(3000))[:-30],
    "cut off, large": archive_prefix(REGULAR, 3 << 20) + deflated(os.urandom(3 << 20))[:-30],
    "no deflate stream": archive_prefix(REGULAR, 100) + b"\xff" * 100,
    "no deflate stream, large": archive_prefix(REGULAR, 9 << 20) + b"\xff" * (2 << 20),
    "other content": archive_prefix(REGULAR, 5) + deflated(b"other"),
    "other content, large": archive_prefix(REGULAR, 2 << 20) + deflated(bytes(2 << 20)),
    "other link": archive_prefix(FileHeader(0, 0, 0o120777, "/etc/shadow"), 0),
    "half a header": archive_prefix(REGULAR, 100)[:12],
    "header of 4 GiB": b"\xff\xff\xff\xff" + bytes(2 << 20),
    "header that never ends": b"\x07\x00\x00\x00" + bytes(2 << 20),
}


@pytest.mark.parametrize("body", FALSE_CONTENT.values(), ids=FALSE_CONTENT)
def test_files_that_are_not_what_they_say(
    source: Repo, destination: Repo, server: LyingServer, body: bytes
) -> None:
    server.lie("/objects/*.filez", Content(body))

    with pytest.raises(CorruptionError, match=r"[0-9a-f]{64}"):
        pull(destination, "origin", ["main"], HASTY)

    assert_untouched_then_fine(source, destination, server)
    assert os.listdir(f"{destination.path}/tmp") in ([], ["cache"])


def test_names_that_lead_out_of_the_tree(tmp_path: Path) -> None:
    """A dirtree with a name like ``..`` is refused, though its checksum is right."""
    import hashlib

    from ostree.formats import commit as commit_format
    from ostree.formats import dirmeta, dirtree
    from ostree.types import DirMeta, TreeId

    evil = dirtree.encode_raw([(b"../../etc/passwd", bytes(32))], [])
    meta = dirmeta.encode(DirMeta(0, 0, 0o40755))
    root = TreeId(
        Checksum(hashlib.sha256(evil).hexdigest()), Checksum(hashlib.sha256(meta).hexdigest())
    )
    commit = commit_format.encode(commit_format.Commit(root, timestamp=0))
    name = hashlib.sha256(commit).hexdigest()
    web = tmp_path / "web"
    for data, checksum, extension in (
        (evil, root.dirtree, "dirtree"),
        (meta, root.dirmeta, "dirmeta"),
        (commit, name, "commit"),
    ):
        path = web / "objects" / checksum[:2] / f"{checksum[2:]}.{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    with LyingServer(web) as server, Repo.create(tmp_path / "repo", "archive") as repo:
        repo.remotes.add("origin", [("url", server.url), ("gpg-verify", "false")])

        with pytest.raises(CorruptionError, match=rf"^{root.dirtree}\.dirtree: "):
            pull(repo, "origin", [f"main@{name}"], HASTY)

        assert repo.refs.all() == {}


def test_damaged_detached_metadata_is_no_reason_to_stop(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    """Where nobody has to be signed; upstream takes it, and the next pull brings it in order."""
    commit = source.resolve("main")
    server.lie("/objects/*.commitmeta", Content(b"borkborkbork"), times=1)

    pull(destination, "origin", ["main"], HASTY)

    assert destination.resolve("origin:main") == commit
    destination.fsck()
    stored = destination.load_metadata(commit, ObjectType.COMMITMETA)
    assert stored == b"borkborkbork"


def test_unsigned_data_is_never_taken_silently(
    tmp_path: Path, source: Repo, server: LyingServer
) -> None:
    """A remote without any setting demands signatures; nothing of the commit is stored."""
    with Repo.create(tmp_path / "repo", "archive") as repo:
        repo.remotes.add("default", [("url", server.url)])
        repo.remotes.add(
            "signed", [("url", server.url), ("gpg-verify", "false"), ("sign-verify", "true")]
        )
        repo.remotes.add(
            "summary",
            [("url", server.url), ("gpg-verify", "false"), ("gpg-verify-summary", "true")],
        )
        for name, words in (
            ("default", "GPG verification enabled, but no signatures found"),
            ("signed", "Can't verify commit without detached metadata"),
            ("summary", "GPG verification enabled, but no summary found"),
        ):
            for options in (HASTY, PullOptions(fsync=False)):
                with pytest.raises(SignatureError, match=words):
                    pull(repo, name, ["main"], options)

                assert list(repo.commits()) == []
                assert repo.refs.all() == {}

    assert not [path for path in server.paths() if path.endswith((".dirtree", ".filez"))]


class CutOffLate(Lie):
    """Lets all other requests end before it breaks its own off."""

    def tell(self, handler: Handler) -> None:
        handler.server.stopping.wait(0.5)
        Truncated(2_000_000).tell(handler)


def test_objects_are_not_fetched_twice(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    """What came before a failure is in the staging directory when the next pull begins."""
    large = max(
        source.store.objects_of(ObjectType.FILE),
        key=lambda name: source.store.stored_size(name, ObjectType.FILE),
    )
    server.lie(f"/objects/{large[:2]}/{large[2:]}.filez", CutOffLate(), times=1)
    with pytest.raises(OSTreeError):
        pull(destination, "origin", ["main"], HASTY)
    came = {path for path in server.paths() if path.endswith((".commit", ".dirtree", ".filez"))}
    seen = len(server.paths())

    assert_untouched_then_fine(source, destination, server)

    again = server.paths()[seen:]
    assert came & set(again) == {f"/objects/{large[:2]}/{large[2:]}.filez"}


def test_a_large_object_is_taken_up_where_it_was_cut_off(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    large = max(
        source.store.objects_of(ObjectType.FILE),
        key=lambda name: source.store.stored_size(name, ObjectType.FILE),
    )
    path = f"/objects/{large[:2]}/{large[2:]}.filez"
    server.lie(path, Truncated(2_000_000), times=1)

    pull(destination, "origin", ["main"])

    first, second = [request.headers for request in server.requests if request.path == path]
    assert "range" not in first
    assert second["range"] == "bytes=2000000-"
    assert second["if-range"].endswith(" GMT")
    assert destination.refs.get("origin:main") == source.resolve("main")
    assert not destination.fsck().corrupted


def test_a_large_object_that_changed_meanwhile_comes_from_its_start(
    source: Repo, destination: Repo, server: LyingServer
) -> None:
    """The rest of another file would make neither of them."""
    large = max(
        source.store.objects_of(ObjectType.FILE),
        key=lambda name: source.store.stored_size(name, ObjectType.FILE),
    )
    path = f"/objects/{large[:2]}/{large[2:]}.filez"

    class Outdated(Lie):
        def tell(self, handler: Handler) -> None:
            dated = ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT")
            handler.head(200, (("Content-Length", str(len(handler.truth))), dated))
            handler.wfile.write(handler.truth[:1_999_990] + b"other byte")
            handler.close_connection = True

    server.lie(path, Outdated(), times=1)

    pull(destination, "origin", ["main"])

    ranges = [request.headers.get("range") for request in server.requests if request.path == path]
    assert ranges == [None, "bytes=2000000-", None]
    assert destination.refs.get("origin:main") == source.resolve("main")
    assert not destination.fsck().corrupted


def test_remote_refs(source: Repo, destination: Repo, server: LyingServer) -> None:
    with pytest.raises(OSTreeError) as caught:
        remote_refs(destination, "origin")
    assert str(caught.value) == "Remote refs not available; server has no summary file"

    summary.regenerate(source)

    assert remote_refs(destination, "origin") == {"main": source.resolve("main")}
