"""Objects from one repository into another on the same machine (repository format §6.8)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat

from ostree.errors import CorruptionError, NotFoundError, ObjectNotFoundError, OSTreeError
from ostree.formats import file_header
from ostree.repo.content_import import import_loaded
from ostree.repo.hashing import checksum_loaded
from ostree.repo.object_errors import corrupted, validate_metadata, write_error
from ostree.store.bare_split_xattrs import share_xattrs
from ostree.store.content import CHUNK, SMALL
from ostree.system import copying, files, xattr
from ostree.system.anonymous import AnonymousFile
from ostree.types import Checksum, ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.repo.repository import Repo
    from ostree.store.content import LoadedContent

#: What a hard link may fail with where a copy works.
_NO_LINK = (errno.EMLINK, errno.EXDEV, errno.EPERM)
_USER_META = b"user.ostreemeta"


class _Origin:
    """One repository that objects come from, as the destination sees it.

    Attributes:
        repo: The source, or one of its parents.
        may_share: Whether its files are good enough, as they are, for those who do not trust it.
        may_link: Whether its files can be hard-linked.
        same_device: Whether it is on the same file system.
        same_mode: Whether it stores content as the destination does.
        user_to_only: Whether regular files serve in the destination although modes differ.
    """

    __slots__ = ("may_link", "may_share", "repo", "same_device", "same_mode", "user_to_only")

    def __init__(self, repo: Repo, destination: Repo, *, untrusted: bool) -> None:
        theirs, ours = os.fstat(repo.dir_fd), os.fstat(destination.dir_fd)
        same_owner = theirs.st_uid == ours.st_uid
        self.repo = repo
        self.may_share = same_owner or not untrusted
        self.same_device = theirs.st_dev == ours.st_dev
        self.may_link = same_owner and self.same_device
        self.same_mode = repo.mode is destination.mode
        self.user_to_only = (
            repo.mode is RepoMode.BARE_USER and destination.mode is RepoMode.BARE_USER_ONLY
        )


class ObjectImporter:
    """Imports single objects; may be used from several threads.

    Args:
        source: Where objects are; its parents are asked for what it lacks.
        destination: Where they go; a transaction is open.
        charge: Is told the plain size of content before it is written; may refuse.
        untrusted: Verify every object.
        bare_user_only: Refuse files that a bare-user-only repository could not hold.
    """

    def __init__(
        self,
        source: Repo,
        destination: Repo,
        charge: Callable[[int], None],
        *,
        untrusted: bool = False,
        bare_user_only: bool = False,
    ) -> None:
        self._source = source
        self._store = destination.store
        self._charge = charge
        self._untrusted = untrusted
        self._bare_user_only = bare_user_only
        self._mode = destination.mode
        self._origins = []
        repo: Repo | None = source
        while repo is not None:
            self._origins.append(_Origin(repo, destination, untrusted=untrusted))
            repo = repo.parent

    @property
    def only_links(self) -> bool:
        """Whether content objects cost no more than a hard link each."""
        return not (self._untrusted or self._bare_user_only) and all(
            origin.same_mode and origin.may_link for origin in self._origins
        )

    def stored_size(self, checksum: Checksum) -> int:
        """The size of a content object's file in the source, 0 if it is not there."""
        for origin in self._origins:
            store = origin.repo.store
            path = store.path(checksum, ObjectType.FILE)
            try:
                return os.stat(path, dir_fd=store.objects.fd, follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
        return 0

    def _origin(self, checksum: Checksum, type: ObjectType) -> _Origin:
        """The repository that has an object; the last one if none has."""
        for origin in self._origins[:-1]:
            if origin.repo.store.has(checksum, type):
                return origin
        return self._origins[-1]

    # metadata ---------------------------------------------------------------------------------

    def metadata(self, checksum: Checksum, type: ObjectType) -> bool:
        """Import a metadata object; whether it is new.

        Raises:
            NotFoundError: ``Importing HEX.EXT: linkat: No such file or directory``.
            CorruptionError: if it is not what its name says and the source is not trusted.
        """
        if self._untrusted:
            self._verify_metadata(checksum, type)
        try:
            origin = self._origin(checksum, type)
            if origin.may_share:
                return bool(self._share(origin, checksum, type))
            data = self._source.load_metadata(checksum, type)
            return self._store.put_metadata(checksum, type, data)
        except OSError as error:
            raise _import_error(checksum, type, error) from error

    def _verify_metadata(self, checksum: Checksum, type: ObjectType) -> None:
        try:
            data = self._source.load_metadata(checksum, type)
        except ObjectNotFoundError as error:
            raise _missing(checksum, type) from error
        try:
            actual = hashlib.sha256(data).hexdigest()
            if actual != checksum:
                raise corrupted(type, checksum, actual)
            validate_metadata(type, data)
        except CorruptionError as error:
            error.add_prefix(f"fsck {checksum}.{type.extension}")
            raise

    # content ----------------------------------------------------------------------------------

    def content(self, checksum: Checksum) -> tuple[bool, int]:
        """Import a file object; whether it was written anew, and its plain size if so.

        Raises:
            NotFoundError: ``Importing HEX.file: linkat: No such file or directory``.
            ObjectNotFoundError: ``Couldn't find file object 'HEX'`` where it has to be read.
            CorruptionError: if it is not what its name says and the source is not trusted.
            RepoError: if the destination cannot hold it.
        """
        try:
            origin = self._origin(checksum, ObjectType.FILE)
            if self._shares_content(origin, checksum):
                if self._untrusted:
                    self._verify_content(checksum)
                if self._mode is RepoMode.BARE_SPLIT_XATTRS:
                    share_xattrs(origin.repo.store, self._store, checksum)
                if self._share(origin, checksum, ObjectType.FILE) is not None:
                    return False, 0
            return self._recode(checksum)
        except OSError as error:
            raise _import_error(checksum, ObjectType.FILE, error) from error

    def _shares_content(self, origin: _Origin, checksum: Checksum) -> bool:
        """Whether the file of the object can serve in the destination as it is."""
        if self._bare_user_only or origin.user_to_only:
            with self._source.load_content(checksum) as content:
                header = content.header
            if self._bare_user_only:
                file_header.check_bare_user_only(checksum, header)
            if origin.user_to_only and header.is_symlink:
                return False
        return origin.may_share and (origin.same_mode or origin.user_to_only)

    def _verify_content(self, checksum: Checksum) -> None:
        try:
            with self._source.load_content(checksum) as content:
                actual = checksum_loaded(content)
            if actual != checksum:
                raise corrupted(ObjectType.FILE, checksum, actual)
        except (CorruptionError, ObjectNotFoundError) as error:
            error.add_prefix(f"fsck content object {checksum}")
            raise

    def _recode(self, checksum: Checksum) -> tuple[bool, int]:
        """Read the object and write it the way the destination keeps it."""
        with self._source.load_content(checksum) as content:
            size = content.size
            if self._untrusted:
                _, is_new = import_loaded(self._store, content, self._charge, checksum)
                return is_new, size
            try:
                self._charge(size)
                return self._write(checksum, content), size
            except OSError as error:
                raise write_error("Writing content object", error) from error
            except OSTreeError as error:
                error.add_prefix("Writing content object")
                raise

    def _write(self, checksum: Checksum, content: LoadedContent) -> bool:
        """Store under its name what is trusted to be right."""
        header, size = content.header, content.size
        if size <= SMALL:
            return self._store.put_bytes(checksum, header, _read_whole(content))
        with self._store.begin(header, size) as writer:
            if content.fd is not None:
                writer.fill(content.fd, size, header)
            else:
                while data := content.read(CHUNK):
                    writer.write(data)
            return writer.finish(checksum)

    # sharing ----------------------------------------------------------------------------------

    def _share(self, origin: _Origin, checksum: Checksum, type: ObjectType) -> bool | None:
        """Link the object's file, or copy it with everything on its inode.

        Returns:
            Whether it is new; None for a symbolic link that can only be made again.
        """
        holder = origin.repo.store.objects.fd
        there = origin.repo.store.path(checksum, type)
        here = self._store.path(checksum, type)
        target = self._store.target
        target.make_prefix(here)
        if origin.may_link:
            try:
                os.link(there, here, src_dir_fd=holder, dst_dir_fd=target.fd, follow_symlinks=False)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
            else:
                return True
        try:
            source_fd = os.open(there, files.FILE_FLAGS, dir_fd=holder)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise
        try:
            return self._copy(origin, source_fd, here, is_content=type is ObjectType.FILE)
        finally:
            os.close(source_fd)

    def _copy(self, origin: _Origin, source_fd: int, here: str, *, is_content: bool) -> bool:
        target = self._store.target
        info = os.fstat(source_fd)
        with AnonymousFile(target.temporary_fd) as file:
            if info.st_size <= CHUNK and not origin.same_device:
                # The calls that copy inside the kernel would all be refused.
                files.write_all(file.fd, files.read_all(source_fd, info.st_size))
            else:
                copying.copy_content(source_fd, file.fd)
            if is_content:
                self._copy_attributes(origin, source_fd, file.fd, info)
            os.fchmod(file.fd, stat.S_IMODE(info.st_mode))
            os.utime(file.fd, ns=(info.st_atime_ns, info.st_mtime_ns))
            if target.sync_files and is_content:
                os.fsync(file.fd)
            return target.link(file, here)

    def _copy_attributes(
        self, origin: _Origin, source_fd: int, fd: int, info: os.stat_result
    ) -> None:
        """Give a copy what the mode of the destination has on the inode."""
        if self._mode in (RepoMode.BARE, RepoMode.BARE_SPLIT_XATTRS):
            os.fchown(fd, info.st_uid, info.st_gid)
        if self._mode is RepoMode.BARE:
            xattr.write_fd(fd, xattr.read_fd(source_fd))
        elif self._mode is RepoMode.BARE_USER and origin.same_mode:
            pairs = [pair for pair in xattr.read_fd(source_fd) if pair[0] == _USER_META]
            xattr.write_fd(fd, pairs)


def _read_whole(content: LoadedContent) -> bytes:
    """Content of moderate size, to its end."""
    size = content.size
    data = content.read(size + 1)
    if len(data) == size:  # a file that gives less than what it was asked for has no more
        return data
    return data + b"".join(iter(lambda: content.read(SMALL), b""))


def _missing(checksum: Checksum, type: ObjectType) -> OSTreeError:
    reason = os.strerror(errno.ENOENT)
    return NotFoundError(f"Importing {checksum}.{type.extension}: linkat: {reason}")


def _import_error(checksum: Checksum, type: ObjectType, error: OSError) -> OSTreeError:
    """What a failed system call means for an import."""
    if error.errno == errno.ENOENT:
        return _missing(checksum, type)
    return write_error(f"Importing {checksum}.{type.extension}", error)
