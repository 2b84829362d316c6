"""Switches from the environment."""

from __future__ import annotations

import pytest

from ostree.sysroot.settings import parse_debug_words, parse_settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", set()),
        ("no-xattrs", {"no-xattrs"}),
        ("NO_XATTRS;no-dtb:unknown", {"no-xattrs", "no-dtb"}),
        ("all", {"no-xattrs", "no-dtb"}),
        ("all, no-dtb", {"no-xattrs"}),
    ],
)
def test_words(text: str, words: set[str]) -> None:
    assert parse_debug_words(text, frozenset({"no-xattrs", "no-dtb"})) == words


def test_settings() -> None:
    assert parse_settings("").immutable
    assert not parse_settings("mutable-deployments").immutable
    assert not parse_settings("no-xattrs no-dtb").xattrs
    assert not parse_settings("no-dtb").device_trees
    assert parse_settings("test-fifreeze").test_freezing


def test_options() -> None:
    assert parse_settings("", "").sync
    assert parse_settings("", "").early_prune
    assert not parse_settings("", "SKIP_SYNC").sync
    assert not parse_settings("", "skip-sync,no-early-prune").early_prune
