"""Large files are streamed: memory does not grow with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ostree.repo.repository import Repo
from ostree.system import archive
from support import processes
from support.web_server import Program, free_port

#: In MiB, for larger ones: OSTREE_LARGE_FILE=2048.
SIZE = int(os.environ.get("OSTREE_LARGE_FILE", "300")) << 20
LIMIT = 120 << 10  # kB

# VmHWM is of this program alone; what getrusage(2) tells begins with the process that started it.
PEAK = """
    def peak():
        with open("/proc/self/status") as status:
            return next(line.split()[1] for line in status if line.startswith("VmHWM:"))
"""
COMMIT = (
    PEAK
    + """
    import sys
    from ostree.repo.repository import Repo
    with Repo.open(sys.argv[1]) as repo:
        with repo.transaction(fsync=False) as txn:
            txn.set_ref("main", txn.commit(txn.import_directory(sys.argv[2]), timestamp=1))
    print(peak())
"""
)
CHECKOUT = (
    PEAK
    + """
    import sys
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.repository import Repo
    with Repo.open(sys.argv[1]) as repo:
        repo.checkout("main", sys.argv[2], options=CheckoutOptions(user_mode=True, force_copy=True))
        assert not repo.fsck().corrupted
    print(peak())
"""
)
IMPORT = (
    PEAK
    + """
    import sys
    from ostree.repo.archive_import import ArchiveImport
    from ostree.repo.modifier import Modifier
    from ostree.repo.mutable_tree import MutableTree
    from ostree.repo.repository import Repo
    from ostree.system.archive import ArchiveReader
    tree = MutableTree()
    with Repo.open(sys.argv[1]) as repo:
        with repo.transaction(fsync=False) as txn, ArchiveReader(sys.argv[2]) as reader:
            ArchiveImport(repo, txn, tree, Modifier(), autocreate_parents=True).run(reader)
            txn.set_ref("main", txn.commit(tree.write(txn), timestamp=1))
    print(peak())
"""
)
EXPORT = (
    PEAK
    + """
    import sys
    from ostree.cli.main import run
    sys.argv[1:] = ["export", f"--repo={sys.argv[1]}", "main", "-o", sys.argv[2]]
    assert run() == 0
    print(peak())
"""
)
PULL = (
    PEAK
    + """
    import sys
    from ostree.cli.main import run
    sys.argv[1:] = ["pull", f"--repo={sys.argv[1]}", "--disable-fsync", "origin", "main"]
    assert run() == 0
    print(peak())
"""
)
CREATE = """
    import sys
    from ostree.repo.repository import Repo
    Repo.create(sys.argv[1], sys.argv[2]).close()
    with open(f"{sys.argv[1]}/config", "a") as config:
        config.write("[archive]\\nzlib-level=1\\n")
"""


@pytest.mark.parametrize("mode", ["bare", "archive"])
def test_a_file_larger_than_memory_may_be(tmp_path: Path, mode: str) -> None:
    (tmp_path / "tree").mkdir()
    with (tmp_path / "tree/large").open("wb") as file:
        file.write(os.urandom(16 << 20))
        file.truncate(SIZE)
    assert processes.run(CREATE, tmp_path / "repo", mode).stderr == ""

    committed = processes.run(COMMIT, tmp_path / "repo", tmp_path / "tree")
    checked = processes.run(CHECKOUT, tmp_path / "repo", tmp_path / "out")

    assert committed.stderr == checked.stderr == ""
    assert int(committed.stdout) < LIMIT
    assert int(checked.stdout) < LIMIT
    assert (tmp_path / "out/large").stat().st_size == SIZE
    for name in ("out/large", "tree/large"):
        (tmp_path / name).unlink()


@pytest.mark.parametrize("mode", ["bare-user", "archive"])
@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_pull_of_a_file_larger_than_memory_may_be(tmp_path: Path, mode: str, scheme: str) -> None:
    source, device = tmp_path / "source", tmp_path / "device"
    (tmp_path / "tree").mkdir()
    with (tmp_path / "tree/large").open("wb") as file:
        file.write(os.urandom(SIZE // 8))  # the part that does not shrink
        file.truncate(SIZE)
    assert processes.run(CREATE, source, "archive").stderr == ""
    assert processes.run(COMMIT, source, tmp_path / "tree").stderr == ""
    (tmp_path / "tree/large").unlink()
    assert processes.run(CREATE, device, mode).stderr == ""
    port = free_port()
    url = f"http://127.0.0.1:{port}" if scheme == "http" else f"file://{source}"
    with (device / "config").open("a") as config:
        config.write(f'[remote "origin"]\nurl={url}\ngpg-verify=false\n')
    ostree = str(Path(sys.executable).with_name("ostree"))

    with Program([ostree, "serve", f"--port={port}", str(source)], [port]):
        pulled = processes.run(PULL, device)

    assert pulled.stderr == ""
    assert int(pulled.stdout.splitlines()[-1]) < LIMIT
    with Repo.open(device) as repo:
        assert not repo.fsck().corrupted
    for repository in (source, device):
        shutil.rmtree(repository)


@pytest.mark.skipif(
    not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
)
def test_an_archive_larger_than_memory_may_be(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.write(os.urandom(16 << 20))
        file.truncate(SIZE)
    subprocess.run(["tar", "-C", tmp_path, "-cf", tmp_path / "in.tar", "large"], check=True)
    assert processes.run(CREATE, tmp_path / "repo", "archive").stderr == ""

    imported = processes.run(IMPORT, tmp_path / "repo", tmp_path / "in.tar")
    exported = processes.run(EXPORT, tmp_path / "repo", tmp_path / "out.tar")

    assert imported.stderr == exported.stderr == ""
    assert int(imported.stdout) < LIMIT
    assert int(exported.stdout) < LIMIT
    assert (tmp_path / "out.tar").stat().st_size > SIZE
    for name in ("large", "in.tar", "out.tar"):
        (tmp_path / name).unlink()
