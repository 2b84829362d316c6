"""What a deployment would do, as text and as JSON (``admin deploy --dry-run``)."""

from __future__ import annotations

from ostree.cli.conflict_json import conflict_json
from ostree.formats.size_text import format_size
from ostree.sysroot.deployment_list import SwapKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.cli.json_output import Json
    from ostree.sysroot.deploy_plan import DeployPlan
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.sysroot import Sysroot

_SWAPS = {SwapKind.NOTHING: "none", SwapKind.SUB: "bootlinks", SwapKind.FULL: "entries"}


def format_deploy_plan(plan: DeployPlan) -> str:
    """The plan for people."""
    return "".join(f"{line}\n" for line in _lines(plan))


def _lines(plan: DeployPlan) -> Iterator[str]:
    when = " at shutdown" if plan.staged else ""
    yield f"Would deploy {plan.new.stateroot} {plan.new.name}{when}"
    yield "Deployments:"
    for deployment in plan.deployments:
        mark = " (new)" if deployment.key == plan.new.key else ""
        yield f"  {deployment.index} {deployment.stateroot} {deployment.name}{mark}"
    if plan.removed:
        yield "Removed deployments:"
        for deployment in plan.removed:
            yield f"  {deployment.stateroot} {deployment.name}"
    yield from _boot_lines(plan)
    if plan.boot_directories:
        yield "Removed kernels:"
        for path, size in plan.boot_directories:
            yield f"  {path} ({format_size(size)})"
    if plan.pruned is not None:
        yield f"Pruned objects: {plan.pruned.deleted} ({format_size(plan.pruned.freed)})"
    if plan.conflicts:
        yield "Changed in /etc here and in the new default, kept as here:"
        for conflict in plan.conflicts:
            yield f"  {conflict.path} ({conflict.local} here, {conflict.vendor} there)"
    for check in plan.space:
        files = "" if check.needed.files is None else f", {check.needed.files} inodes"
        there = format_size(check.free.size)
        yield f"Space in {check.name}: needs {format_size(check.needed.size)}{files}; free {there}"
    for finding in plan.findings:
        yield f"Warning: {finding.text}"


def _boot_lines(plan: DeployPlan) -> Iterator[str]:
    boot = plan.boot
    version = f"boot.{boot.bootversion}.{boot.subbootversion}"
    if boot.kind is not SwapKind.FULL:
        yield f"Boot configuration: stays, with other bootlinks ({version})"
        return
    yield f"Boot configuration: new ({version}), boot loader: {plan.bootloader or 'none'}"
    for kernel in plan.kernels:
        state = "installed already" if kernel.is_installed else format_size(kernel.size)
        yield f"  kernel {kernel.directory}: {', '.join(kernel.files)} ({state})"
    for file, deployment in zip(boot.entries, boot.deployments, strict=True):
        yield f"  entry {file.path}: {deployment.entry.get('title')}"
        yield f"    options {deployment.entry.get('options')}"
    for file in plan.bootloader_files:
        size = "" if file.data is None else f" ({format_size(len(file.data))})"
        yield f"  file {file.path}{size}"


def deploy_plan_document(plan: DeployPlan, sysroot: Sysroot) -> dict[str, Json]:
    """The plan for programs (docs/json.md)."""
    boot = plan.boot
    return {
        "deployment": _deployment(plan.new, sysroot),
        "staged": plan.staged,
        "deployments": [_deployment(d, sysroot) for d in plan.deployments],
        "removed": [_deployment(d, sysroot) for d in plan.removed],
        "boot": {
            "changes": _SWAPS[boot.kind],
            "bootversion": boot.bootversion,
            "subbootversion": boot.subbootversion,
            "boot_loader": plan.bootloader,
            "boot_loader_files": [
                {"path": file.path, "bytes": None if file.data is None else len(file.data)}
                for file in plan.bootloader_files
            ],
            "entries": [
                {
                    "path": file.path,
                    "title": deployment.entry.get("title"),
                    "options": deployment.entry.get("options"),
                }
                for file, deployment in zip(boot.entries, boot.deployments, strict=False)
            ],
            "links": [{"path": path, "target": target} for path, target in boot.bootlinks],
            "kernels": [
                {
                    "directory": kernel.directory,
                    "files": list(kernel.files),
                    "installed": kernel.is_installed,
                    "bytes": kernel.size,
                }
                for kernel in plan.kernels
            ],
        },
        "cleanup": {
            "boot_directories": [path for path, _ in plan.boot_directories],
            "objects": 0 if plan.pruned is None else plan.pruned.deleted,
            "bytes": 0 if plan.pruned is None else plan.pruned.freed,
        },
        "conflicts": [conflict_json(conflict) for conflict in plan.conflicts],
        "space": [
            {
                "name": check.name,
                "needed_bytes": check.needed.size,
                "needed_inodes": check.needed.files,
                "enough": check.problem is None,
            }
            for check in plan.space
        ],
        "findings": [{"name": f.name, "text": f.text} for f in plan.findings],
    }


def _deployment(deployment: Deployment, sysroot: Sysroot) -> dict[str, Json]:
    return {
        "stateroot": deployment.stateroot,
        "checksum": deployment.checksum,
        "serial": deployment.serial,
        "index": deployment.index,
        "refspec": deployment.refspec,
        "version": sysroot.version_of(deployment),
    }
