"""Mode ``bare``: everything on the inode (repository format §3.2)."""

from __future__ import annotations

import os
import stat

from ostree.errors import CorruptionError, RepoError
from ostree.store.content import LoadedContent
from ostree.store.layout import loose_path
from ostree.store.plain import PlainStore, inode_content
from ostree.store.store import StoreProperties
from ostree.system import xattr
from ostree.system.anonymous import random_name
from ostree.types import FileHeader, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.store.layout import ObjectDirectory
    from ostree.types import Checksum


class BareStore(PlainStore):
    """Objects are what a checkout has: owner, mode, attributes and all."""

    properties = StoreProperties(
        RepoMode.BARE, links_owned_checkout=True, links_symlinks=True, adopts=True
    )

    def __init__(self, objects: ObjectDirectory, *, with_xattrs: bool = True) -> None:
        super().__init__(objects)
        self._with_xattrs = with_xattrs

    def _apply(self, fd: int, header: FileHeader) -> None:
        # Owner and mode last: a half-written setuid file must never exist.
        info = os.fstat(fd)
        if (info.st_uid, info.st_gid) != (header.uid, header.gid):  # or it costs ext4 more
            try:
                os.fchown(fd, header.uid, header.gid)
            except OSError as error:
                raise RepoError(
                    f"fchown: {error.strerror}",
                    hint="a bare repository keeps owners, for which root is needed; "
                    "--mode=bare-user or archive does not",
                ) from error
        if header.xattrs and self._with_xattrs:
            xattr.write_fd(fd, header.xattrs)
        os.fchmod(fd, stat.S_IMODE(header.mode))

    def _put_symlink(self, checksum: Checksum, header: FileHeader) -> bool:
        target = self.target
        final = loose_path(checksum, "file")
        target.make_prefix(final)
        temporary = random_name()
        os.symlink(header.target, temporary, dir_fd=target.temporary_fd)
        try:
            try:
                os.chown(
                    temporary,
                    header.uid,
                    header.gid,
                    dir_fd=target.temporary_fd,
                    follow_symlinks=False,
                )
            except OSError as error:
                raise RepoError(f"fchownat: {error.strerror}") from error
            if header.xattrs and self._with_xattrs:
                xattr.write_at(target.temporary_fd, temporary, header.xattrs)
            os.link(
                temporary,
                final,
                src_dir_fd=target.temporary_fd,
                dst_dir_fd=target.fd,
                follow_symlinks=False,
            )
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary, dir_fd=target.temporary_fd)
        return True

    def _load_open(self, checksum: Checksum, fd: int) -> LoadedContent:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise CorruptionError(f"Opening content object {checksum}: not a regular file")
        xattrs = xattr.read_fd(fd) if self._with_xattrs else ()
        header = FileHeader(info.st_uid, info.st_gid, info.st_mode, "", xattrs)
        return LoadedContent(header, info.st_size, fd)

    def _header_at(
        self,
        checksum: Checksum,
        place: ObjectDirectory,
        path: str,
        info: os.stat_result,
        *,
        with_xattrs: bool,
    ) -> tuple[FileHeader, int]:
        target, size = inode_content(checksum, place, path, info)
        wanted = with_xattrs and self._with_xattrs
        xattrs = xattr.read_at(place.fd, path) if wanted else ()
        return FileHeader(info.st_uid, info.st_gid, info.st_mode, target, xattrs), size
