"""``ostree admin`` and its commands."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed
from ostree.cli.deployment_index import parse_index
from ostree.errors import SysrootError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Oracle
    from support.openpgp import KeyMaker

#: Without it, removing what root deployed would need ioctls.
MUTABLE = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}


@pytest.fixture
def os_tree(tmp_path: Path) -> Path:
    """The smallest tree that can be deployed."""
    tree = tmp_path / "os-tree"
    modules = tree / "usr/lib/modules/6.1"
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_text("kernel")
    (modules / "initramfs.img").write_text("initramfs")
    (tree / "sysroot").mkdir()
    (tree / "ostree").symlink_to("sysroot/ostree")
    (tree / "usr/etc").mkdir()
    (tree / "usr/etc/conf").write_text("default\n")
    (tree / "usr/lib/os-release").write_text('NAME=Os\nID=os\nVERSION=1\nPRETTY_NAME="Os 1"\n')
    return tree


@pytest.fixture
def sysroot(tmp_path: Path, os_tree: Path) -> Iterator[Path]:
    """A sysroot with a stateroot and a commit on ``os/main``."""
    sysroot = tmp_path / "sysroot"
    sysroot.mkdir()
    succeed("admin", "init-fs", sysroot)
    succeed("admin", "os-init", f"--sysroot={sysroot}", "os")
    commit(sysroot, os_tree, 1)
    yield sysroot
    for directory, _, _ in os.walk(sysroot):
        os.chmod(directory, 0o700)


def commit(sysroot: Path, tree: Path, number: int, *options: str) -> str:
    return succeed(
        "commit",
        f"--repo={sysroot}/ostree/repo",
        "--branch=os/main",
        f"--add-metadata-string=version={number}",
        f"--timestamp=@{number}",
        *options,
        tree,
    ).strip()


def deploy(sysroot: Path, *options: str) -> str:
    argv = ("admin", "deploy", f"--sysroot={sysroot}", "--os=os", *options, "os/main")
    return succeed(*argv, environ=MUTABLE)


def test_a_sysroot_is_made(tmp_path: Path) -> None:
    assert succeed("admin", "init-fs", tmp_path) == ""

    assert (tmp_path / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "ostree/repo/config").exists()


@pytest.mark.parametrize("option", ["--modern", "--epoch=1", "-E1"])
def test_a_modern_sysroot_has_less(option: str, tmp_path: Path) -> None:
    succeed("admin", "init-fs", option, tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"boot", "ostree"}


@pytest.mark.parametrize("command", ["os-init", "stateroot-init"])
def test_a_stateroot_is_made(command: str, tmp_path: Path) -> None:
    out = succeed("admin", command, f"--sysroot={tmp_path}", "new")

    assert out == "ostree/deploy/new initialized as OSTree stateroot\n"
    assert (tmp_path / "ostree/deploy/new/var").is_dir()
    assert fail("admin", command, f"--sysroot={tmp_path}", "new") == (
        "error: Creating ostree/deploy/new: File exists"
    )


def test_deploying_says_what_happens(sysroot: Path, os_tree: Path) -> None:
    first = deploy(sysroot)
    commit(sysroot, os_tree, 2)
    second = deploy(sysroot, "--karg=root=/dev/sda1")

    assert first.splitlines()[0] == "Relabeling /var (no stamp file 'var/.ostree-selabeled' found)"
    assert first.endswith("; bootversion: boot.1.1, deployment count change: 1\n")
    assert second.startswith("Copying /etc changes: 0 modified, 0 removed, 0 added\n")
    entries = sorted((sysroot / "boot/loader/entries").iterdir())
    assert "root=/dev/sda1" in entries[-1].read_text()


def test_the_list(sysroot: Path, os_tree: Path) -> None:
    empty = succeed("admin", "status", f"--sysroot={sysroot}")
    deploy(sysroot)
    new = commit(sysroot, os_tree, 2, "--add-metadata-string=ostree.source-title=A title")
    deploy(sysroot)

    lines = succeed("admin", "status", f"--sysroot={sysroot}").splitlines()

    assert empty == "No deployments.\n"
    assert lines[:4] == [
        f"  os {new}.0",
        "    Version: 2",
        "    origin refspec: os/main",
        "    `- A title",
    ]
    assert lines[5:] == ["    Version: 1", "    origin refspec: os/main"]


def test_the_list_as_json(sysroot: Path) -> None:
    """The layout is upstream's to the byte, and it is JSON."""
    empty = succeed("admin", "status", "--json", f"--sysroot={sysroot}")
    deploy(sysroot)

    out = succeed("admin", "status", "-J", f"--sysroot={sysroot}")

    assert empty == '{\n   "deployments": [\n\n   ]\n}\n'
    assert out.startswith('{\n   "deployments": [\n      {\n         "checksum": "')
    assert out.endswith('"version": "1"\n      }\n   ]\n}\n')
    (deployment,) = json.loads(out)["deployments"]
    assert deployment["stateroot"] == "os"
    assert deployment["refspec"] == "os/main"
    assert deployment["booted"] is deployment["staged"] is False


def test_json_escapes(sysroot: Path, os_tree: Path) -> None:
    commit(sysroot, os_tree, 2, '--add-metadata-string=ostree.source-title=a"\\\n\x01é/')
    deploy(sysroot)

    out = succeed("admin", "status", "-J", f"--sysroot={sysroot}")

    assert r'"source-title": "a\"\\\n\u0001é/"' in out
    assert json.loads(out)["deployments"][0]["source-title"] == 'a"\\\n\x01é/'


def test_whether_the_default_is_running(sysroot: Path) -> None:
    assert fail("admin", "status", "-D", f"--sysroot={sysroot}") == (
        "error: Not in a booted OSTree system"
    )
    deploy(sysroot)
    assert succeed("admin", "status", "-D", f"--sysroot={sysroot}") == "not-default\n"


def test_a_deployment_is_removed(sysroot: Path, os_tree: Path) -> None:
    deploy(sysroot)
    new = commit(sysroot, os_tree, 2)
    deploy(sysroot)

    out = succeed("admin", "undeploy", f"--sysroot={sysroot}", "0", environ=MUTABLE)

    assert out.endswith(f"Deleted deployment {new}.0\n")
    assert succeed("admin", "status", f"--sysroot={sysroot}").count("Version") == 1
    for words in (["7"], ["--", "7"]):
        assert fail("admin", "undeploy", f"--sysroot={sysroot}", *words) == (
            "error: Out of range deployment index 7, expected < 1"
        )


@pytest.mark.parametrize("text", ["foo", "", "-1", "1x", "²"])
def test_an_index_is_a_number(text: str) -> None:
    """Before 2023.8 any word was 0, and deleted the first deployment."""
    with pytest.raises(SysrootError, match="Invalid index: "):
        parse_index(text)


def test_the_first_deployment_is_printed(sysroot: Path) -> None:
    for argv in (["--print-current-dir"], ["status", "--print-current-dir"]):
        result = ostree("admin", f"--sysroot={sysroot}", *argv)
        assert result.status == 1
        assert result.err.endswith("error: Unable to find a deployment in sysroot\n")
    deploy(sysroot)

    out = succeed("admin", "--print-current-dir", f"--sysroot={sysroot}")

    assert out.startswith(f"{sysroot}/ostree/deploy/os/deploy/")
    assert os.path.isdir(out.strip())


def test_an_upgrade_from_a_local_ref(sysroot: Path, os_tree: Path) -> None:
    argv = ("admin", "upgrade", f"--sysroot={sysroot}", "--os=os")
    missing = fail(*argv)
    deploy(sysroot)
    current = succeed(*argv, environ=MUTABLE)
    commit(sysroot, os_tree, 2)
    new = succeed(*argv, environ=MUTABLE)

    assert missing == "error: No previous deployment for OS 'os'"
    assert current == "No update available.\n"
    assert new.endswith("deployment count change: 1\n")


def test_an_upgrade_pulls(sysroot: Path, os_tree: Path, tmp_path: Path) -> None:
    server = tmp_path / "server"
    repo = f"--repo={sysroot}/ostree/repo"
    succeed("init", f"--repo={server}", "--mode=archive")
    for number in (1, 2):
        options = ("-b", "x", f"--timestamp=@{number}", f"--tree=dir={os_tree}")
        succeed("commit", f"--repo={server}", *options)
        if number == 1:
            succeed("pull-local", repo, "--remote=origin", server)
            argv = ("admin", "deploy", f"--sysroot={sysroot}", "--os=os", "origin:x")
            succeed(*argv, environ=MUTABLE)
    succeed("remote", "add", repo, "origin", f"file://{server}", "--no-gpg-verify")

    out = succeed(
        "admin", "upgrade", f"--sysroot={sysroot}", "--os=os", "--pull-only", environ=MUTABLE
    )

    assert out == ""
    assert succeed("rev-parse", repo, "origin:x") == succeed("rev-parse", f"--repo={server}", "x")


def test_contradictions(sysroot: Path) -> None:
    deploying = ("admin", "deploy", f"--sysroot={sysroot}", "--os=os", "os/main")
    upgrading = ("admin", "upgrade", f"--sysroot={sysroot}", "--os=os", "--pull-only")

    assert misuse(*deploying, "--karg-none", "--karg-proc-cmdline") == (
        "error: Can't specify both --karg-proc-cmdline and --karg-none"
    )
    assert misuse(*deploying, "--no-merge", "--karg-delete=x") == (
        "error: Can't specify both --no-merge and --karg-delete"
    )
    assert fail(*upgrading, "--deploy-only") == (
        "error: Cannot simultaneously specify --pull-only and --deploy-only"
    )
    assert fail(*upgrading, "--reboot") == (
        "error: Cannot simultaneously specify --pull-only and --reboot or --kexec"
    )


def test_usage_errors(tmp_path: Path) -> None:
    for command, message in (
        ("init-fs", "PATH must be specified"),
        ("os-init", "STATEROOT must be specified"),
        ("deploy", "REF/REV must be specified"),
        ("undeploy", "INDEX must be specified"),
    ):
        argv = ("admin", f"--sysroot={tmp_path}", *command.split())
        assert misuse(*argv) == f"error: {message}"


def test_staging_takes_a_booted_system(sysroot: Path) -> None:
    for option in ("--stage", "--lock-finalization"):
        message = fail("admin", "deploy", f"--sysroot={sysroot}", option, "--os=os", "os/main")

        assert message == (
            "error: Cannot stage deployment: Not currently booted into an OSTree system"
        )


@pytest.mark.oracle
def test_the_reference_lists_the_same(sysroot: Path, os_tree: Path, oracle: Oracle) -> None:
    deploy(sysroot)
    commit(sysroot, os_tree, 2, "--add-metadata-string=ostree.source-title=A title")
    deploy(sysroot)

    theirs = oracle("admin", "status", f"--sysroot={sysroot}").stdout

    assert succeed("admin", "status", f"--sysroot={sysroot}") == theirs


def test_status_tells_of_signatures(sysroot: Path, keys: KeyMaker, trusted: dict[str, str]) -> None:
    """Where the origin's remote demands some; --verify insists on them."""
    repo = sysroot / "ostree/repo"
    commit = succeed("rev-parse", f"--repo={repo}", "os/main").strip()
    succeed("refs", f"--repo={repo}", "--create=far:os/main", commit)
    succeed("remote", "add", f"--repo={repo}", "far", "http://localhost/")
    deploy(sysroot)
    (origin,) = (sysroot / "ostree/deploy/os/deploy").glob("*.origin")
    status = ("admin", "status", f"--sysroot={sysroot}")
    environ = {**MUTABLE, **trusted}

    origin.rename(origin.with_suffix(".away"))
    assert fail(*status, "--verify") == "error: Cannot verify deployment with no origin"
    origin.write_text("[origin]\n")
    assert fail(*status, "--verify") == "error: No origin/refspec, cannot verify"
    origin.write_text("[origin]\nrefspec=a b\n")
    assert fail(*status, "--verify") == "error: Invalid refspec a b"
    assert "    origin refspec: a b\n" in succeed(*status)
    origin.with_suffix(".away").rename(origin)
    assert fail(*status, "--verify") == "error: Cannot verify deployment without remote"
    origin.write_text("[origin]\nrefspec=far:os/main\n")
    assert "GPG" not in succeed(*status, environ=environ)
    assert fail(*status, "--verify") == "error: Can't verify commit without detached metadata"

    home = f"--gpg-homedir={keys.home}"
    succeed("gpg-sign", f"--repo={repo}", home, commit, "one@example.org")
    lines = succeed(*status, environ=environ).splitlines()
    verified = succeed(*status, "--verify", environ=environ).splitlines()

    assert lines[-2].startswith("    GPG: Signature made ")
    assert lines[-1] == '    GPG: Good signature from "One <one@example.org>"'
    assert verified[-2:] == ['GPG: Good signature from "One <one@example.org>"', ""]
    assert "GPG" not in succeed(*status, "--skip-signatures", environ=environ)
    untrusted = ostree(*status, "--verify")
    assert untrusted.err.endswith("Can't check signature: public key not found\n")

    succeed("config", f"--repo={repo}", "set", 'remote "far".gpg-verify', "false")
    assert "GPG" not in succeed(*status, environ=environ)
    assert fail(*status, "--verify") == (
        "error: Cannot verify commit for remote far; GPG verification disabled, "
        "and no signapi verifiers configured"
    )


def test_what_an_interrupted_transaction_left_goes_with_the_next_boot(sysroot: Path) -> None:
    """The repository of a sysroot knows boots from each other, and fails where tests want it."""
    staging = sysroot / "ostree/repo/tmp"
    argv = ("admin", "deploy", f"--sysroot={sysroot}", "--os=os", "os/main")

    for boot in ("one", "two"):
        environ = {**MUTABLE, "OSTREE_BOOTID": boot}
        message = fail(*argv, environ={**environ, "OSTREE_REPO_TEST_ERROR": "pre-commit"})
        assert message.endswith("OSTREE_REPO_TEST_ERROR_PRE_COMMIT specified")
        assert [path.name for path in staging.glob(f"staging-{boot}-*") if path.is_dir()]
    succeed(*argv, environ=environ)

    assert not list(staging.glob("staging-one-*"))


def test_switches_of_the_environment_are_listed(sysroot: Path) -> None:
    argv = ("admin", "status", f"--sysroot={sysroot}")

    for variable, words in (
        ("OSTREE_SYSROOT_DEBUG", "mutable-deployments test-fifreeze no-xattrs no-dtb"),
        ("OSTREE_SYSROOT_OPTS", "skip-sync no-early-prune bootloader-naming-1"),
    ):
        result = ostree(*argv, environ={variable: "help"})
        assert (result.status, result.out) == (0, "No deployments.\n")
        assert result.err == f"Supported debug values: {words} all help\n"
        assert succeed(*argv, environ={variable: "help,x"}) == "No deployments.\n"


def test_what_a_deployment_would_do(sysroot: Path, os_tree: Path) -> None:
    deploy(sysroot)
    (os_tree / "usr/lib/modules/6.1/vmlinuz").write_text("another kernel")
    new = commit(sysroot, os_tree, 2)

    out = deploy(sysroot, "--dry-run", "--karg=quiet")

    lines = out.splitlines()
    assert lines[:3] == [f"Would deploy os {new}.0", "Deployments:", f"  0 os {new}.0 (new)"]
    assert lines[4] == "Boot configuration: new (boot.0.1), boot loader: none"
    assert "  entry boot/loader.0/entries/ostree-2.conf: Os 1 2 (ostree:0)" in lines
    options = [line for line in lines if line.startswith("    options ostree=/ostree/boot.0/os/")]
    assert [line.endswith(" quiet") for line in options] == [True, False]
    assert succeed("admin", "status", f"--sysroot={sysroot}").count("Version") == 1
    assert fail("admin", "deploy", f"--sysroot={sysroot}", "--os=os", "--json", "os/main") == (
        "error: --json requires --dry-run"
    )


def test_a_tree_that_cannot_boot(sysroot: Path, os_tree: Path) -> None:
    """Refused, told of, or deployed nevertheless."""
    (os_tree / "ostree").unlink()
    commit(sysroot, os_tree, 1)
    argv = ("admin", "deploy", f"--sysroot={sysroot}", "--os=os")

    doubtful = ostree(*argv, "os/main", environ=MUTABLE)
    silent = ostree(*argv, "--lint=off", "os/main", environ=MUTABLE)
    (os_tree / "usr/lib/os-release").unlink()
    commit(sysroot, os_tree, 1)

    assert (doubtful.status, doubtful.err) == (
        0,
        (
            "warning: There is no link /ostree: ostree will not find the repository of the running "
            "system\n"
        ),
    )
    assert (silent.status, silent.err) == (0, "")
    assert fail(*argv, "os/main", environ=MUTABLE) == (
        "error: No such file or directory: /etc/os-release"
    )
    assert misuse(*argv, "--lint=maybe", "os/main") == (
        "error: Invalid value 'maybe' for --lint: expected on or off"
    )
