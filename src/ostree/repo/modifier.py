"""What a commit changes about the files it takes (repository format §6.2)."""

from __future__ import annotations

import stat

from ostree.types import FileHeader, RepoMode, Xattrs


class Modifier:
    """Changes of owner, mode and attributes, applied to every file and directory.

    Attributes:
        owner_uid: The owner to set; None keeps the file's own.
        owner_gid: The group to set; None keeps the file's own.
        canonical_permissions: Owner 0:0 and permissions masked with 0755.
        ro_executables: Take write permission from executable files.
        no_xattrs: Leave extended attributes out.
    """

    __slots__ = (
        "canonical_permissions",
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
    ) -> None:
        self.owner_uid = owner_uid
        self.owner_gid = owner_gid
        self.canonical_permissions = canonical_permissions
        self.ro_executables = ro_executables
        # For directory trees the canonical form has no attributes.
        self.no_xattrs = no_xattrs or canonical_permissions

    def for_mode(self, mode: RepoMode) -> Modifier:
        """The modifier as a repository needs it: bare-user-only always takes the canonical form."""
        if mode is not RepoMode.BARE_USER_ONLY or self.canonical_permissions:
            return self
        return Modifier(
            owner_uid=self.owner_uid,
            owner_gid=self.owner_gid,
            canonical_permissions=True,
            ro_executables=self.ro_executables,
            no_xattrs=True,
        )

    def apply(self, uid: int, gid: int, mode: int) -> tuple[int, int, int]:
        """Owner, group and mode (with type bits) as they are committed."""
        if self.owner_uid is not None:
            uid = self.owner_uid
        if self.owner_gid is not None:
            gid = self.owner_gid
        if self.ro_executables and stat.S_ISREG(mode) and mode & 0o111:
            mode &= ~0o222
        if self.canonical_permissions:
            uid = gid = 0
            if not stat.S_ISLNK(mode):
                mode &= ~0o7777 | 0o755
        return uid, gid, mode

    def header(self, uid: int, gid: int, mode: int, target: str, xattrs: Xattrs) -> FileHeader:
        """The header of a file as it is committed."""
        uid, gid, mode = self.apply(uid, gid, mode)
        return FileHeader(uid, gid, mode, target, () if self.no_xattrs else xattrs)
