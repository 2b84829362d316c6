"""Decisions about the deployment list."""

from __future__ import annotations

import pytest

from ostree.errors import SysrootError
from ostree.formats.boot_entry import BootEntry
from ostree.formats.keyfile import KeyFile
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.deployment_list import (
    Retention,
    SwapKind,
    find_merge,
    find_pending,
    find_rollback,
    has_several_stateroots,
    place,
    plan_list,
    plan_swap,
    remove_at,
)
from ostree.types import Checksum


def make(
    letter: str = "a",
    stateroot: str = "os",
    *,
    boot: str = "b",
    pinned: bool = False,
    options: str = "root=x ostree=/old",
) -> Deployment:
    origin = KeyFile()
    if pinned:
        origin.set_string("libostree-transient", "pinned", "true")
    entry = BootEntry()
    entry.set("options", options)
    return Deployment(
        stateroot=stateroot,
        checksum=Checksum(letter * 64),
        serial=0,
        bootcsum=boot * 64,
        origin=origin,
        entry=entry,
    )


def version_of(deployment: Deployment) -> str | None:
    """The first letter of the checksum stands for the version, ``a`` and ``b`` for the same."""
    return {"a": "1", "b": "1"}.get(deployment.checksum[0])


def test_pending_rollback_merge_on_a_booted_system() -> None:
    other, pending, second, booted, rollback = (
        make(stateroot="other"),
        make(),
        make(),
        make(),
        make(),
    )
    deployments = [other, pending, second, booted, rollback]

    assert find_pending(deployments, booted, "os") is pending
    assert find_rollback(deployments, booted, "os") is rollback
    assert find_merge(deployments, booted, "os") is booted
    assert find_pending(deployments, booted, "other") is other
    assert find_rollback(deployments, booted, "other") is None
    assert find_merge(deployments, booted, "other") is other
    assert find_merge(deployments, booted, "none") is None


def test_without_a_booted_deployment_the_first_is_pending() -> None:
    first, second = make(), make()

    assert find_pending([first, second], None, "os") is first
    assert find_rollback([first, second], None, "os") is None
    assert find_merge([first, second], None, "os") is first


def test_a_booted_system_keeps_new_and_booted() -> None:
    pending, booted, rollback, new = make(), make(), make(), make()

    kept = plan_list(
        [pending, booted, rollback], new, booted=booted, merge=booted, retention=Retention()
    )

    assert kept == [new, booted]


def test_pinned_and_foreign_deployments_always_stay() -> None:
    pinned, booted, foreign, rollback, new = (
        make(pinned=True),
        make(),
        make(stateroot="other"),
        make(),
        make(),
    )

    kept = plan_list(
        [pinned, booted, foreign, rollback],
        new,
        booted=booted,
        merge=booted,
        retention=Retention(),
    )

    assert kept == [new, pinned, booted, foreign]


@pytest.mark.parametrize(
    ("retention", "indexes"),
    [
        (Retention(), [-1, 1]),
        (Retention(everything=True), [-1, 0, 1, 2]),
        (Retention(pending=True), [-1, 0, 1]),
        (Retention(rollback=True), [-1, 1, 2]),
        (Retention(not_as_default=True), [1, -1]),
        (Retention(not_as_default=True, everything=True), [0, 1, -1, 2]),
        (Retention(not_as_default=True, pending=True), [0, 1, -1]),
    ],
)
def test_retention(retention: Retention, indexes: list[int]) -> None:
    """The list is pending, booted, rollback; -1 stands for the new one."""
    current = [make(), make(), make()]
    new = make()

    kept = plan_list(current, new, booted=current[1], merge=current[1], retention=retention)

    assert kept == [new if i < 0 else current[i] for i in indexes]


def test_a_sysroot_without_booted_deployment_keeps_new_and_previous_default() -> None:
    current = [make(), make()]
    new = make()

    kept = plan_list(current, new, booted=None, merge=current[0], retention=Retention())

    assert kept == [new, current[0]]


@pytest.mark.parametrize("retention", [Retention(pending=True), Retention(rollback=True)])
def test_with_nothing_to_cross_retaining_some_retains_all(retention: Retention) -> None:
    current = [make(), make()]
    new = make()

    kept = plan_list(current, new, booted=None, merge=None, retention=retention)

    assert kept == [new, *current]


def test_not_as_default_goes_to_the_end_if_nothing_is_crossed() -> None:
    foreign = make(stateroot="other")
    new = make()

    kept = plan_list(
        [foreign], new, booted=None, merge=None, retention=Retention(not_as_default=True)
    )

    assert kept == [foreign, new]


def test_boot_serials_count_across_stateroots() -> None:
    placed = place([make(), make(stateroot="other"), make(boot="c"), make()])

    assert [d.bootserial for d in placed] == [0, 1, 0, 2]
    assert [d.index for d in placed] == [0, 1, 2, 3]


def test_the_same_objects_are_no_change() -> None:
    current = [make(), make()]

    assert plan_swap(current, list(current), version_of=version_of) is SwapKind.NOTHING


def test_a_deployment_that_boots_alike_takes_a_sub_swap() -> None:
    current = [make("a"), make("b")]
    new = [make("b", options="root=x ostree=/new"), current[1]]

    assert plan_swap(current, new, version_of=version_of) is SwapKind.SUB


@pytest.mark.parametrize(
    "new",
    [
        make("c"),
        make(boot="c"),
        make(stateroot="other"),
        make(options="root=y ostree=/old"),
        make(options="ostree=/old root=x quiet"),
    ],
    ids=["version", "kernel", "stateroot", "argument", "more arguments"],
)
def test_what_boots_differently_takes_a_full_swap(new: Deployment) -> None:
    assert plan_swap([make("a")], [new], version_of=version_of) is SwapKind.FULL


def test_another_count_takes_a_full_swap() -> None:
    current = [make()]

    assert plan_swap(current, [], version_of=version_of) is SwapKind.FULL
    assert plan_swap(current, [make(), current[0]], version_of=version_of) is SwapKind.FULL


def test_overlay_initrds_count() -> None:
    new = make()
    new.entry.overlay_initrds = ["/x.img"]

    assert plan_swap([make()], [new], version_of=version_of) is SwapKind.FULL


@pytest.mark.parametrize(
    ("index", "message"),
    [(-1, "Invalid index -1"), (5, "Out of range deployment index 5, expected < 2")],
)
def test_indexes_out_of_range(index: int, message: str) -> None:
    with pytest.raises(SysrootError) as caught:
        remove_at([make(), make()], index)

    assert str(caught.value) == message


def test_titles_tell_the_stateroot_if_there_are_several() -> None:
    assert not has_several_stateroots([make(), make()])
    assert has_several_stateroots([make(), make(stateroot="other")])
