"""``ostree remote`` and its commands, as far as they need no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Compare
    from conftest import Oracle


@pytest.fixture
def remotes(repo: Path) -> Path:
    """The repository with two remotes, one without URL."""
    succeed("remote", "add", f"--repo={repo}", "origin", "http://example.com/repo")
    succeed("remote", "add", f"--repo={repo}", "z", "--custom-backend=other")
    return repo


def test_a_remote_is_added_and_deleted(repo: Path) -> None:
    before = (repo / "config").read_text()

    assert succeed("remote", "add", f"--repo={repo}", "o", "http://x", "--no-gpg-verify") == ""
    added = (repo / "config").read_text()
    assert succeed("remote", "delete", f"--repo={repo}", "o") == ""

    assert added == before + '\n[remote "o"]\nurl=http://x\ngpg-verify=false\n'
    assert (repo / "config").read_text() == before


def test_names_and_urls_are_listed(remotes: Path) -> None:
    assert succeed("remote", "list", f"--repo={remotes}") == "origin\nz\n"
    assert ostree("remote", "list", "-u", f"--repo={remotes}") == (
        1,
        "origin  http://example.com/repo\n",
        'error: No "url" option in remote "z"\n',
    )


def test_an_existing_remote_is_replaced_or_kept(remotes: Path) -> None:
    succeed("remote", "add", f"--repo={remotes}", "--if-not-exists", "origin", "http://no")
    kept = succeed("remote", "show-url", f"--repo={remotes}", "origin")
    succeed("remote", "add", f"--repo={remotes}", "--force", "origin", "http://new")

    assert kept == "http://example.com/repo\n"
    assert succeed("remote", "show-url", f"--repo={remotes}", "origin") == "http://new\n"


def test_a_sysroot_has_remotes(tmp_path: Path) -> None:
    succeed("admin", "init-fs", tmp_path)

    succeed("remote", "add", f"--sysroot={tmp_path}", "o", "http://x")

    config = (tmp_path / "ostree/repo/config").read_text()
    assert config.endswith('[remote "o"]\nurl=http://x\n')


def test_usage_errors(repo: Path) -> None:
    for argv, message in (
        (["add"], "NAME and URL must be specified"),
        (["add", "x"], "NAME and URL must be specified"),
        (["add", "--custom-backend=x"], "NAME must be specified"),
        (["delete"], "NAME must be specified"),
        (["show-url"], "NAME must be specified"),
        (["refs"], "NAME must be specified"),
        (["summary"], "NAME must be specified"),
        (
            ["add", "x", "http://x", "--force", "--if-not-exists"],
            "Can only specify one of --if-not-exists and --force",
        ),
    ):
        assert misuse("remote", *argv, f"--repo={repo}") == f"error: {message}"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "list",
        "list -u",
        "show-url origin",
        "show-url nope",
        "show-url z",
        "show-url",
        "delete",
        "delete nope",
        "delete nope --if-exists",
        "add origin http://x",
        "add o http://x --set=ab",
        "add /bad http://x",
        "refs nope",
        "list --bogus",
        "show-url -- origin",
    ],
)
def test_output_is_the_references(words: str, remotes: Path, compare: Compare) -> None:
    compare("remote", f"--repo={remotes}", *words.split())


@pytest.mark.oracle
@pytest.mark.parametrize(
    "words",
    [
        "o http://x",
        "o mirrorlist=http://x main other",
        "o metalink=http://x --set=a=b --set=c=d=e",
        "o http://x main --no-gpg-verify --contenturl=http://c --collection-id=org.example.C",
        "o http://x --no-sign-verify --custom-backend=b",
        "o --custom-backend=b",
    ],
)
def test_the_configuration_is_the_references(words: str, tmp_path: Path, oracle: Oracle) -> None:
    for name in ("ours", "theirs"):
        succeed("init", f"--repo={tmp_path}/{name}")

    succeed("remote", "add", f"--repo={tmp_path}/ours", *words.split())
    oracle("remote", "add", f"--repo={tmp_path}/theirs", *words.split())

    assert (tmp_path / "ours/config").read_text() == (tmp_path / "theirs/config").read_text()


def test_remotes_of_a_deployment_have_files_of_their_own(tmp_path: Path) -> None:
    """A tree with the physical root at ``sysroot`` is a system, to be configured in ``etc``."""
    physical, deployed = tmp_path / "physical", tmp_path / "deployed"
    for path in (physical, deployed / "etc"):
        path.mkdir(parents=True)
    succeed("admin", "init-fs", physical)
    (deployed / "sysroot").symlink_to("../physical")
    (deployed / "ostree").symlink_to("sysroot/ostree")
    config = physical / "ostree/repo/config"

    succeed("remote", "add", f"--sysroot={physical}", "one", "http://one/")
    succeed("remote", "add", f"--sysroot={deployed}", "two", "http://two/")
    file = deployed / "etc/ostree/remotes.d/two.conf"
    assert file.read_text() == '[remote "two"]\nurl=http://two/\n'
    assert succeed("remote", "show-url", f"--repo={physical}/ostree/repo", "one") == "http://one/\n"
    succeed("config", f"--repo={physical}/ostree/repo", "set", "core.add-remotes-config-dir", "0")
    succeed("remote", "add", f"--sysroot={deployed}", "three", "http://three/")

    assert [name for name in ("one", "two", "three") if f'"{name}"' in config.read_text()] == [
        "one",
        "three",
    ]
