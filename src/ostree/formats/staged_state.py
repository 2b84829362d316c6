"""The state file of a staged deployment, ``a{sv}`` (deployments §11.2)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.boot_link import check_stateroot
from ostree.formats.deployment_name import format_deployment_name, parse_deployment_target
from ostree.formats.gvariant import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.types import Checksum

_HEX = frozenset("0123456789abcdef")
_KNOWN = frozenset(
    {"target", "locked", "merge-deployment", "kargs", "overlay-initrds", "bootconfig-extra"}
)


class DeploymentReference:
    """What identifies a deployment in the state file.

    Attributes:
        stateroot: The name of its stateroot.
        checksum: Its commit.
        serial: Tells it from others of the commit.
        bootcsum: The checksum of its kernel and initramfs.
    """

    __slots__ = ("bootcsum", "checksum", "serial", "stateroot")

    def __init__(self, stateroot: str, checksum: Checksum, serial: int, bootcsum: str) -> None:
        self.stateroot = stateroot
        self.checksum = checksum
        self.serial = serial
        self.bootcsum = bootcsum

    @property
    def key(self) -> tuple[str, str, int]:
        """Stateroot, commit and serial."""
        return (self.stateroot, self.checksum, self.serial)

    @property
    def name(self) -> str:
        """``CHECKSUM.SERIAL``."""
        return format_deployment_name(self.checksum, self.serial)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeploymentReference):
            return NotImplemented
        return self.key == other.key and self.bootcsum == other.bootcsum

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"DeploymentReference({self.stateroot!r}, {self.name!r})"


class StagedState:
    """A deployment that is to be finished at shutdown, and how.

    Attributes:
        target: Which deployment.
        locked: Whether it is not to be finished before somebody unlocks it.
        merge: The deployment to take ``/etc`` from, if any.
        arguments: The kernel arguments, word by word; None to take those of ``merge``.
        overlay_initrds: The checksums of further ramdisks.
        extra_keys: Further keys of the boot entry.
        unknown: Entries of other releases, which are kept.
    """

    __slots__ = (
        "arguments",
        "extra_keys",
        "locked",
        "merge",
        "overlay_initrds",
        "target",
        "unknown",
    )

    def __init__(
        self,
        target: DeploymentReference,
        *,
        locked: bool = False,
        merge: DeploymentReference | None = None,
        arguments: Sequence[str] | None = None,
        overlay_initrds: Sequence[str] = (),
        extra_keys: Sequence[tuple[str, str]] = (),
        unknown: Sequence[tuple[str, Variant]] = (),
    ) -> None:
        self.target = target
        self.locked = locked
        self.merge = merge
        self.arguments = None if arguments is None else list(arguments)
        self.overlay_initrds = list(overlay_initrds)
        self.extra_keys = list(extra_keys)
        self.unknown = list(unknown)

    @classmethod
    def decode(cls, data: bytes) -> StagedState:
        """The state in a file's content.

        Raises:
            FormatError: ``Missing key: …``, or a name in it leads elsewhere than to a deployment.
        """
        pairs = gvariant.decode("a{sv}", data, strict=False)
        target = gvariant.lookup(pairs, "target", "a{sv}")
        if target is None:
            raise FormatError("Missing key: target")
        merge = gvariant.lookup(pairs, "merge-deployment", "a{sv}")
        overlays = gvariant.lookup(pairs, "overlay-initrds", "as") or []
        for checksum in overlays:
            if len(checksum) != 64 or not _HEX.issuperset(checksum):
                raise FormatError(f"Invalid checksum of an overlay initrd: {checksum}")
        return cls(
            _decode_reference(target),
            locked=bool(gvariant.lookup(pairs, "locked", "b")),
            merge=None if merge is None else _decode_reference(merge),
            arguments=gvariant.lookup(pairs, "kargs", "as"),
            overlay_initrds=overlays,
            extra_keys=gvariant.lookup(pairs, "bootconfig-extra", "a{ss}") or [],
            unknown=[(key, value) for key, value in pairs if key not in _KNOWN],
        )

    def encode(self) -> bytes:
        """The content of the file."""
        pairs = [("target", _encode_reference(self.target))]
        if self.locked:
            pairs.append(("locked", Variant("b", True)))  # noqa: FBT003
        if self.merge is not None:
            pairs.append(("merge-deployment", _encode_reference(self.merge)))
        if self.arguments is not None:
            pairs.append(("kargs", Variant("as", self.arguments)))
        if self.overlay_initrds:
            pairs.append(("overlay-initrds", Variant("as", self.overlay_initrds)))
        if self.extra_keys:
            pairs.append(("bootconfig-extra", Variant("a{ss}", self.extra_keys)))
        return gvariant.encode("a{sv}", [*pairs, *self.unknown])


def _decode_reference(pairs: Sequence[tuple[str, Variant]]) -> DeploymentReference:
    values = {key: gvariant.lookup(pairs, key, "s") for key in ("name", "osname", "bootcsum")}
    for key, value in values.items():
        if value is None:
            raise FormatError(f"Missing key: {key}")
    check_stateroot(values["osname"])
    checksum, serial = parse_deployment_target(values["name"])
    bootcsum = values["bootcsum"]
    if not bootcsum or not _HEX.issuperset(bootcsum):
        raise FormatError(f"Invalid boot checksum of a staged deployment: {bootcsum}")
    return DeploymentReference(values["osname"], checksum, serial, bootcsum)


def _encode_reference(reference: DeploymentReference) -> Variant:
    return Variant(
        "a{sv}",
        [
            ("name", Variant("s", reference.name)),
            ("osname", Variant("s", reference.stateroot)),
            ("bootcsum", Variant("s", reference.bootcsum)),
        ],
    )
