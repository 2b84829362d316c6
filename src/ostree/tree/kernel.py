"""The kernel where deployments have it: ``/usr/lib/modules/RELEASE`` (deployments §4.1)."""

from __future__ import annotations

from ostree.tree.facts import Kind
from ostree.tree.kernel_names import (
    DEVICE_TREES,
    KernelError,
    candidates,
    choose_files,
    choose_release,
)
from ostree.tree.moving import relocate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.tree.draft import Draft
    from ostree.tree.kernel_names import Candidate

MODULES = "usr/lib/modules"
#: Where the rest of /boot goes; at run time the real /boot hides the tree's own.
LEFTOVERS = "usr/lib/ostree-boot"
#: Written by OSTree for U-Boot; a file of this name among the leftovers would become part of it.
_GENERATED = "uEnv.txt"


def place_kernel(draft: Draft, *, wanted: str | None) -> None:
    """Move kernel, ramdisk and device trees out of ``/boot``, and the rest of it out of the way."""
    modules = [name for name in draft.names(MODULES) if draft.is_directory(f"{MODULES}/{name}")]
    in_place = [name for name in modules if draft.node(f"{MODULES}/{name}/vmlinuz") is not None]
    # A kernel that was put in place earlier need not have modules.
    with_modules = [
        name for name in modules if set(draft.names(f"{MODULES}/{name}")) - {"vmlinuz"}
    ] or modules
    found = [
        candidate for candidate in candidates(draft.names("boot")) if _is_of_kind(draft, candidate)
    ]
    try:
        release = choose_release(found, modules=with_modules, in_place=in_place, wanted=wanted)
    except KernelError as error:
        draft.problem(str(error))
        return
    if release is not None:
        for place, candidate in choose_files(found, release, with_modules).items():
            _put(draft, f"boot/{candidate.name}", f"{MODULES}/{release}/{place}")
        _place_device_trees(draft, release)
        _tell_ramdisk(draft, release)
    elif not _has_legacy_kernel(draft):
        draft.note("There is no kernel: the tree can be committed, but not deployed.")
    _move_leftovers(draft)


def _is_of_kind(draft: Draft, candidate: Candidate) -> bool:
    """Whether device trees are a directory, and everything else a file."""
    entry = draft.entry(f"boot/{candidate.name}")
    wanted = Kind.DIRECTORY if candidate.place == DEVICE_TREES else Kind.FILE
    return entry is not None and entry.kind is wanted


def _put(draft: Draft, source: str, target: str) -> None:
    """Move one file or directory, unless its place is taken."""
    if draft.node(target) is not None:
        return
    if draft.is_directory(source):
        relocate(draft, source, target)
    elif draft.make_directory(target.rpartition("/")[0]):
        draft.move(source, target)


def _place_device_trees(draft: Draft, release: str) -> None:
    """Device trees lie in /boot by themselves, or beside the modules in Debian."""
    directory = f"{MODULES}/{release}/{DEVICE_TREES}"
    debian = f"usr/lib/linux-image-{release}"
    if draft.is_directory(debian) and draft.node(directory) is None:
        relocate(draft, debian, directory)
    loose = [
        name
        for name in draft.names("boot")
        if name.endswith(".dtb") and not draft.is_directory(f"boot/{name}")
    ]
    single = f"{MODULES}/{release}/devicetree"
    if len(loose) == 1 and draft.node(directory) is None and draft.node(single) is None:
        entry = draft.entry(f"boot/{loose[0]}")
        if entry is not None and entry.kind is Kind.FILE:
            _put(draft, f"boot/{loose[0]}", single)
            return
    if loose and draft.make_directory(directory):
        for name in loose:
            _put(draft, f"boot/{name}", f"{directory}/{name}")


def _tell_ramdisk(draft: Draft, release: str) -> None:
    directory = f"{MODULES}/{release}"
    if not {"initramfs.img", "initramfs"}.intersection(draft.names(directory)):
        draft.note(f"There is no ramdisk: put one to /{directory}/initramfs.img.")


def _has_legacy_kernel(draft: Draft) -> bool:
    return any(
        name.startswith("vmlinuz-") and len(name.rpartition("-")[2]) == 64
        for directory in (LEFTOVERS, "boot")
        for name in draft.names(directory)
    )


def _move_leftovers(draft: Draft) -> None:
    """Empty /boot; links that led to what has moved are gone for good."""
    for name in draft.names("boot"):
        path = f"boot/{name}"
        if draft.is_link(path) and draft.resolve(path) is None:
            draft.remove(path)
        elif name == _GENERATED and not draft.is_link(path):
            draft.problem(
                f"/{path} would be taken for a part of the one that OSTree writes; remove it, or "
                f"move what each boot needs of it to /{LEFTOVERS}/{_GENERATED}"
            )
    if draft.names("boot"):
        relocate(draft, "boot", LEFTOVERS)
