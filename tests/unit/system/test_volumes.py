"""Which mounts are volumes of the user's."""

from __future__ import annotations

from ostree.system.volumes import mounted_volumes, volumes_of


def line(place: str, kind: str) -> str:
    """A line of mountinfo."""
    return f"36 35 98:0 / {place} rw,noatime master:1 - {kind} /dev/x rw,errors=continue\n"


def test_volumes_are_what_the_user_brought() -> None:
    text = (
        line("/", "ext4")
        + line("/proc", "proc")
        + line("/home", "xfs")
        + line("/run/media/me/STICK", "vfat")
        + line(r"/media/my\040disk", "ext4")
        + line("/mnt/data", "btrfs")
        + line("/mnt/memory", "tmpfs")
        + line("/sysroot/x", "ext4")
        + line("/home/me/.cache/x", "ext4")
        + "nonsense\n"
    )

    assert volumes_of(text) == ["/media/my disk", "/mnt/data", "/run/media/me/STICK"]


def test_what_another_mount_hides_is_not_there() -> None:
    assert volumes_of(line("/mnt/x", "vfat") + line("/mnt/x", "tmpfs")) == []
    assert volumes_of(line("/mnt/x", "tmpfs") + line("/mnt/x", "vfat")) == ["/mnt/x"]


def test_this_machine_has_mounts() -> None:
    assert "/proc" not in mounted_volumes()
