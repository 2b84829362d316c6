"""``ostree admin health-check`` and what ``status`` tells of failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.running import fail, misuse, succeed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_system_that_is_not_booted_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    import ostree.cli.commands.admin.health_check as command

    monkeypatch.setattr(command, "is_ostree_booted", lambda _ctx: False)

    message = fail("admin", "health-check")

    assert message == "error: Not currently booted into an OSTree system"


def test_arguments_are_refused() -> None:
    assert misuse("admin", "health-check", "x") == "error: No arguments are expected"


def test_status_names_what_did_not_start(tmp_path: Path, tree: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    modules = tree / "usr/lib/modules/5.1"
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_text("kernel")
    (modules / "initramfs.img").write_text("ramdisk")
    (tree / "sysroot").mkdir()
    (tree / "ostree").symlink_to("sysroot/ostree")
    (tree / "usr/etc").mkdir()
    (tree / "usr/lib/os-release").write_text("ID=test\nPRETTY_NAME=Test\n")
    environ = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}
    at = f"--sysroot={root}"
    succeed("admin", "init-fs", root)
    succeed("admin", "os-init", at, "os")
    succeed("commit", f"--repo={root}/ostree/repo", "--branch=main", tree)
    succeed("admin", "deploy", at, "--os=os", "main", environ=environ)
    before = succeed("admin", "status", at)

    (root / "ostree/deploy/os/failed-commits").write_text("a" * 64 + "\n")

    assert succeed("admin", "status", at) == f"{before}Failed to start: os {'a' * 64}\n"
