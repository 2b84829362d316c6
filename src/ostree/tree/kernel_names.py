"""Which files of a ``/boot`` are kernel, ramdisk and device trees, and of which release.

Every distribution has its own names: Debian ``vmlinuz-6.1.0-13-armmp`` and ``initrd.img-…``, Fedora
``initramfs-….img``, Alpine ``vmlinuz-lts``, Yocto ``zImage`` as a link to ``zImage-5.10``, Buildroot
``bzImage`` alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The order counts: where a release has several, the first one is what a boot loader wants.
_KERNELS = ("vmlinuz", "bzImage", "zImage", "Image", "Image.gz", "uImage", "fitImage", "vmlinux")
_KERNEL = re.compile(rf"({'|'.join(map(re.escape, _KERNELS))})(?:-(.+))?")
_RAMDISKS = (
    re.compile(r"initrd\.img(?:-(.+))?"),
    re.compile(r"initramfs-(.+)\.img"),
    re.compile(r"initrd-(.+)\.img"),
    re.compile(r"initramfs\.img()"),
    re.compile(r"(?:initramfs|initrd|uInitrd)(?:-(.+))?"),
    re.compile(r"[^/]*()\.cpio(?:\.(?:gz|xz|zst|lz4|lzma|bz2))?"),
)
_DEVICE_TREE_NAMES = re.compile(r"(?:dtbs?|devicetree)(?:-(.+))?")
#: The directory of device trees, as a deployment has it.
DEVICE_TREES = "dtb"
_COMPANIONS = (
    (re.compile(r"config-(.+)"), "config"),
    (re.compile(r"System\.map-(.+)"), "System.map"),
    (re.compile(r"\.vmlinuz-(.+)\.hmac"), ".vmlinuz.hmac"),
)
#: With this at its end a name has a checksum of the layout that is older than /usr/lib/modules.
_LEGACY = re.compile(r".*-[0-9a-f]{64}")


class Candidate(NamedTuple):
    """A file that may be part of a kernel.

    Attributes:
        name: In ``/boot``.
        place: In ``/usr/lib/modules/RELEASE``.
        release: What the name says; empty if nothing.
        rank: Of two for one place, the one with the lower number is wanted.
    """

    name: str
    place: str
    release: str
    rank: int


class KernelError(Exception):
    """It cannot be told which kernel is meant; the text says why."""


def candidates(names: Iterable[str]) -> list[Candidate]:
    """What the files of a ``/boot`` may be; directories of device trees among them."""
    found = []
    for name in sorted(names):
        if _LEGACY.fullmatch(name):
            continue
        candidate = _kernel(name) or _ramdisk(name) or _companion(name) or _device_trees(name)
        if candidate is not None:
            found.append(candidate)
    return found


def _kernel(name: str) -> Candidate | None:
    match = _KERNEL.fullmatch(name)
    if match is None:
        return None
    return Candidate(name, "vmlinuz", match[2] or "", _KERNELS.index(match[1]))


def _ramdisk(name: str) -> Candidate | None:
    for rank, pattern in enumerate(_RAMDISKS):
        match = pattern.fullmatch(name)
        if match is not None:
            return Candidate(name, "initramfs.img", match[1] or "", rank)
    return None


def _companion(name: str) -> Candidate | None:
    for pattern, place in _COMPANIONS:
        match = pattern.fullmatch(name)
        if match is not None:
            return Candidate(name, place, match[1], 0)
    return None


def _device_trees(name: str) -> Candidate | None:
    match = _DEVICE_TREE_NAMES.fullmatch(name)
    return None if match is None else Candidate(name, DEVICE_TREES, match[1] or "", 0)


def choose_release(
    found: Sequence[Candidate],
    *,
    modules: Sequence[str],
    in_place: Sequence[str],
    wanted: str | None,
) -> str | None:
    """The release of the kernel that is to be booted.

    Args:
        found: What ``/boot`` has.
        modules: The releases that have modules.
        in_place: Those of them that have their kernel already.
        wanted: The one that the user names.

    Returns:
        None if there is no kernel at all.

    Raises:
        KernelError: there are several, or it has no name.
    """
    if len(in_place) > 1:
        raise KernelError(
            f"/usr/lib/modules has several kernels ({', '.join(sorted(in_place))}); "
            "a deployment boots one: remove the others"
        )
    if in_place:
        if wanted not in {None, in_place[0]}:
            raise KernelError(f"The kernel in /usr/lib/modules is {in_place[0]}, not {wanted}")
        return in_place[0]
    kernels = [candidate for candidate in found if candidate.place == "vmlinuz"]
    if wanted is not None:
        if not any(belongs(kernel, wanted, modules) for kernel in kernels):
            raise KernelError(f"/boot has no kernel {wanted}")
        return wanted
    if not kernels:
        return None
    named = {kernel.release for kernel in kernels} - {""}
    exact = sorted(named & set(modules)) or (sorted(named) if not modules else [])
    if len(exact) > 1:
        raise KernelError(
            f"/boot has several kernels ({', '.join(exact)}); "
            "name the one to boot with --kernel-version"
        )
    if exact:
        return exact[0]
    if len(modules) == 1:
        return modules[0]
    raise KernelError(
        f"Which release /boot/{kernels[0].name} is cannot be told"
        + (f" ({', '.join(sorted(modules))} have modules)" if modules else "")
        + "; name it with --kernel-version"
    )


def belongs(candidate: Candidate, release: str, modules: Sequence[str]) -> bool:
    """Whether a file is of a release.

    One that names no release is, and one that names another word than any release with modules
    (Alpine's ``lts``) is where there is only one.
    """
    if candidate.release in {"", release}:
        return True
    if candidate.release in modules:
        return False
    return list(modules) == [release]


def choose_files(
    found: Sequence[Candidate], release: str, modules: Sequence[str]
) -> dict[str, Candidate]:
    """For each place in ``/usr/lib/modules/RELEASE`` the file that goes there.

    One with the release in its name is preferred.
    """
    chosen: dict[str, Candidate] = {}
    for candidate in found:
        if not belongs(candidate, release, modules):
            continue
        old = chosen.get(candidate.place)
        if old is None or _preference(candidate, release) < _preference(old, release):
            chosen[candidate.place] = candidate
    return chosen


def _preference(candidate: Candidate, release: str) -> tuple[bool, int]:
    return candidate.release != release, candidate.rank
