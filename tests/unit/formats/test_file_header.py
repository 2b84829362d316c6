"""Headers of files: what is hashed, what archives store, and what cannot be a file."""

from __future__ import annotations

import hashlib

import pytest

from ostree.errors import FormatError
from ostree.formats import file_header, gvariant
from ostree.types import Checksum, FileHeader, Xattrs
from support.vectors import ATTRIBUTES, CONTENT, HELLO, LINK, XA

PLAIN = "(uuuusa(ayay))"
ARCHIVE = "(tuuuusa(ayay))"
TARGET = "tärget/ü"


def swapped(number: int) -> int:
    return int.from_bytes(number.to_bytes(4, "little"), "big")


def plain(uid: int, gid: int, mode: int, rdev: int, target: str) -> bytes:
    """The hashed form of what our own encoder would not write."""
    numbers = (swapped(uid), swapped(gid), swapped(mode), swapped(rdev))
    variant = gvariant.encode(PLAIN, (*numbers, target, []))
    return len(variant).to_bytes(4, "big") + bytes(4) + variant


@pytest.mark.parametrize("checksum", list(CONTENT))
def test_the_objects_of_tree_t(checksum: Checksum) -> None:
    vector = CONTENT[checksum]

    prefix = file_header.content_prefix(vector.header)
    archived = file_header.archive_prefix(vector.header, len(vector.content))

    assert hashlib.sha256(prefix + vector.content).hexdigest() == checksum
    assert vector.archived.startswith(archived)
    assert file_header.prefix_length(vector.archived, len(vector.archived)) == len(archived)
    assert file_header.decode_content_prefix(prefix) == vector.header
    assert file_header.decode_archive_prefix(archived) == (vector.header, len(vector.content))


def test_the_worked_examples_of_the_format() -> None:
    assert file_header.content_prefix(CONTENT[HELLO].header).hex() == (
        "0000001200000000" + "0000000000000000000081a400000000" + "00" + "11"
    )
    assert file_header.content_prefix(CONTENT[XA].header).hex() == (
        "00000028000000000000000000000000000081a40000000000"
        "757365722e61003107757365722e620074776f07091411"
    )
    assert file_header.content_prefix(CONTENT[LINK].header).hex() == (
        "0000001b00000000" + "00000000000000000000a1ff00000000" + "68656c6c6f2e74787400" + "1a"
    )


@pytest.mark.parametrize(
    ("owner", "mode", "target", "content", "xattrs", "checksum"),
    [
        ((1000, 1001), 0o100640, "", b"x", (), "ef59c0ea1d18f9257d6260a40ce9cea9a44e4469d11942571b106b569bc26188"),
        ((0, 0), 0o104755, "", b"x", (), "3168f4d201f9f3d84807f2231e5855dba6ca96f3637ec7562a3c57d0cfd0fbb2"),
        ((0, 0), 0o101644, "", b"x", (), "f7c2276fdccc230d914884aa377244d2cdf7ca495833d11970d6b63c19a2ec8e"),
        ((0, 0), 0o100000, "", b"x", (), "2496da1ddc57940c72f221f274d5e5428f437a2b7a7468b24b9cc55536ced766"),
        ((0, 0), 0o100644, "", b"x", ((b"user.a", b"2"), (b"user.z", b"1")), "8c37f707c9b0c6633a66ef2229f1a934b99e50c580f5c6710def5f42ca7d4797"),
        ((0, 0), 0o100644, "", b"x", ((b"trusted.t", b"v"),), "3dbc46aa55e269ce3fa7ad5c8f805578306c0d49aa24db916cd2a5d8438611ed"),
        ((0, 0), 0o100644, "", b"x", ((b"user.big", b"B" * 300),), "cb0ef64089664d11d29d927e89ebaf559d2e6b81d75198596ca9edc09f8c7f5b"),
        ((0, 0), 0o100444, "", b"", (), "f24b34d4e9f943f1e762ca67d408291066d36af856ac2245cd34bbc527cecde5"),
        ((0, 0), 0o100600, "", bytes(range(256)) * 4096, (), "db82ff5f3ad86e6abe43c313bbf8db98c51a2882f3d2118271486cddeef09e91"),
        ((0, 0), 0o120777, TARGET, b"", (), "ea85bdc41d26c675b61a49b3638d6aa399f0b903209d5d6d5c71420197213fd6"),
        ((5, 6), 0o120777, TARGET, b"", (), "e34355839772a90f2e0a0ab3025b3d2f772e0b3fa3a589279620a7bfe84e9724"),
        ((5, 6), 0o120777, TARGET, b"", ((b"trusted.s", b"v"),), "3b5158e408598cabcd5e58604ed8f9cfdebe0c6686c049325fbda5f441d97585"),
    ],
)  # fmt: skip
def test_checksums_made_by_the_reference(
    owner: tuple[int, int], mode: int, target: str, content: bytes, xattrs: Xattrs, checksum: str
) -> None:
    header = FileHeader(*owner, mode, target, xattrs)

    prefix = file_header.content_prefix(header)

    assert hashlib.sha256(prefix + content).hexdigest() == checksum
    assert file_header.decode_content_prefix(prefix) == header


@pytest.mark.parametrize("size", [0, 1, 1 << 32, (1 << 64) - 1])
def test_archives_name_the_size_of_the_content(size: int) -> None:
    header = FileHeader(1, 2, 0o100644, "", ATTRIBUTES)

    prefix = file_header.archive_prefix(header, size)

    assert file_header.decode_archive_prefix(prefix) == (header, size)
    assert gvariant.decode(ARCHIVE, prefix[8:])[0] == int.from_bytes(
        size.to_bytes(8, "little"), "big"
    )


@pytest.mark.parametrize(
    ("start", "stream", "message"),
    [
        (bytes(8), 8, "File header size is zero"),
        (b"\0\0\x13\x88\0\0\0\0" + bytes(34), 42, "File header size 5000 exceeds size 42"),
        (b"\0\0\0\x1a\0\0\0\0" + bytes(12), 20, "File header size 26 exceeds size 20"),
        (b"\0\0\0\x1a\0\0\0\0" + bytes(25), 33, "File header size 26 exceeds size 33"),
        (b"\xff\xff\xff\xff\0\0\0\0", None, "File header size 4294967295 exceeds size 134217728"),
        (b"\0\0\0", 3, "File header size 3 is too short"),
        (b"", 0, "File header size 0 is too short"),
    ],
)
def test_impossible_lengths_are_refused_before_anything_is_read(
    start: bytes, stream: int | None, message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        file_header.prefix_length(start, stream)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("mode", "rdev", "target", "message"),
    [
        (0o100644, 5, "", "Corrupted archive file; invalid rdev 5"),
        (0o40755, 0, "", "Corrupted archive file; invalid mode 16877"),
        (0o10644, 0, "", "Corrupted archive file; invalid mode 4516"),
        (0o170000, 0, "", "Corrupted archive file; invalid mode 61440"),
        (0, 0, "", "Corrupted archive file; invalid mode 0"),
        (0o300644, 0, "", "Invalid mode 98724; invalid bits in mode"),
        (0o1100644, 0, "", "Invalid mode 295332; invalid bits in mode"),
        (0o100644, 0, "target", "Not normal form"),
    ],
)
def test_what_cannot_be_a_file_is_refused_in_upstreams_words(
    mode: int, rdev: int, target: str, message: str
) -> None:
    prefix = plain(0, 0, mode, rdev, target)

    with pytest.raises(FormatError) as caught:
        file_header.decode_content_prefix(prefix)

    assert str(caught.value) == message


def test_a_header_that_cannot_be_one_of_a_file_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        file_header.check(FileHeader(0, 0, 0o40755))

    assert str(caught.value) == "Invalid file metadata mode 16877; not a valid file type"


def test_a_symlink_has_no_content() -> None:
    prefix = bytearray(file_header.archive_prefix(CONTENT[LINK].header, 7))

    with pytest.raises(FormatError, match="Not normal form") as caught:
        file_header.decode_archive_prefix(bytes(prefix))

    assert caught.value.field == "size of a symlink"


def test_the_padding_is_zero() -> None:
    """It is hashed, so that nothing else may stand there."""
    prefix = bytearray(file_header.content_prefix(CONTENT[HELLO].header))
    prefix[5] = 1

    with pytest.raises(FormatError, match="Not normal form"):
        file_header.decode_content_prefix(bytes(prefix))


def test_targets_on_disk_that_are_not_utf8_are_not_encoded() -> None:
    with pytest.raises(FormatError) as caught:
        file_header.content_prefix(FileHeader(0, 0, 0o120777, "caf\udce9"))

    assert str(caught.value).startswith("Invalid UTF-8 in symlink target caf")


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (0o100666, "invalid mode 0100666 with bits 00002"),
        (0o104755, "invalid mode 0104755 with bits 04000"),
        (0o107777, "invalid mode 0107777 with bits 07002"),
    ],
)
def test_modes_that_bare_user_only_cannot_hold(mode: int, text: str) -> None:
    with pytest.raises(FormatError) as caught:
        file_header.check_bare_user_only(HELLO, FileHeader(0, 0, mode))

    assert str(caught.value) == f"Content object {HELLO}: {text}"


@pytest.mark.parametrize("mode", [0o100775, 0o100000, 0o100644, 0o120777])
def test_modes_that_bare_user_only_can_hold(mode: int) -> None:
    file_header.check_bare_user_only(HELLO, FileHeader(0, 0, mode))
