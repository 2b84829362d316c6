"""Tar archives made of short descriptions, and random ones."""

from __future__ import annotations

import io
import tarfile
from typing import NamedTuple

from hypothesis import strategies as st


class Entry(NamedTuple):
    """One entry; ``type`` is a tar type, ``data`` the content of a file."""

    name: str
    type: bytes = tarfile.REGTYPE
    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""
    pax: tuple[tuple[str, str], ...] = ()


def directory(name: str, mode: int = 0o755, *, uid: int = 0, gid: int = 0) -> Entry:
    return Entry(name, tarfile.DIRTYPE, mode=mode, uid=uid, gid=gid)


def file(name: str, data: bytes = b"x", mode: int = 0o644, *, uid: int = 0, gid: int = 0) -> Entry:
    return Entry(name, tarfile.REGTYPE, data, mode, uid, gid)


def symlink(name: str, target: str) -> Entry:
    return Entry(name, tarfile.SYMTYPE, mode=0o777, target=target)


def hardlink(name: str, target: str) -> Entry:
    return Entry(name, tarfile.LNKTYPE, target=target)


def tar(*entries: Entry, format: int = tarfile.PAX_FORMAT) -> bytes:
    """The bytes of an archive with these entries."""
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w", format=format, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type = entry.type
            info.mode = entry.mode
            info.uid, info.gid = entry.uid, entry.gid
            info.linkname = entry.target
            info.pax_headers = dict(entry.pax)
            if info.isreg():
                info.size = len(entry.data)
                archive.addfile(info, io.BytesIO(entry.data))
            else:
                archive.addfile(info)
    return stream.getvalue()


ROOT = directory("./")

# Few names, so that they meet; each is used for one type, as the reference crashes otherwise.
_directories = st.sampled_from(["a", "b", "a/b", "a/b/c", "é", "./a", "/b", "a//b", "a/./b"])
_leaves = st.sampled_from(["f", "g", "ü", "n" * 120, "with space"])
_paths = st.builds(
    lambda parent, leaf: f"{parent}/{leaf}" if parent else leaf,
    st.one_of(st.just(""), st.just("."), _directories),
    _leaves,
)
_ids = st.sampled_from([0, 1, 1000, 70000, 0xFFFFFFFE, -2])
_contents = st.one_of(st.just(b""), st.binary(max_size=40), st.just(b"z" * 70000))
_xattrs = st.lists(
    st.tuples(
        st.sampled_from(["user.a", "user.b", "user.é"]).map("SCHILY.xattr.{}".format),
        st.text(st.characters(codec="ascii", exclude_characters="\0\n"), min_size=1, max_size=9),
    ),
    max_size=2,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple(sorted(pairs, reverse=True)))

# Every member is given: hypothesis would make up those that have a default, too.
_entries = st.one_of(
    st.builds(
        Entry,
        name=_directories,
        type=st.just(tarfile.DIRTYPE),
        mode=st.sampled_from([0o755, 0o700, 0o1777, 0o2775]),
        uid=_ids,
        gid=_ids,
        pax=_xattrs,
        data=st.just(b""),
        target=st.just(""),
    ),
    st.builds(
        Entry,
        name=_paths,
        data=_contents,
        mode=st.sampled_from([0o644, 0o4755, 0o600, 0o7777, 0]),
        uid=_ids,
        gid=_ids,
        pax=_xattrs,
        type=st.just(tarfile.REGTYPE),
        target=st.just(""),
    ),
    st.builds(
        Entry,
        name=_paths,
        type=st.just(tarfile.SYMTYPE),
        mode=st.just(0o777),
        uid=_ids,
        gid=_ids,
        pax=st.just(()),
        target=st.sampled_from(["f", "../g", "/usr", "ü", "t" * 150]),
        data=st.just(b""),
    ),
    st.builds(
        Entry,
        name=_paths,
        type=st.just(tarfile.LNKTYPE),
        uid=_ids,
        gid=_ids,
        pax=st.just(()),
        target=_paths,
        data=st.just(b""),
        mode=st.just(0),
    ),
)
#: Lists of entries with parents missing, repetitions and hard links in both directions.
archives = st.lists(_entries, max_size=10)
