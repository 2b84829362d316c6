"""Large files are streamed: memory does not grow with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support import processes

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 300 << 20
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
