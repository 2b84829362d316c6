"""A sysroot that admin commands are run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.running import succeed

if TYPE_CHECKING:
    from pathlib import Path

#: Without it, removing what root deployed would need ioctls.
MUTABLE = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}


class AdminLab:
    """A sysroot ``root`` with the stateroot ``os``, and a tree whose commits are numbered.

    Attributes:
        root: The sysroot.
        tree: What is committed.
        option: ``--sysroot=`` of it.
        repo_option: ``--repo=`` of its repository.
    """

    def __init__(self, directory: Path) -> None:
        self.root = directory / "sysroot"
        self.tree = directory / "os-tree"
        self.option = f"--sysroot={self.root}"
        self.repo_option = f"--repo={self.root}/ostree/repo"
        self.root.mkdir()
        for name, text in (
            ("usr/lib/modules/6.1/vmlinuz", "kernel"),
            ("usr/lib/modules/6.1/initramfs.img", "initramfs"),
            ("usr/lib/os-release", 'NAME=Os\nID=os\nVERSION=1\nPRETTY_NAME="Os 1"\n'),
            ("usr/etc/conf", "default\n"),
        ):
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.tree / "sysroot").mkdir()
        (self.tree / "ostree").symlink_to("sysroot/ostree")
        succeed("admin", "init-fs", self.root)
        succeed("config", self.repo_option, "set", "core.fsync", "false")
        self.admin("os-init", "os")
        self.commit(1)

    def admin(self, command: str, *words: str) -> str:
        """Run an admin command that has to succeed; what it says."""
        return succeed("admin", command, self.option, *words, environ=MUTABLE)

    def commit(self, number: int, *, branch: str = "os/main") -> str:
        """Commit the tree with a version and a time; the checksum."""
        return succeed(
            "commit",
            self.repo_option,
            f"--branch={branch}",
            f"--add-metadata-string=version={number}",
            f"--timestamp=@{number}",
            self.tree,
        ).strip()

    def deploy(self, *options: str, stateroot: str = "os", branch: str = "os/main") -> str:
        """Deploy what a branch leads to."""
        return self.admin("deploy", f"--os={stateroot}", *options, branch)

    def versions(self) -> list[str]:
        """The versions of the deployments, in the order of the list."""
        lines = self.admin("status").splitlines()
        return [line.partition(": ")[2] for line in lines if line.startswith("    Version: ")]

    def origins(self) -> list[str]:
        """What the origin files say."""
        paths = sorted(self.root.glob("ostree/deploy/*/deploy/*.origin"))
        return [path.read_text() for path in paths]

    def entries(self) -> list[str]:
        """What the boot entries say, that of the default deployment first."""
        paths = sorted((self.root / "boot/loader/entries").iterdir(), reverse=True)
        return [path.read_text() for path in paths]

    def options(self) -> list[list[str]]:
        """The kernel arguments of the boot entries but ``ostree=``."""
        lines = [
            next(line for line in entry.splitlines() if line.startswith("options "))
            for entry in self.entries()
        ]
        return [[w for w in line.split()[1:] if not w.startswith("ostree=")] for line in lines]
