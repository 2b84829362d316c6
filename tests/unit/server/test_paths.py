"""Which paths a repository server may show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.server.paths import is_public, split_path


@pytest.mark.parametrize(
    ("raw", "components"),
    [
        (b"/config", [b"config"]),
        (b"/refs/heads/a%2Bb", [b"refs", b"heads", b"a+b"]),
        (b"//os//summary", [b"os", b"summary"]),
        (b"/refs/heads/k\xc3\xa4se", [b"refs", b"heads", "käse".encode()]),
        (b"/a%2", [b"a%2"]),
        (b"/...", [b"..."]),
    ],
)
def test_paths_are_split_and_decoded(raw: bytes, components: list[bytes]) -> None:
    assert split_path(raw) == components


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"config",
        b"http://host/config",
        b"*",
        b"/",
        b"/objects/",
        b"/../config",
        b"/objects/../config",
        b"/./config",
        b"/%2e%2e/config",
        b"/.%2E/config",
        b"/objects%2f..%2fconfig",
        b"/objects/%2e",
        b"/config%00",
        b"/con\0fig",
    ],
)
def test_escapes_are_refused(raw: bytes) -> None:
    assert split_path(raw) is None


@given(st.binary(max_size=60))
def test_whatever_comes_no_component_leaves_its_directory(raw: bytes) -> None:
    for component in split_path(b"/" + raw) or []:
        assert component not in {b"", b".", b".."}
        assert b"/" not in component
        assert b"\0" not in component


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("config", True),
        ("summary", True),
        ("summary.sig", True),
        ("refs/heads/main", True),
        ("objects/ab/cd.filez", True),
        ("deltas/ab/cd/superblock", True),
        ("delta-indexes/ab/cd.index", True),
        ("objects", False),
        ("config/x", False),
        (".lock", False),
        ("tmp/x", False),
        ("state/x.commitpartial", False),
        ("origin.trustedkeys.gpg", False),
        ("origin.cookies.txt", False),
        ("extensions/x", False),
    ],
)
def test_clients_see_what_they_need(path: str, *, public: bool) -> None:
    assert is_public([part.encode() for part in path.split("/")]) is public


def test_nothing_is_not_public() -> None:
    assert not is_public([])
