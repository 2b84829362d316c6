"""Checksums, types of objects and modes: what they are called and what is refused."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.types import Checksum, DirMeta, FileHeader, ObjectName, ObjectType, RepoMode, TreeId

HEX = "0123456789abcdef" * 4


def test_a_checksum_is_its_text() -> None:
    checksum = Checksum(HEX)

    assert checksum == HEX
    assert checksum.digest == bytes.fromhex(HEX)
    assert Checksum.of_digest(checksum.digest) == checksum


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid rev "),
        ("abc", "Invalid rev abc"),
        (HEX + "0", f"Invalid rev {HEX}"),
        ("a\nb", "Invalid rev a b"),
        (HEX[:-1] + "A", f"Invalid character '65' in rev '{HEX[:-1]}A'"),
        ("g" * 64, f"Invalid character '103' in rev '{'g' * 64}'"),
        (HEX[:-1] + "é", f"Invalid character '195' in rev '{HEX[:-1]}é'"),
        (HEX[:-1] + "\n", f"Invalid character '10' in rev '{HEX[:-1]}\n'"),
    ],
)
def test_other_texts_are_refused_in_upstreams_words(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Checksum(text)

    assert str(caught.value) == message


@pytest.mark.parametrize("size", [0, 31, 33])
def test_other_digests_are_refused(size: int) -> None:
    with pytest.raises(FormatError) as caught:
        Checksum.of_digest(bytes(size))

    assert str(caught.value) == f"Invalid checksum of length {size} expected 32"


def test_names_of_types() -> None:
    assert [type.extension for type in ObjectType] == [
        "file",
        "dirtree",
        "dirmeta",
        "commit",
        "tombstone-commit",
        "commitmeta",
        "payload-link",
        "file-xattrs",
        "file-xattrs-link",
    ]
    assert [type.value for type in ObjectType if type.is_metadata] == [2, 3, 4, 5, 6]
    assert str(ObjectName(Checksum(HEX), ObjectType.FILE)) == f"{HEX}.file"


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("bare", RepoMode.BARE),
        ("archive", RepoMode.ARCHIVE),
        ("archive-z2", RepoMode.ARCHIVE),
        ("bare-user", RepoMode.BARE_USER),
        ("bare-user-only", RepoMode.BARE_USER_ONLY),
        ("bare-split-xattrs", RepoMode.BARE_SPLIT_XATTRS),
    ],
)
def test_modes(text: str, mode: RepoMode) -> None:
    assert RepoMode.parse(text) is mode


@pytest.mark.parametrize("text", ["", "Bare", "foo", "archive-z3"])
def test_other_modes_are_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        RepoMode.parse(text)

    assert str(caught.value) == f"Invalid mode '{text}' in repository configuration"


def test_values_compare_by_all_their_members() -> None:
    one, other = Checksum(HEX), Checksum("0" * 64)
    values = [
        TreeId(one, other),
        TreeId(other, one),
        DirMeta(0, 0, 0o40755),
        DirMeta(0, 1, 0o40755),
        FileHeader(0, 0, 0o100644),
        FileHeader(0, 0, 0o100644, "", ((b"user.a", b"1"),)),
        ObjectName(one, ObjectType.FILE),
        ObjectName(one, ObjectType.COMMIT),
    ]

    assert len(set(values)) == len(values)
    assert TreeId(one, other) == TreeId(Checksum(HEX), other)
    assert all(value != object() for value in values)
    assert all(repr(value) for value in values)
