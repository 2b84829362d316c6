"""``ostree tree prepare``: arrange a root file system for deployments."""

from __future__ import annotations

from ostree.cli.json_output import JSON, print_json, text_fields
from ostree.cli.options import OptionError, flag, integer, path, text, texts
from ostree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.json_output import Json
    from ostree.cli.options import Arguments
    from ostree.events import Event
    from ostree.tree.planning import Plan, PrepareOptions
    from ostree.tree.step import Step

USAGE = "ROOTFS"
OPTIONS = (
    flag("dry-run", "Change nothing; print what would be done"),
    text(
        "var",
        "HOW",
        "What becomes of /var: tmpfiles (made at boot by systemd-tmpfiles), template (copied by "
        "the first deployment) or auto (default: tmpfiles if the tree has systemd)",
    ),
    text(
        "var-files",
        "HOW",
        "What becomes of files with content in /var: factory (default: copied at boot from "
        "/usr/share/factory) or refuse",
    ),
    flag("usr-local-state", "Make /usr/local a link into /var, for software of the machine"),
    flag("compile-python", "Compile Python modules so that deployments can use the result"),
    text("kernel-version", "RELEASE", "Which kernel to boot, if there are several"),
    path(
        "program",
        "PATH",
        "The ostree command in the tree, for its units (default: /usr/bin/ostree)",
    ),
    texts("keep", "NAME", "Leave an entry of the root directory as it is"),
    integer("owner-uid", "UID", "Owner in tmpfiles.d instead of those of the files"),
    integer("owner-gid", "GID", "Group in tmpfiles.d instead of those of the files"),
    JSON,
)


def run(ctx: Context, args: Arguments) -> None:
    """Prepare it, and tell what was done."""
    from ostree.events import Message
    from ostree.tree.preparing import prepare

    if not args.words:
        raise UsageError("ROOTFS must be specified")
    as_json, dry_run = args.flag("json"), args.flag("dry-run")

    def listen(event: Event) -> None:
        if isinstance(event, Message) and not as_json:
            ctx.stdout.line(event.text)
            ctx.stdout.flush()

    plan = prepare(
        args.words[0],
        _options(args),
        compile_python=args.flag("compile-python"),
        dry_run=dry_run,
        on_event=listen,
    )
    if as_json:
        print_json(ctx, _document(args.words[0], plan, dry_run=dry_run))
    else:
        _print(ctx, plan, dry_run=dry_run)


def _options(args: Arguments) -> PrepareOptions:
    from ostree.sysroot.system_files import system_files
    from ostree.tree.planning import PrepareOptions, VarFiles, VarPolicy
    from ostree.tree.units import ShippedFile

    program = args.text("program") or PrepareOptions().program
    return PrepareOptions(
        var=VarPolicy(_choice(args, "var", [policy.value for policy in VarPolicy])),
        var_files=VarFiles(_choice(args, "var-files", [policy.value for policy in VarFiles])),
        local_state=args.flag("usr-local-state"),
        keep=frozenset(name.strip("/") for name in args.texts("keep")),
        kernel_version=args.text("kernel-version"),
        owner=(_number(args, "owner-uid"), _number(args, "owner-gid")),
        units=[ShippedFile(f.path, f.data, f.mode) for f in system_files(program)],
        program=program,
    )


def _choice(args: Arguments, name: str, values: list[str]) -> str:
    value = args.text(name)
    if value is None:
        return values[0]
    if value not in values:
        raise OptionError(f"Invalid --{name} '{value}': it is one of {', '.join(values)}")
    return value


def _number(args: Arguments, name: str) -> int | None:
    value = args.integer(name, -1)
    if args.has(name) and value < 0:
        raise OptionError(f"Invalid --{name} '{value}'")
    return value if args.has(name) else None


def _print(ctx: Context, plan: Plan, *, dry_run: bool) -> None:
    if dry_run:
        for step in plan.steps:
            ctx.stdout.line(step.describe())
    for note in plan.notes:
        ctx.stdout.line(f"note: {note}")
    if not plan.steps:
        ctx.stdout.line("Nothing to do")


def _document(path: str, plan: Plan, *, dry_run: bool) -> dict[str, Json]:
    return {
        **text_fields("path", path),
        "dry_run": dry_run,
        "changed": bool(plan.steps) and not dry_run,
        "steps": [_step(step) for step in plan.steps],
        "notes": list(plan.notes),
    }


def _step(step: Step) -> dict[str, Json]:
    from ostree.tree.step import Action

    target = f"/{step.target}" if step.action is Action.MOVE else step.target
    fields = text_fields("target", target) if target else {"target": None}
    return {"action": step.action.value, **text_fields("path", "/" + step.path), **fields}
