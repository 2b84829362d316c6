"""What a commit changes about the files it takes (repository format §6.2)."""

from __future__ import annotations

import stat

from ostree.errors import FormatError, NotFoundError
from ostree.types import DirMeta, FileHeader, RepoMode, Xattrs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    #: (path, owner, group, mode with type bits) to (owner, group, mode), or None to leave it out.
    Filter = Callable[[str, int, int, int], "tuple[int, int, int] | None"]
    #: (path, mode with type bits) to the value of ``security.selinux``, or None for no label.
    Label = Callable[[str, int], "bytes | None"]

_SELINUX = b"security.selinux"


class Modifier:
    """Changes of owner, mode and attributes, applied to every file and directory.

    Paths are absolute within the tree: ``/``, ``/bin``, ``/bin/sh``.

    Attributes:
        owner_uid: The owner to set; None keeps the file's own.
        owner_gid: The group to set; None keeps the file's own.
        canonical_permissions: Owner 0:0 and permissions masked with 0755.
        ro_executables: Take write permission from executable files.
        no_xattrs: Leave extended attributes out, wherever they come from.
        drops_xattrs: The same for directories and commits: the canonical form of a tar archive's
            entry keeps its attributes, that of others does not.
        by_path: Whether what is done depends on the path; if not, :meth:`apply` does it all.
    """

    __slots__ = (
        "_add",
        "_filter",
        "_label",
        "_replace",
        "_skip",
        "by_path",
        "canonical_permissions",
        "drops_xattrs",
        "no_xattrs",
        "owner_gid",
        "owner_uid",
        "ro_executables",
    )

    def __init__(
        self,
        *,
        owner_uid: int | None = None,
        owner_gid: int | None = None,
        canonical_permissions: bool = False,
        ro_executables: bool = False,
        no_xattrs: bool = False,
        add_modes: Mapping[str, int] | None = None,
        replace_modes: Mapping[str, int] | None = None,
        skip: Iterable[str] | None = None,
        filter: Filter | None = None,
        label: Label | None = None,
    ) -> None:
        """Describe the changes, in the order in which they are made.

        Args:
            owner_uid: The owner to set; None keeps the file's own.
            owner_gid: The group to set; None keeps the file's own.
            ro_executables: Take write permission from executable files.
            add_modes: Bits to add to the mode, by path; each counts once.
            replace_modes: Permission bits to have instead, by path.
            skip: Paths to leave out, directories with all that is below them; each counts once.
            filter: Called for what is left, with path, owner, group and mode (with type bits); gives
                the three as they are to be committed, or None to leave the path out.
            canonical_permissions: Owner 0:0 and permissions masked with 0755; no attributes, except
                those in archives.
            no_xattrs: Leave extended attributes out.
            label: Gives the value of ``security.selinux`` for a path and mode, None for no label.
        """
        self.owner_uid = owner_uid
        self.owner_gid = owner_gid
        self.canonical_permissions = canonical_permissions
        self.ro_executables = ro_executables
        self.no_xattrs = no_xattrs
        self.drops_xattrs = no_xattrs or canonical_permissions
        self._add = dict(add_modes or {})
        self._replace = dict(replace_modes or {})
        self._skip = set(skip or ())
        self._filter = filter
        self._label = label
        rules = (add_modes, replace_modes, skip, filter, label)
        self.by_path = any(rule is not None for rule in rules)

    def for_repository(self, mode: RepoMode, *, disable_xattrs: bool = False) -> Modifier:
        """The modifier as a repository needs it.

        Bare-user-only always takes the canonical form; ``core.disable-xattrs`` counts for the
        attributes of directories and commits.  Both share the paths that are still to be found.
        """
        canonical = mode is RepoMode.BARE_USER_ONLY
        if not canonical and (self.drops_xattrs or not disable_xattrs):
            return self
        changed = self._copy()
        changed.drops_xattrs = True
        if canonical:
            changed.canonical_permissions = True
            changed.no_xattrs = True
        return changed

    def _copy(self) -> Self:
        """Another one, with the same lists of paths."""
        other = type(self).__new__(type(self))
        for name in Modifier.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    # what is done -----------------------------------------------------------------------------

    def apply(self, uid: int, gid: int, mode: int) -> tuple[int, int, int]:
        """Owner, group and mode (with type bits) as they are committed, where no path matters."""
        if self.owner_uid is not None:
            uid = self.owner_uid
        if self.owner_gid is not None:
            gid = self.owner_gid
        if self.ro_executables and stat.S_ISREG(mode) and mode & 0o111:
            mode &= ~0o222
        if self.canonical_permissions:
            return self._canonical(mode)
        return uid, gid, mode

    def apply_at(self, path: str, uid: int, gid: int, mode: int) -> tuple[int, int, int] | None:
        """The same at a path; None if it is left out, with all that is below it.

        Raises:
            FormatError: if the mode becomes none that a file or directory can have.
        """
        kind = stat.S_IFMT(mode)
        if self.owner_uid is not None:
            uid = self.owner_uid
        if self.owner_gid is not None:
            gid = self.owner_gid
        if self.ro_executables and stat.S_ISREG(mode) and mode & 0o111:
            mode &= ~0o222
        if path in self._add:
            mode |= self._add.pop(path)
        elif path in self._replace:
            mode = kind | self._replace[path]
        if path in self._skip:
            self._skip.remove(path)
            return None
        if self._filter is not None:
            filtered = self._filter(path, uid, gid, mode)
            if filtered is None:
                return None
            uid, gid, mode = filtered
        if self.canonical_permissions:
            uid, gid, mode = self._canonical(mode)
        if mode & ~0o7777 != kind:
            # The reference stores such a mode where the repository does not notice (ADR 11).
            raise FormatError(f"Corrupted archive file; invalid mode {mode & 0xFFFFFFFF}")
        return uid, gid, mode

    @staticmethod
    def _canonical(mode: int) -> tuple[int, int, int]:
        return 0, 0, mode if stat.S_ISLNK(mode) else mode & (~0o7777 | 0o755)

    def header_at(
        self, path: str, uid: int, gid: int, mode: int, target: str, xattrs: Xattrs
    ) -> FileHeader | None:
        """The header of a file as it is committed; None if it is left out.

        ``xattrs`` are what is kept of the attributes (see ``drops_xattrs``); a label is added.
        """
        applied = self.apply_at(path, uid, gid, mode)
        if applied is None:
            return None
        uid, gid, mode = applied
        return FileHeader(uid, gid, mode, target, self.labels(path, mode, xattrs))

    def dirmeta_at(
        self, path: str, uid: int, gid: int, mode: int, xattrs: Xattrs
    ) -> DirMeta | None:
        """The same for a directory; None if it is left out with all that is below it."""
        applied = self.apply_at(path, uid, gid, mode)
        if applied is None:
            return None
        uid, gid, mode = applied
        return DirMeta(uid, gid, mode, self.labels(path, mode, xattrs))

    def walked_dirmeta_at(
        self, path: str, uid: int, gid: int, mode: int, xattrs: Xattrs
    ) -> DirMeta | None:
        """The same for a directory that a walk comes to, through a directory or a commit.

        Upstream asks twice there, first whether to go in: bits to add are used up by that, except
        those of the root, and change nothing.  Commits are to be the same, so it is kept (ADR 11).
        """
        if path != "/":
            self._add.pop(path, None)
        return self.dirmeta_at(path, uid, gid, mode, xattrs)

    def labels(self, path: str, mode: int, xattrs: Xattrs = ()) -> Xattrs:
        """Attributes with the security label of a path, if there is one for it."""
        if self._label is None:
            return xattrs
        value = self._label(path, mode)
        if value is None:
            return xattrs
        others = [pair for pair in xattrs if pair[0] != _SELINUX]
        return tuple(sorted([*others, (_SELINUX, value)]))

    @property
    def changes_xattrs(self) -> bool:
        """Whether it is the modifier, not the repository's configuration, that drops attributes."""
        return self.no_xattrs or self.canonical_permissions

    @property
    def is_neutral(self) -> bool:
        """Whether it changes nothing at all."""
        return not (
            self.by_path
            or self.ro_executables
            or self.changes_xattrs
            or self.owner_uid is not None
            or self.owner_gid is not None
        )

    def header(self, uid: int, gid: int, mode: int, target: str, xattrs: Xattrs) -> FileHeader:
        """The header of a file as it is committed, where no path matters."""
        uid, gid, mode = self.apply(uid, gid, mode)
        return FileHeader(uid, gid, mode, target, () if self.drops_xattrs else xattrs)

    # what is left over ------------------------------------------------------------------------

    @property
    def unmatched_modes(self) -> list[str]:
        """Paths of ``add_modes`` that were not there, sorted."""
        return sorted(self._add)

    @property
    def unmatched_skips(self) -> list[str]:
        """Paths of ``skip`` that were not there, sorted."""
        return sorted(self._skip)

    def require_matched(self) -> None:
        """Refuse leftovers, which are mistakes in the lists more often than not.

        Raises:
            NotFoundError: ``Unmatched statoverride paths``, ``Unmatched skip-list paths``.
        """
        if self._add:
            raise NotFoundError("Unmatched statoverride paths")
        if self._skip:
            raise NotFoundError("Unmatched skip-list paths")
