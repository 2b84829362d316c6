"""``ostree config``: read and change the configuration of a repository."""

from __future__ import annotations

from ostree.cli.options import JSON, REPO, text
from ostree.cli.repository import open_repo
from ostree.errors import NotFoundError, OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.options import Arguments
    from ostree.repo.repository import Repo

USAGE = "(get KEY|set KEY VALUE|unset KEY)"
OPTIONS = (REPO, text("group", "", "Group name"), JSON)


def run(ctx: Context, args: Arguments) -> None:
    """Do what the first word says."""
    with open_repo(ctx, args) as repo:
        if not args.words:
            raise UsageError("OPERATION must be specified")
        operation, *words = args.words
        group = args.text("group")
        if operation == "get":
            group, key = _group_and_key(group, words)
            value: str | None = repo.config.keyfile.get_string(group, key)
        elif operation == "set":
            group, key, value = _set(repo, group, words)
        elif operation == "unset":
            group, key = _group_and_key(group, words)
            _unset(repo, group, key)
            value = None
        else:
            raise OSTreeError(f"Unknown operation {operation}")
        if args.flag("json"):
            from ostree.cli.json_output import print_json

            print_json(ctx, {"group": group, "key": key, "value": value})
        elif operation == "get" and value is not None:
            ctx.stdout.line(value)


def _set(repo: Repo, group: str | None, words: list[str]) -> tuple[str, str, str]:
    """Set a key; its group, itself and its value."""
    if len(words) < 2:
        raise OSTreeError(
            "KEY and VALUE must be specified"
            if group is None
            else "GROUP name, KEY and VALUE must be specified"
        )
    group, key = _group_and_key(group, [words[0], *words[2:]])
    keyfile = repo.config.keyfile.copy()
    keyfile.set_string(group, key, words[1])
    repo.save_config(keyfile)
    return group, key, words[1]


def _unset(repo: Repo, group: str, key: str) -> None:
    keyfile = repo.config.keyfile.copy()
    try:
        keyfile.remove_key(group, key)
    except NotFoundError:
        return
    repo.save_config(keyfile)


def _group_and_key(group: str | None, words: list[str]) -> tuple[str, str]:
    """The key to work on: ``KEY`` in ``--group``, or ``GROUP.KEY`` split at its first dot."""
    if not words:
        raise OSTreeError(
            "KEY must be specified" if group is None else "Group name and key must be specified"
        )
    if len(words) > 1:
        raise UsageError("Too many arguments given")
    if group is not None:
        return group, words[0]
    group, dot, key = words[0].partition(".")
    if not dot:
        raise OSTreeError('Key must be of the form "sectionname.keyname"')
    return group, key
