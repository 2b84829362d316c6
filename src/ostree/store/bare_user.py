"""Mode ``bare-user``: metadata in an attribute, so that no privilege is needed (§3.4)."""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import CorruptionError, RepoError
from ostree.formats import dirmeta, file_header
from ostree.store.content import LoadedContent
from ostree.store.layout import loose_path
from ostree.store.plain import PlainStore
from ostree.store.store import StoreProperties
from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.types import DirMeta, FileHeader, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.store.layout import ObjectDirectory
    from ostree.types import Checksum

_ATTRIBUTE = "user.ostreemeta"
#: A target longer than this is no target that Linux could have (PATH_MAX).
_MAX_TARGET = 4096


def check_support(dir_fd: int) -> None:
    """Find out whether the file system keeps user attributes.

    Raises:
        RepoError: if it does not.
    """
    with AnonymousFile(dir_fd) as file:
        try:
            os.setxattr(file.fd, "user.ostree-probe", b"1")
        except OSError as error:
            raise RepoError(
                f"fsetxattr: {error.strerror}",
                hint="this file system has no user extended attributes; "
                "try --mode=archive or --mode=bare-user-only",
            ) from error


class BareUserStore(PlainStore):
    """Regular files with owner, mode and attributes in ``user.ostreemeta``."""

    properties = StoreProperties(RepoMode.BARE_USER, links_user_checkout=True)

    def _apply(self, fd: int, header: FileHeader) -> None:
        meta = DirMeta(header.uid, header.gid, header.mode, header.xattrs)
        try:
            os.setxattr(fd, _ATTRIBUTE, dirmeta.encode(meta))
        except OSError as error:
            raise RepoError(f"fsetxattr: {error.strerror}") from error
        mode = 0o644 if header.is_symlink else header.mode & 0o775 | 0o400
        os.fchmod(fd, mode)

    def _put_symlink(self, checksum: Checksum, header: FileHeader) -> bool:
        target = self.target
        with AnonymousFile(target.temporary_fd) as file:
            files.write_all(file.fd, header.target.encode() + b"\0")
            self._apply(file.fd, header)
            os.utime(file.fd, ns=(0, 0))
            return target.link(file, loose_path(checksum, "file"))

    def _load_open(self, checksum: Checksum, fd: int) -> LoadedContent:
        info = os.fstat(fd)
        header = _read_header(checksum, fd)
        if not header.is_symlink:
            return LoadedContent(header, info.st_size, fd)
        raw = os.read(fd, _MAX_TARGET + 1).removesuffix(b"\0")
        if not raw or len(raw) > _MAX_TARGET or b"\0" in raw:
            raise CorruptionError(f"Opening content object {checksum}: not a symlink target")
        header.target = os.fsdecode(raw)  # checked when the header is used
        os.close(fd)
        return LoadedContent(header, 0)

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
        if not stat.S_ISREG(info.st_mode):
            raise CorruptionError(f"Opening content object {checksum}: not a regular file")
        header = _read_header(checksum, f"/proc/self/fd/{place.fd}/{path}")
        if not header.is_symlink:
            return header, info.st_size
        with self.load(checksum) as content:
            return content.header, 0

    def _load_link(
        self, checksum: Checksum, place: ObjectDirectory, path: str
    ) -> LoadedContent | None:
        del checksum, place, path
        return None


def _read_header(checksum: Checksum, file: int | str) -> FileHeader:
    """What the attribute of an object's file says; where a link leads is still to be read."""
    try:
        meta = dirmeta.decode_any_mode(os.getxattr(file, _ATTRIBUTE))
        header = FileHeader(meta.uid, meta.gid, meta.mode, "", meta.xattrs)
        file_header.check(header)
    except OSError as error:
        reason = os.strerror(error.errno or errno.ENODATA)
        raise CorruptionError(
            f"Opening content object {checksum}: fgetxattr({_ATTRIBUTE}): {reason}"
        ) from error
    except CorruptionError as error:
        error.add_prefix(f"Opening content object {checksum}: {_ATTRIBUTE}")
        raise
    return header
