"""A repository on Btrfs, where objects share blocks through payload links."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support import processes

if TYPE_CHECKING:
    from pathlib import Path

MOUNT = 'mount -o loop "$0.img" "$0" && exec "$@"'

COMMIT = """
    import os, sys
    from pathlib import Path
    from ostree.repo.prune import prune
    from ostree.repo.repository import Repo
    base, mode = sys.argv[1:]
    content = os.urandom(100_000)
    os.mkdir(f"{base}/tree")
    for name, permissions in (("a", 0o644), ("b", 0o600)):
        with open(f"{base}/tree/{name}", "wb") as file:
            file.write(content)
        os.chmod(f"{base}/tree/{name}", permissions)
    Repo.create(f"{base}/repo", mode).close()
    with open(f"{base}/repo/config", "a") as file:
        file.write("min-free-space-percent=0\\npayload-link-threshold=1000\\n")
"""

SHARING = (
    COMMIT
    + """
    import fcntl, glob, struct
    def first_block(path):
        # FS_IOC_FIEMAP: flush, then one extent; where on the disk it begins.
        with open(path, "rb") as file:
            request = struct.pack("=QQIIII56x", 0, 1 << 40, 1, 0, 1, 0)
            return struct.unpack_from("=Q", fcntl.ioctl(file, 0xC020660B, request), 40)[0]
    with Repo.open(f"{base}/repo") as repo:
        with repo.transaction() as txn:
            txn.set_ref("main", txn.commit(txn.import_directory(f"{base}/tree"), timestamp=1))
        print(len({first_block(path) for path in glob.glob(f"{base}/repo/objects/*/*.file")}))
        assert not repo.fsck().corrupted
        links = glob.glob(f"{base}/repo/objects/*/*.payload-link")
        print(len(links), all(map(os.path.exists, links)))
        print(prune(repo).deleted)
        os.unlink(f"{base}/repo/refs/heads/main")
        prune(repo)
        print(len(glob.glob(f"{base}/repo/objects/*/*")))
"""
)

HOSTILE = (
    COMMIT
    + """
    import glob, hashlib
    with Repo.open(f"{base}/repo") as repo:
        with open(f"{base}/tree/c", "wb") as file:
            file.write(os.urandom(100_000))
        with repo.transaction() as txn:
            root = txn.import_directory(f"{base}/tree")
            txn.set_ref("main", txn.commit(root, timestamp=1))
        os.unlink(f"{base}/tree/c")
        payload = hashlib.sha256(content).hexdigest()
        link = f"{base}/repo/objects/{payload[:2]}/{payload[2:]}.payload-link"
        good = os.readlink(link)
        others = {"../" + path.split("objects/")[1]
                  for path in glob.glob(f"{base}/repo/objects/*/*.file")
                  if Path(path).read_bytes() != content}
        for number, bad in enumerate([*others, "../../config", "/etc/passwd", "../../../tree/a"]):
            os.unlink(link)
            os.symlink(bad, link)
            os.chmod(f"{base}/tree/a", 0o700 + number)
            with repo.transaction() as txn:
                txn.set_ref("main", txn.commit(txn.import_directory(f"{base}/tree"), timestamp=1))
            assert not repo.fsck().corrupted
            assert os.readlink(link) not in (bad, good)
            assert Path(link).read_bytes() == content
        print(number)
"""
)


@pytest.fixture
def btrfs(tmp_path: Path) -> tuple[str, ...]:
    """A command prefix that gives a command a Btrfs of its own in ``disk``."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    for tool, package in (("unshare", "util-linux"), ("mkfs.btrfs", "btrfs-progs")):
        if not shutil.which(tool):
            pytest.skip(f"{tool} (Debian: {package}) is not installed")
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk.img").touch()
    os.truncate(tmp_path / "disk.img", 120 << 20)
    subprocess.run(["mkfs.btrfs", "-q", tmp_path / "disk.img"], check=True, capture_output=True)
    prefix = ("unshare", "-m", "sh", "-c", MOUNT, str(tmp_path / "disk"))
    probe = subprocess.run([*prefix, "true"], check=False, capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"no loop mounts of Btrfs here: {probe.stderr.strip()}")
    return prefix


@pytest.mark.root
@pytest.mark.parametrize("mode", ["bare", "bare-user", "bare-user-only"])
def test_equal_content_shares_its_blocks(btrfs: tuple[str, ...], tmp_path: Path, mode: str) -> None:
    """Committed, listed once, kept by a prune as long as it is of use, and gone with its file."""
    done = processes.run(SHARING, tmp_path / "disk", mode, prefix=btrfs)

    assert done.stderr == ""
    assert done.stdout.split() == ["1", "1", "True", "0", "0"]


@pytest.mark.root
def test_a_payload_link_is_not_believed(btrfs: tuple[str, ...], tmp_path: Path) -> None:
    """One that leads to other content, or out of the objects, is replaced."""
    done = processes.run(HOSTILE, tmp_path / "disk", "bare", prefix=btrfs)

    assert done.stderr == ""
    assert done.stdout == "3\n"
