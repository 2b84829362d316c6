"""The deployment that waits for the shutdown to be finished (deployments §11).

Staging itself is not done here yet; what another program staged is seen, kept and discarded.
"""

from __future__ import annotations

import errno
import os

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.boot_entry import BootEntry
from ostree.formats.boot_link import check_stateroot
from ostree.formats.deployment_name import parse_deployment_target
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.layout import MAX_TEXT
from ostree.sysroot.loading import read_origin
from ostree.sysroot.step import step
from ostree.system.files import exists, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.gvariant import Variant

_STATE = "ostree/staged-deployment"
_LOCKED = "ostree/staged-deployment-locked"


def load_staged(root_fd: int, run_directory: str) -> Deployment | None:
    """The staged deployment; None if there is none, or its directory is gone.

    Raises:
        FormatError: the state file is malformed.
    """
    with step("Loading staged deployment"):
        try:
            data = read_file(f"{run_directory}/{_STATE}", limit=MAX_TEXT)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise FormatError(f"File is larger than {MAX_TEXT} bytes") from error
            raise
        state = gvariant.decode("a{sv}", data, strict=False)
        deployment = _parse(state)
        if not exists(deployment.path, root_fd):
            return None
        deployment.origin = read_origin(deployment, root_fd)
    return deployment


def _parse(state: Sequence[tuple[str, Variant]]) -> Deployment:
    target = gvariant.lookup(state, "target", "a{sv}")
    if target is None:
        raise FormatError("Missing key: target")
    values = {key: gvariant.lookup(target, key, "s") for key in ("name", "osname", "bootcsum")}
    for key, value in values.items():
        if value is None:
            raise FormatError(f"Missing key: {key}")
    check_stateroot(values["osname"])
    checksum, serial = parse_deployment_target(values["name"])
    entry = BootEntry()
    arguments = gvariant.lookup(state, "kargs", "as")
    if arguments:
        entry.set("options", " ".join(arguments))
    return Deployment(
        stateroot=values["osname"],
        checksum=checksum,
        serial=serial,
        bootcsum=values["bootcsum"],
        entry=entry,
        staged=True,
    )


def forget_staged(run_directory: str) -> None:
    """Make the shutdown do nothing; the directory is for the next cleanup."""
    for name in (_STATE, _LOCKED):
        try:
            os.unlink(f"{run_directory}/{name}")
        except FileNotFoundError:
            continue
