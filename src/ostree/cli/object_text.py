"""Objects as text (repository format §7.7)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.date_text import format_utc
from ostree.types import ObjectType

#: GVariant types of metadata objects (repository format §2).
METADATA_TYPES = {
    ObjectType.COMMIT: "(a{sv}aya(say)sstayay)",
    ObjectType.DIRTREE: "(a(say)a(sayay))",
    ObjectType.DIRMETA: "(uuua(ayay))",
}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.commit import Commit
    from ostree.types import Checksum, FileHeader, Xattrs


def commit_text(commit: Commit) -> str:
    """A commit for people, without its first line: what it says and what it follows.

    Raises:
        FormatError: if its time cannot be shown.
    """
    lines = []
    if commit.parent is not None:
        lines.append(f"Parent:  {commit.parent}")
    lines.append(f"ContentChecksum:  {commit.content_checksum}")
    try:
        lines.append(f"Date:  {format_utc(commit.timestamp)}")
    except FormatError as error:
        error.add_prefix("Failed to read commit")
        raise
    version = commit.metadata_value("version", "s")
    if version is not None:
        lines.append(f"Version: {version}")
    if commit.subject:
        lines += ["", _indented(commit.subject)]
    else:
        lines.append("(no subject)")
    if commit.body:
        lines += ["", _indented(commit.body)]
    return "\n".join([*lines, "", ""])


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.removesuffix("\n").split("\n"))


def file_text(checksum: Checksum, header: FileHeader, size: int) -> str:
    """A file object: everything but its content."""
    lines = [f"Object: {checksum}", "Type: file"]
    if header.is_symlink:
        lines += ["File Type: symlink", f"Target: {header.target}"]
    else:
        lines += ["File Type: regular", f"Size: {size}"]
    lines += [
        f"Mode: 0{header.mode:o}",
        f"Uid: {header.uid}",
        f"Gid: {header.gid}",
        f"Extended Attributes: {xattrs_text(header.xattrs)}",
        "",
    ]
    return "\n".join(lines)


def xattrs_text(xattrs: Xattrs) -> str:
    """Extended attributes as a variant in braces."""
    from ostree.formats.gvariant.text import print_text

    pairs = [(name + b"\0", value) for name, value in xattrs]
    return f"{{ {print_text('a(ayay)', pairs)} }}"


def variant_text(type: str, data: bytes, *, swap: bool) -> str:
    """Serialised bytes in text form; ``swap`` shows big-endian numbers as what they mean."""
    from ostree.formats import gvariant
    from ostree.formats.gvariant.text import print_text

    value = gvariant.decode(type, data, strict=False)
    if swap:
        value = gvariant.byteswap(type, value)
    return print_text(type, value)
