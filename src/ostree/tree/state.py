"""What a system keeps in ``/var``, made when it starts and not part of the tree.

A deployment's ``/var`` is the stateroot's, which is empty at first.  What a tree has there becomes
lines of ``tmpfiles.d``: directories, links and empty files as such, files with content as copies
from ``/usr/share/factory``.  The lines are written before anything is taken away, and lines of an
earlier run are kept, so that an interrupted run is completed by the next.

Without systemd nobody reads such lines.  Then ``/var`` stays in the tree: the first deployment
of a stateroot copies it (deployments §7.4).
"""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.tmpfiles import TmpfilesLine, format_line, made_paths
from ostree.tree.facts import Kind
from ostree.tree.moving import relocate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.tree.draft import Draft
    from ostree.tree.facts import Entry

SNIPPET = "usr/lib/tmpfiles.d/ostree-tree.conf"
FACTORY = "usr/share/factory"
_HEADER = "# Made by \u201costree tree prepare\u201d: what /var has to hold.\n"
#: Attributes that are made anew by whoever makes the file.
_LABELS = frozenset({"security.selinux", "security.ima", "security.evm"})
#: Databases that tell what the tree consists of belong to the tree, and not to the machine.
_DATABASES = (
    ("var/lib/dpkg", "usr/share/dpkg/database"),
    ("var/lib/rpm", "usr/share/rpm"),
    ("var/lib/opkg", "usr/lib/opkg"),
)


class StateWriter:
    """Gathers what ``/var`` has to hold, and at the end sees to it.

    Args:
        draft: The tree.
        snippets: Whether in a ``tmpfiles.d`` snippet; else in ``/var`` itself.
        factory: Whether files with content may become copies; else they are problems.
        owner: Whose everything is, as (uid, gid); whose it is in the tree if None.
    """

    def __init__(
        self,
        draft: Draft,
        *,
        snippets: bool,
        factory: bool,
        owner: tuple[int | None, int | None],
    ) -> None:
        self._draft = draft
        self.snippets = snippets
        self._factory = factory
        self._uid, self._gid = owner
        self._lines: dict[str, TmpfilesLine] = {}
        self._defaults: dict[str, TmpfilesLine] = {}

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Have a directory there, of root."""
        if self.snippets:
            self._add(TmpfilesLine("d", f"/{path}", mode, 0, 0))
        elif path.startswith("var/"):
            self._draft.make_directory(path, mode)
        # Else it is in /run: whoever mounts there makes it.

    def link(self, path: str, target: str) -> None:
        """Have a link there."""
        if self.snippets:
            self._add(TmpfilesLine("L", f"/{path}", argument=target))
        elif self._draft.make_directory(path.rpartition("/")[0]):
            self._draft.link(path, target)

    def _add(self, line: TmpfilesLine) -> None:
        self._defaults.setdefault(line.path, line)

    def move_databases(self) -> None:
        """Databases of packages go to /usr, with links where they are looked for."""
        for path, place in _DATABASES:
            if self._draft.is_directory(path) and self._draft.names(path):
                relocate(self._draft, path, place)
            if self._draft.is_directory(place) and self._draft.node(path) is None:
                parent = path.rpartition("/")[0]
                self.directory(parent)
                self.link(path, "../" * (parent.count("/") + 1) + place)

    def finish(self) -> None:
        """Write the lines and empty ``/var``."""
        if not self.snippets:
            return
        known = self._known_paths()
        for path, entry in self._draft.walk("var"):
            self._describe(path, entry, known)
        self._write()
        for path, entry in list(self._draft.walk("var")):
            if entry.kind is Kind.FILE and entry.size:
                self._move_to_factory(path)
        for name in self._draft.names("var"):
            self._draft.remove(f"var/{name}")

    def _known_paths(self) -> set[str]:
        """What other snippets of the tree make."""
        return {
            path
            for name, text in self._draft.facts.texts.items()
            if name.endswith(".conf") and name != SNIPPET
            for path in made_paths(text.decode("utf-8", "surrogateescape"))
        }

    def _describe(self, path: str, entry: Entry, known: set[str]) -> None:
        """Add the line for one entry of the tree's ``/var``."""
        here = f"/{path}"
        foreign = set(entry.xattrs) - _LABELS
        if foreign:
            self._draft.problem(f"{here}: the attribute {min(foreign)} cannot be kept")
        uid = entry.uid if self._uid is None else self._uid
        gid = entry.gid if self._gid is None else self._gid
        match entry.kind:
            case Kind.DIRECTORY if here not in known:
                self._lines[here] = TmpfilesLine("d", here, entry.mode, uid, gid)
            case Kind.LINK if here not in known:
                self._lines[here] = TmpfilesLine("L", here, argument=entry.target)
            case Kind.FIFO if here not in known:
                self._lines[here] = TmpfilesLine("p", here, entry.mode, uid, gid)
            case Kind.FILE if entry.size:
                if not self._factory:
                    self._draft.problem(f"{here} has content, which a tree cannot have in /var")
                self._lines[here] = TmpfilesLine("C", here, entry.mode, uid, gid)
            case Kind.FILE if here not in known:
                self._lines[here] = TmpfilesLine("f", here, entry.mode, uid, gid)
            case Kind.SOCKET | Kind.CHARACTER_DEVICE | Kind.BLOCK_DEVICE:
                self._draft.problem(f"{here} is a socket or a device")

    def _move_to_factory(self, path: str) -> None:
        target = f"{FACTORY}/{path}"
        old = self._draft.entry(target)
        if old is not None and old.kind is Kind.DIRECTORY:
            self._draft.problem(f"/{target} is a directory")
        elif self._draft.make_directory(target.rpartition("/")[0]):
            # Of an earlier run: the file of this one is newer.
            self._draft.move(path, target)

    def _write(self) -> None:
        old = self._draft.facts.texts.get(SNIPPET, b"").decode("utf-8", "surrogateescape")
        lines = {path: format_line(line) for path, line in self._defaults.items()}
        lines.update(_lines_by_path(old))
        for path, line in self._lines.items():
            try:
                lines[path] = format_line(line)
            except FormatError as error:
                self._draft.problem(f"{path!r}: {error}")
        text = _HEADER + "".join(f"{lines[path]}\n" for path in sorted(lines))
        if lines and text != old:
            self._draft.write(SNIPPET, text.encode("utf-8", "surrogateescape"))


def _lines_by_path(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        for path in made_paths(line):
            yield path, line
