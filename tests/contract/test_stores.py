"""The contract of an object store, held by every mode (repository format §3)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, ObjectNotFoundError, OSTreeError, RepoError
from ostree.formats import xattrs as xattrs_format
from ostree.formats.file_header import archive_prefix
from ostree.repo.hashing import checksum_bytes, checksum_loaded
from ostree.store.archive import ArchiveStore
from ostree.store.bare import BareStore
from ostree.store.bare_split_xattrs import BareSplitXattrsStore
from ostree.store.bare_user import BareUserStore
from ostree.store.bare_user_only import BareUserOnlyStore
from ostree.store.content import SMALL
from ostree.store.layout import ObjectDirectory, loose_path
from ostree.system import files
from ostree.types import Checksum, FileHeader, ObjectName, ObjectType
from support.vectors import (
    ATTRIBUTES,
    CONTENT,
    EMPTY,
    HELLO,
    IS_ROOT,
    LINK,
    META_0755,
    METADATA,
    XA,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ostree.store.store import LooseStore

STORES: dict[str, Callable[[ObjectDirectory], LooseStore]] = {
    "bare": BareStore,
    "bare-split-xattrs": partial(BareSplitXattrsStore, writable=True),
    "bare-user": BareUserStore,
    "bare-user-only": BareUserOnlyStore,
    "archive": ArchiveStore,
}
#: Modes that have owners on the inode.
OWNED = ("bare", "bare-split-xattrs")
METADATA_TYPES = [
    ObjectType.DIRTREE,
    ObjectType.DIRMETA,
    ObjectType.COMMIT,
    ObjectType.COMMITMETA,
    ObjectType.TOMBSTONE_COMMIT,
]


@pytest.fixture(params=list(STORES))
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["O_TMPFILE", "names"])
def tmpfile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the file system has anonymous files."""
    if request.param == "names":
        genuine = os.open

        def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
            return genuine(path, flags, mode, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refuse)
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("objects", "tmp", "staging"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def store(mode: str, place: Path) -> Iterator[LooseStore]:
    """An empty store without a staging directory."""
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    yield STORES[mode](ObjectDirectory(opened[0], opened[1]))
    for fd in opened:
        os.close(fd)


@pytest.fixture
def staging(store: LooseStore, place: Path) -> Iterator[Path]:
    """The directory that a transaction has put in front of the store."""
    fd = files.open_directory(place / "staging")
    store.staging = ObjectDirectory(fd, fd)
    yield place / "staging"
    os.close(fd)


def header_for(mode: str, permissions: int = 0o644, *, plain: bool = False) -> FileHeader:
    """A header that says as much as the mode can keep."""
    if mode == "bare-user-only":
        return FileHeader(0, 0, 0o100000 | permissions)
    owner = (os.geteuid(), os.getegid()) if mode in OWNED and not IS_ROOT else (12, 34)
    return FileHeader(*owner, 0o100000 | permissions, "", () if plain else ATTRIBUTES)


def path_of(place: Path, store: LooseStore, checksum: str) -> Path:
    return place / "objects" / store.path(checksum, ObjectType.FILE)


def put(store: LooseStore, header: FileHeader, data: bytes) -> Checksum:
    checksum = checksum_bytes(header, data)
    assert store.put_bytes(checksum, header, data)
    return checksum


def content_of(store: LooseStore, checksum: Checksum, piece: int = 1 << 20) -> bytes:
    parts = []
    with store.load(checksum) as content:
        while data := content.read(piece):
            parts.append(data)
    return b"".join(parts)


def leftovers(place: Path) -> list[str]:
    return [name for directory in ("tmp", "staging") for name in os.listdir(place / directory)]


# content ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"x", b"hello\n" * 1000, bytes(range(256)) * 300])
def test_what_is_put_is_loaded(
    store: LooseStore, mode: str, place: Path, tmpfile: str, data: bytes
) -> None:
    header = header_for(mode)

    checksum = put(store, header, data)

    with store.load(checksum) as content:
        assert content.header == header
        assert content.size == len(data)
        assert checksum_loaded(content) == checksum
    assert content_of(store, checksum, 1000) == data
    assert store.header(checksum) == (header, len(data))
    assert store.has(checksum, ObjectType.FILE)
    assert leftovers(place) == []


@pytest.mark.parametrize(
    ("mode", "checksum"),
    [
        (mode, checksum)
        for mode in STORES
        for checksum in (HELLO, EMPTY, XA, LINK)
        if mode != "bare-user-only" or checksum != XA  # which keeps no attributes
        if mode not in OWNED or IS_ROOT  # as the files are root's
    ],
    indirect=["mode"],
)
def test_objects_of_the_reference(
    store: LooseStore, mode: str, place: Path, checksum: Checksum
) -> None:
    vector = CONTENT[checksum]

    assert store.put_bytes(checksum, vector.header, vector.content)

    with store.load(checksum) as content:
        assert content.header == vector.header
        assert checksum_loaded(content) == checksum
    if mode == "archive":
        stored = path_of(place, store, checksum).read_bytes()
        assert stored.startswith(archive_prefix(vector.header, len(vector.content)))
        path_of(place, store, checksum).write_bytes(vector.archived)
        assert content_of(store, checksum) == vector.content


def test_an_object_that_exists_is_not_written_again(
    store: LooseStore, mode: str, place: Path, tmpfile: str
) -> None:
    header = header_for(mode)
    checksum = put(store, header, b"data")
    before = path_of(place, store, checksum).lstat()

    assert not store.put_bytes(checksum, header, b"data")
    with store.begin(header, 4) as writer:
        writer.write(b"data")
        assert not writer.finish(checksum)

    after = path_of(place, store, checksum).lstat()
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert leftovers(place) == []


@pytest.mark.parametrize("size", [0, 5, 300_000])
def test_content_that_arrives_in_pieces(
    store: LooseStore, mode: str, place: Path, tmpfile: str, size: int
) -> None:
    header = header_for(mode)
    data = (b"0123456789" * (size // 10 + 1))[:size]
    checksum = checksum_bytes(header, data)

    with store.begin(header, size) as writer:
        for at in range(0, size, 70_000):
            writer.write(memoryview(data)[at : at + 70_000])
        assert not store.has(checksum, ObjectType.FILE)
        assert writer.finish(checksum)

    with store.load(checksum) as content:
        assert content.header == header
    assert content_of(store, checksum) == data
    assert leftovers(place) == []


def test_content_that_does_not_arrive_leaves_nothing(
    store: LooseStore, mode: str, place: Path, tmpfile: str
) -> None:
    with store.begin(header_for(mode), 100) as writer:
        writer.write(b"half")

    assert leftovers(place) == []
    assert os.listdir(place / "objects") == []


def test_content_taken_from_an_open_file(store: LooseStore, mode: str, tmp_path: Path) -> None:
    header = header_for(mode)
    data = bytes(range(256)) * 5000
    (tmp_path / "source").write_bytes(data + b"appended since its size was read")
    checksum = checksum_bytes(header, data)
    fd = os.open(tmp_path / "source", os.O_RDONLY)
    try:
        with store.begin(header, len(data)) as writer:
            taken = writer.fill(fd, len(data), header)
            if taken is None:
                taken = writer.checksum_again(header, len(data))

            assert taken == checksum
            assert writer.finish(checksum)
    finally:
        os.close(fd)

    assert content_of(store, checksum) == data


def test_a_file_that_shrank_is_noticed(store: LooseStore, mode: str, tmp_path: Path) -> None:
    header = header_for(mode)
    (tmp_path / "source").write_bytes(b"short")
    fd = os.open(tmp_path / "source", os.O_RDONLY)
    try:
        with store.begin(header, 1000) as writer:
            taken = writer.fill(fd, 1000, header)
            if taken is None:
                taken = writer.checksum_again(header, 1000)
    finally:
        os.close(fd)

    assert taken != checksum_bytes(header, b"short" + bytes(996))


@pytest.mark.parametrize("piece", [1 << 20, 4096 * 3 + 1])
def test_large_files_are_streamed(store: LooseStore, mode: str, piece: int) -> None:
    """Compressible to the utmost: the decoder holds output when its input has ended."""
    header = header_for(mode)
    data = b"a" * (SMALL + 1)
    checksum = checksum_bytes(header, data)
    with store.begin(header, len(data)) as writer:
        writer.write(data)
        writer.finish(checksum)

    with store.load(checksum) as content:
        assert content.size == len(data)
        first = content.read(piece)
    assert 0 < len(first) <= piece
    assert hashlib.sha256(content_of(store, checksum, piece)).digest() == (
        hashlib.sha256(data).digest()
    )


@pytest.mark.parametrize("size", [4096, 32768, 65536, 258 * 100, 131072])
@pytest.mark.parametrize("piece", [258, 1000, 4096, 65536])
def test_streams_end_where_their_content_does(place: Path, size: int, piece: int) -> None:
    """Small objects, read as large ones are, in pieces of every kind."""
    from ostree.store import compression
    from ostree.store.content import InflatedContent

    header = FileHeader(0, 0, 0o100644)
    for level in (1, 6, 9):
        for data in (bytes(size), b"ab" * (size // 2), os.urandom(size)):
            (place / "stream").write_bytes(compression.compress(data, level))
            fd = os.open(place / "stream", os.O_RDONLY)
            decoder = compression.stream_decoder()
            parts = []
            with InflatedContent(header, size, fd, decoder) as content:
                while part := content.read(piece):
                    parts.append(part)

            assert b"".join(parts) == data


# what is on the disk ----------------------------------------------------------------------------


@pytest.mark.parametrize("permissions", [0o644, 0o755, 0o600, 0o444, 0o000, 0o4755, 0o2755, 0o1777])
def test_modes_of_inodes(
    store: LooseStore, mode: str, place: Path, permissions: int, tmpfile: str
) -> None:
    if mode == "bare-user-only":
        permissions &= 0o775  # all that it can hold
    expected = {
        "bare": permissions,
        "bare-split-xattrs": permissions,
        "bare-user": permissions & 0o775 | 0o400,
        "bare-user-only": permissions,
        "archive": 0o644,
    }[mode]
    before = os.umask(0o077)
    try:
        checksum = put(store, header_for(mode, permissions, plain=True), b"data")
    finally:
        os.umask(before)

    info = path_of(place, store, checksum).lstat()

    assert stat.S_IMODE(info.st_mode) == expected
    assert stat.S_ISREG(info.st_mode)
    if mode != "archive":
        assert info.st_mtime_ns == 0
    if IS_ROOT or permissions & 0o400:
        with store.load(checksum) as content:
            assert stat.S_IMODE(content.header.mode) == permissions


@pytest.mark.parametrize("permissions", [0o666, 0o4755, 0o1777])
def test_bare_user_only_refuses_modes_it_cannot_hold(place: Path, permissions: int) -> None:
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = BareUserOnlyStore(ObjectDirectory(opened[0], opened[1]))
    header = FileHeader(0, 0, 0o100000 | permissions)
    checksum = checksum_bytes(header, b"x")

    with pytest.raises(
        OSTreeError, match=f"^Content object {checksum}: invalid mode 010"
    ) as caught:
        store.put_bytes(checksum, header, b"x")

    assert str(caught.value).endswith(f"with bits 0{permissions & ~0o775:04o}")
    assert leftovers(place) == []
    assert os.listdir(place / "objects") == []
    for fd in opened:
        os.close(fd)


def test_owner_and_attributes_of_inodes(store: LooseStore, mode: str, place: Path) -> None:
    header = header_for(mode)
    path = path_of(place, store, put(store, header, b"data"))

    attributes = set(os.listxattr(path))

    if mode in OWNED:
        assert attributes == ({"user.a", "user.b"} if mode == "bare" else set())
        assert (path.stat().st_uid, path.stat().st_gid) == (header.uid, header.gid)
    else:
        assert attributes == ({"user.ostreemeta"} if mode == "bare-user" else set())
        assert path.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("target", ["hello.txt", "/abs/olute", "tärget/ü", "x" * 1000])
def test_symbolic_links(
    store: LooseStore, mode: str, place: Path, tmpfile: str, target: str
) -> None:
    owner = header_for(mode)
    header = FileHeader(owner.uid, owner.gid, 0o120777, target)

    checksum = put(store, header, b"")

    path = path_of(place, store, checksum)
    with store.load(checksum) as content:
        assert content.header == header
        assert content.size == 0
        assert content.read() == b""
    assert store.header(checksum) == (header, 0)
    if mode in (*OWNED, "bare-user-only"):
        assert os.readlink(path) == target
    elif mode == "bare-user":
        assert path.read_bytes() == target.encode() + b"\0"
        assert stat.S_IMODE(path.lstat().st_mode) == 0o644
        assert path.lstat().st_mtime_ns == 0
    else:
        assert path.read_bytes() == archive_prefix(header, 0)
    assert not store.put_bytes(checksum, header, b"")
    assert leftovers(place) == []


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="attributes of links need root")
@pytest.mark.parametrize("mode", [*OWNED, "bare-user", "archive"], indirect=True)
def test_links_keep_attributes(store: LooseStore) -> None:
    header = FileHeader(5, 6, 0o120777, "tärget/ü", ((b"trusted.s", b"v"),))

    checksum = put(store, header, b"")

    assert checksum == "3b5158e408598cabcd5e58604ed8f9cfdebe0c6686c049325fbda5f441d97585"
    with store.load(checksum) as content:
        assert content.header == header
    assert store.header(checksum) == (header, 0)


def test_headers_need_not_have_attributes(store: LooseStore, mode: str) -> None:
    """All else is there; attributes may be."""
    header = header_for(mode)
    checksum = put(store, header, b"data")

    found, size = store.header(checksum, with_xattrs=False)

    assert size == 4
    assert found.xattrs in ((), header.xattrs)
    found.xattrs = header.xattrs
    assert found == header


def test_a_bare_store_can_leave_attributes_alone(place: Path) -> None:
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = BareStore(ObjectDirectory(opened[0], opened[1]), with_xattrs=False)
    header = FileHeader(os.geteuid(), os.getegid(), 0o100644, "", ATTRIBUTES)

    checksum = put(store, header, b"data")

    assert os.listxattr(path_of(place, store, checksum)) == []
    os.setxattr(path_of(place, store, checksum), "user.new", b"v")
    with store.load(checksum) as content:
        assert content.header.xattrs == ()
    for fd in opened:
        os.close(fd)


def test_bare_user_accepts_targets_without_a_final_nul(place: Path) -> None:
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = BareUserStore(ObjectDirectory(opened[0], opened[1]))
    put(store, CONTENT[LINK].header, b"")

    path_of(place, store, LINK).write_bytes(b"hello.txt")

    with store.load(LINK) as content:
        assert content.header == CONTENT[LINK].header
    for fd in opened:
        os.close(fd)


# attributes as objects --------------------------------------------------------------------------


@pytest.fixture
def split(place: Path) -> Iterator[BareSplitXattrsStore]:
    """An empty store that has attributes in objects of their own."""
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    yield BareSplitXattrsStore(ObjectDirectory(opened[0], opened[1]), writable=True)
    for fd in opened:
        os.close(fd)


def split_paths(place: Path, checksum: str, xattrs: bytes) -> tuple[Path, Path]:
    """The shared object of serialised attributes, and the link that a file has to it."""
    shared = loose_path(hashlib.sha256(xattrs).hexdigest(), "file-xattrs")
    link = loose_path(checksum, "file-xattrs-link")
    return place / "objects" / shared, place / "objects" / link


def test_attributes_are_shared_objects(split: BareSplitXattrsStore, place: Path) -> None:
    """Named by their checksum; each file has a hard link to its own, complete or not at all."""
    checksums = [put(split, header_for("bare"), data) for data in (b"one", b"two")]

    data = xattrs_format.encode(ATTRIBUTES)
    for checksum in checksums:
        shared, link = split_paths(place, checksum, data)
        assert shared.read_bytes() == data
        assert os.path.samefile(shared, link)
    assert shared.stat().st_nlink == 3
    assert stat.S_IMODE(shared.stat().st_mode) == 0o644


def test_a_file_without_attributes_is_missing(split: BareSplitXattrsStore, place: Path) -> None:
    """Not an object that could be damaged: it is stored again, and complete then."""
    header = header_for("bare")
    checksum = put(split, header, b"data")
    shared, link = split_paths(place, checksum, xattrs_format.encode(ATTRIBUTES))
    link.unlink()
    inode = path_of(place, split, checksum).stat().st_ino

    assert not split.has(checksum, ObjectType.FILE)
    with pytest.raises(ObjectNotFoundError) as caught:
        split.load(checksum)
    assert str(caught.value) == (
        f"Opening content object {checksum}: "
        f"openat({link.relative_to(place / 'objects')}): No such file or directory"
    )

    split.put_bytes(checksum, header, b"data")

    with split.load(checksum) as content:
        assert content.header == header
    assert path_of(place, split, checksum).stat().st_ino == inode
    assert os.path.samefile(shared, link)


@pytest.mark.parametrize("kind", ["garbage", "link", "directory", "pipe"])
def test_damaged_attributes_are_damage(split: BareSplitXattrsStore, place: Path, kind: str) -> None:
    checksum = put(split, header_for("bare"), b"data")
    _, link = split_paths(place, checksum, b"")
    link.unlink()
    if kind == "garbage":
        link.write_bytes(b"garbage")
    elif kind == "link":
        link.symlink_to("/etc/passwd")
    elif kind == "directory":
        link.mkdir()
    else:
        os.mkfifo(link)

    with pytest.raises(CorruptionError, match=checksum):
        split.load(checksum)


def test_too_many_links_make_another_file(
    split: BareSplitXattrsStore, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly all files of a system share the empty attributes."""
    genuine = os.link

    def link(source: str, destination: str, **options: object) -> None:
        if source.endswith(".file-xattrs"):
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))
        genuine(source, destination, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", link)

    checksum = put(split, header_for("bare"), b"data")

    with split.load(checksum) as content:
        assert content.header.xattrs == ATTRIBUTES


def test_attributes_that_vanish_are_made_again(
    split: BareSplitXattrsStore, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody deletes the last file that had them, at the same time."""
    put(split, header_for("bare"), b"one")
    shared, _ = split_paths(place, HELLO, xattrs_format.encode(ATTRIBUTES))
    genuine = os.link
    times: list[int] = []

    def link(source: str, destination: str, **options: object) -> None:
        if source.endswith(".file-xattrs") and not times:
            times.append(1)
            shared.unlink()
        genuine(source, destination, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", link)

    checksum = put(split, header_for("bare"), b"two")

    assert os.path.samefile(shared, split_paths(place, checksum, b"")[1])


def test_attributes_go_with_the_last_file_that_has_them(
    split: BareSplitXattrsStore, place: Path
) -> None:
    one, two = (put(split, header_for("bare"), data) for data in (b"one", b"two"))
    shared, link = split_paths(place, one, xattrs_format.encode(ATTRIBUTES))

    split.delete(ObjectName(one, ObjectType.FILE))
    gone, stays = link.exists(), shared.exists()
    split.delete(ObjectName(two, ObjectType.FILE))

    assert (gone, stays) == (False, True)
    assert not shared.exists()
    assert list(split.objects_of(ObjectType.FILE)) == []


def test_content_is_refused_unless_allowed(place: Path) -> None:
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = BareSplitXattrsStore(ObjectDirectory(opened[0], opened[1]))
    header = header_for("bare")

    with pytest.raises(RepoError, match=r"^Not allowed due to repo mode$"):
        store.put_bytes(HELLO, header, b"data")
    with pytest.raises(RepoError, match=r"^Not allowed due to repo mode$"):
        store.begin(header, 4)

    assert os.listdir(place / "objects") == []
    for fd in opened:
        os.close(fd)


# metadata ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", METADATA_TYPES)
def test_metadata_is_a_plain_file(
    store: LooseStore, place: Path, type: ObjectType, tmpfile: str
) -> None:
    data = METADATA[(META_0755, "dirmeta")]
    before = os.umask(0o077)
    try:
        assert store.put_metadata(META_0755, type, data)
    finally:
        os.umask(before)
    path = place / "objects" / loose_path(META_0755, type.extension)
    inode = path.stat().st_ino

    assert not store.put_metadata(META_0755, type, data)

    assert path.read_bytes() == data
    assert path.stat().st_ino == inode
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert store.has(META_0755, type)
    assert store.read_metadata(META_0755, type) == data
    assert list(store.objects_of(type)) == [META_0755]
    assert leftovers(place) == []


def test_detached_metadata_is_replaced(store: LooseStore, place: Path, tmpfile: str) -> None:
    store.replace_metadata(META_0755, ObjectType.COMMITMETA, b"one")

    store.replace_metadata(META_0755, ObjectType.COMMITMETA, b"two")

    assert store.read_metadata(META_0755, ObjectType.COMMITMETA) == b"two"
    assert os.listdir(place / "objects/44") == [f"{META_0755[2:]}.commitmeta"]


def test_large_metadata_is_not_read(
    store: LooseStore, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_metadata(META_0755, ObjectType.DIRTREE, b"")
    path = place / "objects" / loose_path(META_0755, "dirtree")
    os.truncate(path, 128 * 1024 * 1024 + 1)

    with pytest.raises(CorruptionError, match=f"{META_0755}.dirtree is too large: 134217729"):
        store.read_metadata(META_0755, ObjectType.DIRTREE)


# what is not there, or not as it should be ------------------------------------------------------


def test_missing_objects_are_named(store: LooseStore, mode: str) -> None:
    prefix = "" if mode == "archive" else f"Opening content object {HELLO}: "

    assert not store.has(HELLO, ObjectType.FILE)
    assert store.place(HELLO, ObjectType.FILE) is None
    with pytest.raises(ObjectNotFoundError) as content:
        store.load(HELLO)
    with pytest.raises(ObjectNotFoundError) as header:
        store.header(HELLO)
    assert str(header.value) == str(content.value)
    with pytest.raises(ObjectNotFoundError) as metadata:
        store.read_metadata(HELLO, ObjectType.COMMIT)
    with pytest.raises(ObjectNotFoundError):
        store.stored_size(HELLO, ObjectType.FILE)
    with pytest.raises(ObjectNotFoundError) as deleting:
        store.delete(ObjectName(HELLO, ObjectType.FILE))

    assert str(content.value) == f"{prefix}Couldn't find file object '{HELLO}'"
    assert str(metadata.value) == f"No such metadata object {HELLO}.commit"
    path = store.path(HELLO, ObjectType.FILE)
    assert str(deleting.value) == (
        f"Deleting object {HELLO}.file: unlinkat({path}): No such file or directory"
    )


def test_deleting_tells_what_it_frees(store: LooseStore, mode: str, place: Path) -> None:
    checksum = put(store, header_for(mode), b"data" * 100)
    size = path_of(place, store, checksum).stat().st_size

    assert store.stored_size(checksum, ObjectType.FILE) == size
    assert store.delete(ObjectName(checksum, ObjectType.FILE)) == size

    assert not store.has(checksum, ObjectType.FILE)


def test_changed_content_has_another_checksum_or_is_refused(
    store: LooseStore, mode: str, place: Path
) -> None:
    header = header_for(mode)
    checksum = put(store, header, bytes(range(200)))
    path = path_of(place, store, checksum)
    stored = bytearray(path.read_bytes())
    for at in range(len(stored)):
        changed = bytearray(stored)
        changed[at] ^= 0x20
        path.write_bytes(changed)

        try:
            with store.load(checksum) as content:
                found = checksum_loaded(content)
        except CorruptionError:
            continue

        # The padding of a deflate stream may be anything.
        assert found != checksum or content_of(store, checksum) == bytes(range(200))


def test_truncated_content_has_another_checksum_or_is_refused(
    store: LooseStore, mode: str, place: Path
) -> None:
    checksum = put(store, header_for(mode), bytes(range(200)))
    path = path_of(place, store, checksum)
    for size in range(path.stat().st_size - 1, -1, -1):
        os.truncate(path, size)

        try:
            with store.load(checksum) as content:
                found = checksum_loaded(content)
        except CorruptionError:
            continue

        assert mode != "archive"
        assert found != checksum


@pytest.mark.parametrize("mode", ["archive"], indirect=True)
def test_a_large_object_cut_off_is_refused(store: LooseStore, mode: str, place: Path) -> None:
    header = header_for(mode)
    data = os.urandom(1 << 20) * 9
    checksum = checksum_bytes(header, data)
    with store.begin(header, len(data)) as writer:
        writer.write(data)
        writer.finish(checksum)
    path = path_of(place, store, checksum)

    os.truncate(path, path.stat().st_size - 100)

    with store.load(checksum) as content, pytest.raises(CorruptionError, match="Unexpected end"):
        checksum_loaded(content)


@pytest.mark.parametrize("size", [0, 100, 300, 1 << 30, (1 << 64) - 1])
def test_an_archive_that_lies_about_its_size_is_refused(place: Path, size: int) -> None:
    """Neither is memory taken for what the header promises, nor more unpacked than that."""
    from ostree.store import compression

    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = ArchiveStore(ObjectDirectory(opened[0], opened[1]))
    stored = archive_prefix(FileHeader(0, 0, 0o100644), size) + compression.compress(bytes(200), 6)
    store.put_archived(HELLO, stored)

    def read() -> None:
        with store.load(HELLO) as content:
            checksum_loaded(content)

    with pytest.raises(CorruptionError):
        read()
    for fd in opened:
        os.close(fd)


@pytest.mark.parametrize("mode", ["archive"], indirect=True)
def test_a_header_larger_than_small_files(store: LooseStore, place: Path) -> None:
    header = FileHeader(0, 0, 0o100644, "", ((b"user.huge", b"x" * (SMALL + 1000)),))

    checksum = put(store, header, b"content")

    with store.load(checksum) as content:
        assert content.header == header
    assert content_of(store, checksum) == b"content"
    os.truncate(path_of(place, store, checksum), SMALL + 500)
    with pytest.raises(CorruptionError, match="File header size"):
        store.load(checksum)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (mode, kind)
        for mode in STORES
        for kind in ("directory", "link", "pipe")
        if kind != "link" or mode in ("bare-user", "archive")  # where a link is no object
    ],
    indirect=["mode"],
)
def test_what_is_no_object_is_refused(store: LooseStore, place: Path, kind: str) -> None:
    path = path_of(place, store, HELLO)
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")

    with pytest.raises(CorruptionError):
        store.load(HELLO)
    with pytest.raises(CorruptionError):
        store.header(HELLO)


@pytest.mark.parametrize("value", [None, b"", b"short", bytes(11), bytes(12), bytes(200)])
def test_bare_user_without_its_attribute_is_refused(place: Path, value: bytes | None) -> None:
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = BareUserStore(ObjectDirectory(opened[0], opened[1]))
    checksum = put(store, FileHeader(0, 0, 0o100644), b"data")
    path = path_of(place, store, checksum)
    if value is None:
        os.removexattr(path, "user.ostreemeta")
    else:
        os.setxattr(path, "user.ostreemeta", value)

    with pytest.raises(CorruptionError) as caught:
        store.load(checksum)

    with pytest.raises(CorruptionError) as caught_by_header:
        store.header(checksum)
    assert str(caught_by_header.value) == str(caught.value)
    assert str(caught.value).startswith(f"Opening content object {checksum}: ")
    if value is None:
        assert str(caught.value).endswith("fgetxattr(user.ostreemeta): No data available")
    for fd in opened:
        os.close(fd)


@pytest.mark.parametrize("target", [b"", b"\0", b"a\0b\0", b"x" * 5000])
def test_bare_user_links_without_a_target_are_refused(place: Path, target: bytes) -> None:
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = BareUserStore(ObjectDirectory(opened[0], opened[1]))
    put(store, CONTENT[LINK].header, b"")

    path_of(place, store, LINK).write_bytes(target)

    with pytest.raises(CorruptionError, match="not a symlink target"):
        store.load(LINK)
    with pytest.raises(CorruptionError, match="not a symlink target"):
        store.header(LINK)
    for fd in opened:
        os.close(fd)


def test_descriptors_are_given_back(store: LooseStore, mode: str, place: Path) -> None:
    checksum = put(store, header_for(mode), b"data")
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(5):
        store.load(checksum).close()
        with store.begin(header_for(mode), 10) as writer:
            writer.write(b"x")
        with pytest.raises(ObjectNotFoundError):
            store.load(HELLO)
    os.truncate(path_of(place, store, checksum), 0)
    with suppress(CorruptionError):
        store.load(checksum).close()

    assert len(os.listdir("/proc/self/fd")) == before


# the staging directory --------------------------------------------------------------------------


def test_new_objects_are_staged(
    store: LooseStore, mode: str, place: Path, staging: Path, tmpfile: str
) -> None:
    header = header_for(mode)
    small = put(store, header, b"small")
    link = put(store, FileHeader(header.uid, header.gid, 0o120777, "target"), b"")
    store.put_metadata(META_0755, ObjectType.DIRMETA, b"meta")
    store.replace_metadata(META_0755, ObjectType.COMMITMETA, b"detached")
    large = checksum_bytes(header, b"large")
    with store.begin(header, 5) as writer:
        writer.write(b"large")
        writer.finish(large)

    assert os.listdir(place / "objects") == []
    for checksum in (small, link, large):
        assert (staging / store.path(checksum, ObjectType.FILE)).is_symlink() or (
            staging / store.path(checksum, ObjectType.FILE)
        ).is_file()
        assert store.has(checksum, ObjectType.FILE)
        assert store.place(checksum, ObjectType.FILE) is store.staging
        store.load(checksum).close()
    assert store.read_metadata(META_0755, ObjectType.DIRMETA) == b"meta"
    assert store.read_metadata(META_0755, ObjectType.COMMITMETA) == b"detached"
    assert list(store.objects_of(ObjectType.FILE)) == []


def test_staged_objects_come_first(store: LooseStore, place: Path, staging: Path) -> None:
    staged, store.staging = store.staging, None
    store.replace_metadata(META_0755, ObjectType.COMMITMETA, b"old")
    store.put_metadata(META_0755, ObjectType.DIRMETA, b"published")
    store.staging = staged

    store.replace_metadata(META_0755, ObjectType.COMMITMETA, b"new")

    assert store.read_metadata(META_0755, ObjectType.COMMITMETA) == b"new"
    assert store.read_metadata(META_0755, ObjectType.DIRMETA) == b"published"
    assert store.place(META_0755, ObjectType.DIRMETA) is store.objects
    store.staging = None
    assert store.read_metadata(META_0755, ObjectType.COMMITMETA) == b"old"


# listing ----------------------------------------------------------------------------------------


def test_listing_skips_what_is_no_object(store: LooseStore, mode: str, place: Path) -> None:
    checksum = put(store, header_for(mode), b"data")
    directory = path_of(place, store, checksum).parent
    for name in ("junk", "short.file", f"{'g' * 62}.file", f"{checksum[2:]}.dirtree", ".tmp-x"):
        (directory / name).write_bytes(b"")
    (place / "objects/zz").mkdir()
    (place / "objects/README").write_bytes(b"")

    assert list(store.objects_of(ObjectType.FILE)) == [checksum]
    assert list(store.objects_of(ObjectType.DIRTREE)) == [checksum]


@pytest.mark.parametrize("length", [0, 1, 2, 3, 10, 64])
def test_listing_by_the_beginning(store: LooseStore, length: int) -> None:
    all_names = [Checksum(hashlib.sha256(bytes([n])).hexdigest()) for n in range(60)]
    for name in all_names:
        store.put_metadata(name, ObjectType.COMMIT, b"")
    start = all_names[7][:length]

    found = [name for name, _ in store.objects.objects("commit", starting_with=start)]

    assert found == sorted(name for name in all_names if name.startswith(start))


@pytest.mark.parametrize("kind", ["directory", "link"])
def test_metadata_that_is_no_file_is_refused(store: LooseStore, place: Path, kind: str) -> None:
    path = place / "objects" / loose_path(META_0755, "dirmeta")
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere")

    with pytest.raises(CorruptionError):
        store.read_metadata(META_0755, ObjectType.DIRMETA)


def test_running_out_of_descriptors_is_no_damage(
    store: LooseStore, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else fsck would delete what is in order."""
    checksum = put(store, header_for(mode), b"data")

    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", refuse)

    for load in (store.load, lambda name: store.read_metadata(name, ObjectType.COMMIT)):
        with pytest.raises(RepoError, match="Too many open files"):
            load(checksum)


# headers alone, files that become objects -------------------------------------------------------


def test_a_header_longer_than_most_is_read_too(store: LooseStore, mode: str) -> None:
    if not store.properties.keeps_xattrs:
        pytest.skip("the mode keeps no attributes")
    header = header_for(mode)
    header.xattrs = ((b"user.long", b"x" * 2000),)
    checksum = put(store, header, b"content")

    assert store.header(checksum) == (header, 7)


def test_a_header_of_what_is_missing(store: LooseStore) -> None:
    with pytest.raises(ObjectNotFoundError):
        store.header(HELLO)


def test_a_file_becomes_an_object(store: LooseStore, mode: str, place: Path) -> None:
    """Where the mode allows it: the same inode, which keeps its other name."""
    path = place / "file"
    path.write_bytes(b"content")
    path.chmod(0o664)
    info = path.stat()
    owner = (0, 0) if mode == "bare-user-only" else (info.st_uid, info.st_gid)
    header = FileHeader(*owner, 0o100644 if mode == "bare-user-only" else 0o100664)
    checksum = checksum_bytes(header, b"content")
    fd = os.open(path, os.O_RDONLY)

    adopted = [store.adopt(checksum, header, fd) for _ in range(2)]

    os.close(fd)
    assert adopted == [store.properties.adopts] * 2
    if store.properties.adopts:
        made = path_of(place, store, checksum).stat()
        assert (made.st_ino, made.st_nlink, made.st_mtime) == (info.st_ino, 2, 0)
        with store.load(checksum) as content:
            assert checksum_loaded(content) == checksum
    assert leftovers(place) == []


def test_a_file_on_another_file_system_is_to_be_copied(
    store: LooseStore, mode: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "file").write_bytes(b"content")
    header = header_for(mode, plain=True)
    checksum = checksum_bytes(header, b"content")
    fd = os.open(place / "file", os.O_RDONLY)

    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    adopted = store.adopt(checksum, header, fd)

    os.close(fd)
    assert not adopted
    assert not store.has(checksum, ObjectType.FILE)


def test_content_can_be_compressed_as_the_reference_does(place: Path) -> None:
    """Libdeflate makes other bytes; where sizes become part of a commit they have to be zlib's."""
    opened = [files.open_directory(place / name) for name in ("objects", "tmp")]
    store = ArchiveStore(ObjectDirectory(opened[0], opened[1]))
    store.exact_sizes = True
    for checksum, vector in CONTENT.items():
        store.put_bytes(checksum, vector.header, vector.content)

    stored = {checksum: path_of(place, store, checksum).read_bytes() for checksum in CONTENT}

    for fd in opened:
        os.close(fd)
    assert stored == {checksum: vector.archived for checksum, vector in CONTENT.items()}
