"""Metadata of directories, and of the files of bare-user repositories, which looks the same."""

from __future__ import annotations

import hashlib

import pytest

from ostree.errors import FormatError
from ostree.formats import dirmeta
from ostree.types import DirMeta
from support.vectors import ATTRIBUTES, META_0700, META_0755, METADATA


@pytest.mark.parametrize(("checksum", "mode"), [(META_0755, 0o40755), (META_0700, 0o40700)])
def test_the_objects_of_tree_t(checksum: str, mode: int) -> None:
    data = dirmeta.encode(DirMeta(0, 0, mode))

    assert data == METADATA[(META_0755 if mode == 0o40755 else META_0700, "dirmeta")]
    assert hashlib.sha256(data).hexdigest() == checksum
    assert dirmeta.decode(data) == DirMeta(0, 0, mode)


@pytest.mark.parametrize(
    ("meta", "checksum"),
    [
        (
            DirMeta(5, 6, 0o41777),
            "e9db9247c799cf40971a8535d2c79867f1a5cb164b8025378f80a04fb3c398cb",
        ),
        (
            DirMeta(0, 0, 0o40755, ((b"user.k", b"val"),)),
            "04ae3625c158447587430e63ef34cadd449c303eb49b428fadf67a578ffe1c45",
        ),
        (
            DirMeta(0, 0, 0o42775),
            "9831eb8106d9d8986437bb1ed7f7e25affd30a630be9cefa3c200b3a5b40af76",
        ),
    ],
)
def test_checksums_made_by_the_reference(meta: DirMeta, checksum: str) -> None:
    assert hashlib.sha256(dirmeta.encode(meta)).hexdigest() == checksum


@pytest.mark.parametrize(
    ("mode", "xattrs", "value"),
    [
        (0o100644, (), "0000000000000000000081a4"),
        (0o100755, (), "0000000000000000000081ed"),
        (0o100600, (), "000000000000000000008180"),
        (0o120777, (), "00000000000000000000a1ff"),
        (
            0o100644,
            ATTRIBUTES,
            "0000000000000000000081a4757365722e61003107757365722e620074776f070914",
        ),
    ],
)
def test_values_that_bare_user_keeps_beside_files(
    mode: int, xattrs: tuple[tuple[bytes, bytes], ...], value: str
) -> None:
    meta = DirMeta(0, 0, mode, xattrs)

    assert dirmeta.encode(meta).hex() == value
    assert dirmeta.decode_any_mode(bytes.fromhex(value)) == meta


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        (0o100644, "Invalid directory metadata mode 33188; not a directory"),
        (0, "Invalid directory metadata mode 0; not a directory"),
        (0o120777, "Invalid directory metadata mode 41471; not a directory"),
        (0o240755, "Invalid mode 82413; invalid bits in mode"),
        (0xFFFF41ED, "Invalid mode 4294918637; invalid bits in mode"),
    ],
)
def test_other_modes_are_refused_in_upstreams_words(mode: int, message: str) -> None:
    data = dirmeta.encode(DirMeta(0, 0, mode))

    with pytest.raises(FormatError) as caught:
        dirmeta.decode(data)

    assert str(caught.value) == message


@pytest.mark.parametrize("size", range(12))
def test_short_bytes_are_refused(size: int) -> None:
    with pytest.raises(FormatError, match="Not normal form"):
        dirmeta.decode(bytes(size))


def test_owners_have_all_their_bits() -> None:
    meta = DirMeta(0xFFFFFFFE, 0xFFFFFFFF, 0o40000)

    assert dirmeta.decode(dirmeta.encode(meta)) == meta
