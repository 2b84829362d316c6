"""What follows from the fact that a deployment runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import pytest

from ostree.sysroot.boot_failures import failed_commits, forget_failure, remember_failure
from ostree.sysroot.boot_success import judge
from ostree.types import Checksum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.deployment import Deployment
    from unit.sysroot.conftest import Lab


class Fake(NamedTuple):
    """As much of a deployment as is looked at."""

    name: str
    staged: bool = False


NEW, OLD, STAGED = Fake("new"), Fake("old"), Fake("staged", staged=True)


def failed(deployments: Sequence[Fake], booted: Fake, arguments: str) -> str | None:
    verdict = judge(
        cast("Sequence[Deployment]", deployments), cast("Deployment", booted), arguments
    )
    assert verdict.works.name == booted.name
    return None if verdict.failed is None else verdict.failed.name


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
    ],
)
def test_a_deployment_has_failed_if_the_boot_loader_fell_back_from_it(
    deployments: list[Fake], booted: Fake, arguments: str, expected: str | None
) -> None:
    """Who chose an older one in a menu had no fallback."""
    assert failed(deployments, booted, arguments) == expected


def checksum(number: int) -> Checksum:
    return Checksum(f"{number:064x}")


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
