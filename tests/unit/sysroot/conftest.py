"""A sysroot with a stateroot and something to deploy."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.events import Message
from ostree.sysroot.immutable import set_immutable
from ostree.sysroot.settings import SysrootSettings
from ostree.sysroot.sysroot import Sysroot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.events import Event, Listener
    from ostree.types import Checksum


class Lab:
    """A sysroot ``root`` with the stateroot ``os``, and a tree to commit."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.tree = directory / "tree"
        self.run = directory / "run"
        self.lines: list[str] = []
        self.root.mkdir()
        self.run.mkdir()
        self._make_tree()
        Sysroot.init_fs(self.root)
        with self.open() as sysroot:
            sysroot.init_stateroot("os")
            # What would be synced is the whole file system of the machine.
            keyfile = sysroot.repo.config.keyfile.copy()
            keyfile.set_string("core", "fsync", "false")
            sysroot.repo.save_config(keyfile)

    def _make_tree(self) -> None:
        for name, text in (
            ("usr/lib/modules/5.1/vmlinuz", "kernel"),
            ("usr/lib/modules/5.1/initramfs.img", "initramfs"),
            ("usr/lib/os-release", "ID=test\nPRETTY_NAME='Test OS'\n"),
            ("usr/lib/tmpfiles.d/x.conf", ""),
            ("usr/etc/a", "default"),
            ("usr/etc/sub/b", "default"),
        ):
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """Change a file of the tree."""
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def listen(self, event: Event) -> None:
        if isinstance(event, Message):
            self.lines.append(event.text)

    def open(self, listener: Listener | None = None) -> Sysroot:
        settings = SysrootSettings(run_directory=str(self.run), immutable=False)
        return Sysroot.open(self.root, settings=settings, on_event=listener or self.listen)

    def commit(
        self,
        ref: str | None = "stable",
        *,
        version: str | None = None,
        time: int = 1000,
        rebase: str | None = None,
    ) -> Checksum:
        """Commit the tree to the system repository."""
        from ostree.formats.gvariant import Variant

        metadata = []
        if version is not None:
            metadata.append(("version", Variant("s", version)))
        if rebase is not None:
            metadata.append(("ostree.endoflife-rebase", Variant("s", rebase)))
        with self.open() as sysroot, sysroot.repo.transaction() as transaction:
            root = transaction.import_directory(self.tree)
            checksum = transaction.commit(root, metadata=metadata, timestamp=time)
            if ref is not None:
                transaction.set_ref(ref, checksum)
        return checksum

    def names(self) -> list[str]:
        """The names of the listed deployments."""
        with self.open() as sysroot:
            return [d.name for d in sysroot.deployments]

    def entries(self) -> list[str]:
        """The boot entries' files."""
        return sorted(os.listdir(self.root / "boot/loader/entries"))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    for path in tmp_path.glob("root/ostree/deploy/*/deploy/*.*"):
        if path.is_dir():
            fd = os.open(path.parent, os.O_RDONLY)
            try:
                set_immutable(path.name, fd, on=False)
            finally:
                os.close(fd)
