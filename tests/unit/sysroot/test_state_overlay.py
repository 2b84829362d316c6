"""What an update takes from a state overlay."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.sysroot.state_overlay import Level, Upper, overlay_options, plan_level, prune

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("upper", "lower", "plan"),
    [
        ({"a": Upper.OTHER}, {}, Level([], [])),
        ({"a": Upper.DIRECTORY}, {}, Level([], [])),
        ({"a": Upper.OPAQUE}, {}, Level([], [])),
        ({}, {"a": True, "b": False}, Level([], [])),
        ({"a": Upper.OTHER}, {"a": False}, Level(["a"], [])),
        ({"a": Upper.OTHER}, {"a": True}, Level(["a"], [])),
        ({"a": Upper.DIRECTORY}, {"a": False}, Level(["a"], [])),
        ({"a": Upper.DIRECTORY}, {"a": True}, Level([], ["a"])),
        ({"a": Upper.OPAQUE}, {"a": True}, Level(["a"], [])),
        (
            {"c": Upper.OTHER, "a": Upper.DIRECTORY, "b": Upper.DIRECTORY, "x": Upper.OTHER},
            {"a": True, "b": True, "c": False},
            Level(["c"], ["a", "b"]),
        ),
    ],
    ids=str,
)
def test_the_plan_of_one_directory(
    upper: dict[str, Upper], lower: dict[str, bool], plan: Level
) -> None:
    assert plan_level(upper, lower) == plan


def make(root: Path, *names: str) -> Path:
    root.mkdir()
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(name)
    return root


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_pruning(tmp_path: Path) -> None:
    upper = make(
        tmp_path / "upper", "mine", "dir/mine", "dir/changed", "dir/sub/deep/mine", "type/x"
    )
    lower = make(tmp_path / "lower", "theirs", "dir/changed", "dir/sub/deep/theirs", "type")
    (upper / "link").symlink_to("/etc")
    (lower / "link").mkdir()

    fds = [os.open(path, os.O_RDONLY) for path in (upper, lower)]
    try:
        prune(*fds)
    finally:
        for fd in fds:
            os.close(fd)

    assert names(upper) == {
        "mine",
        "dir",
        "dir/mine",
        "dir/sub",
        "dir/sub/deep",
        "dir/sub/deep/mine",
    }
    assert "theirs" in names(lower)


def test_names_that_would_end_an_option() -> None:
    options = overlay_options("/usr/a:b,c", "/var/x\\x2dy")

    assert options == (
        "lowerdir=/usr/a\\:b\\,c,upperdir=/var/x\\\\x2dy/upper,workdir=/var/x\\\\x2dy/work"
    )
