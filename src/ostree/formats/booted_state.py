"""``/run/ostree-booted``, ``a{sv}``: how the running system was booted (boot §4.6)."""

from __future__ import annotations

from ostree.formats import gvariant
from ostree.formats.gvariant import Variant


class BootedState:
    """What the program that prepared the root says of it; an empty file says nothing.

    Attributes:
        device_inode: Device and inode of the deployment's directory, before anything was mounted
            over it.
        root_transient: Whether ``/`` is writable and forgets what is written.
        root_transient_ro: Whether it is such a one, mounted read-only.
        composefs_signed: The file of the key that the image was verified with.
        composefs: Whether ``/`` is a composefs image.
        composefs_verity: Whether every file has to have its fs-verity digest.
        sysroot_ro: Whether ``/sysroot`` is to be read-only.
        transient_etc: The directory of the overlay that ``/etc`` is, if it is one.
    """

    __slots__ = (
        "composefs",
        "composefs_signed",
        "composefs_verity",
        "device_inode",
        "root_transient",
        "root_transient_ro",
        "sysroot_ro",
        "transient_etc",
    )

    def __init__(
        self,
        *,
        device_inode: tuple[int, int] | None = None,
        root_transient: bool = False,
        root_transient_ro: bool = False,
        composefs_signed: str | None = None,
        composefs: bool = False,
        composefs_verity: bool = False,
        sysroot_ro: bool = False,
        transient_etc: str | None = None,
    ) -> None:
        self.device_inode = device_inode
        self.root_transient = root_transient
        self.root_transient_ro = root_transient_ro
        self.composefs_signed = composefs_signed
        self.composefs = composefs
        self.composefs_verity = composefs_verity
        self.sysroot_ro = sysroot_ro
        self.transient_etc = transient_etc

    @classmethod
    def decode(cls, data: bytes) -> BootedState:
        """The state in a file's content; total: what cannot be read is as if absent."""
        pairs = gvariant.decode("a{sv}", data, strict=False)
        recorded = gvariant.lookup(pairs, "backing-root-device-inode", "(tt)")
        return cls(
            device_inode=recorded,
            root_transient=bool(gvariant.lookup(pairs, "root.transient", "b")),
            root_transient_ro=bool(gvariant.lookup(pairs, "root.transient-ro", "b")),
            composefs_signed=gvariant.lookup(pairs, "composefs.signed", "s"),
            composefs=bool(gvariant.lookup(pairs, "composefs", "b")),
            composefs_verity=bool(gvariant.lookup(pairs, "composefs.verity", "b")),
            sysroot_ro=bool(gvariant.lookup(pairs, "sysroot-ro", "b")),
            transient_etc=gvariant.lookup(pairs, "transient-etc", "s"),
        )

    def encode(self) -> bytes:
        """The content of the file."""
        pairs = []
        if self.device_inode is not None:
            pairs.append(("backing-root-device-inode", Variant("(tt)", self.device_inode)))
        pairs.append(("root.transient", Variant("b", self.root_transient)))
        pairs.append(("root.transient-ro", Variant("b", self.root_transient_ro)))
        if self.composefs_signed is not None:
            pairs.append(("composefs.signed", Variant("s", self.composefs_signed)))
        if self.composefs:
            pairs.append(("composefs", Variant("b", self.composefs)))
        pairs.append(("composefs.verity", Variant("b", self.composefs_verity)))
        pairs.append(("sysroot-ro", Variant("b", self.sysroot_ro)))
        if self.transient_etc is not None:
            pairs.append(("transient-etc", Variant("s", self.transient_etc)))
        return gvariant.encode("a{sv}", pairs)
