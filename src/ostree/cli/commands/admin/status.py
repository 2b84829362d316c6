"""``ostree admin status``: the deployments of a system."""

from __future__ import annotations

from ostree.cli.options import flag
from ostree.cli.sysroot import open_sysroot
from ostree.errors import ObjectNotFoundError, SysrootError
from ostree.sysroot.deployment import UnlockedState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.formats.commit import Commit
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.sysroot import Sysroot

    JsonValue = str | int | bool | None

USAGE = ""
OPTIONS = (
    flag("json", "Output JSON", short="J"),
    flag("skip-signatures", "Skip signatures in output", short="S"),
    flag(
        "is-default",
        'Output "default" if booted into the default deployment, otherwise "not-default"',
        short="D",
    ),
)

_JSON_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def run(ctx: Context, args: Arguments) -> None:
    """List them, the one to be booted next first."""
    with open_sysroot(ctx, args) as sysroot:
        deployments = sysroot.deployments
        if args.flag("json"):
            _print_json(ctx, sysroot)
        elif args.flag("is-default"):
            if not deployments:
                raise SysrootError("Not in a booted OSTree system")
            is_default = deployments[0] is sysroot.booted
            ctx.stdout.line("default" if is_default else "not-default")
        elif not deployments:
            ctx.stdout.line("No deployments.")
        else:
            roles = _Roles(sysroot)
            for deployment in deployments:
                _print(ctx, sysroot, roles, deployment)


class _Roles:
    """Which deployments are what on the running system."""

    def __init__(self, sysroot: Sysroot) -> None:
        self.booted = sysroot.booted
        is_booted = self.booted is not None
        self.pending = sysroot.pending() if is_booted else None
        self.rollback = sysroot.rollback() if is_booted else None


def _print(ctx: Context, sysroot: Sysroot, roles: _Roles, deployment: Deployment) -> None:
    mark = "*" if deployment is roles.booted else " "
    role = ""
    if deployment.staged:
        role = " (staged)"
    elif deployment is roles.pending:
        role = " (pending)"
    elif deployment is roles.rollback:
        role = " (rollback)"
    out = ctx.stdout
    out.line(f"{mark} {deployment.stateroot} {deployment.name}{role}")
    commit = _find_commit(sysroot, deployment)
    version = None if commit is None else commit.metadata_value("version", "s")
    if version is not None:
        out.line(f"    Version: {version}")
    if deployment.unlocked is not UnlockedState.NONE:
        unlocked = f"Unlocked: {deployment.unlocked.value}"
        out.line(
            f"    \033[31m\033[1m{unlocked}\033[0m\033[22m"
            if out.is_terminal
            else f"    {unlocked}"
        )
    if deployment.pinned:
        out.line("    Pinned: yes")
    if deployment.origin is None:
        out.line("    origin: none")
        return
    if deployment.refspec is None:
        out.line("    origin: <unknown origin type>")
    else:
        out.line(f"    origin refspec: {deployment.refspec}")
    title = None if commit is None else commit.metadata_value("ostree.source-title", "s")
    if title is not None:
        out.line(f"    `- {title}")


def _find_commit(sysroot: Sysroot, deployment: Deployment) -> Commit | None:
    try:
        return sysroot.repo.load_commit(deployment.checksum)
    except ObjectNotFoundError:
        return None


# JSON, in exactly the layout of upstream's own writer --------------------------------------------


def _print_json(ctx: Context, sysroot: Sysroot) -> None:
    roles = _Roles(sysroot)
    objects = [_json_object(sysroot, roles, d) for d in sysroot.deployments]
    ctx.stdout.write('{\n   "deployments": [\n')
    ctx.stdout.write(f"      {','.join(objects)}\n" if objects else "\n")
    ctx.stdout.write("   ]\n}\n")


def _json_object(sysroot: Sysroot, roles: _Roles, deployment: Deployment) -> str:
    commit = sysroot.repo.load_commit(deployment.checksum)
    values: list[tuple[str, JsonValue]] = [
        ("checksum", deployment.checksum),
        ("stateroot", deployment.stateroot),
        ("refspec", deployment.refspec or None),
        ("serial", deployment.serial),
        ("index", deployment.index),
        ("booted", deployment is roles.booted),
        ("pending", deployment is roles.pending),
        ("rollback", deployment is roles.rollback),
        ("finalization-locked", False),
        ("soft-reboot-target", False),
        ("staged", deployment.staged),
        ("pinned", deployment.pinned),
        ("unlocked", deployment.unlocked.value),
    ]
    for name, key in (("version", "version"), ("source-title", "ostree.source-title")):
        value = commit.metadata_value(key, "s")
        if value is not None:
            values.append((name, value or None))
    members = [f'         "{name}": {_json_value(value)}' for name, value in values]
    return "{\n" + ",\n".join(members) + "\n      }"


def _json_value(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return f'"{"".join(map(_json_character, value))}"'


def _json_character(character: str) -> str:
    if character in _JSON_ESCAPES:
        return _JSON_ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " else character
