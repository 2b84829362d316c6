"""The power goes at any moment of any operation: thousands of states, none of them bad.

All writes of an operation to the disk are recorded.  Then the disk is looked at as it was after each
of them, and as caches that lose some would have left it:

* as U-Boot does, which replays no journal: its ``uEnv.txt`` names kernels and ramdisks that are
  whole;
* as Linux does, which does: the file systems are clean, the deployments that U-Boot's choices name
  are whole and belong to them, as are those that the boot entries name;
* and as the user does, once for each tree that is different from all others before: ``ostree fsck``
  finds nothing, refs are the old or the new ones, and the operation can be made again, to its end.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from support.power_disk import LAYOUTS
from support.power_operations import OPERATIONS
from support.power_runs import Row, cut, require

if TYPE_CHECKING:
    from pathlib import Path

    from support.power_cuts import Outcome

pytestmark = pytest.mark.root

ROWS = list(itertools.starmap(Row, itertools.product(OPERATIONS, LAYOUTS, (False, True))))
#: Of states with losses, for each flush; so many that there are enough states.
LOSSES = 8
ENOUGH = 5000


def test_no_state_is_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require()
    outcomes: list[Outcome] = []
    bad: list[str] = []

    with ThreadPoolExecutor(os.cpu_count()) as pool, capsys.disabled():
        print(f"\n\n{'operation':10}{'layout':19}{'kernel':6}  states   trees   bad  boots")
        for row, outcome in zip(
            ROWS, pool.map(lambda row: cut(row, tmp_path, losses=LOSSES), ROWS), strict=True
        ):
            outcomes.append(outcome)
            bad += [f"{row}: {text}" for text in outcome.bad]
            kernel = "same" if row.same_kernel else "new"
            counts = f"{outcome.states:8}{outcome.different:8}{len(outcome.bad):6}"
            boots = ", ".join(f"{name}: {count}" for name, count in outcome.booted.items())
            print(f"{row.operation:10}{row.layout:19}{kernel:6}{counts}  {boots}", flush=True)
        states = sum(outcome.states for outcome in outcomes)
        different = sum(outcome.different for outcome in outcomes)
        print(f"{'all':35}{states:8}{different:8}{len(bad):6}\n")

    assert bad == []
    assert states >= ENOUGH


@pytest.mark.parametrize("operation", ["pull", "deploy"])
def test_without_syncs_bad_states_are_found(tmp_path: Path, operation: str) -> None:
    """The check can fail."""
    require()

    row = Row(operation, "separate /boot", same_kernel=False, careless=True)
    outcome = cut(row, tmp_path, losses=2)

    assert outcome.bad
    print(f"{len(outcome.bad)} of {outcome.states} are bad, such as", *outcome.bad[:3], sep="\n")
