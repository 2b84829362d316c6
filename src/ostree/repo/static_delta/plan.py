"""What a delta has to bring, and how: worked out before anything is written (static deltas §6.2).

Facts are read from the repository here; what follows from them is decided without it.
"""

from __future__ import annotations

from ostree.formats.file_header import content_prefix
from ostree.repo.static_delta.similar import Candidate, may_resemble, pair
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ostree.repo.objects import ObjectSource
    from ostree.types import FileHeader

_MEGABYTE = 1_000_000
_WORLD_READABLE = 0o004


class DeltaOptions:
    """How to make a delta.

    Attributes:
        min_fallback_size: Files whose object is larger, in megabytes, are left to be fetched by
            themselves unless they are patched; 0 for none.
        max_bsdiff_size: Old and new file together may have as many megabytes to be compared.
        max_chunk_size: Megabytes of data in a part.
        bsdiff: Whether bsdiff is used at all.
        inline: Whether parts go into the superblock.
        endianness: Byte order of the superblock: ``l`` or ``B``.
        max_memory: Bytes that may be in use at a time; a pair of files that would need more is not
            compared.  None for a default, which only bounds how much is done at once.
    """

    __slots__ = (
        "bsdiff",
        "endianness",
        "inline",
        "max_bsdiff_size",
        "max_chunk_size",
        "max_memory",
        "min_fallback_size",
    )

    def __init__(
        self,
        *,
        min_fallback_size: int = 4,
        max_bsdiff_size: int = 128,
        max_chunk_size: int = 32,
        bsdiff: bool = True,
        inline: bool = False,
        endianness: str = "l",
        max_memory: int | None = None,
    ) -> None:
        self.min_fallback_size = min_fallback_size
        self.max_bsdiff_size = max_bsdiff_size
        self.max_chunk_size = max_chunk_size
        self.bsdiff = bsdiff
        self.inline = inline
        self.endianness = endianness
        self.max_memory = max_memory

    @property
    def memory_share(self) -> int | None:
        """Bytes for comparing files, and for each of the two parts that may be compressed."""
        return None if self.max_memory is None else self.max_memory // 3

    @property
    def chunk_limit(self) -> int:
        """Bytes of data in a part."""
        return self.max_chunk_size * _MEGABYTE


class TreeContents:
    """The objects of a commit's tree, each once, in the order of the tree.

    A directory's metadata comes first, then its files, then what is below it, then its entries.

    Attributes:
        metadata: Dirtrees and dirmetas.
        files: The names of each file object.
    """

    __slots__ = ("files", "metadata")

    def __init__(self) -> None:
        self.metadata: dict[tuple[ObjectType, Checksum], None] = {}
        self.files: dict[Checksum, set[str]] = {}


def read_tree(repo: ObjectSource, commit: Checksum) -> TreeContents:
    """Walk the tree of a commit.

    Raises:
        ObjectNotFoundError: if a directory is missing.
    """
    contents = TreeContents()
    root = repo.load_commit(commit).root
    # Directories to enter, and behind each the dirtree that follows all that is below it.
    todo: list[tuple[Checksum, Checksum | None]] = [(root.dirtree, root.dirmeta)]
    while todo:
        dirtree, dirmeta = todo.pop()
        if dirmeta is None:
            contents.metadata[ObjectType.DIRTREE, dirtree] = None
            continue
        contents.metadata[ObjectType.DIRMETA, dirmeta] = None
        if (ObjectType.DIRTREE, dirtree) in contents.metadata:
            continue
        entries = repo.load_dirtree(dirtree)
        for name, checksum in entries.files:
            contents.files.setdefault(checksum, set()).add(name)
        todo.append((dirtree, None))
        todo += [(tree, meta) for _, tree, meta in reversed(entries.dirs)]
    return contents


class NewFile:
    """A file object that is to be brought.

    Attributes:
        checksum: Its name.
        header: Owner, mode, attributes, target.
        size: Bytes of its content; 0 for links.
        partner: An old file that it resembles.
        partner_size: Bytes of that one's content.
    """

    __slots__ = ("checksum", "header", "partner", "partner_size", "size")

    def __init__(self, checksum: Checksum, header: FileHeader, size: int) -> None:
        self.checksum = checksum
        self.header = header
        self.size = size
        self.partner: Checksum | None = None
        self.partner_size = 0


class Plan:
    """The objects of a delta, in the order in which they are written.

    Attributes:
        metadata: Dirtrees and dirmetas.
        modified: Regular files that have a partner to be made from.
        regular: Other regular files, fallbacks included.
        symlinks: Symbolic links.
        pairs: How many new files resemble an old one, readable or not.
    """

    __slots__ = ("metadata", "modified", "pairs", "regular", "symlinks")

    def __init__(
        self, metadata: Iterable[tuple[ObjectType, Checksum]], files: Iterable[NewFile], pairs: int
    ) -> None:
        self.metadata = list(metadata)
        self.modified: list[NewFile] = []
        self.regular: list[NewFile] = []
        self.symlinks: list[NewFile] = []
        self.pairs = pairs
        for file in files:
            if file.header.is_symlink:
                self.symlinks.append(file)
            elif file.partner is not None:
                self.modified.append(file)
            else:
                self.regular.append(file)


def make_plan(repo: ObjectSource, before: TreeContents | None, after: TreeContents) -> Plan:
    """Plan a delta between two trees, or from scratch.

    Raises:
        ObjectNotFoundError: if a file is missing.
    """
    old_files = before.files if before is not None else {}
    metadata = [key for key in after.metadata if before is None or key not in before.metadata]
    files = {
        checksum: NewFile(checksum, *repo.load_file_header(checksum))
        for checksum in after.files
        if checksum not in old_files
    }
    partners = _find_partners(repo, files, old_files, after.files)
    for checksum, partner in partners.items():
        header, size = repo.load_file_header(partner)
        # What not everybody may read a client may be unable to use.
        if header.mode & _WORLD_READABLE:
            files[checksum].partner = partner
            files[checksum].partner_size = size
    return Plan(metadata, files.values(), len(partners))


def _find_partners(
    repo: ObjectSource,
    files: Mapping[Checksum, NewFile],
    old_names: Mapping[Checksum, set[str]],
    new_names: Mapping[Checksum, set[str]],
) -> dict[Checksum, Checksum]:
    regular = [file for file in files.values() if not file.header.is_symlink]
    if not regular or not old_names:
        return {}
    new = [Candidate(file.checksum, file.size, new_names[file.checksum]) for file in regular]
    old = []
    for checksum in may_resemble({file.checksum: set(file.names) for file in new}, old_names):
        header, size = repo.load_file_header(checksum)
        if not header.is_symlink:
            old.append(Candidate(checksum, size, old_names[checksum]))
    return pair(new, old)


def is_fallback(file: NewFile, options: DeltaOptions) -> bool:
    """Whether a file that is not patched is large enough to be fetched by itself."""
    limit = options.min_fallback_size * _MEGABYTE
    return bool(limit) and object_size(file) > limit


def object_size(file: NewFile) -> int:
    """Bytes of a file as an object: its header and its content."""
    return len(content_prefix(file.header)) + file.size


def may_bsdiff(file: NewFile, options: DeltaOptions) -> bool:
    """Whether a file and its partner are small enough for bsdiff."""
    together = file.size + file.partner_size
    if not options.bsdiff or together > options.max_bsdiff_size * _MEGABYTE:
        return False
    return options.memory_share is None or bsdiff_memory(file) <= options.memory_share


def may_roll(file: NewFile, options: DeltaOptions) -> bool:
    """Whether a file and its partner fit into the memory."""
    return options.memory_share is None or rolling_memory(file) <= options.memory_share


def bsdiff_memory(file: NewFile) -> int:
    """Bytes that bsdiff of a file and its partner takes: content, suffix array, result."""
    return 17 * file.partner_size + 5 * file.size + (64 << 10)


def rolling_memory(file: NewFile) -> int:
    """Bytes that looking for pieces of a file in its partner takes: content, pieces, result."""
    return 2 * (file.partner_size + file.size) + (1 << 20)
