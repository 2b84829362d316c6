"""What was changed in /etc."""

from __future__ import annotations

from ostree.sysroot.etc_diff import EtcNode, diff_etc


def file(size: int = 1, *, mode: int = 0o644, uid: int = 0) -> EtcNode:
    return EtcNode(uid=uid, gid=0, mode=0o100000 | mode, size=size)


def link(target: str) -> EtcNode:
    return EtcNode(uid=0, gid=0, mode=0o120000, target=target)


def directory(permissions: int = 0o755, /, **children: EtcNode) -> EtcNode:
    return EtcNode(uid=0, gid=0, mode=0o040000 | permissions, children=children)


def fifo() -> EtcNode:
    return EtcNode(uid=0, gid=0, mode=0o010644)


def test_nothing_changed() -> None:
    tree = directory(a=file(), d=directory(l=link("x")))

    changes = diff_etc(tree, tree, lambda _path: True)

    assert changes.summary() == "Copying /etc changes: 0 modified, 0 removed, 0 added"


def test_every_kind_of_change() -> None:
    default = directory(
        content=file(),
        size=file(1),
        mode=file(),
        owner=file(),
        target=link("x"),
        kind=file(),
        gone=directory(x=file()),
        same=file(),
        sub=directory(deep=file(), gone=file()),
        tree=directory(x=file()),
    )
    edited = directory(
        content=file(),
        size=file(2),
        mode=file(mode=0o600),
        owner=file(uid=5),
        target=link("y"),
        kind=directory(inside=file()),
        same=file(),
        sub=directory(0o700, deep=file(2), new=directory(x=file(), y=directory())),
        tree=link("elsewhere"),
        pipe=fifo(),
    )

    changes = diff_etc(default, edited, lambda path: path != "content")

    assert changes.modified == [
        "content",
        "kind",
        "mode",
        "owner",
        "size",
        "sub",
        "sub/deep",
        "target",
        "tree",
    ]
    assert changes.removed == ["gone", "sub/gone"]
    assert changes.added == ["sub/new", "sub/new/x", "sub/new/y", "pipe"]


def test_content_is_compared_only_where_it_can_be_equal() -> None:
    asked: list[str] = []

    def same(path: str) -> bool:
        asked.append(path)
        return True

    diff_etc(
        directory(a=file(1), b=file(1), l=link("x"), d=directory(c=file(3))),
        directory(a=file(2), b=file(1), l=link("x"), d=directory(c=file(3))),
        same,
    )

    assert asked == ["b", "d/c"]
