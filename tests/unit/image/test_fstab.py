"""Lines that are added to a deployment's fstab."""

from __future__ import annotations

from uuid import UUID

from ostree.image.fstab import add_mounts

U = UUID(int=7)
LINE = f"UUID={U} /boot ext4 defaults 0 2\n"
MOUNT = [(U, "/boot", "defaults")]


def test_a_missing_mount_is_added() -> None:
    assert add_mounts("", MOUNT) == LINE
    assert add_mounts("proc /proc proc", MOUNT) == "proc /proc proc\n" + LINE
    assert add_mounts("# LABEL=x /boot ext4\n", MOUNT) == "# LABEL=x /boot ext4\n" + LINE


def test_what_the_tree_mounts_itself_stays() -> None:
    text = "LABEL=boot\t/boot/ ext4 rw 0 0\n"

    assert add_mounts(text, MOUNT) == text
