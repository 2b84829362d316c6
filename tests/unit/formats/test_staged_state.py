"""The state file of a staged deployment."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.gvariant import Variant
from ostree.formats.staged_state import DeploymentReference, StagedState
from ostree.types import Checksum

COMMIT, OTHER, BOOT = "ab" * 32, "cd" * 32, "ef" * 32
TARGET = DeploymentReference("os", Checksum(COMMIT), 3, BOOT)
MERGE = DeploymentReference("os", Checksum(OTHER), 0, BOOT)


def encoded(**keys: Variant) -> bytes:
    pairs = [(name.replace("_", "-"), value) for name, value in keys.items()]
    return gvariant.encode("a{sv}", pairs)


def reference(**changes: str) -> Variant:
    values = {"name": f"{COMMIT}.3", "osname": "os", "bootcsum": BOOT, **changes}
    return Variant("a{sv}", [(k, Variant("s", v)) for k, v in values.items() if v != "-"])


@pytest.mark.parametrize(
    "state",
    [
        StagedState(TARGET),
        StagedState(TARGET, merge=MERGE, locked=True),
        StagedState(TARGET, merge=MERGE, arguments=[]),
        StagedState(
            TARGET,
            arguments=["root=LABEL=x", 'a="b c"'],
            overlay_initrds=["12" * 32],
            extra_keys=[("x-options", "1"), ("grub_users", "")],
            unknown=[("new-key", Variant("u", 7))],
        ),
    ],
)
def test_what_is_written_is_read_back(state: StagedState) -> None:
    back = StagedState.decode(state.encode())

    for name in StagedState.__slots__:
        assert getattr(back, name) == getattr(state, name), name


def test_no_arguments_are_not_the_same_as_inherited_ones() -> None:
    assert StagedState.decode(StagedState(TARGET, arguments=[]).encode()).arguments == []
    assert StagedState.decode(StagedState(TARGET).encode()).arguments is None


def test_the_keys_have_the_order_of_the_reference() -> None:
    state = StagedState(
        TARGET,
        locked=True,
        merge=MERGE,
        arguments=["quiet"],
        overlay_initrds=["12" * 32],
        extra_keys=[("k", "v")],
    )

    keys = [key for key, _ in gvariant.decode("a{sv}", state.encode())]

    assert keys == [
        "target",
        "locked",
        "merge-deployment",
        "kargs",
        "overlay-initrds",
        "bootconfig-extra",
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Missing key: target"),
        (encoded(kargs=Variant("as", [])), "Missing key: target"),
        (encoded(target=Variant("s", "x")), "Missing key: target"),
        (encoded(target=reference(name="-")), "Missing key: name"),
        (encoded(target=reference(osname="-")), "Missing key: osname"),
        (encoded(target=reference(bootcsum="-")), "Missing key: bootcsum"),
        (encoded(target=reference(osname="../..")), "Invalid stateroot name"),
        (encoded(target=reference(name="../../x.0")), "Invalid deploy name"),
        (encoded(target=reference(name="ab.0")), "Invalid deploy name"),
        (encoded(target=reference(bootcsum="../x")), "Invalid boot checksum"),
        (encoded(target=reference(bootcsum="")), "Invalid boot checksum"),
        (
            encoded(target=reference(), merge_deployment=reference(name="-")),
            "Missing key: name",
        ),
        (
            encoded(target=reference(), overlay_initrds=Variant("as", ["../../etc/passwd"])),
            "Invalid checksum of an overlay initrd",
        ),
    ],
)
def test_what_leads_elsewhere_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        StagedState.decode(data)
