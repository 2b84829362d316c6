"""A disk that fills up: an error that says so, nothing damaged, and room again afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support import processes

if TYPE_CHECKING:
    from pathlib import Path

MOUNT = 'mount -t tmpfs -o size=24m none "$0" && exec "$@"'

CODE = """
    import os, shutil, subprocess, sys
    from ostree.errors import SpaceError
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.repository import Repo
    base, mode, percent, fsync = sys.argv[1:]
    def tree(name, *files):
        os.makedirs(f"{base}/../{name}")
        for number, size in enumerate(files):
            with open(f"{base}/../{name}/{number}", "wb") as file:
                file.write(os.urandom(size))
        return f"{base}/../{name}"
    def commit(repo, path):
        with repo.transaction() as txn:
            checksum = txn.commit(txn.import_directory(path), timestamp=1)
            txn.set_ref("main", checksum)
        return checksum
    first = tree("first", 10, 100000)
    many = tree("many", *[300_000] * 120)
    large = tree("large", 12 << 20, 20 << 20)
    later = tree("later", 9 << 20)
    Repo.create(f"{base}/repo", mode).close()
    with open(f"{base}/repo/config", "a") as file:
        file.write(f"min-free-space-percent={percent}\\nfsync={fsync}\\n")
    with Repo.open(f"{base}/repo") as repo:
        before = commit(repo, first)
        for path in (many, large):
            try:
                commit(repo, path)
            except SpaceError as error:
                print(error)
            assert repo.resolve("main") == before
            assert not repo.fsck().corrupted
            if shutil.which("ostree"):
                subprocess.run(["ostree", f"--repo={base}/repo", "fsck", "-q"], check=True,
                               stdout=subprocess.DEVNULL)
            if fsync == "true":
                # The reference makes a directory for its caches.
                assert set(os.listdir(f"{base}/repo/tmp")) <= {"cache"}
            else:
                from ostree.repo.prune import prune
                prune(repo)
        after = commit(repo, later)
        assert repo.resolve("main") == after != before
        try:
            repo.checkout("main", f"{base}/out", options=CheckoutOptions(force_copy=True))
            repo.checkout("main", f"{base}/out2", options=CheckoutOptions(force_copy=True))
        except Exception as error:
            print(type(error).__name__, error)
        assert not repo.fsck().corrupted
"""


@pytest.fixture
def namespace(tmp_path: Path) -> tuple[str, ...]:
    """A command prefix that gives a command a small file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    if not shutil.which("unshare"):
        pytest.skip("unshare (Debian: util-linux) is not installed")
    (tmp_path / "disk").mkdir()
    prefix = ("unshare", "-m", "sh", "-c", MOUNT, str(tmp_path / "disk"))
    probe = subprocess.run([*prefix, "true"], check=False, capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"no mounts of our own here: {probe.stderr.strip()}")
    return prefix


@pytest.mark.root
@pytest.mark.parametrize("mode", ["bare", "archive"])
@pytest.mark.parametrize("fsync", ["true", "false"])
def test_a_full_disk(namespace: tuple[str, ...], tmp_path: Path, mode: str, fsync: str) -> None:
    done = processes.run(CODE, tmp_path / "disk", mode, "0", fsync, prefix=namespace)

    assert done.stderr == ""
    many, large, checkout = done.stdout.splitlines()
    assert many.startswith("Writing content object")
    assert many.endswith(": No space left on device")
    assert large.startswith("Writing content object")
    assert large.endswith(": No space left on device")
    words = "regfile copy" if mode == "bare" else "Error writing to file descriptor"
    assert checkout.startswith("RepoError Copy checkout of ")
    assert checkout.endswith(f" to 0: {words}: No space left on device")
    assert os.listdir(tmp_path / "disk") == []


@pytest.mark.root
def test_the_minimum_stops_it_before_the_disk_is_full(
    namespace: tuple[str, ...], tmp_path: Path
) -> None:
    done = processes.run(CODE, tmp_path / "disk", "bare", "10", "true", prefix=namespace)

    assert done.stderr == ""
    many, large, _ = done.stdout.splitlines()
    assert many == (
        "Writing content object: "
        "min-free-space-percent '10%' would be exceeded, at least 303.1\u00a0kB requested"
    )
    assert large.startswith(
        "Writing content object: min-free-space-percent '10%' would be exceeded, at least "
    )
    assert large.endswith("\u00a0MB requested")


ETC_CODE = """
    import os, sys
    from ostree.errors import OSTreeError
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.sysroot import Sysroot
    base, = sys.argv[1:]
    root, tree = f"{base}/root", f"{base}/tree"
    for name in ("usr/lib/modules/5/vmlinuz", "usr/lib/os-release", "usr/etc/a"):
        os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
        with open(f"{tree}/{name}", "w") as file:
            file.write("ID=x")
    os.mkdir(root)
    Sysroot.init_fs(root)
    settings = SysrootSettings(immutable=False, run_directory=f"{base}/run")
    with Sysroot.open(root, settings=settings) as sysroot:
        config = sysroot.repo.config.keyfile.copy()
        config.set_string("core", "fsync", "false")
        config.set_string("core", "min-free-space-percent", "0")
        sysroot.repo.save_config(config)
        sysroot.init_stateroot("os")
        with sysroot.repo.transaction() as txn:
            txn.set_ref("main", txn.commit(txn.import_directory(tree), timestamp=1))
        first = sysroot.deploy("main", stateroot="os")
        etc = f"{root}/{first.path}/etc"
        for name in ("b", "large", "z"):
            with open(f"{etc}/{name}", "wb") as file:
                file.write(os.urandom(14 << 20 if name == "large" else 100))
        try:
            sysroot.deploy("main", stateroot="os")
        except OSTreeError as error:
            print(error)
        assert [d.key for d in sysroot.deployments] == [first.key]
        assert os.path.getsize(f"{etc}/large") == 14 << 20
        os.truncate(f"{etc}/large", 1 << 20)
        second = sysroot.deploy("main", stateroot="os")
        assert sorted(os.listdir(f"{root}/{second.path}/etc")) == ["a", "b", "large", "z"]
        assert len(os.listdir(f"{root}/ostree/deploy/os/deploy")) == 4
"""


@pytest.mark.root
def test_a_disk_that_is_full_in_the_middle_of_a_merge(
    namespace: tuple[str, ...], tmp_path: Path
) -> None:
    """The file is named, the old list stays, and the next deployment cleans up and succeeds."""
    done = processes.run(ETC_CODE, tmp_path / "disk", prefix=namespace)

    assert done.stderr == ""
    assert done.stdout == (
        "Deploying tree: Finalizing deployment: During /etc merge: large: No space left on device\n"
    )
