"""Lines that are added to a deployment's fstab."""

from __future__ import annotations

from uuid import UUID

from ostree.image.fstab import Mount, add_mounts

U = UUID(int=7)
LINE = f"UUID={U} /boot ext4 defaults 0 2\n"
MOUNT = [Mount(str(U), "/boot", "defaults")]


def test_a_missing_mount_is_added() -> None:
    assert add_mounts("", MOUNT) == LINE
    assert add_mounts("proc /proc proc", MOUNT) == "proc /proc proc\n" + LINE
    assert add_mounts("# LABEL=x /boot ext4\n", MOUNT) == "# LABEL=x /boot ext4\n" + LINE


def test_what_the_tree_mounts_itself_stays() -> None:
    text = "LABEL=boot\t/boot/ ext4 rw 0 0\n"

    assert add_mounts(text, MOUNT) == text


def test_a_partition_of_the_firmware_is_not_checked_at_each_start() -> None:
    mount = Mount("0000-0007", "/boot/efi", "umask=0077", "vfat")

    assert add_mounts("", [mount]) == "UUID=0000-0007 /boot/efi vfat umask=0077 0 0\n"
