"""Which commits need an object, and under which paths.

Worked out only when objects turn out to be bad: there are few of those, and a table for all objects
would be many times larger than all else that a verification remembers.
"""

from __future__ import annotations

from ostree.errors import CorruptionError, ObjectNotFoundError
from ostree.formats.dirtree import decode_references
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ostree.repo.objects import ObjectSource
    from ostree.types import Checksum, ObjectName

#: So many paths are told for an object: of one that is everywhere, the first ones say enough.
MAX_PATHS = 100


class NeededBy:
    """Finds some objects in the trees of commits; each directory is read once.

    Directories that cannot be read count as empty.

    Args:
        source: Where the objects are.
        names: The objects to look for.
    """

    def __init__(self, source: ObjectSource, names: Sequence[ObjectName]) -> None:
        self._source = source
        self._names = names
        #: Sets of objects are numbers here: the bit of each of ``names``.
        self._bits: dict[ObjectType, dict[bytes, int]] = {type: {} for type in ObjectType}
        for number, name in enumerate(names):
            found = self._bits[name.type]
            digest = name.checksum.digest
            found[digest] = found.get(digest, 0) | 1 << number
        self._files = self._bits[ObjectType.FILE]
        self._wanted_files = frozenset(self._files)
        #: What is in or below each dirtree.
        self._below: dict[bytes, int] = {}

    def commits(self, commits: Iterable[Checksum]) -> dict[ObjectName, list[Checksum]]:
        """For each object, those of the commits that need it."""
        found: dict[ObjectName, list[Checksum]] = {name: [] for name in self._names}
        for commit in commits:
            for name in self._each(self._in_commit(commit)):
                found[name].append(commit)
        return found

    def paths(self, commits: Iterable[Checksum]) -> dict[ObjectName, list[str]]:
        """For each object, where it is in the trees of the commits; up to ``MAX_PATHS``, sorted.

        A dirtree or dirmeta is at the path of its directory, a commit nowhere.
        """
        found: dict[ObjectName, set[str]] = {name: set() for name in self._names}
        seen: set[tuple[bytes, str]] = set()
        for commit in commits:
            self._add_paths(commit, found, seen)
        return {name: sorted(paths) for name, paths in found.items()}

    def _each(self, bits: int) -> Iterator[ObjectName]:
        while bits:
            lowest = bits & -bits
            yield self._names[lowest.bit_length() - 1]
            bits ^= lowest

    def _in_commit(self, commit: Checksum) -> int:
        bits = self._bits[ObjectType.COMMIT].get(commit.digest, 0)
        try:
            root = self._source.load_commit(commit).root
        except (CorruptionError, ObjectNotFoundError):
            return bits
        bits |= self._bits[ObjectType.DIRMETA].get(root.dirmeta.digest, 0)
        return bits | self._in_tree(root.dirtree.digest)

    def _in_tree(self, root: bytes) -> int:
        """What is in or below a directory."""
        below = self._below
        todo: list[tuple[bytes, list[bytes] | None]] = [(root, None)]
        while todo:
            digest, children = todo.pop()
            if children is not None:
                for child in children:
                    below[digest] |= below[child]
            elif digest not in below:
                # Before its children: in a damaged repository directories may go in circles.
                below[digest], children = self._read(digest)
                if children:
                    todo.append((digest, children))
                    todo.extend([(child, None) for child in children])
        return below[root]

    def _read(self, digest: bytes) -> tuple[int, list[bytes]]:
        """What is in a directory itself, and the directories below it."""
        bits = self._bits[ObjectType.DIRTREE].get(digest, 0)
        try:
            data = self._source.load_metadata(digest.hex(), ObjectType.DIRTREE)
            files, directories = decode_references(data)
        except (CorruptionError, ObjectNotFoundError):
            return bits, []
        for file in self._wanted_files.intersection(files):
            bits |= self._files[file]
        metas = self._bits[ObjectType.DIRMETA]
        if metas:
            for _, dirmeta in directories:
                bits |= metas.get(dirmeta, 0)
        return bits, [dirtree for dirtree, _ in directories]

    def _add_paths(
        self,
        commit: Checksum,
        found: dict[ObjectName, set[str]],
        seen: set[tuple[bytes, str]],
    ) -> None:
        """Walk where there is something to be found."""
        try:
            root = self._source.load_commit(commit).root
        except (CorruptionError, ObjectNotFoundError):
            return
        wanted = sum(
            1 << number for number, name in enumerate(self._names) if len(found[name]) < MAX_PATHS
        )

        def put(bits: int, path: str) -> None:
            nonlocal wanted
            for name in self._each(bits & wanted):
                found[name].add(path)
                if len(found[name]) >= MAX_PATHS:
                    wanted &= ~(1 << self._names.index(name))

        metas, trees = self._bits[ObjectType.DIRMETA], self._bits[ObjectType.DIRTREE]
        put(metas.get(root.dirmeta.digest, 0), "/")
        self._in_tree(root.dirtree.digest)
        todo = [(root.dirtree, "")]
        while todo and wanted:
            checksum, path = todo.pop()
            digest = checksum.digest
            if not self._below.get(digest, 0) & wanted or (digest, path) in seen:
                continue
            seen.add((digest, path))
            put(trees.get(digest, 0), path or "/")
            try:
                contents = self._source.load_dirtree(checksum)
            except (CorruptionError, ObjectNotFoundError):
                continue
            for name, file in contents.files:
                put(self._files.get(file.digest, 0), f"{path}/{name}")
            for name, dirtree, dirmeta in contents.dirs:
                put(metas.get(dirmeta.digest, 0), f"{path}/{name}")
                todo.append((dirtree, f"{path}/{name}"))
