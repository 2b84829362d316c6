"""Whatever is done to a tree between commits, the stat cache never shows in a commit."""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostree.repo import stat_cache
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from support.memory import in_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.types import TreeId

    Edit = Callable[[Path], None]

#: As in the unit tests: seconds that stand for two, and what is longer.
_RACY, _LONGER = 0.012, 0.02
_FIRST = ("a", "sub/b", "sub/deep/a")
_names = st.sampled_from([*_FIRST, "b"])
#: Few sizes, so that contents of one size replace each other.
_contents = st.sampled_from([b"x", b"y", b"z", b"zz"])


def _write(name: str, content: bytes) -> Edit:
    def edit(tree: Path) -> None:
        _open(tree / name).write_bytes(content)

    return edit


def _open(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_and_set_back(name: str, content: bytes) -> Edit:
    """The modification time stays what it was; the change time does not."""

    def edit(tree: Path) -> None:
        path = tree / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        _open(path).write_bytes(content)
        os.utime(path, ns=(before, before))

    return edit


def _write_mapped(name: str, content: bytes) -> Edit:
    def edit(tree: Path) -> None:
        path = tree / name
        if path.exists() and path.stat().st_size >= len(content):
            with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
                mapped[: len(content)] = content
                mapped.flush()

    return edit


def _put_in_place(name: str, content: bytes) -> Edit:
    """A new file by a rename over the old one, with the old one's times."""

    def edit(tree: Path) -> None:
        path, new = _open(tree / name), tree / "new"
        new.write_bytes(content)
        if path.exists():
            info = path.stat()
            os.utime(new, ns=(info.st_mtime_ns, info.st_mtime_ns))
        new.rename(path)

    return edit


def _link(name: str, other: str) -> Edit:
    def edit(tree: Path) -> None:
        with suppress(FileNotFoundError, FileExistsError):
            os.link(tree / name, _open(tree / other))

    return edit


def _swap(name: str, other: str) -> Edit:
    def edit(tree: Path) -> None:
        with suppress(FileNotFoundError):
            (tree / name).rename(tree / "between")
            with suppress(FileNotFoundError):
                (tree / other).rename(tree / name)
            (tree / "between").rename(_open(tree / other))

    return edit


def _change_mode(name: str, mode: int) -> Edit:
    def edit(tree: Path) -> None:
        with suppress(FileNotFoundError):
            (tree / name).chmod(mode)

    return edit


def _remove(name: str) -> Edit:
    return lambda tree: (tree / name).unlink(missing_ok=True)


def _rename_directory(tree: Path) -> None:
    """Another directory with the names of the old one."""
    (tree / "other").mkdir(exist_ok=True)
    (tree / "sub").mkdir(exist_ok=True)
    (tree / "sub").rename(tree / "old")
    (tree / "other").rename(tree / "sub")
    (tree / "old").rename(tree / "other")


def _wait(_: Path) -> None:
    time.sleep(_LONGER)


_edits = st.one_of(
    st.builds(_write, _names, _contents),
    st.builds(_write_and_set_back, _names, _contents),
    st.builds(_write_mapped, _names, _contents),
    st.builds(_put_in_place, _names, _contents),
    st.builds(_link, _names, _names),
    st.builds(_swap, _names, _names),
    st.builds(_change_mode, _names, st.sampled_from([0o600, 0o644, 0o755])),
    st.builds(_remove, _names),
    st.just(_rename_directory),
    st.just(_wait),
)
_modifiers = st.sampled_from(
    [
        Modifier(),
        Modifier(),
        Modifier(owner_uid=7),
        Modifier(canonical_permissions=True),
        Modifier(label=lambda path, mode: f"{path} {mode:o}".encode()),
    ]
)
#: What is done before a commit, and how it is made.
_steps = st.lists(st.tuples(st.lists(_edits, max_size=5), _modifiers), min_size=2, max_size=6)


@settings(
    max_examples=int(os.environ.get("PYOSTREE_STAT_CACHE_EXAMPLES", "40")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=_steps)
def test_a_commit_is_what_it_is_without_the_cache(steps: list[tuple[list[Edit], Modifier]]) -> None:
    with ExitStack() as stack:
        spare = stack.enter_context(tempfile.TemporaryDirectory())
        place = stack.enter_context(in_memory(Path(spare)))
        stack.enter_context(mock.patch.object(stat_cache, "_RACY", int(_RACY * 1e9)))
        repo = stack.enter_context(Repo.create(place / "repo", "archive"))
        other = stack.enter_context(Repo.create(place / "other", "archive"))
        tree = place / "tree"
        for name in _FIRST:
            _write(name, b"x")(tree)
        _wait(tree)

        for edits, modifier in [([], Modifier()), *steps]:
            for edit in edits:
                edit(tree)
            found = _commit(repo, tree, modifier, stat_cache=True)
            assert found == _commit(other, tree, modifier, stat_cache=False)


def _commit(repo: Repo, tree: Path, modifier: Modifier, *, stat_cache: bool) -> TreeId:
    with repo.transaction(fsync=False) as txn:
        return txn.import_directory(tree, modifier=modifier, stat_cache=stat_cache)
