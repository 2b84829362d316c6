"""Static deltas that somebody has tampered with, tried one after the other on a repository.

:class:`HostileDeltas` turns any bytes into an attack: a superblock, a part, its operations, a patch or
an index, raw or as edits of good ones.  Nothing but the project's own errors may come out of it, and
no object into the repository that is not what its name says.

The suite tries a few (``tests/properties/test_static_delta_hostile.py``).  For many, with coverage
as the guide, install ``atheris`` and run::

    python tests/fuzz/hostile_deltas.py -runs=1000000 -max_len=4096 [CORPUS]
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ostree.errors import OSTreeError
from ostree.formats.delta import index as index_format
from ostree.formats.delta import operation, signed
from ostree.formats.delta import part as part_format
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName
from ostree.formats.delta.superblock import PartHeader, Superblock
from ostree.repo.hashing import checksum_loaded
from ostree.repo.repository import Repo
from ostree.repo.static_delta import storage
from ostree.repo.static_delta.execute import run_part
from ostree.repo.static_delta.generate import generate
from ostree.repo.static_delta.offline import check_commit, check_version
from ostree.repo.static_delta.plan import DeltaOptions
from ostree.system import files
from ostree.types import ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.types import Checksum

#: What is looked at and thrown away after so many attacks.
_SWEEP = 5000
_REPORT = 10_000


class HostileDeltas:
    """A repository under attack.

    Args:
        path: An empty directory.

    Attributes:
        attacks: How many there were.
        refused: How many ended with an error.
        stored: How many objects were stored, and found to be right.
    """

    def __init__(self, path: Path) -> None:
        self._source = Repo.create(path / "source", "archive")
        old, new = _commits(self._source, path / "tree")
        self._name = DeltaName(old, new)
        self._parts: list[tuple[PartHeader, bytes]] = []
        self._superblocks: list[bytes] = []
        for options in (DeltaOptions(), DeltaOptions(bsdiff=False), DeltaOptions(inline=True)):
            self._add_seeds(options)
        self._repo = Repo.create(path / "target", "bare-user-only")
        _copy(self._source, self._repo, old)
        self._transaction = self._repo.transaction(fsync=False)
        self._transaction.__enter__()
        self._targets: tuple[Callable[[bytes], None], ...] = (
            self._raw_superblock,
            self._edited_superblock,
            self._raw_operations,
            self._raw_part,
            self._edited_payload,
            self._edited_part,
            self._raw_patch,
            self._raw_index,
        )
        self._kept = {checksum for checksum, _ in self._objects()}
        self.attacks = 0
        self.refused = 0
        self.stored = 0

    def close(self) -> None:
        """Look at what was stored, and end."""
        self.sweep()
        self._transaction.__exit__(None, None, None)
        self._repo.close()
        self._source.close()

    def attack(self, data: bytes) -> None:
        """One attack.

        Raises:
            BaseException: what should not have come out of it.
        """
        self.attacks += 1
        target = self._targets[data[0] % len(self._targets)] if data else self._raw_superblock
        try:
            target(data[1:])
        except OSTreeError:
            self.refused += 1
        if self.attacks % _SWEEP == 0:
            self.sweep()

    def sweep(self) -> None:
        """Verify every object that was stored since, and remove it.

        Raises:
            AssertionError: if one is not what its name says.
        """
        for checksum, extension in self._objects():
            if checksum in self._kept:
                continue
            if extension == "file":
                with self._repo.store.load(checksum) as content:
                    actual: str = checksum_loaded(content)
            else:
                type = next(type for type in ObjectType if type.extension == extension)
                actual = sha256(self._repo.store.read_metadata(checksum, type)).hexdigest()
            if actual != checksum:
                raise AssertionError(f"{checksum}.{extension} is {actual}")
            self.stored += 1
            path = f"{checksum[:2]}/{checksum[2:]}.{extension}"
            files.remove_tree(path, self._repo.store.objects.fd)

    def _objects(self) -> list[tuple[Checksum, str]]:
        return list(self._repo.store.objects.objects("file", "dirtree", "dirmeta", "commit"))

    # attacks ------------------------------------------------------------------------------------

    def _raw_superblock(self, data: bytes) -> None:
        self._use(superblock_format.decode(signed.unwrap(data)))

    def _edited_superblock(self, data: bytes) -> None:
        seed, edits = _split(data)
        good = self._superblocks[seed % len(self._superblocks)]
        self._raw_superblock(_edited(good, edits))

    def _use(self, superblock: Superblock) -> None:
        check_commit(superblock)
        for index, header in enumerate(superblock.parts):
            check_version(header)
            file = superblock.inline_part(index)
            if file is not None:
                self._execute(header, file)

    def _raw_operations(self, data: bytes) -> None:
        seed, code = _split(data)
        header, file = self._parts[seed % len(self._parts)]
        payload = _payload(file)
        attacked = part_format.Payload(payload.modes, payload.xattrs, payload.data, code)
        self._execute(header, b"\0" + part_format.encode(attacked))

    def _raw_part(self, data: bytes) -> None:
        seed, file = _split(data)
        self._execute(self._parts[seed % len(self._parts)][0], file)

    def _edited_payload(self, data: bytes) -> None:
        seed, edits = _split(data)
        header, file = self._parts[seed % len(self._parts)]
        plain = b"".join(map(bytes, part_format.decompress(file, 1 << 30)))
        self._execute(header, b"\0" + _edited(plain, edits))

    def _edited_part(self, data: bytes) -> None:
        seed, edits = _split(data)
        header, file = self._parts[seed % len(self._parts)]
        self._execute(header, _edited(file, edits))

    def _raw_patch(self, data: bytes) -> None:
        seed, stream = _split(data)
        header, file = self._parts[seed % len(self._parts)]
        payload = _payload(file)
        place = next((at for type, at in _files(header) if type is ObjectType.FILE), 0)
        objects = header.objects[place : place + 33]
        source = next(iter(self._kept)).digest
        code = b"".join(
            (
                operation.encode(operation.SET_READ_SOURCE, 0),
                operation.encode(operation.OPEN, 0, 0, seed * seed),
                operation.encode(operation.BSPATCH, 32, len(stream)),
                operation.encode(operation.CLOSE),
            )
        )
        attacked = part_format.Payload(payload.modes, payload.xattrs, source + stream, code)
        self._execute(
            PartHeader(header.digest, header.size, header.plain_size, objects),
            b"\0" + part_format.encode(attacked),
        )

    def _raw_index(self, data: bytes) -> None:
        seed, rest = _split(data)
        if seed % 2:
            index_format.decode(rest)
        else:
            good = index_format.encode({self._name: bytes(32)})
            index_format.decode(_edited(good, rest))

    def _execute(self, header: PartHeader, file: bytes) -> None:
        run_part(self._repo, self._transaction, header, file)

    def _add_seeds(self, options: DeltaOptions) -> None:
        generate(self._source, self._name, options)
        superblock = storage.load_superblock(self._source, self._name)
        self._superblocks.append(superblock_format.encode(superblock))
        for index, header in enumerate(superblock.parts):
            file = superblock.inline_part(index)
            if file is None:
                file = storage.read_part(self._source, self._name, index)
            self._parts.append((header, file))


def _commits(repo: Repo, tree: Path) -> tuple[Checksum, Checksum]:
    """Two commits with everything that a delta can hold: patches, pieces, links, modes."""
    rng = random.Random(1)
    program, data = bytearray(rng.randbytes(6000)), bytearray(rng.randbytes(90_000))
    commits = []
    for number in range(2):
        (tree / "sub").mkdir(parents=True, exist_ok=True)
        program[number * 10 + 5] ^= 1
        data[80_000 + number] ^= 1
        (tree / "program").write_bytes(program)
        (tree / "program").chmod(0o755)
        (tree / "sub" / "data").write_bytes(data)
        (tree / "sub" / f"new{number}").write_text(f"new {number}\n")
        (tree / f"link{number}").symlink_to(f"sub/new{number}")
        with repo.transaction(fsync=False) as transaction:
            root = transaction.import_directory(tree)
            commits.append(transaction.commit(root, timestamp=number))
    return commits[0], commits[1]


def _copy(source: Repo, target: Repo, commit: Checksum) -> None:
    from ostree.transfer.options import PullOptions
    from ostree.transfer.pull_local import pull_local

    pull_local(target, source.path, [commit], PullOptions(fsync=False))


def _payload(file: bytes) -> part_format.Payload:
    return part_format.decode(b"".join(map(bytes, part_format.decompress(file, 1 << 30))))


def _files(header: PartHeader) -> list[tuple[ObjectType, int]]:
    return [(type, 33 * place) for place, (type, _) in enumerate(header.names())]


def _split(data: bytes) -> tuple[int, bytes]:
    return (data[0], data[1:]) if data else (0, b"")


def _edited(good: bytes, edits: bytes) -> bytes:
    """Good bytes with edits: each two bytes of place, one of what, one of value."""
    data = bytearray(good)
    for at in range(0, len(edits) - 3, 4):
        if not data:
            break
        place = int.from_bytes(edits[at : at + 2], "little") * len(data) >> 16
        kind, value = edits[at + 2], edits[at + 3]
        if kind < 128:
            data[place] = value
        elif kind < 160:
            data[place] ^= 1 << value % 8
        elif kind < 192:
            del data[place : place + value]
        elif kind < 224:
            data[place:place] = bytes((value,)) * (kind - 191)
        else:
            # The end is where framing is.
            data[-1 - value % len(data)] = edits[at]
    return bytes(data)


def main() -> None:
    """Attack until there were as many as the command line says."""
    import atheris

    atheris.instrument_all()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        hostile = HostileDeltas(Path(place))

        def attack(data: bytes) -> None:
            hostile.attack(data)
            # The fuzzer ends the process: there is no later moment to say it.
            if hostile.attacks % _REPORT == 0:
                hostile.sweep()
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
                sys.stderr.write(
                    f"{hostile.attacks} attacks, {hostile.refused} refused, {hostile.stored} "
                    f"objects stored and right, peak memory {peak} MB\n"
                )

        atheris.Setup(sys.argv, attack)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
