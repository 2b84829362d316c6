"""What is read from a remote's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.repo.repository import Repo
from ostree.transfer.connection import connect
from ostree.transfer.options import PullOptions
from ostree.transfer.remote import access, file_path, join_url, require_pullable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.repo.remotes import Remote


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    """An empty repository."""
    with Repo.create(tmp_path / "repo", "archive") as made:
        yield made


def remote(repo: Repo, **options: str) -> Remote:
    """A remote with these options; ``_`` in their names stands for ``-``."""
    pairs = [(key.replace("_", "-"), value) for key, value in options.items()]
    repo.remotes.add("far", pairs, replace=True)
    return repo.remotes.get("far")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a/b", "/a/b"),
        ("FILE:///a%20b%25", "/a b%"),
        ("http://host/a", None),
        ("/a/b", None),
    ],
)
def test_file_path(url: str, path: str | None) -> None:
    assert file_path(url) == path


@pytest.mark.parametrize("base", ["http://h/repo", "http://h/repo/", "http://h/repo//"])
def test_one_slash_between(base: str) -> None:
    assert join_url(base, "summary") == "http://h/repo/summary"


def test_where_things_are(repo: Repo) -> None:
    """Content has a place of its own, unless the command line names one for all."""
    far = remote(repo, url="http://meta", contenturl="http://content", branches="a;b;")

    found = access(far, PullOptions())

    assert (found.meta_url, found.content_url, found.branches) == (
        "http://meta",
        "http://content",
        ["a", "b"],
    )
    overridden = access(far, PullOptions(url="http://other"))
    assert (overridden.meta_url, overridden.content_url) == ("http://other", "http://other")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"url": "http://x", "unconfigured_state": "subscribe first"},
            "remote unconfigured-state: subscribe first",
        ),
        (
            {"url": "http://x", "custom_backend": "flatpak"},
            "Cannot fetch via libostree - remote 'far' uses custom backend 'flatpak'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_remotes_not_to_be_pulled_from_but_looked_at(
    repo: Repo, options: dict[str, str], message: str
) -> None:
    far = remote(repo, **options)

    with pytest.raises(OSTreeError) as caught:
        require_pullable(far)

    assert str(caught.value) == message
    assert access(far, PullOptions()).meta_url == "http://x"


def test_a_remote_without_address(repo: Repo) -> None:
    far = remote(repo, gpg_verify="true")

    with pytest.raises(OSTreeError) as caught:
        access(far, PullOptions())

    assert str(caught.value) == 'No "url" option in remote "far"'


def test_half_a_client_certificate(repo: Repo) -> None:
    far = remote(repo, url="https://x", tls_client_cert_path="/x.pem")
    source = access(far, PullOptions())

    with (
        pytest.raises(OSTreeError, match='must specify both "tls-client-cert-path" and'),
        connect(repo, far, source, PullOptions()),
    ):
        pass
