"""The operations of a part: what each does, and what none may do."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from ostree.errors import (
    ChecksumError,
    CorruptionError,
    FormatError,
    ObjectNotFoundError,
    OSTreeError,
    SpaceError,
)
from ostree.formats import dirmeta
from ostree.formats.delta import bsdiff, operation
from ostree.formats.delta import part as part_format
from ostree.formats.delta.superblock import PartHeader
from ostree.repo.hashing import checksum_bytes
from ostree.repo.repository import Repo
from ostree.repo.static_delta.execute import run_part
from ostree.store.content import MemoryContent
from ostree.types import Checksum, DirMeta, FileHeader, ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = b"the old content, of which much stays as it is\n" * 40
NEW = OLD.replace(b"much", b"most")
HEADER = FileHeader(0, 0, 0o100644)
LINK = FileHeader(0, 0, 0o120777, "target")
META = dirmeta.encode(DirMeta(0, 0, 0o040755))
MODES = [(0, 0, 0o100644), (0, 0, 0o120777), (0, 0, 0o040755), (0, 0, 0o104755)]

S, O, W, R, U, C, B = (  # noqa: E741 - as the format calls them
    operation.OPEN_SPLICE_AND_CLOSE,
    operation.OPEN,
    operation.WRITE,
    operation.SET_READ_SOURCE,
    operation.UNSET_READ_SOURCE,
    operation.CLOSE,
    operation.BSPATCH,
)
Code = tuple[int, ...]


@pytest.fixture(params=["bare-user", "bare-user-only", "archive"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repo]:
    """With the old file; parts work in archives, too, where the reference gives up."""
    with Repo.create(tmp_path / "repo", request.param) as repo:
        with repo.transaction(fsync=False) as transaction, MemoryContent(HEADER, OLD) as content:
            transaction.write_content(content)
        yield repo


def name_of(data: bytes, header: FileHeader = HEADER) -> Checksum:
    return checksum_bytes(header, data)


def run(
    repo: Repo,
    objects: list[tuple[ObjectType, Checksum]],
    data: bytes,
    *code: Code,
    plain_size: int = 1 << 20,
    bare_user_only: bool = False,
) -> None:
    """Carry out a part that is given piece by piece."""
    operations = b"".join(operation.encode(*each) for each in code)
    file = b"\0" + part_format.encode(part_format.Payload(MODES, [()], data, operations))
    listed = b"".join(bytes((type,)) + checksum.digest for type, checksum in objects)
    header = PartHeader(sha256(file).digest(), len(file), plain_size, listed)
    with repo.transaction(fsync=False) as transaction:
        run_part(repo, transaction, header, file, bare_user_only=bare_user_only)


def one_file(repo: Repo, data: bytes, *code: Code, name: Checksum | None = None) -> bytes:
    """Carry out a part that makes the new file; its content."""
    checksum = name or name_of(NEW)
    run(repo, [(ObjectType.FILE, checksum)], data, *code)
    with repo.load_content(checksum) as content:
        assert content.header == HEADER
        return content.read(content.size + 1)


def refuse(
    repo: Repo, message: str, data: bytes, *code: Code, kind: type[OSTreeError] = FormatError
) -> None:
    """Carry out a part that is wrong; nothing is stored."""
    with pytest.raises(kind, match=message):
        one_file(repo, data, *code)

    assert not repo.has_object(name_of(NEW), ObjectType.FILE)


def source(data: bytes = OLD) -> bytes:
    return name_of(data).digest


def test_splice_a_file(repo: Repo) -> None:
    assert one_file(repo, b"xx" + NEW, (S, 0, 0, len(NEW), 2)) == NEW


def test_splice_a_link(repo: Repo) -> None:
    checksum = name_of(b"", LINK)

    run(repo, [(ObjectType.FILE, checksum)], b"target", (S, 1, 0, 6, 0))

    assert repo.load_file_header(checksum)[0] == LINK


def test_splice_metadata(repo: Repo) -> None:
    checksum = Checksum.of_digest(sha256(META).digest())

    run(repo, [(ObjectType.DIRMETA, checksum)], META, (S, len(META), 0))

    assert repo.load_metadata(checksum, ObjectType.DIRMETA) == META


def test_write_from_data_and_from_a_source(repo: Repo) -> None:
    at = NEW.index(b"most")
    data = source() + b"most"
    pieces: list[Code] = [(O, 0, 0, len(NEW))]
    rest = 0
    while (place := NEW.find(b"most", rest)) >= 0:
        pieces += [(R, 0), (W, place - rest, rest), (U,), (W, 4, 32)]
        rest = place + 4
    pieces += [(R, 0), (W, len(NEW) - rest, rest), (C,)]

    assert at > 0
    assert one_file(repo, data, *pieces) == NEW


def test_bspatch(repo: Repo) -> None:
    stream = bsdiff.diff(OLD, NEW)

    made = one_file(
        repo, source() + stream, (R, 0), (O, 0, 0, len(NEW)), (B, 32, len(stream)), (C,), (U,)
    )

    assert made == NEW


def test_close_drops_the_source(repo: Repo) -> None:
    """The next write is from the data again."""
    objects = [(ObjectType.FILE, name_of(NEW)), (ObjectType.FILE, name_of(b"data"))]
    stream = bsdiff.diff(OLD, NEW)
    code = [(R, 0), (O, 0, 0, len(NEW)), (B, 32, len(stream)), (C,)]
    code += [(O, 0, 0, 4), (W, 4, 32 + len(stream)), (C,)]

    run(repo, objects, source() + stream + b"data", *code)

    assert repo.has_object(name_of(b"data"), ObjectType.FILE)


def test_what_exists_is_passed_over(repo: Repo) -> None:
    """Its operands are read, and mean nothing."""
    one_file(repo, NEW, (S, 0, 0, len(NEW), 0))
    objects = [(ObjectType.FILE, name_of(NEW)), (ObjectType.FILE, name_of(b"more"))]

    code = [(O, 9, 9, 1), (W, 999, 999), (B, 999, 999), (C,), (S, 0, 0, 4, 0)]
    run(repo, objects, b"more", *code)

    assert repo.has_object(name_of(b"more"), ObjectType.FILE)


def test_a_large_file_is_not_held_in_memory(repo: Repo) -> None:
    data = bytes(range(256)) * 9000
    half = len(data) // 2

    code = [(O, 0, 0, len(data)), (W, half, 0), (W, half, half), (C,)]
    run(repo, [(ObjectType.FILE, name_of(data))], data, *code, plain_size=len(data))

    with repo.load_content(name_of(data)) as content:
        assert content.size == len(data)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("open-splice-and-close: Invalid offset/length 1/5000", [(S, 0, 0, 5000, 1)]),
        ("open-splice-and-close: Invalid offset/length 99999/0", [(S, 0, 0, 0, 99999)]),
        ("open-splice-and-close: Invalid mode index 4", [(S, 4, 0, 1, 0)]),
        ("open-splice-and-close: Invalid xattr index 1", [(S, 0, 1, 1, 0)]),
        ("open-splice-and-close: Invalid file metadata mode", [(S, 2, 0, 1, 0)]),
        ("open: Invalid mode index 9", [(O, 9, 0, 1)]),
        ("open: Invalid xattr index 9", [(O, 0, 9, 1)]),
        ("open: Invalid mode 41471 of a regular file", [(O, 1, 0, 1)]),
        ("open: Invalid mode 16877 of a regular file", [(O, 2, 0, 1)]),
        ("open: An object is open already", [(O, 0, 0, 1), (O, 0, 0, 1)]),
        ("close: An object is open already", [(O, 0, 0, 1), (S, 0, 0, 1, 0)]),
        ("open: Invalid content size", [(O, 0, 0, 1 << 63)]),
        ("write: No object is open", [(W, 1, 0)]),
        ("close: No object is open", [(C,)]),
        ("^No object is open", [(B, 0, 0)]),
        ("^bspatch without a read source", [(O, 0, 0, 1), (B, 0, 0)]),
        ("write: Invalid offset/length 0/99999", [(O, 0, 0, 99999), (W, 99999, 0)]),
        ("write: Content of object .* is larger", [(O, 0, 0, 1), (W, 2, 0)]),
        ("close: Content of object .* has 1 bytes", [(O, 0, 0, 2), (W, 1, 0), (C,)]),
        ("set-read-source: Invalid offset/length", [(R, 1 << 62)]),
        ("Static delta part ends within an object", [(O, 0, 0, 1)]),
    ],
)
def test_operations_that_make_no_sense(repo: Repo, message: str, code: list[Code]) -> None:
    refuse(repo, message, b"data" * 20, *code)


def test_a_patch_into_a_file_that_has_content(repo: Repo) -> None:
    refuse(
        repo,
        "bspatch into a file that has content",
        source(),
        (R, 0),
        (O, 0, 0, 100),
        (W, 10, 0),
        (B, 0, 0),
    )


def test_a_patch_that_is_cut_off(repo: Repo) -> None:
    refuse(repo, "^bsdiff patch failed", source(), (R, 0), (O, 0, 0, 100), (B, 0, 5))


def test_a_source_that_is_not_there(repo: Repo) -> None:
    refuse(
        repo, "Couldn't find file object", bytes(32), (O, 0, 0, 1), (R, 0), kind=ObjectNotFoundError
    )


def test_a_source_that_ends_too_soon(repo: Repo) -> None:
    refuse(
        repo,
        f"opcode write: Unexpected EOF reading object {name_of(OLD)}",
        source(),
        (O, 0, 0, 5000),
        (R, 0),
        (W, 5000, 10),
        kind=CorruptionError,
    )


def test_a_source_that_is_a_link(repo: Repo) -> None:
    run(repo, [(ObjectType.FILE, name_of(b"", LINK))], b"target", (S, 1, 0, 6, 0))

    refuse(repo, "is not a regular file", name_of(b"", LINK).digest, (R, 0))


@pytest.mark.parametrize(
    "code",
    [
        [(S, 0, 0, 5, 0)],
        [(O, 0, 0, 5), (W, 5, 0), (C,)],
        [(S, 3, 0, len(NEW), 0)],
    ],
)
def test_content_that_is_not_what_the_name_says(repo: Repo, code: list[Code]) -> None:
    refuse(repo, "Corrupted file object", NEW, *code, kind=ChecksumError)


def test_metadata_that_is_not_what_the_name_says(repo: Repo) -> None:
    with pytest.raises(ChecksumError, match="Corrupted dirmeta object"):
        run(repo, [(ObjectType.DIRMETA, name_of(NEW))], META, (S, len(META), 0))


def test_metadata_that_is_damaged(repo: Repo) -> None:
    """Its checksum is right, but it is no directory."""
    data = b"no dirtree"

    with pytest.raises(FormatError):
        run(
            repo,
            [(ObjectType.DIRTREE, Checksum.of_digest(sha256(data).digest()))],
            data,
            (S, len(data), 0),
        )


def test_metadata_cannot_be_opened(repo: Repo) -> None:
    with pytest.raises(FormatError, match=r"opcode open: Object .*\.dirmeta is not a file"):
        run(repo, [(ObjectType.DIRMETA, name_of(NEW))], META, (O, 0, 0, 1))


def test_more_objects_than_listed(repo: Repo) -> None:
    with pytest.raises(FormatError, match="More objects than the superblock lists"):
        run(repo, [], b"data", (S, 0, 0, 4, 0))


@pytest.mark.parametrize("target", [b"a\0b", b"\xff"])
def test_links_that_lead_nowhere_at_all(repo: Repo, target: bytes) -> None:
    with pytest.raises(FormatError, match="Symlink target"):
        run(repo, [(ObjectType.FILE, name_of(NEW))], target, (S, 1, 0, len(target), 0))


def test_modes_that_a_bare_user_only_repository_cannot_have(repo: Repo) -> None:
    header = FileHeader(0, 0, 0o104755)

    with pytest.raises(FormatError, match="invalid mode 0104755 with bits 04000"):
        run(
            repo,
            [(ObjectType.FILE, name_of(b"data", header))],
            b"data",
            (S, 3, 0, 4, 0),
            bare_user_only=True,
        )


def test_an_announced_size_takes_no_memory(repo: Repo) -> None:
    """Nor disk: the space that must stay free is what counts."""
    refuse(
        repo,
        "min-free-space",
        b"",
        (O, 0, 0, 1 << 60),
        kind=SpaceError,
    )


def test_what_came_before_an_error_is_kept_for_the_next_try(repo: Repo) -> None:
    """It is right, after all; and there is no commit that could need what is missing."""
    objects = [(ObjectType.FILE, name_of(b"data")), (ObjectType.FILE, name_of(NEW))]

    with pytest.raises(ChecksumError):
        run(repo, objects, b"data", (S, 0, 0, 4, 0), (S, 0, 0, 4, 0))

    assert repo.fsck().corrupted is False
