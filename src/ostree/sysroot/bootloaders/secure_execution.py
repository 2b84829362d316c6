"""The boot image of an IBM Secure Execution guest (boot §3.4).

Kernel, initramfs and arguments become one image that only certain machines can decrypt, on a
partition of its own.  The secrets that unlock the disks go into its initramfs.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile

from ostree.errors import SysrootError
from ostree.formats import cpio
from ostree.formats.boot_entry import kernel_path
from ostree.sysroot.layout import MAX_TEXT
from ostree.sysroot.programs import run_program
from ostree.system.files import list_directory, open_directory, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.formats.boot_entry import BootEntry

_GUEST = "sys/firmware/uv/prot_virt_guest"
_PARTITION = "dev/disk/by-label/se"
_MOUNT_POINT = "sysroot/se"
_SECRETS = ("etc/crypttab", "etc/luks/root", "etc/luks/boot")
_KEYS = "etc/se-hostkeys"
_KEY_PREFIX = "ibm-z-hostkey"


def is_secure_execution(host: str) -> bool:
    """Whether the running system is a Secure Execution guest."""
    try:
        return b"1" in read_file(os.path.join(host, _GUEST), limit=4096)
    except OSError:
        return False


def boot_image(entry: BootEntry, host: str, environ: Mapping[str, str]) -> None:
    """Make the image of a boot entry and let ``zipl`` write its boot record.

    Args:
        entry: The boot entry.
        host: The root of the running system.
        environ: The environment of programs.

    Raises:
        SysrootError: something that the image is made of is missing, or a program failed.
        OSError: reading or writing failed.
    """
    keys = _find_keys(host)
    mount_point = os.path.join(host, _MOUNT_POINT)
    source = os.path.join(host, _PARTITION)
    run_program(["mount", "-t", "ext4", source, mount_point], environ=environ)
    try:
        with tempfile.TemporaryDirectory(prefix="ostree-se-") as work:
            image = os.path.join(mount_point, "sdboot")
            parts = _write_parts(entry, host, work)
            parts += [word for key in keys for word in ("-k", key)]
            target = ["--no-verify", "--overwrite", "--output", image]
            run_program(["pvimg", "create", "--verbose", *parts, *target], environ=environ)
        run_program(["zipl", "-V", "-t", mount_point, "-i", image], environ=environ)
    finally:
        run_program(["umount", mount_point], environ=environ)


def _find_keys(host: str) -> list[str]:
    directory = os.path.join(host, _KEYS)
    host_fd = open_directory(host)
    try:
        names = list_directory(_KEYS, host_fd)
    finally:
        os.close(host_fd)
    keys = [os.path.join(directory, name) for name in names if name.startswith(_KEY_PREFIX)]
    if not keys:
        raise SysrootError(f"Secure Execution: no {_KEY_PREFIX}* in /{_KEYS}")
    return keys


def _write_parts(entry: BootEntry, host: str, work: str) -> list[str]:
    """Write initramfs and arguments; the options of ``pvimg`` that name all parts."""
    initrd, options = entry.get("initrd"), entry.get("options")
    if initrd is None or options is None:
        missing = "initrd" if initrd is None else "options"
        raise SysrootError(f'Secure Execution: no "{missing}" key in bootloader config')
    kernel = f"{host.rstrip('/')}/boot{kernel_path(entry)}"
    ramdisk, arguments = os.path.join(work, "initrd"), os.path.join(work, "cmdline")
    with open(f"{host.rstrip('/')}/boot{initrd}", "rb") as old, open(ramdisk, "xb") as new:
        os.fchmod(new.fileno(), 0o600)
        shutil.copyfileobj(old, new)
        new.write(gzip.compress(_pack(_read_secrets(host)), mtime=0))
    with open(arguments, "x", encoding="utf-8", errors="surrogateescape") as file:
        file.write(options)
    return ["--kernel", kernel, "--ramdisk", ramdisk, "--parmfile", arguments]


def _read_secrets(host: str) -> list[tuple[str, bytes]]:
    secrets = []
    for path in _SECRETS:
        try:
            secrets.append((path, read_file(os.path.join(host, path), limit=MAX_TEXT)))
        except OSError as error:
            raise SysrootError(f"Secure Execution: /{path}: {error.strerror}") from error
    return secrets


def _pack(files: list[tuple[str, bytes]]) -> bytes:
    """An archive of these files, readable by root alone, and the directories they are in."""
    parents = {path.rpartition("/")[0] for path, _ in files}
    directories = {parent[:end] for parent in parents for end in _ends(parent)}
    entries = [(cpio.directory(path), b"") for path in sorted(directories)]
    entries += [(cpio.regular_file(path, len(data), 0o600), data) for path, data in files]
    out = bytearray()
    for number, (entry, data) in enumerate(entries, 1):
        out += cpio.encode_header(entry, inode=number, mtime=0) + data + cpio.padding(len(data))
    return bytes(out + cpio.encode_trailer(len(out)))


def _ends(path: str) -> list[int]:
    """Where the names of a path end."""
    return [i for i, character in enumerate(path) if character == "/"] + [len(path)]
