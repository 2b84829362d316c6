"""The power goes at any moment of a deployment: the boot loader finds something that boots.

A sample of what ``make test-power`` looks at: see ``tests/power/test_states.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.power_runs import Row, cut, require

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.root

#: States of each operation.
SAMPLE = 20


@pytest.mark.parametrize(
    "row",
    [
        Row("deploy", "separate /boot", same_kernel=False),
        Row("upgrade", "/boot on the root", same_kernel=True),
        Row("undeploy", "separate /boot", same_kernel=True),
    ],
    ids=str,
)
def test_any_moment(tmp_path: Path, row: Row) -> None:
    require()

    outcome = cut(row, tmp_path, losses=2, sample=SAMPLE)

    assert outcome.states >= 20
    assert outcome.bad == []
