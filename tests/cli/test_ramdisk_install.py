"""``ostree ramdisk install``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, succeed
from ostree.boot.programs import APPLETS
from support.elf import make_elf

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = make_elf(content=b"\0".join([b"", *(name.encode() for name in APPLETS), b""]))

LIBRARY = ["/usr/lib/ostree/ostree-prepare-root.sh", "/usr/lib/ostree/prepare-root.sh"]
FILES = {
    "dracut": [
        "/usr/lib/dracut/modules.d/98ostree/module-setup.sh",
        "/usr/lib/dracut/modules.d/98ostree/mount-deployment.sh",
        "/usr/lib/dracut/modules.d/98ostree/ostree-prepare-root.service",
        *LIBRARY,
    ],
    "initramfs-tools": [
        *LIBRARY,
        "/usr/share/initramfs-tools/hooks/ostree",
        "/usr/share/initramfs-tools/scripts/local-bottom/ostree",
    ],
    "no-ramdisk": [
        "/usr/lib/ostree/busybox",
        "/usr/lib/ostree/ostree-prepare-root",
        *LIBRARY,
        "/usr/lib/ostree/switch-root.sh",
    ],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with a busybox."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/busybox").write_bytes(PROGRAM)
    return root


@pytest.mark.parametrize("kind", FILES)
def test_files_are_put_into_the_tree_and_named(root: Path, kind: str) -> None:
    out = succeed("ramdisk", "install", f"--root={root}", kind)

    assert out.splitlines() == FILES[kind]
    found = {f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file()}
    assert found == {*FILES[kind], "/usr/bin/busybox"}
    for name in FILES[kind]:
        data = (root / name[1:]).read_bytes()
        assert data.startswith((b"#!/", b"# shellcheck", b"\x7fELF", b"[Unit]"))
        executable = data.startswith((b"#!/", b"\x7fELF"))
        assert bool((root / name[1:]).stat().st_mode & 0o111) is executable


def test_once_more_changes_nothing(root: Path) -> None:
    first = succeed("ramdisk", "install", f"--root={root}", "dracut")

    assert succeed("ramdisk", "install", f"--root={root}", "dracut") == first


def test_a_link_out_of_the_tree_is_not_followed(root: Path) -> None:
    """As in an absolute link, which leads to this machine's own files."""
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "usr/lib").symlink_to(outside)

    message = fail("ramdisk", "install", f"--root={root}", "dracut")

    assert message.startswith(f"error: Writing {root}/usr/lib/")
    assert list(outside.iterdir()) == []


def test_no_busybox(root: Path) -> None:
    """Without a ramdisk one is needed, and that of this machine may be of no use there."""
    (root / "usr/bin/busybox").unlink()

    message = fail("ramdisk", "install", f"--root={root}", "no-ramdisk")

    assert message == "error: No busybox for the ramdisk"
    assert not (root / "usr/lib").exists()


def test_a_machine_without_launcher(root: Path) -> None:
    content = PROGRAM[64:]
    program = root / "usr/bin/busybox"
    program.write_bytes(make_elf("ppc", content=content))

    message = fail("ramdisk", "install", f"--root={root}", "no-ramdisk")

    assert message == "error: Starting without ramdisk is not possible on ppc"


def test_no_tree(tmp_path: Path) -> None:
    message = fail("ramdisk", "install", f"--root={tmp_path}/none", "dracut")

    assert message == f"error: Opening {tmp_path}/none: No such file or directory"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "What to install for must be specified"),
        (["a", "b"], "What to install for must be specified"),
        (["mkinitcpio"], "Unknown kind of start 'mkinitcpio'"),
        (["dracut"], "--root must be specified"),
    ],
)
def test_misuse(words: list[str], expected: str) -> None:
    assert misuse("ramdisk", "install", *words) == f"error: {expected}"
