"""The contract of an object store, and what all loose stores share.

A store knows objects and nothing else: no refs, no configuration.  Its methods may be called from
several threads.  Writing an object that exists is no error and changes nothing.
"""

from __future__ import annotations

import errno
import os

from ostree.errors import CorruptionError, ObjectNotFoundError, RepoError
from ostree.store.layout import loose_path
from ostree.system import files
from ostree.system.anonymous import AnonymousFile
from ostree.types import ObjectName, ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.errors import OSTreeError
    from ostree.store.content import ContentWriter, LoadedContent
    from ostree.store.layout import ObjectDirectory
    from ostree.types import Checksum, FileHeader

#: Metadata objects above this size are refused, in bytes.
MAX_METADATA = 128 * 1024 * 1024

#: What this process lacks, which says nothing about the object it wanted to read.
_SHORTAGE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

EXTENSIONS = {type: type.extension for type in ObjectType}


def unreadable(context: str, error: OSError) -> OSTreeError:
    """The error for an object that is there but cannot be read.

    It counts as damaged, unless it is this process that has run out of something.
    """
    kind = RepoError if error.errno in _SHORTAGE else CorruptionError
    return kind(files.describe(context, error))


class StoreProperties:
    """What a store can do.

    Attributes:
        mode: The repository mode it implements.
        keeps_owner: Whether uid and gid survive.
        keeps_xattrs: Whether extended attributes survive.
        links_user_checkout: Whether regular files can be hard-linked into user-mode checkouts.
        links_owned_checkout: The same for checkouts with original owners.
        links_symlinks: Whether its symbolic links are objects that can be hard-linked.
        adopts: Whether a file of a directory tree can become an object as it is.
        inline_limit: Content of up to this many bytes is stored faster than handed to a thread.
    """

    __slots__ = (
        "adopts",
        "inline_limit",
        "keeps_owner",
        "keeps_xattrs",
        "links_owned_checkout",
        "links_symlinks",
        "links_user_checkout",
        "mode",
    )

    def __init__(
        self,
        mode: RepoMode,
        *,
        keeps_owner: bool = True,
        keeps_xattrs: bool = True,
        links_user_checkout: bool = False,
        links_owned_checkout: bool = False,
        links_symlinks: bool = False,
        adopts: bool = False,
        inline_limit: int = 64 << 10,
    ) -> None:
        self.mode = mode
        self.keeps_owner = keeps_owner
        self.keeps_xattrs = keeps_xattrs
        self.links_user_checkout = links_user_checkout
        self.links_owned_checkout = links_owned_checkout
        self.links_symlinks = links_symlinks
        self.adopts = adopts
        self.inline_limit = inline_limit


class LooseStore:
    """Objects as files below one directory, or a staging directory in front of it.

    Attributes:
        objects: The directory of the repository.
        staging: Where a transaction puts new objects until it is complete, if it does.
        exact_sizes: Whether objects have to take as many bytes as the reference's.
        content_only: Whether new file objects of mode bare-split-xattrs are to be as incomplete as
            those of the reference's ``commit`` (ADR 0017-split-xattrs).
    """

    properties: StoreProperties
    #: Extension of content objects, without the dot.
    content_extension = "file"

    def __init__(self, objects: ObjectDirectory) -> None:
        self.objects = objects
        self.staging: ObjectDirectory | None = None
        self.exact_sizes = False
        self.content_only = False

    @property
    def target(self) -> ObjectDirectory:
        """Where new objects go."""
        return self.staging or self.objects

    @property
    def works_in_processes(self) -> bool:
        """Whether several processes may store objects as well as several threads."""
        return True

    def extension(self, type: ObjectType) -> str:
        """The file name extension of a type in this store."""
        return self.content_extension if type is ObjectType.FILE else EXTENSIONS[type]

    def path(self, checksum: str, type: ObjectType) -> str:
        """The object's path relative to the objects directory."""
        return loose_path(checksum, self.extension(type))

    def has(self, checksum: str, type: ObjectType) -> bool:
        """Whether the object is there."""
        path = loose_path(checksum, self.extension(type))
        # What is staged was not in the repository, and most of what is asked for is.
        return self.objects.has(path) or (self.staging is not None and self.staging.has(path))

    def place(self, checksum: str, type: ObjectType) -> ObjectDirectory | None:
        """The directory that has the object."""
        path = loose_path(checksum, self.extension(type))
        if self.staging is not None and self.staging.has(path):
            return self.staging
        return self.objects if self.objects.has(path) else None

    def open_file(self, checksum: str, type: ObjectType) -> int | None:
        """A descriptor of the object's file, links not followed; None if there is none.

        Raises:
            CorruptionError: if there is something that cannot be opened as a file.
        """
        path = loose_path(checksum, self.extension(type))
        for place in (self.staging, self.objects):
            if place is not None:
                try:
                    return os.open(path, files.FILE_FLAGS, dir_fd=place.fd)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise unreadable(f"openat({path})", error) from error
        return None

    def objects_of(self, type: ObjectType) -> Iterator[Checksum]:
        """All objects of a type in the repository's directory (not staged ones), sorted."""
        for checksum, _ in self.objects.objects(self.extension(type)):
            yield checksum

    # metadata ---------------------------------------------------------------------------------

    def read_metadata(self, checksum: str, type: ObjectType) -> bytes:
        """The bytes of a metadata object, not verified.

        Raises:
            ObjectNotFoundError: if it is not there.
            CorruptionError: if it is larger than any metadata object may be, or cannot be read.
        """
        fd = self.open_file(checksum, type)
        if fd is None:
            name = f"{checksum}.{EXTENSIONS[type]}"
            raise ObjectNotFoundError(f"No such metadata object {name}")
        try:
            size = os.fstat(fd).st_size
            if size > MAX_METADATA:
                raise CorruptionError(f"Object {checksum}.{EXTENSIONS[type]} is too large: {size}")
            return files.read_all(fd, size)
        except OSError as error:
            name = f"{checksum}.{EXTENSIONS[type]}"
            raise unreadable(f"Reading {name}", error) from error
        finally:
            os.close(fd)

    def put_metadata(self, checksum: str, type: ObjectType, data: bytes) -> bool:
        """Store a metadata object under its name; whether it is new."""
        return not self.has(checksum, type) and self.add_metadata(checksum, type, data)

    def add_metadata(self, checksum: str, type: ObjectType, data: bytes) -> bool:
        """As :meth:`put_metadata`, of an object that was looked for and is probably not there."""
        path = loose_path(checksum, EXTENSIONS[type])
        target = self.target
        with AnonymousFile(target.temporary_fd) as file:
            files.write_all(file.fd, data)
            os.fchmod(file.fd, 0o644)
            return target.link(file, path)

    def replace_metadata(self, checksum: str, type: ObjectType, data: bytes) -> None:
        """Store a metadata object that is not named by its content (commitmeta)."""
        target = self.target
        path = loose_path(checksum, EXTENSIONS[type])
        target.make_prefix(path)
        files.replace_file(path, data, target.fd, sync=target.sync_files)

    # content ----------------------------------------------------------------------------------

    def load(self, checksum: Checksum) -> LoadedContent:
        """A file object's header and content.

        Raises:
            ObjectNotFoundError: if it is not there.
            CorruptionError: if what is stored cannot be a file object.
        """
        raise NotImplementedError

    def header(self, checksum: Checksum, *, with_xattrs: bool = True) -> tuple[FileHeader, int]:
        """A file object's header and the size of its content in bytes; errors as :meth:`load`.

        Without ``with_xattrs`` attributes are left out where that is quicker.
        """
        del with_xattrs
        with self.load(checksum) as content:
            return content.header, content.size

    def put_bytes(self, checksum: Checksum, header: FileHeader, data: bytes) -> bool:
        """Store a regular file from memory, or a symbolic link (no data); whether it is new."""
        raise NotImplementedError

    def begin(self, header: FileHeader, size: int) -> ContentWriter:
        """Start to store a regular file of ``size`` bytes whose content arrives piece by piece."""
        raise NotImplementedError

    def adopt(self, checksum: Checksum, header: FileHeader, fd: int) -> bool:
        """Make an open regular file, which nobody else may change any more, the object itself.

        Returns:
            False if it is not possible, and the content has to be copied.
        """
        del checksum, header, fd
        return False

    def missing_content(self, checksum: str) -> ObjectNotFoundError:
        """The error for a content object that is not there."""
        return ObjectNotFoundError(f"Couldn't find file object '{checksum}'")

    def delete(self, name: ObjectName) -> int:
        """Remove an object from the repository's directory; the bytes its file had.

        Raises:
            ObjectNotFoundError: ``Deleting object HEX.EXT: unlinkat(PATH): …``, if it is not there.
            RepoError: the same, if it cannot be removed.
        """
        path = self.path(name.checksum, name.type)
        try:
            size = os.stat(path, dir_fd=self.objects.fd, follow_symlinks=False).st_size
            os.unlink(path, dir_fd=self.objects.fd)
        except OSError as error:
            kind = ObjectNotFoundError if error.errno == errno.ENOENT else RepoError
            context = f"Deleting object {name}: unlinkat({path})"
            raise kind(files.describe(context, error)) from error
        return size

    def stored_size(self, checksum: str, type: ObjectType) -> int:
        """The size of the object's file in bytes.

        Raises:
            ObjectNotFoundError: if it is not there.
        """
        path = self.path(checksum, type)
        for place in (self.staging, self.objects):
            if place is not None:
                try:
                    return os.stat(path, dir_fd=place.fd, follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue
        raise ObjectNotFoundError(f"No such object {path}")
