"""Headers of archived files are parsed once for many files, and each file is still looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError
from ostree.repo.hashing import checksum_bytes, checksum_loaded
from ostree.repo.repository import Repo
from ostree.types import FileHeader, ObjectType

if TYPE_CHECKING:
    from pathlib import Path

    from ostree.types import Checksum

PLAIN = FileHeader(0, 0, 0o100644)


def put(repo: Repo, header: FileHeader, data: bytes) -> Checksum:
    checksum = checksum_bytes(header, data)
    repo.store.put_bytes(checksum, header, data)
    return checksum


def test_each_file_has_its_own_header_and_size(tmp_path: Path) -> None:
    headers = [PLAIN, FileHeader(0, 0, 0o100755), FileHeader(1, 0, 0o100644), PLAIN, PLAIN]
    with Repo.create(tmp_path / "repo", "archive") as repo:
        names = [put(repo, header, b"x" * size) for size, header in enumerate(headers)]

        for size, (name, header) in enumerate(zip(names, headers, strict=True)):
            assert repo.load_file_header(name) == (header, size)
            with repo.load_content(name) as content:
                assert checksum_loaded(content) == name


def test_damage_beside_a_known_header_is_found(tmp_path: Path) -> None:
    """The padding behind the length is hashed, but no part of what is compared."""
    with Repo.create(tmp_path / "repo", "archive") as repo:
        repo.load_content(put(repo, PLAIN, b"first")).close()
        name = put(repo, PLAIN, b"second")
        path = tmp_path / "repo/objects" / repo.store.path(name, ObjectType.FILE)
        data = bytearray(path.read_bytes())
        data[5] = 1
        path.write_bytes(data)

        with pytest.raises(CorruptionError):
            repo.load_content(name)


@pytest.mark.parametrize("size", [100, 200_000])
def test_content_that_cannot_be_inflated_is_found_when_it_is_read(
    tmp_path: Path, size: int
) -> None:
    """Whoever reads it inflates it, so that this can be a worker."""
    data = bytes(number * number % 251 for number in range(size))
    with Repo.create(tmp_path / "repo", "archive") as repo:
        name = put(repo, PLAIN, data)
        path = tmp_path / "repo/objects" / repo.store.path(name, ObjectType.FILE)
        path.write_bytes(path.read_bytes()[:-1])

        with repo.load_content(name) as content, pytest.raises(CorruptionError):
            content.read()
