"""What worker processes store, check and find wrong is what one process would."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

#: Each piece of code has a process of its own: a test run may have threads.  It says how often it
#: has forked, and prints what has to be the same without children.
START = """
    import os, pathlib, random, signal, sys, threading, time
    forks = []
    os.register_at_fork(before=lambda: forks.append(1))
    if sys.argv[1] == "killed":  # after five milliseconds of work
        timer = (signal.ITIMER_VIRTUAL, 0.005)
        os.register_at_fork(after_in_child=lambda: signal.setitimer(*timer))
    if sys.argv[1] == "alone":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from ostree.errors import OSTreeError
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.fsck import Fsck, FsckOptions
    from ostree.repo.repository import Repo
    from ostree.transfer.options import PullOptions
    from ostree.transfer.pull_local import pull_local
    from ostree.types import RepoMode
    here = pathlib.Path(sys.argv[2])

    def make_tree():
        for number in range(450):
            directory = here / "tree" / f"d{number % 3}"
            directory.mkdir(parents=True, exist_ok=True)
            content = b"%03d" % number * (number % 150) ** 2
            (directory / f"file{number}").write_bytes(content)
        (directory / "link").symlink_to("file1")

    def make_large_files():
        (here / "tree").mkdir()
        for number in range(5):
            (here / "tree" / f"large{number}").write_bytes(random.Random(number).randbytes(1_600_000))
        (here / "tree" / "small").write_text("small")

    def with_threads(action):
        # Nothing is forked, so that what comes after it has to do that itself.
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        thread.start()
        try:
            return action()
        finally:
            done.set()
            thread.join()
            # A thread that was joined is the kernel's for a moment more, and prevents forks.
            while len(os.listdir("/proc/self/task")) > 1:
                time.sleep(0.001)

    def commit(name, mode):
        repo = Repo.create(here / name, mode)
        with repo.transaction(fsync=False) as txn:
            root = txn.import_directory(here / "tree")
            checksum = txn.commit(root, timestamp=1)
            txn.set_ref("main", checksum)
        stats = txn.stats
        print(checksum, stats.content_total)
        if sys.argv[1] != "killed":  # what was written then is found
            print("written", stats.content_written, stats.content_bytes_written)
        return repo

    def make_delta():
        # To a commit in which half of the files have changed; and a repository with the one before.
        from ostree.formats.delta.name import DeltaName
        from ostree.repo.static_delta.generate import generate
        make_tree()
        changing = [here / "tree" / f"d{number % 3}" / f"file{number}" for number in range(0, 450, 2)]
        for number, path in enumerate(changing):
            path.write_bytes(random.Random(number).randbytes(3000 + number))
        source = with_threads(lambda: commit("source", RepoMode.ARCHIVE))
        target = Repo.create(here / "target", RepoMode.BARE_USER)
        with_threads(lambda: pull_local(target, here / "source", ["main"], PullOptions()))
        first = source.resolve("main")
        for path in changing:
            path.write_bytes(b"next" + path.read_bytes())
        with source.transaction(fsync=False) as txn:
            root = with_threads(lambda: txn.import_directory(here / "tree"))
            second = txn.commit(root, timestamp=2)
        with_threads(lambda: generate(source, DeltaName(first, second), filename=here / "delta"))
        return target

    def objects(repo):
        return sorted((here / repo / "objects").glob("*/*.file*"))

    def attempt(action):
        try:
            action()
        except OSTreeError as error:
            print(type(error).__name__, error.message, error.hint)

    def fsck(repo):
        found = Fsck(repo, FsckOptions(keep_going=True)).run()
        print(found.objects, sorted((str(bad.name), bad.message) for bad in found.bad))
"""


def run(code: str, how: str, directory: Path) -> list[str]:
    """The lines that a piece of code prints; the last says whether there were children."""
    directory.mkdir()
    code = textwrap.dedent(START) + textwrap.dedent(code)
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(bool(forks))", how, directory],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


CASES = {
    "commit to archive": """
        make_tree()
        fsck(commit("repo", RepoMode.ARCHIVE))
    """,
    "commit to bare-user": """
        make_tree()
        fsck(commit("repo", RepoMode.BARE_USER))
        print(len(objects("repo")))
    """,
    "commit of a few large files": """
        make_large_files()
        fsck(commit("repo", RepoMode.ARCHIVE))
    """,
    "pull of a few large files": """
        make_large_files()
        with_threads(lambda: commit("source", RepoMode.ARCHIVE))
        target = Repo.create(here / "target", RepoMode.BARE_USER)
        print(pull_local(target, here / "source", ["main"], PullOptions()).content)
        fsck(target)
    """,
    "checkout of a few large files": """
        make_large_files()
        repo = with_threads(lambda: commit("repo", RepoMode.ARCHIVE))
        repo.checkout("main", here / "out", options=CheckoutOptions(user_mode=True))
        for path in sorted((here / "tree").rglob("large*")):
            print((here / "out" / path.relative_to(here / "tree")).read_bytes() == path.read_bytes())
    """,
    "a file that cannot be committed": r"""
        make_tree()
        (here / "tree/d1/later").mkdir()
        (here / "tree/d1/later/wrong").symlink_to(b"\xff".decode("utf-8", "surrogateescape"))
        attempt(lambda: commit("repo", RepoMode.ARCHIVE))
    """,
    "pull": """
        make_tree()
        source = commit("source", RepoMode.ARCHIVE)
        for mode in (RepoMode.BARE_USER, RepoMode.ARCHIVE):
            for untrusted in (False, True):
                target = Repo.create(here / f"{mode}-{untrusted}", mode)
                options = PullOptions(untrusted=untrusted)
                result = pull_local(target, here / "source", ["main"], options)
                print(result.metadata, result.content)
                fsck(target)
    """,
    "pull of a damaged object": """
        make_tree()
        commit("source", RepoMode.BARE_USER)
        for path in objects("source"):
            if path.stat().st_size == 3 * 140 * 140:
                path.write_bytes(b"damaged")
                break  # of several, any may be the first to be met
        options = PullOptions(untrusted=True)
        target = Repo.create(here / "target", RepoMode.ARCHIVE)
        attempt(lambda: pull_local(target, here / "source", ["main"], options))
        print(target.refs.all())
    """,
    "delta": """
        from ostree.repo.static_delta.offline import apply_offline
        target = make_delta()
        apply_offline(target, here / "delta")
        fsck(target)
        print(len(objects("target")))
    """,
    "delta to a file that has been damaged": """
        from ostree.repo.static_delta.offline import apply_offline
        target = make_delta()
        for path in objects("target"):
            if path.stat().st_size == 3140:
                path.write_bytes(b"damaged")
        attempt(lambda: apply_offline(target, here / "delta"))
    """,
    "delta whose files are made from each other": r"""
        from hashlib import sha256
        from ostree.formats.delta import operation as op, part
        from ostree.formats.delta.superblock import PartHeader
        from ostree.repo.hashing import checksum_bytes
        from ostree.repo.static_delta.part_workers import PartWorkers
        from ostree.types import FileHeader
        header, content, data, code, listed = FileHeader(0, 0, 0o100644), b"", b"", b"", b""
        for number in range(300):
            new = b"%d," % number
            if number:
                code += op.encode(op.SET_READ_SOURCE, len(data))
                data += name.digest
            code += op.encode(op.OPEN, 0, 0, len(content + new))
            if number:
                code += op.encode(op.WRITE, len(content), 0) + op.encode(op.UNSET_READ_SOURCE)
            code += op.encode(op.WRITE, len(new), len(data)) + op.encode(op.CLOSE)
            data, content = data + new, content + new
            name = checksum_bytes(header, content)
            listed += b"\1" + name.digest
        file = b"\0" + part.encode(part.Payload([(0, 0, 0o100644)], [()], data, code))
        head = PartHeader(sha256(file).digest(), len(file), 1 << 20, listed)
        repo = Repo.create(here / "repo", RepoMode.BARE_USER)
        with repo.transaction(fsync=False) as txn, PartWorkers(repo, txn, [head]) as workers:
            workers.prepare(head)
            print(workers.run(0, file))
        print(len(objects("repo")))
        fsck(repo)
    """,
    "checkout": """
        make_tree()
        for number, mode in enumerate((RepoMode.ARCHIVE, RepoMode.BARE_USER)):
            repo = commit(f"repo{number}", mode)
            repo.checkout("main", here / f"out{number}", options=CheckoutOptions(user_mode=True))
            for path in sorted((here / f"out{number}").rglob("*")):
                info = path.lstat()
                size = "" if path.is_dir() else info.st_size
                print(path, oct(info.st_mode), info.st_nlink, size)
    """,
    "checkout as for a deployment": """
        make_tree()
        (here / "tree/d1/.ostree-wh.gone").touch()
        repo = commit("repo", RepoMode.BARE_USER)
        options = CheckoutOptions(user_mode=True, passthrough_whiteouts=True)
        repo.checkout("main", here / "out", options=options)
        for path in sorted((here / "out").rglob("*")):
            print(path, oct(path.lstat().st_mode), path.lstat().st_nlink)
    """,
    "checkout of a missing object": """
        make_tree()
        repo = commit("repo", RepoMode.BARE_USER)
        for path in objects("repo"):
            if path.stat().st_size == 3 * 140 * 140:
                path.unlink()
                break
        options = CheckoutOptions(user_mode=True)
        attempt(lambda: repo.checkout("main", here / "out", options=options))
    """,
    "fsck of damaged and missing objects": """
        make_tree()
        repo = commit("repo", RepoMode.BARE_USER)
        for path in objects("repo"):
            if path.stat().st_size == 3 * 140 * 140:
                path.write_bytes(b"damaged")
            if path.stat().st_size == 3 * 141 * 141:
                path.unlink()
        fsck(repo)
    """,
}


@pytest.mark.parametrize("code", CASES.values(), ids=CASES)
def test_the_outcome_is_that_of_one_process(code: str, tmp_path: Path) -> None:
    """Also if a child is killed while it works."""
    alone = run(code, "alone", tmp_path / "alone")
    shared = run(code, "shared", tmp_path / "shared")
    killed = run(code, "killed", tmp_path / "killed")

    assert len(alone) > 1
    assert alone[-1] == "False"
    assert shared[-1] == killed[-1] == str(len(os.sched_getaffinity(0)) > 1)
    assert [line.replace("/shared", "/alone") for line in shared[:-1]] == alone[:-1]
    assert [line.replace("/killed", "/alone") for line in killed[:-1]] == [
        line for line in alone[:-1] if not line.startswith("written")
    ]


def test_processes_share_the_space_that_is_left(tmp_path: Path) -> None:
    code = """
        from ostree.errors import SpaceError
        from ostree.repo.space import SpaceBudget
        class Limited(SpaceBudget):
            def __init__(self):
                super().__init__(os.open(here, os.O_RDONLY), (1 << 20, 0), "setting")
                self._most = 1000
        budget = Limited()
        budget.charge(0)
        budget.share()
        def take_all():
            taken = 0
            while True:
                try:
                    budget.charge(0)
                except SpaceError:
                    return taken
                taken += 1
        reader, writer = os.pipe()
        for number in (1, 2):
            if os.fork() == 0:
                budget.enter_process(number)
                os.write(writer, b"%d\\n" % take_all())
                os._exit(0)
        own = take_all()
        for _ in range(2):
            os.wait()
        rest = take_all()
        print(1 + own + rest + sum(map(int, os.read(reader, 99).split())))
    """

    assert run(code, "shared", tmp_path / "here")[0] == "1000"
