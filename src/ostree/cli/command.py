"""Commands and groups of commands: found by name in a table, imported when one is run."""

from __future__ import annotations

import sys

from ostree.cli.help import format_help
from ostree.cli.options import HELP, VERBOSE, VERSION, OptionError, flag, parse
from ostree.errors import OSTreeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.cli.context import Context
    from ostree.cli.options import Arguments, Option

    Run = Callable[[Context, Arguments], int | None]


class Entry:
    """A line in a table of commands.

    The module's name is the command's with underscores; it has

    * ``USAGE``: how help names the arguments,
    * ``OPTIONS``: a tuple of options,
    * ``run(ctx, args)``: does it, and returns the exit status if not 0,
    * optionally ``applies(ctx)``: whether there is anything to do; if not, the command succeeds
      without looking at its command line.

    A package has ``GROUP`` instead.
    """

    __slots__ = ("hidden", "name", "summary")

    def __init__(self, name: str, summary: str, *, hidden: bool = False) -> None:
        self.name = name
        self.summary = summary
        self.hidden = hidden


class MissingRepositoryError(UsageError):
    """No repository was named and there is none to fall back to."""


class Command:
    """One command.

    Args:
        name: With its group, as in ``remote add``.
        entry: Its line in the table.
        usage: How help names its arguments.
        options: Without the options that all commands have.
        run: What it does.
        before: What options of its group do; None as its result goes on to ``run``.
        applies: Whether there is anything to do.
    """

    def __init__(
        self,
        name: str,
        entry: Entry,
        usage: str,
        options: Sequence[Option],
        run: Run,
        before: Run | None = None,
        applies: Callable[[Context], bool] | None = None,
    ) -> None:
        self.name = name
        self.summary = entry.summary
        self.usage = usage
        self.options = with_standard_options(options)
        self._run = run
        self._before = before
        self._applies = applies

    def help(self) -> str:
        """The text of ``--help``."""
        usage = f"ostree {self.name} [OPTION…] {self.usage}".rstrip()
        return format_help(usage, self.summary, self.options)

    def run(self, ctx: Context, argv: Sequence[str]) -> int:
        """Read the command line and do what it says.

        Raises:
            OSTreeError: whatever goes wrong.
        """
        if self._applies is not None and not self._applies(ctx):
            return 0
        args = parse(self.options, argv)
        if args.flag("help"):
            ctx.stdout.write(self.help())
            return 0
        if args.flag("version"):
            return _print_version(ctx)
        try:
            if self._before is not None:
                status = self._before(ctx, args)
                if status is not None:
                    return status
            return self._run(ctx, args) or 0
        except UsageError as error:
            ctx.stdout.flush()
            ctx.stderr.write(self.help())
            if not isinstance(error, MissingRepositoryError):
                ctx.stderr.line()
            raise


class Group:
    """Commands under one word, or under none: the ``ostree`` command itself.

    Attributes:
        name: The word; empty for the command itself.
        package: Where the modules of the commands are.
        entries: The table.
        entry_width: To how many columns help pads names.
        options: What every command of the group takes, and the group without a command.
        before: What those options do; None as its result goes on to the command.
        passes_dashes: Whether ``--`` and what follows it go on to the command.  Upstream has no
            such group, but kernel arguments may begin with a dash.
    """

    def __init__(
        self,
        name: str,
        package: str,
        entries: Sequence[Entry],
        *,
        summary: str = "",
        usage: str = "[OPTION…] COMMAND",
        entry_width: int = 18,
        options: Sequence[Option] = (),
        before: Run | None = None,
        passes_dashes: bool = False,
    ) -> None:
        self.name = name
        self.package = package
        self.entries = entries
        self.summary = summary
        self.usage = f"ostree {name} {usage}" if name else f"ostree {usage}"
        self.entry_width = entry_width
        self._own_options = tuple(options)
        self.options = with_standard_options(options)
        self._before = before
        self._passes_dashes = passes_dashes

    def help(self) -> str:
        """The text of ``--help``."""
        return format_help(
            self.usage,
            self.summary,
            self.options,
            title=f'Builtin "{self.name}"' if self.name else "Builtin",
            entries=self.entries,
            entry_width=self.entry_width,
        )

    def split(self, argv: Sequence[str]) -> tuple[str | None, list[str]]:
        """The command's name, which is the first word without a dash, and everything else.

        A sub-command is searched no further than ``--``.  What follows that is thrown away, unless
        the group passes it on.
        """
        name = None
        rest = []
        words = iter(argv)
        for word in words:
            if self.name and word == "--":
                if self._passes_dashes:
                    rest += [word, *words]
                break
            if name is None and not word.startswith("-"):
                name = word
            else:
                rest.append(word)
        return name, rest

    def entry(self, name: str) -> Entry | None:
        """The line of a command in the table."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        return None

    def find(self, name: str) -> Command | Group | None:
        """The command or group of a name, imported."""
        entry = self.entry(name)
        if entry is None:
            return None
        module_name = f"{self.package}.{name.replace('-', '_')}"
        __import__(module_name)
        module = sys.modules[module_name]
        if hasattr(module, "GROUP"):
            group: Group = module.GROUP
            return group
        full_name = f"{self.name} {name}".lstrip()
        options = (*self._own_options, *module.OPTIONS)
        return Command(
            full_name,
            entry,
            module.USAGE,
            options,
            module.run,
            self._before,
            getattr(module, "applies", None),
        )

    def run(self, ctx: Context, argv: Sequence[str]) -> int:
        """Run the command that the words name.

        Raises:
            OSTreeError: whatever goes wrong.
        """
        name, rest = self.split(argv)
        if name is not None:
            command = self.find(name)
            if command is not None:
                return command.run(ctx, rest)
        try:
            return self._without_command(ctx, name, rest)
        except OSTreeError:
            ctx.stderr.write(self.help())
            raise

    def _without_command(self, ctx: Context, name: str | None, rest: Sequence[str]) -> int:
        args = parse(self.options, rest)
        if args.flag("help"):
            ctx.stdout.write(self.help())
            return 0
        if args.flag("version"):
            return _print_version(ctx)
        if name is None and self._before is not None:
            status = self._before(ctx, args)
            if status is not None:
                return status
        if not self.name:
            raise OptionError(
                "No command specified" if name is None else f"Unknown command '{name}'"
            )
        raise OptionError(
            f'No "{self.name}" subcommand specified'
            if name is None
            else f"Unknown \"{self.name}\" subcommand '{name}'"
        )


class PlainGroup(Group):
    """A group that has no options of its own, not even the usual ones, as upstream has one."""

    def help(self) -> str:
        """The text of ``--help``."""
        lines = ["Usage:", f"  ostree {self.name} [OPTION...] COMMAND", ""]
        lines.append(f'Builtin "{self.name}" Commands:')
        lines += [
            f"  {entry.name.ljust(self.entry_width)}{entry.summary}" for entry in self.entries
        ]
        return "\n".join([*lines, "", ""])

    def _without_command(self, ctx: Context, name: str | None, rest: Sequence[str]) -> int:
        if "--help" in rest or "-h" in rest:
            ctx.stdout.write(self.help())
            return 0
        if name is None:
            raise OptionError("No command specified")
        raise OptionError(f"Unknown \"{self.name}\" subcommand '{name}'")


def with_standard_options(options: Sequence[Option]) -> tuple[Option, ...]:
    """The options of a command with those around them that all commands have."""
    taken = any(option.short == VERBOSE.short for option in options)
    verbose = flag(VERBOSE.long, VERBOSE.help) if taken else VERBOSE
    return (HELP, *options, verbose, VERSION)


def _print_version(ctx: Context) -> int:
    from ostree.cli.version import version_text

    ctx.stdout.write(version_text())
    return 0
