"""The benchmark runs, with a reference and without one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import run, scaling

if TYPE_CHECKING:
    from conftest import Oracle

OURS = str(Path(sys.executable).with_name("ostree"))


def bench(
    monkeypatch: pytest.MonkeyPatch, directory: Path, *words: str
) -> list[dict[str, float | None]]:
    """What it writes for programs of a row that is quick."""
    results = directory / "results"
    places = ["--dir", str(directory), "--disk", str(directory), "--json", str(results)]
    common = ["--ostree", OURS, "--files=20", "--rounds=1", "--rows=recommit-cached", *places]
    monkeypatch.setattr(sys, "argv", ["bench", *common, *words])
    assert run.main() == 0
    rows: list[dict[str, float | None]] = json.loads(results.read_text())
    return rows


def test_without_a_reference_our_times_stand_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "_REFERENCE", str(tmp_path / "none"))

    (row,) = bench(monkeypatch, tmp_path, "--markdown")

    assert row["ratio"] is None
    assert (row["ours"] or 0) > 0
    title, line, cells = capsys.readouterr().out.splitlines()[-3:]
    assert title == "|  | seconds | memory |"
    assert line == "| --- | --- | --- |"
    assert cells.startswith("| recommit-cached | ")


@pytest.mark.oracle
def test_a_real_tree_is_committed_by_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, oracle: Oracle
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("text")

    (row,) = bench(monkeypatch, tmp_path, f"--tree={tree}")

    low, ratio, high = (row[name] or 0 for name in ("low", "ratio", "high"))
    assert 0 < low <= ratio <= high
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results", "tree"]


def test_every_step_of_scaling_does_what_it_says(tmp_path: Path) -> None:
    done = list(scaling.steps(OURS, tmp_path, 120, cached=True))

    assert [step.files for step in done] == [120] * 6
    assert list(tmp_path.iterdir()) == []
