"""Random directory trees with every kind of entry that can be committed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

IS_ROOT = os.geteuid() == 0


class Node(NamedTuple):
    """One entry: kind is file, link, hardlink or dir; hardlinks repeat an earlier file."""

    kind: str
    mode: int
    owner: tuple[int, int]
    xattrs: tuple[tuple[str, bytes], ...]
    content: bytes
    target: str
    children: tuple[tuple[str, Node], ...]


def _fits(name: str) -> bool:
    return name not in (".", "..") and len(name.encode()) <= 255


names = (
    st.one_of(
        st.sampled_from(["a", "b", "c", "bin", "lib", "etc", "UPPER", "with space", ".hidden"]),
        st.text(
            st.characters(exclude_characters="/\0", exclude_categories=["Cs"]),
            min_size=1,
            max_size=12,
        ),
        st.text("xyzé", min_size=180, max_size=255),
    )
    .filter(_fits)
    .map(str)
)

contents = st.one_of(
    st.just(b""),
    st.binary(max_size=64),
    st.builds(
        lambda piece, count: piece * count, st.binary(min_size=1, max_size=8), st.integers(1, 40000)
    ),
)

owners = (
    st.tuples(
        st.one_of(st.just(0), st.integers(0, 70000), st.just(0xFFFFFFFE)),
        st.one_of(st.just(0), st.integers(0, 70000)),
    )
    if IS_ROOT
    else st.just((os.geteuid(), os.getegid()))
)

# The reference sets attributes after the mode: without privilege it needs to keep write permission.
file_modes = st.one_of(
    st.sampled_from([0o644, 0o755, 0o600, 0o4755, 0o2755, 0o1644, 0o777, 0o666]),
    st.integers(0, 0o7777) if IS_ROOT else st.integers(0, 0o777).map(lambda mode: mode | 0o600),
)
directory_modes = st.one_of(
    st.sampled_from([0o755, 0o700, 0o1777, 0o2775]),
    st.integers(0, 0o7777) if IS_ROOT else st.just(0o755),
)

xattrs = st.lists(
    st.tuples(
        st.sampled_from(
            ["user.a", "user.b", "user.long-name", "user.é"] + (["trusted.t"] if IS_ROOT else [])
        ),
        st.one_of(st.binary(max_size=16), st.binary(min_size=250, max_size=400)),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(tuple)

files = st.builds(
    Node, st.just("file"), file_modes, owners, xattrs, contents, st.just(""), st.just(())
)
links = st.builds(
    Node,
    st.just("link"),
    st.just(0o777),
    owners,
    st.just(()),
    st.just(b""),
    st.one_of(st.sampled_from(["a", "../b", "/usr/bin", "nöwhere"]), names),
    st.just(()),
)
hardlinks = st.just(Node("hardlink", 0, (0, 0), (), b"", "", ()))


def _directories(
    children: st.SearchStrategy[Node],
    names: st.SearchStrategy[str] = names,
    at_least: int = 0,
) -> st.SearchStrategy[Node]:
    entries = st.lists(
        st.tuples(names, children),
        min_size=at_least,
        max_size=6,
        unique_by=lambda pair: pair[0],
    )
    return st.builds(
        Node,
        st.just("dir"),
        directory_modes,
        owners,
        xattrs,
        st.just(b""),
        st.just(""),
        entries.map(tuple),
    )


#: A directory with up to a dozen or so entries, nested.
trees = _directories(st.recursive(st.one_of(files, links, hardlinks), _directories, max_leaves=12))

_few_names = st.sampled_from(["a", "b", "c", "d", ".e", "f g"])
_few_owners = st.sampled_from([(0, 0), (5, 6)] if IS_ROOT else [(os.geteuid(), os.getegid())])
_few_files = st.builds(
    Node,
    st.just("file"),
    st.sampled_from([0o644, 0o755, 0o600, 0o1644] + ([0, 0o6755, 0o222] if IS_ROOT else [])),
    _few_owners,
    st.sampled_from([(), (), (("user.a", b"1"),)]),
    st.sampled_from(["", "one", "two", "large"]).map(
        lambda word: word.encode() * (40000 if word == "large" else 1)
    ),
    st.just(""),
    st.just(()),
)
_few_links = st.builds(
    Node,
    st.just("link"),
    st.just(0o777),
    _few_owners,
    st.just(()),
    st.just(b""),
    st.sampled_from(["a", "../b"]),
    st.just(()),
)
#: A directory with some entries of every kind, of so few names and contents that two such trees
#: collide, and agree here and there.
layers = _directories(
    st.one_of(
        _few_files,
        _few_files,
        _few_links,
        hardlinks,
        _directories(st.one_of(_few_files, _few_links), _few_names, 1),
        _directories(_directories(_few_files, _few_names), _few_names),
    ),
    _few_names,
    at_least=3,
)


def materialize(node: Node, path: Path) -> None:
    """Write a tree to the disk as ``path``."""
    made: list[Path] = []
    _write(node, path, made)


def _write(node: Node, path: Path, made: list[Path]) -> None:
    if node.kind == "hardlink":
        if made:
            os.link(made[-1], path)
        else:
            path.write_bytes(b"")
        return
    if node.kind == "link":
        os.symlink(node.target, path)
        if IS_ROOT:
            os.lchown(path, *node.owner)
        return
    if node.kind == "dir":
        path.mkdir()
        for name, child in node.children:
            _write(child, path / name, made)
    else:
        path.write_bytes(node.content)
        made.append(path)
    for attribute, value in node.xattrs:
        os.setxattr(path, attribute, value)
    if IS_ROOT:
        os.chown(path, *node.owner)
    path.chmod(node.mode)
