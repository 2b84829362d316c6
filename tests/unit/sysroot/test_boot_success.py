"""What follows from the fact that a deployment runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.formats.boot_entry import BootEntry
from ostree.sysroot.boot_failures import failed_commits, forget_failure, remember_failure
from ostree.sysroot.boot_success import judge
from ostree.sysroot.deployment import Deployment
from ostree.types import Checksum

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab


LINK = "/ostree/boot.0/os/a/0"


def fake(name: str, *, staged: bool = False, counters: tuple[int, int] | None = None) -> Deployment:
    """A deployment with as much as is looked at."""
    entry = BootEntry.parse(f"options quiet ostree={LINK}\n")
    entry.counters = counters
    return Deployment(
        stateroot=name, checksum=checksum(1), serial=0, bootcsum="", entry=entry, staged=staged
    )


def checksum(number: int) -> Checksum:
    return Checksum(f"{number:064x}")


NEW, OLD, STAGED = fake("new"), fake("old"), fake("staged", staged=True)
EXHAUSTED, TRIED, FRESH = (fake("new", counters=counters) for counters in ((0, 3), (2, 1), (0, 0)))


@pytest.mark.parametrize(
    ("deployments", "booted", "arguments", "expected"),
    [
        ([NEW, OLD], NEW, "quiet", None),
        ([NEW, OLD], OLD, "quiet", None),
        ([NEW, OLD], OLD, "quiet ostree.fallback=4", "new"),
        ([STAGED, NEW, OLD], OLD, "ostree.fallback=4", "new"),
        ([STAGED, OLD], OLD, "ostree.fallback=4", None),
        ([OLD], OLD, "ostree.fallback=4", None),
        ([NEW, OLD], OLD, "other.ostree.fallback=4", None),
        ([EXHAUSTED, OLD], OLD, "quiet", "new"),
        ([EXHAUSTED, OLD], EXHAUSTED, "quiet", None),
        ([TRIED, OLD], OLD, "quiet", None),
        ([FRESH, OLD], OLD, "quiet", None),
    ],
)
def test_a_deployment_has_failed_if_the_boot_loader_fell_back_from_it(
    deployments: list[Deployment], booted: Deployment, arguments: str, expected: str | None
) -> None:
    """Who chose an older one in a menu had no fallback."""
    verdict = judge(deployments, booted, arguments, lambda _: False)

    assert verdict.works is booted
    assert (verdict.failed.stateroot if verdict.failed else None) == expected


@pytest.mark.parametrize(
    ("deployments", "booted", "expected"),
    [([NEW, OLD], OLD, NEW), ([NEW, OLD], NEW, None), ([STAGED, OLD], OLD, None)],
)
def test_the_boot_loader_has_noted_a_fallback(
    deployments: list[Deployment], booted: Deployment, expected: Deployment | None
) -> None:
    assert judge(deployments, booted, "quiet", LINK.__eq__).failed is expected


def test_failures_are_remembered_and_forgotten(lab: Lab) -> None:
    with lab.open() as sysroot:
        fd = sysroot.root_fd
        for number in (1, 2, 1):
            remember_failure(fd, "os", checksum(number))
        assert failed_commits(fd, "os") == (checksum(2), checksum(1))
        forget_failure(fd, "os", checksum(2))
        forget_failure(fd, "os", checksum(3))
        assert failed_commits(fd, "os") == (checksum(1),)
        assert failed_commits(fd, "other") == ()


def test_old_failures_are_forgotten(lab: Lab) -> None:
    with lab.open() as sysroot:
        for number in range(70):
            remember_failure(sysroot.root_fd, "os", checksum(number))
        found = failed_commits(sysroot.root_fd, "os")

    assert found == tuple(checksum(number) for number in range(6, 70))


def test_what_is_no_checksum_does_not_count(lab: Lab) -> None:
    path = lab.root / "ostree/deploy/os/failed-commits"
    path.write_bytes(b"junk\n\xff\n" + checksum(1).encode() + b"\n\n")

    with lab.open() as sysroot:
        assert failed_commits(sysroot.root_fd, "os") == (checksum(1),)


def test_a_commit_that_failed_is_not_offered_again(lab: Lab) -> None:
    """Until there is a newer one."""
    lab.commit(time=1000)
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
    lab.write("usr/bad", "bad")
    bad = lab.commit(time=2000)
    with lab.open() as sysroot:
        remember_failure(sysroot.root_fd, "os", bad)

        result = sysroot.upgrade(stateroot="os")

        assert (result.changed, result.deployment) == (False, None)
        assert lab.lines[-1] == f"Commit {bad} did not start on this machine; not deployed."
    lab.write("usr/bad", "good")
    good = lab.commit(time=3000)
    with lab.open() as sysroot:
        result = sysroot.upgrade(stateroot="os")
        assert result.deployment is not None
        assert result.deployment.checksum == good


def test_who_asks_for_it_by_its_checksum_gets_it(lab: Lab) -> None:
    lab.commit(time=1000)
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
    lab.write("usr/bad", "bad")
    bad = lab.commit(time=2000)
    with lab.open() as sysroot:
        remember_failure(sysroot.root_fd, "os", bad)

        result = sysroot.upgrade(stateroot="os", override_commit=bad)

        assert result.deployment is not None
        assert result.deployment.checksum == bad
