"""What ``status`` shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ostree.cli.status_text import describe_default, format_status, format_status_json
from ostree.errors import SysrootError
from ostree.formats.keyfile import KeyFile
from ostree.sysroot.deployment import Deployment, UnlockedState
from ostree.sysroot.status import DeploymentStatus, read_status
from ostree.types import Checksum

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab

CSUM = "a" * 64


def status(
    origin: str | None = "[origin]\nrefspec=r\n",
    *,
    booted: bool = False,
    pending: bool = False,
    rollback: bool = False,
    version: str | None = None,
    title: str | None = None,
    unlocked: UnlockedState = UnlockedState.NONE,
    staged: bool = False,
    locked: bool = False,
    soft_reboot: bool = False,
) -> DeploymentStatus:
    deployment = Deployment(
        stateroot="os",
        checksum=Checksum(CSUM),
        serial=2,
        bootcsum="b" * 64,
        index=0,
        origin=None if origin is None else KeyFile.parse(origin),
        unlocked=unlocked,
        staged=staged,
        finalization_locked=locked,
        soft_reboot_target=soft_reboot,
    )
    return DeploymentStatus(deployment, booted, pending, rollback, version, title)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (status(), f"  os {CSUM}.2\n    origin refspec: r\n"),
        (status(None), f"  os {CSUM}.2\n    origin: none\n"),
        (status("[x]\n"), f"  os {CSUM}.2\n    origin: <unknown origin type>\n"),
        (
            status(booted=True, version="5", unlocked=UnlockedState.HOTFIX, title="T"),
            f"* os {CSUM}.2\n    Version: 5\n    Unlocked: hotfix\n    origin refspec: r\n    `- T\n",
        ),
        (
            status("[origin]\nrefspec=r\n[libostree-transient]\npinned=true\n", pending=True),
            f"  os {CSUM}.2 (pending)\n    Pinned: yes\n    origin refspec: r\n",
        ),
        (status(rollback=True), f"  os {CSUM}.2 (rollback)\n    origin refspec: r\n"),
        (status(pending=True, staged=True), f"  os {CSUM}.2 (staged)\n    origin refspec: r\n"),
        (
            status(pending=True, staged=True, locked=True),
            f"  os {CSUM}.2 (finalization locked)\n    origin refspec: r\n",
        ),
        (
            status(staged=True, soft_reboot=True),
            f"  os {CSUM}.2 (staged) (soft-reboot)\n    origin refspec: r\n",
        ),
        (status(soft_reboot=True), f"  os {CSUM}.2 (soft-reboot)\n    origin refspec: r\n"),
    ],
)
def test_text(facts: DeploymentStatus, text: str) -> None:
    assert format_status([facts]) == text


def test_locks_and_targets_in_json() -> None:
    text = format_status_json([status(staged=True, locked=True), status(soft_reboot=True)])

    assert text.count('"finalization-locked": true') == 1
    assert text.count('"finalization-locked": false') == 1
    assert text.count('"soft-reboot-target": true') == 1


def test_colour() -> None:
    text = format_status([status(unlocked=UnlockedState.DEVELOPMENT)], colour=True)

    assert "    \x1b[31m\x1b[1mUnlocked: development\x1b[0m\x1b[22m\n" in text


def test_no_deployments() -> None:
    assert format_status([]) == "No deployments.\n"
    assert format_status_json([]) == '{\n   "deployments": [\n\n   ]\n}\n'


def test_json_to_the_byte() -> None:
    text = format_status_json([status(version='4"\\\n\x01ä'), status(None, booted=True, title="T")])

    first = (
        '{\n         "checksum": "' + CSUM + '",\n         "stateroot": "os",\n'
        '         "refspec": "r",\n         "serial": 2,\n         "index": 0,\n'
        '         "booted": false,\n         "pending": false,\n         "rollback": false,\n'
        '         "finalization-locked": false,\n         "soft-reboot-target": false,\n'
        '         "staged": false,\n         "pinned": false,\n         "unlocked": "none",\n'
        '         "version": "4\\"\\\\\\n\\u0001ä"\n      }'
    )
    assert text.startswith('{\n   "deployments": [\n      ' + first + ',{\n         "checksum"')
    assert text.endswith('"source-title": "T"\n      }\n   ]\n}\n')
    parsed = json.loads(text)["deployments"]
    assert parsed[0]["version"] == '4"\\\n\x01ä'
    assert parsed[1]["refspec"] is None


def test_facts_of_a_sysroot(lab: Lab) -> None:
    with lab.open() as sysroot:
        with pytest.raises(SysrootError, match="Not in a booted OSTree system"):
            describe_default(sysroot)
        lab.commit(version="3")
        sysroot.deploy("stable", stateroot="os")

        facts = read_status(sysroot)

        assert [(f.version, f.booted, f.pending) for f in facts] == [("3", False, False)]
        assert describe_default(sysroot) == "not-default"
