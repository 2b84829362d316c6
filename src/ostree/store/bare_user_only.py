"""Mode ``bare-user-only``: permission bits and nothing else (repository format §3.5)."""

from __future__ import annotations

import os
import stat

from ostree.errors import CorruptionError
from ostree.formats.file_header import check_bare_user_only
from ostree.store.content import LoadedContent
from ostree.store.layout import loose_path
from ostree.store.plain import PlainStore, inode_content
from ostree.store.store import StoreProperties
from ostree.types import FileHeader, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.store.layout import ObjectDirectory
    from ostree.system.anonymous import AnonymousFile
    from ostree.types import Checksum


class BareUserOnlyStore(PlainStore):
    """Works for anybody on any file system; owners and attributes are lost."""

    properties = StoreProperties(
        RepoMode.BARE_USER_ONLY,
        keeps_owner=False,
        keeps_xattrs=False,
        links_user_checkout=True,
        adopts=True,
    )

    def _finish(
        self,
        file: AnonymousFile,
        target: ObjectDirectory,
        checksum: Checksum,
        header: FileHeader,
    ) -> bool:
        check_bare_user_only(checksum, header)
        return super()._finish(file, target, checksum, header)

    def _adapt(self, checksum: Checksum, header: FileHeader, fd: int) -> None:
        check_bare_user_only(checksum, header)
        self._apply(fd, header)

    def _apply(self, fd: int, header: FileHeader) -> None:
        os.fchmod(fd, stat.S_IMODE(header.mode))

    def _put_symlink(self, checksum: Checksum, header: FileHeader) -> bool:
        return self.target.symlink(header.target, loose_path(checksum, "file"))

    def _load_open(self, checksum: Checksum, fd: int) -> LoadedContent:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise CorruptionError(f"Opening content object {checksum}: not a regular file")
        return LoadedContent(FileHeader(0, 0, info.st_mode), info.st_size, fd)

    def _header_at(
        self,
        checksum: Checksum,
        place: ObjectDirectory,
        path: str,
        info: os.stat_result,
        *,
        with_xattrs: bool,
    ) -> tuple[FileHeader, int]:
        del with_xattrs
        target, size = inode_content(checksum, place, path, info)
        return FileHeader(0, 0, info.st_mode, target), size
