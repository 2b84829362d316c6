"""A system that looks booted from one of its deployments, without a kernel of its own.

A mount namespace (and one of process ids) whose root is the deployment, prepared as
``ostree-prepare-root`` prepares it: a read-only ``/usr``, the stateroot's ``/var``, the physical
root at ``/sysroot``, ``/boot``.  The machine's own files are at ``/host``, and its programs in
``/bin`` and ``/lib``, directories that the tree has to have (:data:`MOUNT_POINTS`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ostree.sysroot.immutable import set_immutable
from ostree.system import mounting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

#: What the tree of a deployment needs to be booted here.
MOUNT_POINTS = (
    "boot",
    "dev",
    "host",
    "bin",
    "lib",
    "lib64",
    "proc",
    "run",
    "sysroot",
    "tmp",
    "var",
)

REFERENCE = ("/bin/ostree",)
OURS = (f"/host{os.path.realpath(sys.executable)}", "-m", "ostree")

#: Runs in new namespaces; its arguments are the physical root, the deployment's path below it,
#: the directory for ``/run``, the file for ``/proc/cmdline`` and the propagation of ``/``.
_PREPARE = r"""
set -e
root=$1 deployment=$1/$2 run=$3 cmdline=$4 propagation=$5 layered=$6
mount --make-rprivate /
if [ "$layered" = yes ]; then
    mkdir -p "$run.layer/upper" "$run.layer/work"
    mount -t overlay overlay "$root" \
        -o "lowerdir=$root,upperdir=$run.layer/upper,workdir=$run.layer/work"
fi
new=$root/sysroot.new
mkdir -p "$new"
mount --bind "$deployment" "$new"
mount --bind "$root/boot" "$new/boot"
if [ -d "$deployment/.usr-ovl-work" ]; then
    cd "$deployment"
    mount -t overlay overlay -o lowerdir=usr,upperdir=.usr-ovl-upper,workdir=.usr-ovl-work "$new/usr"
    cd /
else
    mount --bind "$new/usr" "$new/usr"
    mount -o remount,bind,ro "$new/usr"
fi
mount --bind "$deployment/../../var" "$new/var"
mount --rbind "$root" "$new/sysroot"
umount -R "$new/sysroot/sysroot.new"
mount --bind "$run" "$new/run"
mount -t tmpfs tmpfs "$new/tmp"
mount --rbind /dev "$new/dev"
mount --bind / "$new/host"
for name in bin lib lib64; do
    if [ -e "/usr/$name" ]; then mount --bind "/usr/$name" "$new/$name"; fi
done
mount -t proc proc "$new/proc"
mount --bind "$cmdline" "$new/proc/cmdline"
cd "$new"
mkdir -p sysroot/host.old
pivot_root . sysroot/host.old
umount -l /sysroot/host.old
rmdir /sysroot/host.old
mount "--make-r$propagation" /
echo ready
exec /bin/sleep infinity
"""


class SimulatedBoot:
    """One boot of a sysroot; a context manager.

    Args:
        root: The physical root.
        deployment: The directory of the deployment, relative to it.
        run: What is ``/run``; emptied, as by a boot.
        propagation: Of the mounts: ``shared``, as systemd makes them, or ``private``.
        read_only: Mount ``/sysroot`` and ``/boot`` read-only.
        layered: Make the physical root an overlay, which cannot be below another one.
    """

    def __init__(
        self,
        root: Path,
        deployment: str,
        run: Path,
        *,
        propagation: str = "shared",
        command_line: str = "root=/dev/vda1 quiet",
        read_only: bool = False,
        layered: bool = False,
    ) -> None:
        shutil.rmtree(run, ignore_errors=True)
        (run / "ostree").mkdir(parents=True)
        (run / "ostree-booted").touch(0o640)
        self.run_directory = run
        command_line_file = run.with_name(run.name + ".cmdline")
        command_line_file.write_text(f"{command_line}\n")
        self._process = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                _PREPARE,
                "sh",
                root,
                deployment,
                run,
                command_line_file,
                propagation,
                "yes" if layered else "no",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._leader = self._wait_until_ready()
        if read_only:
            self.shell("mount -o remount,bind,ro /sysroot; mount -o remount,bind,ro /boot")

    def _wait_until_ready(self) -> int:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            _, errors = self._process.communicate()
            raise RuntimeError(f"the simulated boot failed: {errors}")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return int(children.split()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Switch the machine off: every process is killed and every mount gone."""
        self._process.kill()
        self._process.communicate()

    def enter(self) -> None:
        """Move this process, which has one thread, into the mounts of the system, for good."""
        mounting.enter_namespace(f"/proc/{self._leader}/ns/mnt")
        # The system's /proc does not know processes from outside; this one is for us alone.
        mounting.unshare_mounts()
        mounting.mount(None, "/", None, mounting.RECURSIVE | mounting.PRIVATE)
        mounting.mount("proc", "/proc", "proc")

    def run(
        self,
        *argv: str | os.PathLike[str],
        environ: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside."""
        result = subprocess.run(
            [
                "nsenter",
                f"--target={self._leader}",
                "--mount",
                "--pid",
                "--root",
                "--wd=/",
                *argv,
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**environment(), **(environ or {})},
        )
        assert not check or result.returncode == 0, result.stderr
        return result

    def shell(self, script: str, *, check: bool = True) -> str:
        """What a shell script prints."""
        return self.run("/bin/sh", "-c", script, check=check).stdout


def environment() -> dict[str, str]:
    """What programs of the machine need to run inside."""
    libraries = [sysconfig.get_config_var("LIBDIR") or "/usr/lib"]
    paths = [path for path in sys.path if path and os.path.isdir(path)]
    return {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHOME": f"/host{os.path.realpath(sys.base_prefix)}",
        "PYTHONPATH": ":".join(f"/host{os.path.realpath(path)}" for path in paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_LIBRARY_PATH": ":".join(f"/host{os.path.realpath(path)}" for path in libraries),
        "OSTREE_SYSROOT_OPTS": "skip-sync",
    }


@cache
def why_not() -> str | None:
    """Why a boot cannot be simulated on this machine; None if it can."""
    if os.geteuid() != 0:
        return "simulating a boot needs root"
    for program in ("unshare", "nsenter", "pivot_root"):
        if shutil.which(program) is None:
            return f"simulating a boot needs {program} (Debian: util-linux)"
    result = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "proc", "proc", "/proc"],
        check=False,
        capture_output=True,
        text=True,
    )
    return f"mounts are forbidden: {result.stderr.strip()}" if result.returncode else None


@cache
def why_no_overlay() -> str | None:
    """Why overlays cannot be mounted here; None if they can."""
    reason = why_not()
    if reason is not None:
        return reason
    script = (
        "mount -t tmpfs tmpfs /mnt && mkdir /mnt/l /mnt/u /mnt/w && mount -t overlay overlay /mnt/l "
        "-o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w"
    )
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], check=False, capture_output=True, text=True
    )
    return f"no overlays here: {result.stderr.strip()}" if result.returncode else None


def make_removable(root: Path) -> None:
    """Take the immutable flag off all deployments of a sysroot."""
    for path in root.glob("ostree/deploy/*/deploy/*.*"):
        if path.is_dir():
            fd = os.open(path.parent, os.O_RDONLY)
            try:
                set_immutable(path.name, fd, on=False)
            finally:
                os.close(fd)
