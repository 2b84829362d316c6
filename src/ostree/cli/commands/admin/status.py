"""``ostree admin status``: the deployments of a system."""

from __future__ import annotations

from ostree.cli.options import flag
from ostree.cli.status_text import describe_default, format_status, format_status_json
from ostree.cli.sysroot import open_sysroot
from ostree.errors import FormatError, OSTreeError, SysrootError
from ostree.formats.refspec import parse_refspec
from ostree.sysroot.status import read_status
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.status import DeploymentStatus
    from ostree.sysroot.sysroot import Sysroot

USAGE = ""
OPTIONS = (
    flag("verify", "Print the commit verification status", short="V"),
    flag("json", "Output JSON", short="J"),
    flag("skip-signatures", "Skip signatures in output", short="S"),
    flag(
        "is-default",
        'Output "default" if booted into the default deployment, otherwise "not-default"',
        short="D",
    ),
)


def run(ctx: Context, args: Arguments) -> None:
    """List them, the one to be booted next first."""
    with open_sysroot(ctx, args) as sysroot:
        if args.flag("json"):
            ctx.stdout.write(format_status_json(read_status(sysroot, need_commits=True)))
        elif args.flag("is-default"):
            ctx.stdout.line(describe_default(sysroot))
        else:
            _print(ctx, args, sysroot)


def _print(ctx: Context, args: Arguments, sysroot: Sysroot) -> None:
    """Deployment by deployment, as what a signature is worth may be the end of it."""
    statuses = read_status(sysroot)
    if not statuses:
        ctx.stdout.write(format_status(statuses))
    for index, status in enumerate(statuses):
        ctx.stdout.write(format_status([status], colour=ctx.stdout.is_terminal))
        if args.flag("verify"):
            ctx.stdout.line(_verification(sysroot, status.deployment))
        elif not args.flag("skip-signatures"):
            try:
                ctx.stdout.write(_signatures(sysroot, status.deployment))
            except OSTreeError as error:
                error.add_prefix(f"Deployment {index}")
                raise
    ctx.stdout.write(_failures(sysroot, statuses))


def _failures(sysroot: Sysroot, statuses: list[DeploymentStatus]) -> str:
    """What did not start, which no upgrade deploys again; of most systems nothing."""
    from ostree.sysroot.boot_failures import failed_commits

    stateroots = dict.fromkeys(status.deployment.stateroot for status in statuses)
    return "".join(
        f"Failed to start: {stateroot} {commit}\n"
        for stateroot in stateroots
        for commit in failed_commits(sysroot.root_fd, stateroot)
    )


def _signatures(sysroot: Sysroot, deployment: Deployment) -> str:
    """What signatures the commit has, if its remote demands any."""
    remote = _remote(deployment)
    if remote is None:
        return ""
    from ostree.transfer.attestation import describe_for_remote

    if not sysroot.repo.has_object(deployment.checksum, ObjectType.COMMIT):
        return ""
    return "".join(describe_for_remote(sysroot.repo, deployment.checksum, remote, "    GPG: "))


def _remote(deployment: Deployment) -> str | None:
    """The remote that is followed; the list has to be readable if that is written badly."""
    try:
        return parse_refspec(deployment.refspec)[0] if deployment.refspec else None
    except FormatError:
        return None


def _verification(sysroot: Sysroot, deployment: Deployment) -> str:
    """What speaks for the commit; that nothing does is an error."""
    from ostree.transfer.attestation import verify_for_remote

    if deployment.origin is None:
        raise SysrootError("Cannot verify deployment with no origin")
    if not deployment.refspec:
        raise SysrootError("No origin/refspec, cannot verify")
    remote, _ = parse_refspec(deployment.refspec)
    if remote is None:
        raise SysrootError("Cannot verify deployment without remote")
    return verify_for_remote(sysroot.repo, deployment.checksum, remote)
