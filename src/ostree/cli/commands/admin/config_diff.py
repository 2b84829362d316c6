"""``ostree admin config-diff``: what was changed in ``/etc``."""

from __future__ import annotations

from ostree.cli.json_output import JSON, print_json
from ostree.cli.options import flag, text
from ostree.cli.sysroot import open_sysroot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.json_output import Field
    from ostree.cli.options import Arguments
    from ostree.sysroot.sysroot import Sysroot

USAGE = ""
OPTIONS = (
    text("os", "OSNAME", "Use a different operating system root than the current one"),
    flag("conflicts", "List what the vendor changed as well, up to or since another version"),
    JSON,
)

_LETTERS = {"modified": "M", "removed": "D", "added": "A"}


def run(ctx: Context, args: Arguments) -> None:
    """List modified, removed and added files, in this order; or those with changes on both sides."""
    with open_sysroot(ctx, args) as sysroot:
        sysroot.require_privileges()
        if args.flag("json"):
            _print_json(ctx, args, sysroot)
        elif args.flag("conflicts"):
            for conflict in sysroot.find_config_conflicts(args.text("os")).conflicts:
                letters = _LETTERS[conflict.local] + _LETTERS[conflict.vendor]
                ctx.stdout.line(f"{letters}   {conflict.path}")
        else:
            for change, path in _changes(args, sysroot):
                ctx.stdout.line(f"{_LETTERS[change]}    {path}")


def _changes(args: Arguments, sysroot: Sysroot) -> list[tuple[str, str]]:
    """What was done to a path, and the path."""
    changes = sysroot.diff_config(args.text("os"))
    return [
        (change, path)
        for change, paths in (
            ("modified", changes.modified),
            ("removed", changes.removed),
            ("added", changes.added),
        )
        for path in paths
    ]


def _print_json(ctx: Context, args: Arguments, sysroot: Sysroot) -> None:
    from ostree.cli.conflict_json import conflict_json
    from ostree.cli.deployment_json import deployment_json
    from ostree.cli.json_output import text_fields

    document: dict[str, Field] = {
        "changes": [
            {"change": change, **text_fields("path", path)}
            for change, path in _changes(args, sysroot)
        ]
    }
    if args.flag("conflicts"):
        found = sysroot.find_config_conflicts(args.text("os"))
        document["deployment"] = deployment_json(sysroot, found.deployment)
        for key, version in (("old", found.old), ("new", found.new)):
            document[key] = None if version is None else deployment_json(sysroot, version)
        document["conflicts"] = [conflict_json(conflict) for conflict in found.conflicts]
    print_json(ctx, document)
