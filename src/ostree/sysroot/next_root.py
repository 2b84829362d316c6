"""The root that a soft reboot enters, mounted (deployments §19).

Runs in the mounts of the system, with the deployment's directory as working directory.
"""

from __future__ import annotations

import os
import stat
import tempfile

from ostree.errors import SysrootError
from ostree.formats.booted_state import BootedState
from ostree.formats.prepare_root_config import Composefs, PrepareRootConfig
from ostree.sysroot.composefs import IMAGE, mount_composefs
from ostree.sysroot.layout import MAX_TEXT
from ostree.sysroot.soft_reboot import NEXT_ROOT, NEXT_STATE
from ostree.sysroot.step import describe_error
from ostree.system import mounting
from ostree.system.files import open_directory, read_file, replace_file

_CONFIGS = ("/usr/lib/ostree/prepare-root.conf", "/etc/ostree/prepare-root.conf")
_OBJECTS = "/sysroot/ostree/repo/objects"
_HOTFIX_UPPER, _HOTFIX_WORK = ".usr-ovl-upper", ".usr-ovl-work"


def read_config(proc_directory: str = "/proc") -> PrepareRootConfig:
    """The configuration of the running system.

    Raises:
        FormatError: a value is none of its key.
        OSError: a file cannot be read.
    """
    texts = []
    for path in _CONFIGS:
        try:
            texts.append(read_file(path, limit=MAX_TEXT))
        except FileNotFoundError:
            continue
    with open(f"{proc_directory}/cmdline", "rb") as file:
        command_line = file.read(MAX_TEXT).decode("utf-8", "surrogateescape")
    return PrepareRootConfig(texts, command_line)


def prepare_next_root(config: PrepareRootConfig, run_directory: str) -> None:
    """Mount the deployment of the working directory, and say so.

    Args:
        config: How.
        run_directory: Where the state of the running system is.

    Raises:
        SysrootError: composefs is off, or the kernel refuses; what is mounted by then is for the
            caller to take away.
    """
    if config.composefs is Composefs.NO:
        raise SysrootError("soft reboot not supported without composefs")
    if config.composefs is Composefs.SIGNED:
        raise SysrootError("soft reboot is not supported with signed composefs images")
    try:
        state = _mount_all(config, run_directory)
        fd = open_directory(run_directory)
        try:
            os.makedirs(f"{run_directory}/ostree", mode=0o755, exist_ok=True)
            replace_file(NEXT_STATE, state.encode(), fd, sync=False)
        finally:
            os.close(fd)
    except OSError as error:
        raise SysrootError(describe_error(error)) from error


def _mount_all(config: PrepareRootConfig, run_directory: str) -> BootedState:
    deployment = os.getcwd()
    info = os.stat(deployment)
    root = f"{run_directory}/{NEXT_ROOT}"
    os.makedirs(root, mode=0o755, exist_ok=True)
    _mount_root(config, deployment, root, run_directory)
    if os.path.islink("/sysroot/boot/loader") and os.path.isdir(f"{root}/boot"):
        mounting.mount("/sysroot/boot", f"{root}/boot", None, mounting.BIND | mounting.SILENT)
    transient_etc = _mount_etc(config, deployment, root, run_directory)
    if os.path.isdir(_HOTFIX_WORK):
        layers = f"lowerdir={root}/usr,upperdir={_HOTFIX_UPPER},workdir={_HOTFIX_WORK}"
        mounting.mount("overlay", f"{root}/usr", "overlay", mounting.SILENT, layers)
    _bind("/sysroot", f"{root}/sysroot", read_only=True)
    return BootedState(
        device_inode=(info.st_dev, info.st_ino),
        root_transient=config.root_transient,
        root_transient_ro=config.root_transient_ro,
        composefs=True,
        composefs_verity=config.verity,
        sysroot_ro=True,
        transient_etc=transient_etc,
    )


def _mount_root(config: PrepareRootConfig, deployment: str, root: str, run_directory: str) -> None:
    private = f"{run_directory}/ostree/.private"
    os.makedirs(private, mode=0o700, exist_ok=True)
    lower = tempfile.mkdtemp(prefix="cfsroot-lower.", dir=private)
    writable = None
    if config.root_transient or config.root_transient_ro:
        layers = tempfile.mkdtemp(prefix="root.", dir=private)
        writable = (f"{layers}/upper", f"{layers}/work")
        os.mkdir(writable[0], 0o755)
        os.mkdir(writable[1], 0o700)
    try:
        mount_composefs(
            f"{deployment}/{IMAGE}",
            _OBJECTS,
            root,
            lower,
            verity=config.verity,
            writable=writable,
            read_only=config.root_transient_ro,
        )
    except OSError as error:
        raise SysrootError(f"composefs: failed to mount: {describe_error(error)}") from error
    finally:
        os.rmdir(lower)


def _mount_etc(
    config: PrepareRootConfig, deployment: str, root: str, run_directory: str
) -> str | None:
    """The directory of the overlay that it is, if it is one."""
    if not config.etc_transient:
        _bind(f"{deployment}/etc", f"{root}/etc", read_only=False)
        return None
    layers = tempfile.mkdtemp(prefix="transient-etc.", dir=f"{run_directory}/ostree")
    for name in ("upper", "work"):
        os.mkdir(f"{layers}/{name}", 0o755)
    mode = stat.S_IMODE(os.stat(f"{root}/usr/etc").st_mode)
    os.chmod(f"{layers}/upper", mode)
    options = f"lowerdir={root}/usr/etc,upperdir={layers}/upper,workdir={layers}/work"
    mounting.mount("overlay", f"{root}/etc", "overlay", mounting.SILENT, options)
    return layers


def _bind(source: str, target: str, *, read_only: bool) -> None:
    """Show a directory at another place; a mount's own flag is only heeded in a second call."""
    mounting.mount(source, target, None, mounting.BIND | mounting.SILENT)
    flags = mounting.REMOUNT | mounting.BIND | mounting.SILENT
    mounting.mount(None, target, None, flags | (mounting.READ_ONLY if read_only else 0))
