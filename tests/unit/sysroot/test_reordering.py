"""Which deployment is booted next: ``undeploy``, ``set-default`` and ``rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import NotFoundError, SysrootError
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.deployment_list import Retention
from ostree.sysroot.reordering import find_previous
from ostree.types import Checksum

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab


def a_list(*stateroots: str) -> list[Deployment]:
    return [
        Deployment(
            stateroot=stateroot,
            checksum=Checksum("a" * 64),
            serial=index,
            bootcsum="b" * 64,
            index=index,
        )
        for index, stateroot in enumerate(stateroots)
    ]


def test_what_comes_after_the_running_deployment() -> None:
    """Whatever waits before it, and whatever other stateroots have between."""
    deployments = a_list("os", "os", "other", "os", "os")

    assert find_previous(deployments, deployments[1], "os") is deployments[3]
    assert find_previous(deployments, deployments[0], "os") is deployments[1]


def test_what_comes_after_the_first_deployment_of_a_stateroot_that_does_not_run() -> None:
    deployments = a_list("os", "other", "os", "other")

    assert find_previous(deployments, None, "os") is deployments[2]
    assert find_previous(deployments, deployments[2], "other") is deployments[3]


def test_nothing_to_go_back_to() -> None:
    deployments = a_list("os", "other")

    with pytest.raises(NotFoundError, match="No rollback deployment for stateroot 'os'") as error:
        find_previous(deployments, deployments[0], "os")
    assert error.value.hint is None
    with pytest.raises(NotFoundError, match="No deployment for stateroot 'nope'"):
        find_previous(deployments, None, "nope")


def test_how_to_stay_with_what_runs() -> None:
    """Where an update waits and nothing is older than what runs, that is what one may want."""
    deployments = a_list("os", "os")

    with pytest.raises(NotFoundError) as error:
        find_previous(deployments, deployments[1], "os")

    assert error.value.hint is not None
    assert "'ostree admin set-default 1'" in error.value.hint


@pytest.fixture
def three(lab: Lab) -> list[str]:
    """Three deployments; their names."""
    for number in range(3):
        lab.write("usr/data", str(number))
        lab.commit(version=str(number))
        with lab.open() as sysroot:
            sysroot.deploy("stable", stateroot="os", retention=Retention(everything=True))
    lab.lines.clear()
    return lab.names()


def test_rolling_back_twice_leads_back(lab: Lab, three: list[str]) -> None:
    first, second, third = three

    with lab.open() as sysroot:
        chosen = sysroot.roll_back("os")
        assert (chosen.name, chosen.index) == (second, 0)
        assert lab.names() == [second, first, third]
        sysroot.roll_back("os")

    assert lab.names() == [first, second, third]
    assert len(lab.entries()) == 3


def test_the_order_of_the_others_stays(lab: Lab, three: list[str]) -> None:
    first, second, third = three

    with lab.open() as sysroot:
        assert sysroot.set_default(2).name == third
        assert sysroot.set_default(0).name == third

    assert lab.names() == [third, first, second]
    assert len(lab.lines) == 1


def test_places_that_there_are_not(lab: Lab, three: list[str]) -> None:
    with lab.open() as sysroot:
        with pytest.raises(SysrootError, match="Out of range deployment index 3, expected < 3"):
            sysroot.set_default(3)
        with pytest.raises(SysrootError, match="Invalid index -1"):
            sysroot.undeploy(-1)

    assert lab.names() == three
