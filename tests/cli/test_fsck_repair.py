"""``ostree fsck --repair-from`` and ``--json``: what is bad is fetched, verified, and named."""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree, succeed
from ostree.repo.replacement import Replacement
from ostree.repo.repository import Repo
from ostree.server.serve import serve
from ostree.types import Checksum, ObjectName, ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def source(repo: Path, tree: Path) -> Path:
    """The repository, with a file that is too large to be kept in memory while it comes."""
    (tree / "large").write_bytes(bytes(range(256)) * 8192)
    argv = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs", "--timestamp=@3000")
    succeed("commit", f"--repo={repo}", "--branch=main", *argv, tree)
    return repo


@pytest.fixture(params=["archive", "bare-user"])
def broken(request: pytest.FixtureRequest, source: Path, tmp_path: Path) -> Path:
    """A copy of it, still whole, as an archive and otherwise."""
    copy = tmp_path / "broken"
    succeed("init", f"--repo={copy}", f"--mode={request.param}")
    succeed("pull-local", f"--repo={copy}", "--depth=-1", source, "main")
    return copy


@pytest.fixture
def url(source: Path) -> Iterator[str]:
    """Where the source is served."""
    ready = threading.Event()
    found: list[str] = []
    stops: list[Callable[[], None]] = []

    def note(url: str) -> None:
        found.append(url)
        ready.set()

    thread = threading.Thread(
        target=serve, args=(source,), kwargs={"on_ready": note, "on_stoppable": stops.append}
    )
    thread.start()
    assert ready.wait(10)
    yield found[0]
    stops[0]()
    thread.join(10)


def named(repo: Path, path: str) -> ObjectName:
    """The object of a path of ``main``."""
    is_directory = path.endswith("/")
    options = ("-C", "-d") if is_directory else ("-C",)
    words = succeed("ls", f"--repo={repo}", *options, "main", path.rstrip("/")).split()
    type = ObjectType.DIRTREE if is_directory else ObjectType.FILE
    return ObjectName(Checksum(words[4]), type)


def on_disk(repo: Path, name: ObjectName) -> Path:
    with Repo.open(repo) as opened:
        return repo / "objects" / opened.store.path(name.checksum, name.type)


def damage(path: Path) -> None:
    """Other content; the file itself may be shared with the source."""
    path.unlink()
    path.write_bytes(b"junk")


def repaired(*argv: str | Path) -> str:
    """The output of a repair that has to succeed; what was bad is told on standard error."""
    result = ostree("fsck", *argv)
    assert result.status == 0, result.err
    return result.out


def break_everything(repo: Path) -> dict[str, ObjectName]:
    """Files missing and damaged, small and large, and a directory missing with what is in it."""
    paths = ("/hello.txt", "/large", "/bin/run.sh", "/bin/", "/sub/deep/")
    names = {path: named(repo, path) for path in paths}
    damage(on_disk(repo, names["/hello.txt"]))
    for path in ("/large", "/bin/run.sh", "/bin/"):
        on_disk(repo, names[path]).unlink()
    return names


def test_a_repository_is_whole_again(source: Path, broken: Path) -> None:
    names = break_everything(broken)

    result = ostree("fsck", f"--repo={broken}", "-q", f"--repair-from={source}")

    assert result.status == 0
    lines = result.out.splitlines()
    for path in ("/hello.txt", "/large", "/bin/run.sh", "/bin/"):
        at = lines.index(f"Repaired {names[path]}")
        assert lines[at + 1] == f"  {path.rstrip('/')}"
    assert lines[-1].endswith("completed successfully - no errors found.")
    assert "Refs touched: main" in lines
    assert succeed("fsck", f"--repo={broken}", "-q")
    assert not [path for path in (broken / "tmp").iterdir() if path.name != "cache"]


@pytest.mark.parametrize("form", ["url", "remote"])
def test_objects_come_from_a_server(url: str, broken: Path, form: str) -> None:
    break_everything(broken)
    succeed("remote", "add", f"--repo={broken}", "--no-gpg-verify", "origin", url)

    result = ostree(
        "fsck", f"--repo={broken}", f"--repair-from={url if form == 'url' else 'origin'}"
    )

    assert result.status == 0, result.err
    assert succeed("fsck", f"--repo={broken}", "-q")


def test_objects_come_from_a_file_url(source: Path, broken: Path) -> None:
    break_everything(broken)

    assert repaired(f"--repo={broken}", f"--repair-from=file://{source}")


def test_marks_of_an_earlier_check_go_when_nothing_is_missing(source: Path, broken: Path) -> None:
    """Those of a pull stay: what it left out was never looked at."""
    on_disk(broken, named(broken, "/hello.txt")).unlink()
    assert ostree("fsck", f"--repo={broken}").status == 1
    marked = sorted(path.name for path in (broken / "state").iterdir())
    head, parent = succeed("rev-parse", f"--repo={broken}", "main", "main^").split()
    (broken / f"state/{parent}.commitpartial").write_bytes(b"")

    out = repaired(f"--repo={broken}", f"--repair-from={source}")

    assert f"{head}.commitpartial" in marked
    assert [path.name for path in (broken / "state").iterdir()] == [f"{parent}.commitpartial"]
    assert f"Commit is complete again: {head}\n" in out


def test_a_commit_that_a_ref_points_to_is_fetched_with_its_tree(source: Path, broken: Path) -> None:
    shutil.rmtree(broken / "objects")
    (broken / "objects").mkdir()

    out = repaired(f"--repo={broken}", f"--repair-from={source}")

    head = succeed("rev-parse", f"--repo={broken}", "main").strip()
    assert f"Repaired {head}.commit\n" in out
    assert "  /sub/deep\n" in out
    assert out.endswith("fsck of 1 commits completed successfully - no errors found.\n")


def test_what_the_source_has_not_stays_bad(source: Path, broken: Path) -> None:
    """Whatever else can be repaired is."""
    hello, large = named(broken, "/hello.txt"), named(broken, "/large")
    for repo in (source, broken):
        on_disk(repo, hello).unlink()
    on_disk(broken, large).unlink()

    result = ostree("fsck", f"--repo={broken}", f"--repair-from={source}")

    assert result.status == 1
    assert f"Repaired {large}\n" in result.out
    assert f"Not repaired: {hello}: " in result.out
    assert result.err.endswith("error: Repository corruption encountered\n")
    assert on_disk(broken, large).exists()


def test_a_bad_copy_replaces_nothing(source: Path, broken: Path) -> None:
    """The source need not be trusted: what is not what its name says is left where it is."""
    hello = named(broken, "/hello.txt")
    with Repo.open(source) as opened, opened.load_content(hello.checksum) as content:
        header = content.header
    on_disk(source, hello).unlink()
    with Repo.open(source) as opened:
        opened.store.put_bytes(hello.checksum, header, b"evil\n")
    damage(on_disk(broken, hello))

    result = ostree("fsck", f"--repo={broken}", f"--repair-from={source}")

    assert result.status == 1
    assert f"Not repaired: {hello}: Writing content object: Corrupted file object" in result.out
    assert on_disk(broken, hello).read_bytes() == b"junk"


def test_nothing_is_replaced_when_publishing_never_comes(
    source: Path, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_everything(broken)
    before = {path: path.stat().st_mtime_ns for path in (broken / "objects").glob("*/*")}

    def fail(_: Replacement) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Replacement, "publish", fail)

    assert ostree("fsck", f"--repo={broken}", f"--repair-from={source}").status == 130
    assert {p: p.stat().st_mtime_ns for p in (broken / "objects").glob("*/*")} == before


@pytest.mark.parametrize("where", ["/nosuch", "self"])
def test_a_source_that_cannot_be_is_refused_first(broken: Path, where: str) -> None:
    where = str(broken) if where == "self" else where

    result = ostree("fsck", f"--repo={broken}", f"--repair-from={where}")

    assert result.status == 1
    assert result.out == ""
    assert where in result.err


def test_a_document_names_what_is_bad(broken: Path) -> None:
    hello = named(broken, "/hello.txt")
    head = succeed("rev-parse", f"--repo={broken}", "main").strip()
    on_disk(broken, hello).unlink()

    result = ostree("fsck", f"--repo={broken}", "--json")
    document = json.loads(result.out)

    assert result.status == 1
    assert document["corrupted"]
    (bad,) = document["bad"]
    assert (bad["checksum"], bad["type"], bad["missing"]) == (hello.checksum, "file", True)
    assert head in bad["commits"]
    assert bad["paths"] == [{"path": "/hello.txt"}]
    assert bad["refs"] == ["main"]
    assert (bad["repaired"], bad["reason"]) == (False, None)
    assert head in document["marked_partial"]


def test_a_document_of_a_repair(source: Path, broken: Path) -> None:
    names = break_everything(broken)

    document = json.loads(repaired(f"--repo={broken}", "--json", f"--repair-from={source}"))

    assert not document["corrupted"]
    found = {bad["checksum"]: bad for bad in document["bad"]}
    assert set(found) == {
        names[path].checksum for path in ("/hello.txt", "/large", "/bin/run.sh", "/bin/")
    }
    assert all(bad["repaired"] for bad in found.values())
    assert found[names["/bin/run.sh"].checksum]["paths"] == [{"path": "/bin/run.sh"}]
    assert document["complete_again"] != []
