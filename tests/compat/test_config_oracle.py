"""Values of the configuration: we accept what the reference accepts, and refuse the rest in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import ostree

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

pytestmark = pytest.mark.oracle

LINES = [
    "repo_version=2",
    "repo_version=",
    "mode=foo",
    "mode=",
    "mode=archive",
    "archive=true",
    "archive=false",
    "archive=x",
    "fsync=maybe",
    "fsync=1",
    "per-object-fsync=x",
    "disable-xattrs=x",
    "enable-uncompressed-cache=x",
    "locking=x",
    "lock-timeout-secs=x",
    "lock-timeout-secs=-2",
    "lock-timeout-secs=0",
    "lock-timeout-secs=99999999999999999999",
    "tombstone-commits=x",
    "auto-update-summary=x",
    "commit-update-summary=x",
    "indexed-deltas=x",
    "no-deltas-in-summary=x",
    "sign-verify-deltas=x",
    "add-remotes-config-dir=x",
    "tmp-expiry-secs=x",
    "tmp-expiry-secs=-1",
    "min-free-space-percent=100",
    "min-free-space-percent=99",
    "min-free-space-percent=0",
    "min-free-space-percent=007",
    "min-free-space-percent=99999999999999999999999",
    "min-free-space-size=100X",
    "min-free-space-size=100",
    "min-free-space-size=MB",
    "min-free-space-size=1MB",
    "min-free-space-size=0MB",
    "min-free-space-size=-1MB",
    "min-free-space-size=1.5GB",
    "min-free-space-size=1mb",
    "min-free-space-size=1MBx",
    "min-free-space-size= 1MB",
    "min-free-space-size=99999999999999999999TB",
    "min-free-space-size=18446744073709551615MB",
    "min-free-space-size=18446744073709551616MB",
    "min-free-space-size=100X\nmin-free-space-percent=200",
    "min-free-space-size=1MB\nmin-free-space-percent=200",
    "min-free-space-size=0MB\nmin-free-space-percent=20",
    "payload-link-threshold=x",
    "payload-link-threshold=-5",
    "default-repo-finders=",
    "default-repo-finders=;",
    "default-repo-finders=foo",
    "default-repo-finders=config;lan;foo",
    "default-repo-finders=config;mount",
    "default-repo-finders=config;config;",
    "parent=/nosuch",
    "parent=",
    "[archive]\nzlib-level=x",
    "[archive]\nzlib-level=99",
    "[ex-fsverity]\nrequired=x",
    "[ex-fsverity]\nopportunistic=x",
    "[sysroot]\nbootloader=zz",
    "[sysroot]\nbootloader=grub2;none",
    "[sysroot]\nbootloader=none;",
    "[sysroot]\nbootloader=auto",
    "[sysroot]\nbls-append-except-default=x",
    "[sysroot]\nbls-append-except-default=x=y",
    "[sysroot]\nbls-append-except-default=x=y;z",
    "[sysroot]\nbls-append-except-default=",
    '[remote "a"]\ngpg-verify=x',
    '[remote "a]\nurl=x',
    '[remote ""]\nurl=x',
    "junk",
    "[junk",
    "=x",
]


@pytest.mark.parametrize("line", LINES)
def test_a_repository_opens_or_not(line: str, oracle: Oracle, tmp_path: Path) -> None:
    oracle("init", f"--repo={tmp_path / 'repo'}", "--mode=archive")
    with (tmp_path / "repo/config").open("a") as file:
        file.write(f"{line}\n")
    argv = ("config", f"--repo={tmp_path / 'repo'}", "get", "core.mode")

    ours = ostree(*argv)
    theirs = oracle(*argv, check=False)

    assert ours == (theirs.returncode, theirs.stdout, theirs.stderr)
