"""Random sequences of ``admin`` commands leave the same sysroots as with the reference.

Each sequence works on two sysroots, one for each program, and compares after every command what
was printed, the exit status, the error, and everything on the disk.
``PYOSTREE_ADMIN_SEQUENCES=500`` runs more of them, ``PYOSTREE_SEED`` repeats one.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from compat.admin_sequences.steps import AdminWalk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the reference gives files to root"),
]

COUNT = int(os.environ.get("PYOSTREE_ADMIN_SEQUENCES", "25"))
STEPS = 14


def test_admin_sequences_agree(tmp_path: Path, oracle: Callable[..., object]) -> None:
    """Every sequence gives the same on both sides."""
    oracle("--version")
    given = os.environ.get("PYOSTREE_SEED")
    first = int(given) if given else random.SystemRandom().randrange(1 << 40)

    for seed in [first] if given else range(first, first + COUNT):
        walk = AdminWalk(seed, tmp_path / str(seed))
        try:
            walk.run(STEPS)
        except Exception as error:
            error.add_note(f"PYOSTREE_SEED={seed} repeats this one")
            raise
        walk.world.remove()
