"""The policy of a deployment is compiled again after a merge."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.policy_refresh import refresh_policy

if TYPE_CHECKING:
    from pathlib import Path

BUSYBOX = "/bin/busybox"
SEMODULE = """#!/bin/sh
echo "$0 $@" >> /etc/calls
ls / > /etc/seen
[ "$1" = --help ] && echo "{help}"
exit {status}
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    for name in ("usr/sbin", "usr/bin", "etc/selinux", "var"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/selinux/config").write_text("SELINUX=enforcing\n")
    return tmp_path


def add_semodule(deployment: Path, *, help: str = "  -R, --refresh", status: int = 0) -> None:
    """A shell script in place of the program, and a shell to run it."""
    if not os.path.exists(BUSYBOX):
        pytest.skip("busybox is not installed (Debian: busybox-static)")
    shutil.copy(BUSYBOX, deployment / "usr/bin/busybox")
    (deployment / "bin").symlink_to("usr/bin")
    for name in ("sh", "ls"):
        (deployment / "usr/bin" / name).symlink_to("busybox")
    script = deployment / "usr/sbin/semodule"
    script.write_text(SEMODULE.format(help=help, status=status))
    script.chmod(0o755)


def refresh(deployment: Path) -> None:
    fd = os.open(deployment, os.O_RDONLY)
    try:
        refresh_policy(fd, {"PATH": "/usr/bin:/bin"})
    finally:
        os.close(fd)


def need_mounts() -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    words = ["unshare", "--mount", "--propagation", "private", "true"]
    if subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("no mounts of our own here")


def test_semodule_runs_with_the_deployment_as_its_root(deployment: Path) -> None:
    need_mounts()
    add_semodule(deployment)

    refresh(deployment)

    calls = (deployment / "etc/calls").read_text().splitlines()
    assert calls == ["/usr/sbin/semodule --help", "/usr/sbin/semodule -N --refresh"]
    assert sorted((deployment / "etc/seen").read_text().split()) == ["bin", "etc", "usr", "var"]


def test_an_old_semodule_is_not_asked(deployment: Path) -> None:
    need_mounts()
    add_semodule(deployment, help="-B, --build")

    refresh(deployment)

    assert (deployment / "etc/calls").read_text() == "/usr/sbin/semodule --help\n"


def test_a_failure_is_an_error(deployment: Path) -> None:
    need_mounts()
    add_semodule(deployment, status=3)

    with pytest.raises(SysrootError) as caught:
        refresh(deployment)

    assert str(caught.value) == (
        "Finalizing SELinux policy: failed to run semodule: Child process exited with code 3"
    )


@pytest.mark.parametrize("missing", ["etc/selinux/config", "usr/sbin/semodule"])
def test_nothing_is_run_without_policy_or_program(deployment: Path, missing: str) -> None:
    program = deployment / "usr/sbin/semodule"
    program.write_text("#!/no/such/shell\n")
    program.chmod(0o755)
    (deployment / missing).unlink()

    refresh(deployment)
