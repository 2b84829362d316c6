"""``docs/threats.md``: what it promises is tested by tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(test_\w+\.py)::(\w+)`", (ROOT / "docs/threats.md").read_text("utf-8"))


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_the_test_that_is_named_exists(file: str, name: str) -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob(file)]

    assert sources
    assert any(re.search(rf"^(def|class) {name}\b", source, re.MULTILINE) for source in sources)
