"""``ostree admin deploy``: deploy a commit that is here already."""

from __future__ import annotations

from ostree.cli.linting import LINT, wants_lint
from ostree.cli.options import JSON, OptionError, flag, path, paths, text, texts
from ostree.cli.sysroot import open_sysroot
from ostree.errors import NotFoundError, SpaceError, UsageError
from ostree.formats.keyfile import KeyFile
from ostree.sysroot.deployment_list import Retention
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.sysroot.deploying import DeployOptions
    from ostree.sysroot.sysroot import Sysroot

USAGE = "REFSPEC"
OPTIONS = (
    text("os", "OSNAME", "Use a different operating system root than the current one"),
    text("stateroot", "STATEROOT", "Use a different operating system root than the current one"),
    path("origin-file", "FILENAME", "Specify origin file"),
    flag("no-prune", "Don't prune the repo when done"),
    flag(
        "no-merge",
        "Do not apply configuration (/etc and kernel arguments) from booted deployment",
    ),
    flag("retain", "Do not delete previous deployments"),
    flag("stage", "Complete deployment at OS shutdown"),
    flag("lock-finalization", "Prevent automatic deployment finalization on shutdown"),
    flag("retain-pending", "Do not delete pending deployments"),
    flag("retain-rollback", "Do not delete rollback deployments"),
    flag("not-as-default", "Append rather than prepend new deployment"),
    flag("karg-proc-cmdline", "Import current /proc/cmdline"),
    texts(
        "karg",
        "NAME=VALUE",
        "Set kernel argument, like root=/dev/sda1; this overrides any earlier argument with the "
        "same name",
    ),
    texts(
        "karg-append",
        "NAME=VALUE",
        "Append kernel argument; useful with e.g. console= that can be used multiple times",
    ),
    flag("karg-none", "Do not import kernel arguments"),
    texts("karg-delete", "NAME=VALUE", "Delete kernel argument if exists"),
    paths("overlay-initrd", "FILE", "Overlay initramfs file"),
    flag("dry-run", "Only print what would be done"),
    JSON,
    LINT,
)


def run(ctx: Context, args: Arguments) -> None:
    """Deploy it, to be booted next unless the options say otherwise."""
    with open_sysroot(ctx, args) as sysroot:
        if not args.words:
            raise UsageError("REF/REV must be specified")
        stateroot = args.text("os") if args.text("stateroot") is None else args.text("stateroot")
        options: DeployOptions = {
            "stateroot": stateroot,
            "origin": _origin(args),
            "kernel_arguments": KernelArgumentOptions(
                none=args.flag("karg-none"),
                running=args.flag("karg-proc-cmdline"),
                replace=args.texts("karg"),
                append=args.texts("karg-append"),
                delete=args.texts("karg-delete"),
            ),
            "stage": args.flag("stage"),
            "lock_finalization": args.flag("lock-finalization"),
            "overlay_initrds": args.texts("overlay-initrd"),
            "merge": not args.flag("no-merge"),
            "prune": not args.flag("no-prune"),
            "lint": wants_lint(args),
            "retention": Retention(
                everything=args.flag("retain"),
                pending=args.flag("retain-pending"),
                rollback=args.flag("retain-rollback"),
                not_as_default=args.flag("not-as-default"),
            ),
        }
        if args.flag("dry-run"):
            _print_plan(ctx, args, sysroot, options)
        elif args.flag("json"):
            raise OptionError("--json requires --dry-run")
        else:
            sysroot.deploy(args.words[0], **options)


def _print_plan(ctx: Context, args: Arguments, sysroot: Sysroot, options: DeployOptions) -> None:
    """Tell what would be done; that there is no room for it is an error afterwards."""
    from ostree.cli.deploy_plan_text import deploy_plan_document, format_deploy_plan
    from ostree.cli.json_output import print_json

    plan = sysroot.plan_deploy(args.words[0], **options)
    if args.flag("json"):
        print_json(ctx, deploy_plan_document(plan, sysroot))
    else:
        ctx.stdout.write(format_deploy_plan(plan))
    for check in plan.space:
        if check.problem is not None:
            raise SpaceError(check.problem)


def _origin(args: Arguments) -> KeyFile | None:
    name = args.text("origin-file")
    if name is None:
        return None
    try:
        with open(name, "rb") as file:
            data = file.read()
    except OSError as error:
        raise NotFoundError(error.strerror or str(error), hint=f"--origin-file={name}") from error
    return KeyFile.parse(data)
