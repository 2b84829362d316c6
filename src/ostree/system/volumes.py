"""Which volumes are mounted that are not part of the system itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MOUNTS = "/proc/self/mountinfo"

#: What the system puts there for itself; GLib leaves the same ones out.
_SYSTEM_PLACES = frozenset(
    f"/{name}"
    for name in [
        "bin",
        "boot",
        "boot/efi",
        "dev",
        "efi",
        "etc",
        "home",
        "lib",
        "lib64",
        "live",
        "media",
        "mnt",
        "net",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "sysroot",
        "tmp",
        "usr",
        "usr/local",
        "var",
        "var/cache",
        "var/lib",
        "var/local",
        "var/log",
        "var/mail",
        "var/spool",
        "var/tmp",
    ]
) | {"/"}
#: Below these there are no volumes, whatever is mounted there.
_SYSTEM_TREES = ("/dev/", "/proc/", "/sys/", "/etc/", "/usr/", "/boot/", "/sysroot/", "/ostree/")
#: File systems that are no volumes.
_PSEUDO = frozenset(
    {
        *("autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts"),
        *("devtmpfs", "ecryptfs", "efivarfs", "fusectl", "fuse.gvfsd-fuse", "fuse.portal"),
        *("hugetlbfs", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs"),
        *("securityfs", "selinuxfs", "sysfs", "tmpfs", "tracefs"),
    }
)


def mounted_volumes() -> list[str]:
    """The mount points of volumes that a user may have brought, sorted."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            return volumes_of(file.read())
    except OSError:
        return []


def volumes_of(mountinfo: str) -> list[str]:
    """The same, of a text such as ``/proc/self/mountinfo``.

    Of several mounts in one place only the last one can be seen.
    """
    kinds = dict(_mounts(mountinfo))
    return sorted(
        place
        for place, kind in kinds.items()
        if kind not in _PSEUDO
        and place not in _SYSTEM_PLACES
        and not place.startswith(_SYSTEM_TREES)
        and "/." not in place
    )


def _mounts(mountinfo: str) -> Iterator[tuple[str, str]]:
    """Mount point and kind of file system of each line."""
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if separator and len(fields) >= 6:
            yield _unescape(fields[4]), after.split(" ")[0]


def _unescape(text: str) -> str:
    r"""A path in which blanks and the like are written ``\040``."""
    parts = text.split("\\")
    for index, part in enumerate(parts[1:], 1):
        parts[index] = chr(int(part[:3], 8)) + part[3:]
    return "".join(parts)
