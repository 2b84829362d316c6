"""The store of each repository mode, imported when it is used."""

from __future__ import annotations

from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.integrity import Tristate
    from ostree.store.layout import ObjectDirectory
    from ostree.store.sealing import Sealing
    from ostree.store.store import LooseStore


def open_store(
    objects: ObjectDirectory,
    mode: RepoMode,
    *,
    zlib_level: str | None,
    with_xattrs: bool,
    write_split_xattrs: bool = False,
) -> LooseStore:
    """The objects in a directory, stored as a mode has it.

    Args:
        objects: The directory.
        mode: How objects are stored there.
        zlib_level: For archives: how hard to compress, as configured.
        with_xattrs: For bare repositories: whether extended attributes are read and written.
        write_split_xattrs: For bare-split-xattrs: whether content may be written.
    """
    if mode is RepoMode.ARCHIVE:
        from ostree.store import archive, compression

        level = compression.clamp_level(zlib_level)
        return archive.ArchiveStore(objects, level=level)
    if mode is RepoMode.BARE:
        from ostree.store import bare

        return bare.BareStore(objects, with_xattrs=with_xattrs)
    if mode is RepoMode.BARE_USER:
        from ostree.store import bare_user

        return bare_user.BareUserStore(objects)
    if mode is RepoMode.BARE_USER_ONLY:
        from ostree.store import bare_user_only

        return bare_user_only.BareUserOnlyStore(objects)
    from ostree.store import bare_split_xattrs

    return bare_split_xattrs.BareSplitXattrsStore(objects, writable=write_split_xattrs)


def share_payloads(store: LooseStore, threshold: int) -> None:
    """Have objects of at least that many bytes share the blocks of equal content, if they can."""
    from ostree.store.payload_links import PayloadLinks
    from ostree.store.plain import PlainStore

    if isinstance(store, PlainStore):
        store.payload_links = PayloadLinks(store, threshold)


def make_sealing(verity: Tristate) -> Sealing | None:
    """What seals the objects of a repository that wants it."""
    if verity == "no":
        return None
    from ostree.store.sealing import Sealing

    return Sealing(required=verity == "yes")
