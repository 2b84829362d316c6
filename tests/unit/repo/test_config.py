"""Configuration: defaults, and a sentence for every value that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError, NotFoundError, OSTreeError
from ostree.formats.keyfile import KeyFile
from ostree.repo.config import Config
from ostree.repo.repository import Repo
from ostree.types import RepoMode

if TYPE_CHECKING:
    from pathlib import Path


SIZE_FORMAT = "It should be of the format '123MB', '123GB' or '123TB'"


def config(*lines: str) -> Config:
    return Config(KeyFile.parse("\n".join(["[core]", "repo_version=1", *lines, ""]).encode()))


def test_defaults() -> None:
    empty = config()

    empty.validate()

    assert empty.mode is RepoMode.BARE
    assert empty.fsync
    assert not empty.per_object_fsync
    assert empty.locking
    assert empty.lock_timeout == 300
    assert empty.temporary_expiry == 86400
    assert empty.min_free_space == (0, 3)
    assert not empty.disable_xattrs
    assert not empty.tombstones
    assert not empty.auto_update_summary
    assert empty.zlib_level is None
    assert empty.parent is None
    assert empty.collection_id is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("repo_version=2", "Invalid repository version '2'"),
        ("repo_version=", "Invalid repository version ''"),
        ("mode=foo", "Invalid mode 'foo' in repository configuration"),
        (
            "archive=true",
            'This version of OSTree no longer supports "archive" repositories; use archive-z2 instead',
        ),
        ("collection-id=a", "Invalid collection ID a"),
        ("collection-id=1a.b", "Invalid collection ID 1a.b"),
        ("min-free-space-percent=100", "Invalid min-free-space-percent '100'"),
        ("min-free-space-percent=x", "Invalid min-free-space-percent 'x': must be a number"),
        ("min-free-space-percent=-1", "Invalid min-free-space-percent '-1': must be a number"),
        *(
            (
                f"min-free-space-size={text}",
                f"Invalid min-free-space-size '{text}': {SIZE_FORMAT}",
            )
            for text in ("100X", "MB", "1 MB", "1.5GB", "-1MB", "10mb", "10")
        ),
        (
            "fsync=yes",
            "Key file contains key “fsync” which has a value that cannot be interpreted.",
        ),
    ],
)
def test_values_that_cannot_be_are_refused(line: str, message: str, tmp_path: Path) -> None:
    Repo.create(tmp_path / "repo").close()
    (tmp_path / "repo/config").write_text(f"[core]\nrepo_version=1\n{line}\n")

    with pytest.raises(FormatError) as in_itself:
        config(line).validate()
    with pytest.raises(OSTreeError) as opening:
        Repo.open(tmp_path / "repo")

    assert str(in_itself.value) == message
    assert str(opening.value) == f"opening repo: {message}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("min-free-space-size=5MB", (5 << 20, 0)),
        ("min-free-space-size=2GB", (2 << 30, 0)),
        ("min-free-space-size=1TB", (1 << 40, 0)),
        ("min-free-space-percent=0", (0, 0)),
        ("min-free-space-percent=99", (0, 99)),
        ("min-free-space-size=1MB\nmin-free-space-percent=50", (1 << 20, 0)),
    ],
)
def test_minimum_of_free_space(line: str, expected: tuple[int, int]) -> None:
    assert config(line).min_free_space == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("5", 5), ("-1", -1), ("7x", 7), ("x", 0), ("", 0), (" 8", 8)],
)
def test_numbers_are_read_as_c_reads_them(text: str, seconds: int) -> None:
    assert config(f"lock-timeout-secs={text}").lock_timeout == seconds


@pytest.mark.parametrize("line", ["locking=false", "locking=0", "lock-timeout-secs=-2"])
def test_locking_can_be_switched_off(line: str) -> None:
    assert not config(line).locking


def test_either_name_updates_the_summary() -> None:
    assert config("auto-update-summary=true").auto_update_summary
    assert config("commit-update-summary=true").auto_update_summary
    assert config("auto-update-summary=false", "commit-update-summary=true").auto_update_summary


@pytest.mark.parametrize("text", ["archive", "archive-z2"])
def test_two_words_for_archive(text: str) -> None:
    assert config(f"mode={text}").mode is RepoMode.ARCHIVE


def test_files_that_are_no_key_files(tmp_path: Path) -> None:
    Repo.create(tmp_path / "repo").close()
    (tmp_path / "repo/config").write_text("[core]\nrepo_version=1\njunk\n")

    with pytest.raises(OSTreeError) as caught:
        Repo.open(tmp_path / "repo")

    assert str(caught.value) == (
        "opening repo: Couldn't parse config file: Key file contains line “junk” "
        "which is not a key-value pair, group, or comment"
    )


def test_what_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")

    for name, message in [
        ("missing", f"opendir({tmp_path}/missing): No such file or directory"),
        ("empty", "opendir(objects): No such file or directory"),
        ("file", f"opendir({tmp_path}/file): Not a directory"),
    ]:
        with pytest.raises(NotFoundError) as caught:
            Repo.open(tmp_path / name)
        assert str(caught.value) == f"opening repo: {message}"


def test_a_parent_that_is_not_there(tmp_path: Path) -> None:
    Repo.create(tmp_path / "repo").close()
    with (tmp_path / "repo/config").open("a") as file:
        file.write("parent=/nosuch\n")

    with pytest.raises(OSTreeError) as caught:
        Repo.open(tmp_path / "repo")

    assert str(caught.value) == (
        "opening repo: While checking parent repository '/nosuch': opening repo: "
        "opendir(/nosuch): No such file or directory"
    )


@pytest.mark.parametrize(
    ("text", "threshold"),
    [("0", 0), ("4096", 4096), ("4096 bytes", 4096), ("-1", None), (str((1 << 64) - 1), None)],
)
def test_payload_link_threshold(text: str, threshold: int | None) -> None:
    """Read as C reads numbers; the largest one, which is -1, means never."""
    assert config(f"payload-link-threshold={text}").payload_link_threshold == threshold
    assert config().payload_link_threshold is None


def test_opening_in_vain_keeps_no_descriptors(tmp_path: Path) -> None:
    import os

    Repo.create(tmp_path / "repo").close()
    good = (tmp_path / "repo/config").read_text()
    before = len(os.listdir("/proc/self/fd"))

    for bad in ("mode=foo\n", "parent=/nosuch\n", "[ex-integrity]\nfsverity=perhaps\n"):
        (tmp_path / "repo/config").write_text(good + bad)
        with pytest.raises(OSTreeError):
            Repo.open(tmp_path / "repo")

    assert len(os.listdir("/proc/self/fd")) == before


def test_saving_checks_first(tmp_path: Path) -> None:
    with Repo.create(tmp_path / "repo") as repo:
        before = (tmp_path / "repo/config").read_bytes()
        keyfile = repo.config.keyfile.copy()
        keyfile.set_string("core", "mode", "foo")

        with pytest.raises(FormatError):
            repo.save_config(keyfile)

        assert (tmp_path / "repo/config").read_bytes() == before
        keyfile.set_string("core", "mode", "bare")
        keyfile.set_string("other", "key", "value")
        repo.save_config(keyfile)
        assert repo.config.keyfile.get_string("other", "key") == "value"
    assert (tmp_path / "repo/config").read_text() == (
        "[core]\nrepo_version=1\nmode=bare\n\n[other]\nkey=value\n"
    )
    assert (tmp_path / "repo/config").stat().st_mode & 0o7777 == 0o644


def test_what_init_makes(tmp_path: Path) -> None:
    Repo.create(tmp_path / "repo", "archive", collection_id="org.example.Os").close()

    found = sorted(str(path.relative_to(tmp_path / "repo")) for path in tmp_path.rglob("repo/**/*"))

    assert found == [
        "config",
        "extensions",
        "objects",
        "refs",
        "refs/heads",
        "refs/mirrors",
        "refs/remotes",
        "state",
        "tmp",
    ]
    assert (tmp_path / "repo/config").read_text() == (
        "[core]\nrepo_version=1\nmode=archive-z2\ncollection-id=org.example.Os\n"
    )


def test_init_leaves_what_exists(tmp_path: Path) -> None:
    Repo.create(tmp_path / "repo", "archive").close()

    with Repo.create(tmp_path / "repo", "bare") as repo:
        assert repo.mode is RepoMode.ARCHIVE


def test_init_needs_the_parent_directory(tmp_path: Path) -> None:
    with pytest.raises(OSTreeError) as caught:
        Repo.create(tmp_path / "no/repo")

    assert str(caught.value) == "Creating repo: mkdirat: No such file or directory"


@pytest.mark.parametrize(
    ("mode", "collection", "message"),
    [
        ("foo", None, "Invalid mode 'foo' in repository configuration"),
        ("bare", "x", "Invalid collection ID x"),
    ],
)
def test_init_refuses_before_it_makes_anything(
    tmp_path: Path, mode: str, collection: str | None, message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        Repo.create(tmp_path / "repo", mode, collection_id=collection)

    assert str(caught.value) == message
    assert not (tmp_path / "repo").exists()


@pytest.mark.parametrize("text", ["9" * 5000 + "TB", "0" * 5000 + "1MB"])
def test_a_number_of_any_length_is_read_or_refused(text: str) -> None:
    value = config(f"min-free-space-size={text}")

    if text.startswith("9"):
        with pytest.raises(FormatError, match="Value was too high"):
            value.validate()
    else:
        assert value.min_free_space == (1 << 20, 0)


def test_a_lock_timeout_of_any_length_is_read() -> None:
    assert config("lock-timeout-secs=" + "9" * 5000).lock_timeout > 1 << 60


def test_finders_are_config_and_mount_unless_configured() -> None:
    assert config().repo_finders == ["config", "mount"]
    assert config("default-repo-finders=lan;config").repo_finders == ["lan", "config"]


def test_a_repository_that_is_its_own_ancestor_is_refused(tmp_path: Path) -> None:
    for name, parent in (("a", "../b"), ("b", "../c"), ("c", "../a")):
        Repo.create(tmp_path / name).close()
        with (tmp_path / name / "config").open("a") as file:
            file.write(f"parent={parent}\n")

    with pytest.raises(OSTreeError) as caught:
        Repo.open(tmp_path / "a")

    assert str(caught.value) == (
        "opening repo: While checking parent repository '../b': opening repo: "
        "While checking parent repository '../c': opening repo: "
        "Parent repository '../a' is one of its own descendants"
    )
