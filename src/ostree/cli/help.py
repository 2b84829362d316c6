"""Help texts in upstream's layout."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.cli.command import Entry
    from ostree.cli.options import Option

#: Blanks after the longest option.
_GAP = 5
#: Blanks before an option or a command.
_INDENT = "  "


def format_help(
    usage: str,
    summary: str,
    options: Sequence[Option],
    *,
    title: str = "",
    entries: Sequence[Entry] = (),
    entry_width: int = 0,
) -> str:
    """The help text of a command or of a group of commands.

    Args:
        usage: The line under ``Usage:``.
        summary: What the command does; empty leaves it out.
        options: All of them; the first one is ``--help`` and has its own section.
        title: What precedes ``Commands:`` in the heading of a group.
        entries: The commands of a group.
        entry_width: To how many columns their names are padded.
    """
    lines = ["Usage:", _INDENT + usage, ""]
    if summary:
        lines += [summary, ""]
    if entries:
        lines.append(f"{title} Commands:")
        lines += [
            _INDENT + entry.name.ljust(entry_width) + entry.summary
            for entry in entries
            if not entry.hidden
        ]
        lines.append("")
    rows = [(_name(option), option.help) for option in options if not option.hidden]
    width = max(len(name) for name, _ in rows) + _GAP
    texts = [_INDENT + name.ljust(width) + help for name, help in rows]
    lines += ["Help Options:", texts[0], "", "Application Options:", *texts[1:], "", ""]
    return "\n".join(lines)


def _name(option: Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    argument = f"={option.argument}" if option.argument else ""
    return f"{short}--{option.long}{argument}"
