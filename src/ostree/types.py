"""The words everything is written in: checksums, object types, repository modes, file metadata."""

from __future__ import annotations

from enum import Enum, IntEnum

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

_HEX = frozenset("0123456789abcdef")


class Checksum(str):
    """The name of an object: 64 lower-case hex digits of a SHA-256 digest.

    Raises:
        FormatError: with upstream's words, if the text is anything else.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Validate the text."""
        if not isinstance(text, str):
            raise TypeError(f"a checksum is a str, not {type(text).__name__}")
        if len(text) != 64:
            shown = text[:64].replace("\n", " ")
            raise FormatError(f"Invalid rev {shown}")
        if not _HEX.issuperset(text):
            wrong = next(c for c in text if c not in _HEX)
            code = wrong.encode("utf-8", "surrogateescape")[0]
            raise FormatError(f"Invalid character '{code}' in rev '{text}'")
        return str.__new__(cls, text)

    @classmethod
    def of_digest(cls, digest: bytes) -> Checksum:
        """The checksum of 32 raw bytes."""
        if len(digest) != 32:
            raise FormatError(f"Invalid checksum of length {len(digest)} expected 32")
        return str.__new__(cls, digest.hex())

    @property
    def digest(self) -> bytes:
        """The 32 raw bytes."""
        return bytes.fromhex(self)


class ObjectType(IntEnum):
    """Kinds of objects, by their number in the format."""

    FILE = 1
    DIRTREE = 2
    DIRMETA = 3
    COMMIT = 4
    TOMBSTONE_COMMIT = 5
    COMMITMETA = 6
    PAYLOAD_LINK = 7
    FILE_XATTRS = 8
    FILE_XATTRS_LINK = 9

    @property
    def extension(self) -> str:
        """The textual name, as in ``HEX.dirtree``."""
        return self.name.lower().replace("_", "-")

    @property
    def is_metadata(self) -> bool:
        """Whether such objects are a single serialised GVariant."""
        return 2 <= self.value <= 6


class RepoMode(Enum):
    """How a repository stores its objects; the value is the text in ``core.mode``."""

    BARE = "bare"
    ARCHIVE = "archive-z2"
    BARE_USER = "bare-user"
    BARE_USER_ONLY = "bare-user-only"
    BARE_SPLIT_XATTRS = "bare-split-xattrs"

    @classmethod
    def parse(cls, text: str) -> RepoMode:
        """The mode of a configuration text; ``archive`` is another word for ``archive-z2``.

        Raises:
            FormatError: for any other text.
        """
        if text == "archive":
            return cls.ARCHIVE
        for mode in cls:
            if mode.value == text:
                return mode
        raise FormatError(f"Invalid mode '{text}' in repository configuration")


#: Extended attributes: (name without its NUL, value), sorted by name, no empty values.
Xattrs = tuple[tuple[bytes, bytes], ...]


class ObjectName:
    """An object's type and checksum; prints as ``HEX.commit``."""

    __slots__ = ("checksum", "type")

    def __init__(self, checksum: Checksum, type: ObjectType) -> None:
        self.checksum = checksum
        self.type = type

    def __str__(self) -> str:
        return f"{self.checksum}.{self.type.extension}"

    def __repr__(self) -> str:
        return f"ObjectName({self})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ObjectName):
            return NotImplemented
        return self.checksum == other.checksum and self.type == other.type

    def __hash__(self) -> int:
        return hash((self.checksum, self.type))


class DirMeta:
    """Owner, mode and extended attributes of a directory.

    ``mode`` has its type bits (``0o040000``).  Also used for the metadata that bare-user
    repositories keep beside a file, which has the same shape.
    """

    __slots__ = ("gid", "mode", "uid", "xattrs")

    def __init__(self, uid: int, gid: int, mode: int, xattrs: Xattrs = ()) -> None:
        self.uid = uid
        self.gid = gid
        self.mode = mode
        self.xattrs = xattrs

    def key(self) -> tuple[int, int, int, Xattrs]:
        """All of it, hashable and comparable."""
        return (self.uid, self.gid, self.mode, self.xattrs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DirMeta):
            return NotImplemented
        return self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())

    def __repr__(self) -> str:
        return f"DirMeta(uid={self.uid}, gid={self.gid}, mode={self.mode:#o}, xattrs={self.xattrs})"


class FileHeader:
    """What the checksum of a file covers besides its content.

    ``mode`` has its type bits, regular (``0o100000``) or symlink (``0o120000``); ``target`` is
    empty for regular files.
    """

    __slots__ = ("gid", "mode", "target", "uid", "xattrs")

    def __init__(
        self, uid: int, gid: int, mode: int, target: str = "", xattrs: Xattrs = ()
    ) -> None:
        self.uid = uid
        self.gid = gid
        self.mode = mode
        self.target = target
        self.xattrs = xattrs

    @property
    def is_symlink(self) -> bool:
        """Whether the type bits say symbolic link."""
        return self.mode & 0o170000 == 0o120000

    def key(self) -> tuple[int, int, int, str, Xattrs]:
        """All of it, hashable and comparable."""
        return (self.uid, self.gid, self.mode, self.target, self.xattrs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileHeader):
            return NotImplemented
        return self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())

    def __repr__(self) -> str:
        return (
            f"FileHeader(uid={self.uid}, gid={self.gid}, mode={self.mode:#o}, "
            f"target={self.target!r}, xattrs={self.xattrs})"
        )


class TreeId:
    """A directory: the checksums of its dirtree and of its dirmeta."""

    __slots__ = ("dirmeta", "dirtree")

    def __init__(self, dirtree: Checksum, dirmeta: Checksum) -> None:
        self.dirtree = dirtree
        self.dirmeta = dirmeta

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeId):
            return NotImplemented
        return self.dirtree == other.dirtree and self.dirmeta == other.dirmeta

    def __hash__(self) -> int:
        return hash((self.dirtree, self.dirmeta))

    def __repr__(self) -> str:
        return f"TreeId({self.dirtree}, {self.dirmeta})"


def canonical_xattrs(pairs: Sequence[tuple[bytes, bytes]]) -> Xattrs:
    """Sorted by name, empty values dropped: the form that is hashed (repository format §2.4)."""
    return tuple(sorted((name, value) for name, value in pairs if value))
