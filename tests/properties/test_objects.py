"""The hand-written codecs agree with the general one, and fail in no way but their own."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import (
    commit,
    commitmeta,
    dirmeta,
    dirtree,
    file_header,
    gvariant,
    sizes,
    xattrs,
)
from ostree.formats.commit import Commit
from ostree.formats.dirtree import DirTree
from ostree.formats.gvariant import Variant
from ostree.formats.sizes import ObjectSize
from ostree.types import Checksum, DirMeta, FileHeader, ObjectType, TreeId, Xattrs, canonical_xattrs

if TYPE_CHECKING:
    from collections.abc import Callable

DIRTREE = "(a(say)a(sayay))"
XATTRS = "a(ayay)"
DIRMETA = "(uuua(ayay))"
PLAIN = "(uuuusa(ayay))"
ARCHIVE = "(tuuuusa(ayay))"

# Examples are cheap here, and the corner cases many.
many = settings(max_examples=200, deadline=None)

numbers = st.one_of(st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 1000, 0xFFFFFFFF]))
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300)
names = st.one_of(st.sampled_from(["a", "b", "..a"]), texts).filter(
    lambda name: name not in ("", ".", "..") and "/" not in name
)
checksums = st.binary(min_size=32, max_size=32).map(Checksum.of_digest)
attribute_names = st.one_of(
    st.sampled_from([b"user.a", b"user.b", b"security.selinux"]),
    st.binary(min_size=1, max_size=260).filter(lambda name: b"\0" not in name),
)
attributes = st.dictionaries(
    attribute_names,
    st.one_of(st.binary(min_size=1, max_size=8), st.binary(min_size=240, max_size=300)),
    max_size=4,
).map(lambda pairs: canonical_xattrs(list(pairs.items())))
trees = st.builds(
    lambda files, dirs: DirTree(
        sorted(files.items(), key=lambda entry: entry[0].encode()),
        [(name, *dirs[name]) for name in sorted(dirs, key=str.encode)],
    ),
    st.dictionaries(names, checksums, max_size=8),
    st.dictionaries(names, st.tuples(checksums, checksums), max_size=8),
)
directory_metas = st.builds(DirMeta, numbers, numbers, st.integers(0o40000, 0o47777), attributes)
headers = st.one_of(
    st.builds(
        FileHeader, numbers, numbers, st.integers(0o100000, 0o107777), st.just(""), attributes
    ),
    st.builds(FileHeader, numbers, numbers, st.integers(0o120000, 0o127777), texts, attributes),
)
variants = st.one_of(
    texts.map(lambda text: Variant("s", text)),
    st.binary(max_size=40).map(lambda data: Variant("ay", data)),
    st.integers(0, 0xFFFFFFFF).map(lambda number: Variant("u", number)),
    st.lists(texts, max_size=3).map(lambda items: Variant("as", items)),
)
metadata = st.lists(st.tuples(texts.filter(bool), variants), max_size=4)
commits = st.builds(
    lambda tree, meta, **rest: Commit(TreeId(tree, meta), **rest),
    checksums,
    checksums,
    timestamp=st.integers(0, (1 << 64) - 1),
    parent=st.one_of(st.none(), checksums),
    subject=texts,
    body=texts,
    metadata=metadata,
    related=st.lists(st.tuples(texts, st.binary(max_size=33)), max_size=2),
)


@st.composite
def damaged(draw: st.DrawFn, values: st.SearchStrategy[bytes]) -> bytes:
    """Valid bytes after a few accidents."""
    data = bytearray(draw(values))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        accident = draw(st.sampled_from(["flip", "set", "insert", "delete", "cut", "repeat"]))
        if accident == "insert":
            data.insert(at, draw(st.integers(0, 255)))
        elif accident == "cut":
            del data[at:]
        elif accident == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
        elif at < len(data):
            if accident == "delete":
                del data[at]
            elif accident == "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            else:
                data[at] = draw(st.sampled_from([0, 1, 32, 33, 46, 47, 255, len(data) & 0xFF]))
    return bytes(data)


def outcome(decode: Callable[[bytes], Any], data: bytes) -> Any:
    """What a decoder gives, or None for a FormatError; everything else is a failure."""
    try:
        return decode(data)
    except FormatError:
        return None


def swap(number: int, size: int = 4) -> int:
    return int.from_bytes(number.to_bytes(size, "little"), "big")


def general(type: str, data: bytes) -> Any:
    return outcome(lambda given: gvariant.decode(type, given), data)


# what the general codec says, judged by the rules that our validators add -----------------------


def judge_xattrs(value: list[tuple[bytes, bytes]]) -> Xattrs | None:
    """Stricter than the general codec: names end in their only NUL, are sorted and differ."""
    names = [name for name, _ in value]
    if any(name.find(b"\0") != len(name) - 1 or len(name) < 2 for name in names):
        return None
    if any(before >= after for before, after in pairwise(names)):
        return None
    return tuple((name[:-1], content) for name, content in value)


def judge_dirtree(value: Any) -> DirTree | None:
    """Stricter: names that can be entries, checksums of 32 bytes."""
    files, dirs = value
    if any(name in ("", ".", "..") or "/" in name for name, *_ in [*files, *dirs]):
        return None
    if any(len(digest) != 32 for _, *digests in [*files, *dirs] for digest in digests):
        return None
    of = Checksum.of_digest
    return DirTree(
        [(name, of(digest)) for name, digest in files],
        [(name, of(tree), of(meta)) for name, tree, meta in dirs],
    )


def judge_dirmeta(value: Any) -> DirMeta | None:
    """Stricter: canonical attributes, the mode of a directory."""
    uid, gid, mode, pairs = value
    found = judge_xattrs(pairs)
    if found is None or swap(mode) & ~0o7777 != 0o40000:
        return None
    return DirMeta(swap(uid), swap(gid), swap(mode), found)


def judge_header(value: Any) -> FileHeader | None:
    """Stricter: canonical attributes, no device, a file's mode, targets for links only."""
    uid, gid, mode, rdev, target, pairs = value
    found = judge_xattrs(pairs)
    kind = swap(mode) & ~0o7777
    if found is None or rdev or kind not in (0o100000, 0o120000):
        return None
    if target and kind == 0o100000:
        return None
    return FileHeader(swap(uid), swap(gid), swap(mode), target, found)


def split_prefix(prefix: bytes) -> bytes | None:
    """The variant behind the length and the padding; None if those are wrong."""
    if len(prefix) < 8 or prefix[4:8] != bytes(4):
        return None
    size = int.from_bytes(prefix[:4], "big")
    return prefix[8:] if size and len(prefix) == 8 + size else None


def general_header(prefix: bytes) -> FileHeader | None:
    variant = split_prefix(prefix)
    value = None if variant is None else general(PLAIN, variant)
    return None if value is None else judge_header(value)


def general_archive_header(prefix: bytes) -> tuple[FileHeader, int] | None:
    """Stricter also: a link has no content."""
    variant = split_prefix(prefix)
    value = None if variant is None else general(ARCHIVE, variant)
    if value is None:
        return None
    header = judge_header(value[1:])
    if header is None or (header.is_symlink and value[0]):
        return None
    return header, swap(value[0], 8)


# round trips and agreement ----------------------------------------------------------------------


@many
@given(trees)
def test_dirtrees_are_those_of_the_general_codec(tree: DirTree) -> None:
    data = dirtree.encode(tree)

    assert data == gvariant.encode(
        DIRTREE,
        (
            [(name, file.digest) for name, file in tree.files],
            [(name, below.digest, meta.digest) for name, below, meta in tree.dirs],
        ),
    )
    assert dirtree.decode(data) == tree


@many
@given(damaged(trees.map(dirtree.encode)))
def test_damaged_dirtrees_are_refused_by_both(data: bytes) -> None:
    value = general(DIRTREE, data)

    assert outcome(dirtree.decode, data) == (None if value is None else judge_dirtree(value))


@many
@given(st.one_of(trees.map(dirtree.encode), damaged(trees.map(dirtree.encode))))
def test_references_are_what_the_entries_have(data: bytes) -> None:
    """Reading without the names finds the same digests, and refuses the same bytes."""
    tree = outcome(dirtree.decode, data)

    assert outcome(dirtree.decode_references, data) == (
        None
        if tree is None
        else (
            [file.digest for _, file in tree.files],
            [(below.digest, meta.digest) for _, below, meta in tree.dirs],
        )
    )


@many
@given(st.one_of(trees.map(dirtree.encode), damaged(trees.map(dirtree.encode))), trees)
def test_changes_are_what_is_new(data: bytes, before: DirTree) -> None:
    """Compared with another directory, what both have is left out, and nothing else changes."""
    known = dirtree.KnownEntries()
    known.add(dirtree.encode(before))
    tree = outcome(dirtree.decode, data)

    changes = outcome(lambda data: dirtree.decode_changes(data, known), data)

    if tree is None:
        assert changes is None
    else:
        assert changes == DirTree(
            [entry for entry in tree.files if entry not in before.files],
            [entry for entry in tree.dirs if entry not in before.dirs],
        )


@many
@given(attributes)
def test_xattrs_are_those_of_the_general_codec(pairs: Xattrs) -> None:
    data = xattrs.encode(pairs)

    assert data == gvariant.encode(XATTRS, [(name + b"\0", value) for name, value in pairs])
    assert xattrs.decode(data) == pairs


@many
@given(damaged(attributes.map(xattrs.encode)))
def test_damaged_xattrs_are_refused_by_both(data: bytes) -> None:
    value = general(XATTRS, data)

    assert outcome(xattrs.decode, data) == (None if value is None else judge_xattrs(value))


@many
@given(directory_metas)
def test_dirmetas_are_those_of_the_general_codec(meta: DirMeta) -> None:
    data = dirmeta.encode(meta)

    assert data == gvariant.encode(
        DIRMETA,
        (
            swap(meta.uid),
            swap(meta.gid),
            swap(meta.mode),
            [(name + b"\0", value) for name, value in meta.xattrs],
        ),
    )
    assert dirmeta.decode(data) == meta


@many
@given(damaged(directory_metas.map(dirmeta.encode)))
def test_damaged_dirmetas_are_refused_by_both(data: bytes) -> None:
    value = general(DIRMETA, data)

    assert outcome(dirmeta.decode, data) == (None if value is None else judge_dirmeta(value))


@many
@given(headers, st.integers(0, (1 << 64) - 1))
def test_headers_are_those_of_the_general_codec(header: FileHeader, size: int) -> None:
    size = 0 if header.is_symlink else size
    pairs = [(name + b"\0", value) for name, value in header.xattrs]
    numbers = (swap(header.uid), swap(header.gid), swap(header.mode), 0)

    plain = file_header.content_prefix(header)
    archived = file_header.archive_prefix(header, size)

    assert plain[8:] == gvariant.encode(PLAIN, (*numbers, header.target, pairs))
    assert archived[8:] == gvariant.encode(ARCHIVE, (swap(size, 8), *numbers, header.target, pairs))
    assert file_header.decode_content_prefix(plain) == header
    assert file_header.decode_archive_prefix(archived) == (header, size)
    for prefix in (plain, archived):
        assert file_header.prefix_length(prefix + b"content") == len(prefix)


@many
@given(damaged(headers.map(file_header.content_prefix)))
def test_damaged_headers_are_refused_by_both(data: bytes) -> None:
    assert outcome(file_header.decode_content_prefix, data) == general_header(data)


@many
@given(damaged(headers.map(lambda header: file_header.archive_prefix(header, 0))))
def test_damaged_archive_headers_are_refused_by_both(data: bytes) -> None:
    assert outcome(file_header.decode_archive_prefix, data) == general_archive_header(data)


@many
@given(commits)
def test_commits_read_back(value: Commit) -> None:
    data = commit.encode(value)

    assert commit.decode(data) == value
    assert commit.encode(commit.decode(data)) == data


@many
@given(damaged(commits.map(commit.encode)))
def test_a_damaged_commit_is_refused_or_is_another_one(data: bytes) -> None:
    found = outcome(commit.decode, data)

    assert found is None or commit.encode(found) == data


@many
@given(metadata)
def test_detached_metadata_reads_back(entries: list[tuple[str, Variant]]) -> None:
    assert commitmeta.decode(commitmeta.encode(entries)) == entries


@many
@given(
    st.builds(
        ObjectSize,
        checksums,
        st.integers(0, (1 << 64) - 1),
        st.integers(0, (1 << 64) - 1),
        st.sampled_from(list(ObjectType)[:4]),
    )
)
def test_sizes_read_back(size: ObjectSize) -> None:
    assert sizes.decode_entry(sizes.encode_entry(size)) == size


@many
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=3)))
def test_random_bytes_are_an_object_or_a_format_error(data: bytes) -> None:
    for decode in (
        dirtree.decode,
        xattrs.decode,
        dirmeta.decode,
        dirmeta.decode_any_mode,
        commit.decode,
        commitmeta.decode,
        sizes.decode_entry,
        file_header.decode_content_prefix,
        file_header.decode_archive_prefix,
        file_header.prefix_length,
        lambda given: file_header.prefix_length(given, len(given)),
    ):
        outcome(decode, data)
