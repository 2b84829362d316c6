"""The deployment list as text and as JSON (deployments §18.4)."""

from __future__ import annotations

from ostree.errors import SysrootError
from ostree.sysroot.deployment import UnlockedState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from ostree.sysroot.status import DeploymentStatus
    from ostree.sysroot.sysroot import Sysroot

    Plain: TypeAlias = str | int | bool | None

_SHORT_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_RED_BOLD = ("\x1b[31m\x1b[1m", "\x1b[0m\x1b[22m")


def format_status(statuses: Sequence[DeploymentStatus], *, colour: bool = False) -> str:
    """The text that the command prints.

    Args:
        statuses: The facts.
        colour: Whether the output is a terminal.
    """
    if not statuses:
        return "No deployments.\n"
    return "".join(f"{line}\n" for s in statuses for line in deployment_lines(s, colour=colour))


def deployment_lines(status: DeploymentStatus, *, colour: bool = False) -> Iterator[str]:
    """The lines about one deployment."""
    deployment = status.deployment
    mark = "*" if status.booted else " "
    yield f"{mark} {deployment.stateroot} {deployment.name}{_suffix(status)}"
    if status.version is not None:
        yield f"    Version: {status.version}"
    if deployment.unlocked is not UnlockedState.NONE:
        start, end = _RED_BOLD if colour else ("", "")
        yield f"    {start}Unlocked: {deployment.unlocked.value}{end}"
    if deployment.pinned:
        yield "    Pinned: yes"
    if deployment.origin is None:
        yield "    origin: none"
        return
    if deployment.refspec is None:
        yield "    origin: <unknown origin type>"
    else:
        yield f"    origin refspec: {deployment.refspec}"
    if status.source_title is not None:
        yield f"    `- {status.source_title}"


def _suffix(status: DeploymentStatus) -> str:
    deployment = status.deployment
    soft_reboot = " (soft-reboot)" if deployment.soft_reboot_target else ""
    if deployment.staged:
        what = "finalization locked" if deployment.finalization_locked else "staged"
        return f" ({what}){soft_reboot}"
    if status.pending:
        return f" (pending){soft_reboot}"
    return f" (rollback){soft_reboot}" if status.rollback else soft_reboot


def format_status_json(statuses: Sequence[DeploymentStatus]) -> str:
    """The JSON document that the command prints, to the byte."""
    objects = ",".join(_object(status) for status in statuses)
    return f'{{\n   "deployments": [\n{"      " if statuses else ""}{objects}\n   ]\n}}\n'


def _object(status: DeploymentStatus) -> str:
    deployment = status.deployment
    members: list[tuple[str, Plain]] = [
        ("checksum", deployment.checksum),
        ("stateroot", deployment.stateroot),
        ("refspec", deployment.refspec),
        ("serial", deployment.serial),
        ("index", deployment.index),
        ("booted", status.booted),
        ("pending", status.pending),
        ("rollback", status.rollback),
        ("finalization-locked", deployment.finalization_locked),
        ("soft-reboot-target", deployment.soft_reboot_target),
        ("staged", deployment.staged),
        ("pinned", deployment.pinned),
        ("unlocked", deployment.unlocked.value),
    ]
    if status.version is not None:
        members.append(("version", status.version))
    if status.source_title is not None:
        members.append(("source-title", status.source_title))
    return "{\n" + _members(members) + "\n      }"


def _members(members: Iterable[tuple[str, Plain]]) -> str:
    return ",\n".join(f'         "{name}": {_value(value)}' for name, value in members)


def _value(value: Plain) -> str:
    if value is None or value == "":
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{"".join(map(_escape, value))}"'


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    return f"\\u{ord(char):04x}" if ord(char) < 0x20 else char


def describe_default(sysroot: Sysroot) -> str:
    """``default`` if the deployment to be booted next is the running one, else ``not-default``.

    Raises:
        SysrootError: there are no deployments.
    """
    deployments = sysroot.deployments
    if not deployments:
        raise SysrootError("Not in a booted OSTree system")
    return "default" if deployments[0] is sysroot.booted else "not-default"
