"""A deployment as it appears in JSON documents (docs/json.md)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.json_output import Json
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.view import SysrootView


def deployment_json(sysroot: SysrootView, deployment: Deployment) -> dict[str, Json]:
    """Its fields."""
    return {
        "stateroot": deployment.stateroot,
        "checksum": deployment.checksum,
        "serial": deployment.serial,
        "index": deployment.index,
        "refspec": deployment.refspec,
        "version": sysroot.version_of(deployment),
    }
