"""Random root file systems, prepared in one go, step by step, and with interruptions."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ostree.errors import TreeError
from ostree.events import Message
from ostree.tree.planning import PrepareOptions, VarPolicy
from ostree.tree.preparing import prepare
from support.draft_trees import Contents, snapshot, write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.events import Event

_TOP = ("bin", "sbin", "lib", "lib64", "etc", "home", "root", "opt", "srv", "mnt", "var", "boot")
_directories = st.one_of(
    st.sampled_from(_TOP),
    st.sampled_from([f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64", "etc", "local")]),
    st.sampled_from(["var/lib", "var/home", "lib/modules/6.1", "usr/lib/opt", "usr/local/lib"]),
)
_names = st.sampled_from(["a", "b", "c d", "d/e", "d/f", "vmlinuz-6.1", "initrd.img-6.1", "x.dtb"])
_contents = st.one_of(
    st.none(),
    st.sampled_from(["", "one", "two", "three"]),
    st.sampled_from(["-> a", "-> ../a", "-> ../../etc/a", "-> ../usr/bin/a", "-> /bin/a"]),
)
_paths = st.builds("{}/{}".format, _directories, _names)
trees = st.dictionaries(_paths, _contents, max_size=14)
options = st.builds(
    PrepareOptions,
    var=st.sampled_from([VarPolicy.TMPFILES, VarPolicy.TEMPLATE]),
    local_state=st.booleans(),
)


class CutError(Exception):
    """The power is gone."""


def cut_after(count: int) -> Iterator[None]:
    """Goes on as often as said, and is gone then."""
    for _ in range(count):
        yield None
    raise CutError


def run(root: Path, chosen: PrepareOptions, *, steps: int | None = None) -> list[str]:
    """Prepare a tree, or begin to; returns the steps."""
    told: list[str] = []
    fuse = cut_after(1 << 30 if steps is None else steps)

    def listen(event: Event) -> None:
        next(fuse)
        assert isinstance(event, Message)
        told.append(event.text)

    prepare(str(root), chosen, on_event=listen)
    return told


def consistent(tree: Contents) -> Contents:
    """Without paths below what is no directory."""
    return {
        path: content
        for path, content in tree.items()
        if not any(
            tree.get("/".join(path.split("/")[:depth])) is not None
            for depth in range(1, path.count("/") + 1)
        )
    }


def resolve(root: Path, path: str) -> str | None:
    """The content of the file that a path leads to as the root of a system, if it does."""
    done: list[str] = []
    todo = list(reversed(path.split("/")))
    for _ in range(200):
        if not todo:
            break
        name = todo.pop()
        if name in {"", "."}:
            continue
        if name == "..":
            done = done[:-1]
            continue
        here = root.joinpath(*done, name)
        if here.is_symlink():
            target = os.readlink(here)
            done = [] if target.startswith("/") else done
            todo += reversed(target.split("/"))
        else:
            done.append(name)
    found = root.joinpath(*done)
    return found.read_text() if found.is_file() and not found.is_symlink() and not todo else None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(trees, options, st.integers(0, 40))
def test_an_interrupted_run_is_completed(
    tree: Contents, chosen: PrepareOptions, steps: int
) -> None:
    """Wherever it is cut: the next run leaves what one run would have left."""
    tree = {"usr/bin/base": "base", **consistent(tree)}
    with tempfile.TemporaryDirectory() as place:
        whole = write_tree(Path(place) / "whole", tree)
        cut = write_tree(Path(place) / "cut", tree)
        try:
            told = run(whole, chosen)
        except TreeError:
            before = snapshot(whole)
            assert before == snapshot(cut)
            assume(False)
        try:
            run(cut, chosen, steps=steps)
        except CutError:
            run(cut, chosen)

        assert snapshot(cut) == snapshot(whole)
        assert run(whole, chosen) == []
        assert told


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(trees)
def test_nothing_is_lost(tree: Contents) -> None:
    """Each content is still there, and each path and link leads to what it led to before."""
    tree = {"usr/bin/base": "base", **consistent(tree)}
    chosen = PrepareOptions(var=VarPolicy.TEMPLATE, local_state=True)
    with tempfile.TemporaryDirectory() as place:
        root = write_tree(Path(place) / "root", tree)
        old = shutil.copytree(root, Path(place) / "old", symlinks=True)
        try:
            run(root, chosen)
        except TreeError:
            assert snapshot(root) == snapshot(old)
            return
        # As deploying does.
        if (root / "usr/etc").is_dir():
            shutil.copytree(root / "usr/etc", root / "etc", symlinks=True)

        for path in tree:
            seen = resolve(old, path)
            if seen is not None and not path.startswith("boot/"):
                assert resolve(root, path) == seen, path
        contents = Counter(s[3] for s in snapshot(root).values() if s[0] & 0o170000 == 0o100000)
        assert {c for c in tree.values() if c and not c.startswith("->")} <= set(contents)
