"""Recognising files that did not change since the last commit (docs/formats/stat-cache.md).

A file is not read again if everything that its checksum depends on is known to be what it was:
the content because inode, size, mtime and ctime are the same, the rest because it is computed as
ever and compared.  The kernel sets the ctime at every change, and no call sets it back; where that
is not so, or cannot be known, nothing is taken for known.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress

from ostree.errors import FormatError
from ostree.formats import stat_cache as layout
from ostree.formats.file_header import content_prefix
from ostree.formats.stat_cache import HEADER_SIZE, MAX_SIZE, Group, Header
from ostree.repo.staging import UNKNOWN_BOOT
from ostree.system import files
from ostree.system.anonymous import AnonymousFile, random_name
from ostree.system.file_system_type import file_system_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from ostree.repo.repository import Repo
    from ostree.types import FileHeader

DIRECTORY = "tmp/cache"
NAME = "commit-stat"
#: A file changed within this many nanoseconds may change again without a new time stamp.
_RACY = 2_000_000_000
#: File systems whose change times are the kernel's, in this machine's time: ext2 to ext4, XFS,
#: Btrfs, tmpfs, F2FS, bcachefs, ZFS.  Not those of other machines, of programs, or in layers.
_TRUSTED = frozenset(
    (0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0xF2F52010, 0xCA451A4E, 0x2FC12FC1)
)
#: Block devices that come and go with images, whose times may all be the same: loop, nbd.
_IMAGES = frozenset((7, 43))
#: Directories that were not looked at while the cache was written this often are forgotten.
_KEPT_WRITES = 16
#: Marks of headers with attributes that are remembered.
_MOST_MARKS = 4096


class DirectoryFacts:
    """What is known of the files of one directory, and what has been found out now."""

    __slots__ = ("_cache", "_device", "_known", "_read_since", "inode", "records")

    def __init__(
        self, cache: StatCache, info: os.stat_result, known: dict[bytes, bytes], read_since: int
    ) -> None:
        self._cache = cache
        self._device = info.st_dev
        self.inode = (info.st_dev, info.st_ino)
        self._known = known
        self._read_since = read_since
        self.records = bytearray()

    def find(self, info: os.stat_result, header: FileHeader) -> bytes | None:
        """The digest of a file that is committed with a header, if it is known."""
        key = self._key(info, header)
        if key is None or (digest := self._known.get(key)) is None:
            return None
        self.records += key
        self.records += digest
        return digest

    def add(self, info: os.stat_result, header: FileHeader, digest: bytes) -> None:
        """Take note of a digest; ``info`` was asked for before the file was read."""
        # Something that changes now may keep the time stamp that it has.
        if info.st_ctime_ns + _RACY >= self._read_since:
            return
        key = self._key(info, header)
        if key is None or key in self._known:
            return
        self.records += key
        self.records += digest
        self._cache.is_changed = True

    def _key(self, info: os.stat_result, header: FileHeader) -> bytes | None:
        if info.st_dev != self._device:
            return None  # a file that is mounted here
        mark = self._cache.mark(header)
        return layout.key_of(info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, mark)


class StatCache:
    """The cache of one repository during one walk; a context manager.

    Attributes:
        is_changed: Whether anything was found out that the file does not say.
    """

    def __init__(self, repo: Repo) -> None:
        self._dir_fd = repo.dir_fd
        self._boot = layout.boot_mark(repo.boot_id)
        self._is_usable = repo.boot_id != UNKNOWN_BOOT
        self._trust: dict[int, bool] = {}
        self._marks: dict[tuple[object, ...], bytes] = {}
        self._old_fd = -1
        self._old: dict[tuple[int, int], Group] = {}
        self._number = 1
        self._new: AnonymousFile | None = None
        self._groups: dict[tuple[int, int], Group] = {}
        self._size = HEADER_SIZE
        self.is_changed = False

    def __enter__(self) -> Self:
        if self._is_usable:
            with suppress(OSError, FormatError):
                self._open_old()
            with suppress(OSError):
                files.make_directories(DIRECTORY, self._dir_fd)
                self._new = AnonymousFile(self._dir_fd, DIRECTORY)
                os.lseek(self._new.fd, HEADER_SIZE, os.SEEK_SET)
        return self

    def __exit__(self, *_: object) -> None:
        if self._old_fd >= 0:
            os.close(self._old_fd)
        if self._new is not None:
            self._new.close()

    def mark(self, header: FileHeader) -> bytes:
        """The mark of a header; nearly all files of a system share a handful."""
        key = header.key()
        mark = self._marks.get(key)
        if mark is None:
            mark = layout.header_mark(content_prefix(header))
            if len(self._marks) < _MOST_MARKS:
                self._marks[key] = mark
        return mark

    def directory(self, fd: int) -> DirectoryFacts | None:
        """What is known of an open directory; None where nothing can be."""
        now = time.time_ns()
        info = os.fstat(fd)
        trusted = self._trust.get(info.st_dev)
        if trusted is None:
            trusted = self._trust[info.st_dev] = _is_trusted(fd, info.st_dev)
        if not trusted:
            return None
        known: dict[bytes, bytes] = {}
        group = self._old.get((info.st_dev, info.st_ino))
        if group is not None:
            with suppress(OSError, FormatError):
                known = layout.decode_records(self._read(group), group)
        return DirectoryFacts(self, info, known, now)

    def finish(self, facts: DirectoryFacts) -> None:
        """Write what is known of a directory all of whose files have been looked at."""
        if facts.inode not in self._groups and facts.records:
            self._append(facts.inode, bytes(facts.records), self._number)

    def save(self) -> None:
        """Put what was written in place of the old file, if it says more; failing is no harm."""
        if self._new is None or not self.is_changed:
            return
        with suppress(OSError):
            self._keep_others()
            index = layout.encode_index(self._groups)
            header = Header.of_index(self._boot, self._number, self._size, index)
            files.write_all(self._new.fd, index)
            os.pwrite(self._new.fd, layout.encode_header(header), 0)
            # Not synced: after a crash it is another boot's, and not looked at.
            self._publish(self._new)

    def _publish(self, file: AnonymousFile) -> None:
        """Replace the file; what ends this halfway leaves a file in ``tmp/``, which expires."""
        temporary, fd = f"tmp/{random_name()}", self._dir_fd
        file.link(temporary, fd)
        try:
            os.rename(temporary, f"{DIRECTORY}/{NAME}", src_dir_fd=fd, dst_dir_fd=fd)
        except OSError:
            os.unlink(temporary, dir_fd=fd)
            raise

    def _open_old(self) -> None:
        flags = files.FILE_FLAGS
        fd = self._old_fd = os.open(f"{DIRECTORY}/{NAME}", flags, dir_fd=self._dir_fd)
        info = os.fstat(fd)
        is_own = info.st_uid == os.geteuid() and not info.st_mode & 0o022
        if not (stat.S_ISREG(info.st_mode) and is_own and info.st_size <= MAX_SIZE):
            return
        header = layout.decode_header(os.pread(fd, HEADER_SIZE, 0), info.st_size)
        if header.boot == self._boot:
            index = os.pread(fd, header.index_size, header.index_at)
            self._old = layout.decode_index(index, header)
            self._number = header.number + 1

    def _read(self, group: Group) -> bytes:
        return os.pread(self._old_fd, group.size, group.offset)

    def _append(self, inode: tuple[int, int], records: bytes, used: int) -> None:
        """Write a group, unless there would be too much; without a disk there is no cache."""
        index_size = (len(self._groups) + 1) * layout.ENTRY_SIZE
        if self._new is None or self._size + len(records) + index_size > MAX_SIZE:
            return
        try:
            files.write_all(self._new.fd, records)
        except OSError:
            self._new.close()
            self._new = None
            return
        self._groups[inode] = layout.group_of(records, self._size, used)
        self._size += len(records)

    def _keep_others(self) -> None:
        """Take over what is known of other directories, the latest first."""
        oldest = self._number - _KEPT_WRITES
        others = [
            (group.used, inode, group)
            for inode, group in self._old.items()
            if inode not in self._groups and group.used > oldest
        ]
        for used, inode, group in sorted(others, key=lambda other: -other[0]):
            records = self._read(group)
            if layout.is_intact(records, group):
                self._append(inode, records, used)


def _is_trusted(fd: int, device: int) -> bool:
    """Whether a changed file always has another change time on a file system."""
    if os.major(device) in _IMAGES or os.fstatvfs(fd).f_flag & os.ST_RDONLY:
        return False
    try:
        return file_system_type(fd) in _TRUSTED
    except OSError:
        return False
