"""The entries of the root directory, which nobody can change in a running system."""

from __future__ import annotations

from ostree.tree.facts import Kind
from ostree.tree.moving import relocate
from ostree.tree.usr_merge import MERGED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ostree.tree.draft import Draft
    from ostree.tree.state import StateWriter

#: Directories of the root that become links to state, with the mode of a new one.
_STATE = (
    ("home", "var/home", 0o755),
    ("root", "var/roothome", 0o700),
    ("srv", "var/srv", 0o755),
    ("mnt", "var/mnt", 0o755),
)
#: What the system mounts something at; whatever an image has in them would be hidden.
_MOUNT_POINTS = (
    ("boot", 0o755),
    ("dev", 0o755),
    ("proc", 0o755),
    ("run", 0o755),
    ("sys", 0o755),
    ("sysroot", 0o755),
    ("tmp", 0o1777),
    ("var", 0o755),
)
_EMPTIED = ("dev", "proc", "run", "sys", "tmp")
_LOCAL_LINK = "../var/usrlocal"
_REPOSITORY_LINK = "sysroot/ostree"
_KERNEL_LINKS = ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old")
#: What is looked after elsewhere.
_OURS = frozenset(
    {*MERGED, *(name for name, *_ in (*_STATE, *_MOUNT_POINTS)), "usr", "etc", "opt", "media"}
    | {"ostree"}
)
_OPT = "usr/lib/opt"
_IDENTITY = "usr/etc/machine-id"


def move_etc(draft: Draft) -> None:
    """``/etc`` becomes the defaults of ``/usr/etc``; links in it stay right for ``/etc``."""
    if draft.is_directory("etc") and not draft.names("etc") and draft.node("usr/etc") is not None:
        draft.remove("etc")
    elif draft.is_directory("etc"):
        relocate(draft, "etc", "usr/etc", seen_as="etc")
    elif draft.node("etc") is not None:
        draft.problem("/etc is no directory")
    if draft.node("usr/etc") is None:
        draft.note("There is no /etc: the tree can be deployed, but hardly boots.")
    if draft.node("usr/lib/os-release") is None and draft.node("usr/etc/os-release") is None:
        draft.note("There is no /usr/lib/os-release, without which nothing is deployed.")


def move_state(draft: Draft, state: StateWriter) -> None:
    """Homes and the like become links into ``/var``, with what they hold moved there."""
    for name, place, mode in _STATE:
        if draft.is_directory(name):
            relocate(draft, name, place)
        _link_to_state(draft, state, name, place, mode)
    _move_software(draft)
    _link_to_state(draft, state, "opt", "var/opt", 0o755)
    for name in draft.names(_OPT):
        state.link(f"var/opt/{name}", f"../../{_OPT}/{name}")
    _move_media(draft, state)


def _link_to_state(draft: Draft, state: StateWriter, name: str, place: str, mode: int) -> None:
    if draft.node(name) is None:
        draft.link(name, place)
    entry = draft.entry(name)
    if entry is None or entry.kind is Kind.DIRECTORY:
        return  # A problem was noted.
    if entry.kind is not Kind.LINK:
        draft.problem(f"/{name} is neither a directory nor a link")
    elif entry.target == place and draft.node(place) is None:
        state.directory(place, mode)


def _move_software(draft: Draft) -> None:
    """Software in /opt is part of the tree: it stays read-only, and is found through links."""
    if draft.is_directory("opt"):
        if draft.names("opt"):
            relocate(draft, "opt", _OPT)
        else:
            draft.remove("opt")


def _move_media(draft: Draft, state: StateWriter) -> None:
    if draft.is_directory("media"):
        for path, entry in draft.walk("media"):
            if entry.kind is not Kind.DIRECTORY:
                draft.problem(f"/{path} would be lost: /media becomes a link to run/media")
        draft.remove("media")
    _link_to_state(draft, state, "media", "run/media", 0o755)


def move_usr_local(draft: Draft, state: StateWriter) -> None:
    """``/usr/local`` becomes state, for software that is installed on the machine."""
    if draft.is_directory("usr/local"):
        relocate(draft, "usr/local", "var/usrlocal")
    if draft.node("usr/local") is None:
        draft.link("usr/local", _LOCAL_LINK)
    entry = draft.entry("usr/local")
    leads_there = entry is not None and (entry.kind, entry.target) == (Kind.LINK, _LOCAL_LINK)
    if leads_there and draft.node("var/usrlocal") is None:
        state.directory("var/usrlocal")


def remove_kernel_links(draft: Draft) -> None:
    """Debian's links to the kernels in ``/boot``, which leads nowhere in a deployment."""
    for name in _KERNEL_LINKS:
        entry = draft.entry(name)
        if entry is None or entry.kind is not Kind.LINK:
            continue
        if entry.target.lstrip("/").startswith("boot/"):
            draft.remove(name)


def make_mount_points(draft: Draft) -> None:
    """Everything that is mounted at in a running system, and the link to the repository."""
    for name in _EMPTIED:
        for child in draft.names(name):
            draft.remove(f"{name}/{child}")
    for name, mode in _MOUNT_POINTS:
        if draft.node(name) is None:
            draft.make_directory(name, mode)
        elif not draft.is_directory(name):
            draft.problem(f"/{name} is no directory, and something is mounted there")
    if draft.node("ostree") is None:
        draft.link("ostree", _REPOSITORY_LINK)
    elif not draft.is_link("ostree"):
        draft.problem("/ostree is in the way of the link to the repository")


def forget_identity(draft: Draft) -> None:
    """Of many machines with one tree each needs an identity of its own (machine-id(5))."""
    text = draft.facts.texts.get("etc/machine-id", draft.facts.texts.get(_IDENTITY, b"")).strip()
    entry = draft.entry(_IDENTITY)
    if entry is None or entry.kind is not Kind.FILE or len(text) != 32:
        return
    if entry.size:
        draft.write(_IDENTITY, b"")


def check_top_level(draft: Draft, keep: Collection[str]) -> None:
    """Whether what is left in the root is safe there.

    Files outside of ``/usr`` are not read-only in a running system, and as hard links into the
    repository they would be changed there as well.
    """
    if draft.is_directory("lost+found") and not draft.names("lost+found"):
        draft.remove("lost+found")
    for name in draft.names(""):
        if name in keep or name in _OURS:
            continue
        entry = draft.entry(name)
        if entry is None or entry.kind is Kind.LINK:
            continue
        if entry.kind is not Kind.DIRECTORY:
            draft.problem(
                f"/{name} is a file in the root; move it below /usr, or keep it with --keep={name}"
            )
            continue
        content = next((path for path, e in draft.walk(name) if e.kind is not Kind.DIRECTORY), None)
        if content is not None:
            draft.problem(
                f"/{content} is outside of /usr, /etc and /var; move /{name} below /usr, or keep "
                f"it with --keep={name}"
            )
