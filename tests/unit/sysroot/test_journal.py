"""What the journal is told of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostree.events import LogEntry
from ostree.sysroot.journal import log_finalizing, log_not_finalizing
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions

if TYPE_CHECKING:
    from ostree.events import Event
    from unit.sysroot.conftest import Lab


def entries_of(lab: Lab, *, karg: str | None = None) -> list[LogEntry]:
    """What is logged of a deployment."""
    entries: list[LogEntry] = []

    def listen(event: Event) -> None:
        if isinstance(event, LogEntry):
            entries.append(event)

    with lab.open(listen) as sysroot:
        options = KernelArgumentOptions(append=[karg] if karg else [])
        sysroot.deploy("stable", stateroot="os", kernel_arguments=options)
    return entries


def test_the_first_deployment(lab: Lab) -> None:
    lab.commit()

    relabeled, written = entries_of(lab)

    assert relabeled.message_id == "da679b08acd34504b789d96f818ea781"
    assert relabeled.text == "Relabeling /var (no stamp file 'var/.ostree-selabeled' found)"
    assert written.message_id == "dd440e3e549083b63d0efc7dc15255f1"
    assert written.text.startswith("Bootloader updated; bootconfig swap: yes; ")
    assert written.fields == {
        "OSTREE_BOOTLOADER": "none",
        "OSTREE_BOOTLOADER_CONFIG": "auto",
        "OSTREE_BOOTLOADER_ATOMIC": "no",
        "OSTREE_DID_BOOTSWAP": "yes",
        "OSTREE_N_DEPLOYMENTS": "1",
    }


def test_merged_configuration_and_a_boot_loader(lab: Lab) -> None:
    loader = lab.root / "boot/loader"
    loader.symlink_to("loader.0")
    (lab.root / "boot/loader.0").mkdir()
    (loader / "uEnv.txt").touch()
    lab.commit()
    entries_of(lab)
    with lab.open() as sysroot:
        etc = lab.root / sysroot.deployments[0].path / "etc"
    (etc / "a").write_text("local")
    (etc / "new").touch()

    merged, written = entries_of(lab, karg="x")

    assert merged.message_id == "d3863baec13e4449ab0384684a8af3a7"
    assert merged.fields == {"ETC_N_MODIFIED": "1", "ETC_N_REMOVED": "0", "ETC_N_ADDED": "1"}
    assert written.fields["OSTREE_BOOTLOADER"] == "U-Boot"
    assert written.fields["OSTREE_BOOTLOADER_ATOMIC"] == "yes"
    assert written.fields["OSTREE_N_DEPLOYMENTS"] == "2"


def test_shutdowns(lab: Lab) -> None:
    lab.commit()
    with lab.open() as sysroot:
        deployment = sysroot.deploy("stable", stateroot="os")
    events: list[Event] = []

    log_finalizing(events.append, deployment)
    log_not_finalizing(events.append, "deployment is locked for finalization")

    finalizing, not_finalizing = events
    assert isinstance(finalizing, LogEntry)
    assert finalizing.message_id == "e8646cd63dff4625b77909a8e7a40994"
    assert finalizing.fields == {
        "OSTREE_OSNAME": "os",
        "OSTREE_CHECKSUM": deployment.checksum,
        "OSTREE_DEPLOYSERIAL": "0",
    }
    assert isinstance(not_finalizing, LogEntry)
    assert not_finalizing.text == "Not finalizing; deployment is locked for finalization"
    assert not_finalizing.message_id is None
