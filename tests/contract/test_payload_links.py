"""Payload links: which objects take part, and where a link may lead."""

from __future__ import annotations

import pytest

from ostree.store.payload_links import is_wanted, parse_target, target_of
from ostree.types import Checksum, RepoMode

CHECKSUM = Checksum("ab" + "01" * 31)


@pytest.mark.parametrize(
    ("mode", "size", "threshold", "wanted"),
    [
        (RepoMode.BARE, 1000, 1000, True),
        (RepoMode.BARE_USER, 1001, 1000, True),
        (RepoMode.BARE_USER_ONLY, 1000, 1000, True),
        (RepoMode.BARE, 999, 1000, False),
        (RepoMode.BARE, 0, 0, False),
        (RepoMode.ARCHIVE, 1000, 0, False),
        (RepoMode.BARE_SPLIT_XATTRS, 1000, 0, False),
    ],
)
def test_who_takes_part(mode: RepoMode, size: int, threshold: int, wanted: bool) -> None:
    assert is_wanted(mode, size, threshold) is wanted


def test_a_target_is_read_back() -> None:
    text = target_of(CHECKSUM)

    assert text == f"../ab/{'01' * 31}.file"
    assert parse_target(text) == CHECKSUM


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../ab",
        f"../AB/{'01' * 31}.file",
        f"../ab/{'01' * 31}",
        f"../ab/{'01' * 31}.filez",
        f"./ab/{'01' * 31}.file",
        f"/../ab/{'01' * 31}.file",
        f"../ab/{'01' * 31}.file/",
        f"../../ab/{'01' * 31}.file",
        "../../../../etc/passwd",
    ],
)
def test_no_other_target_is_believed(text: str) -> None:
    assert parse_target(text) is None
