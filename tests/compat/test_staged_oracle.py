"""Staged deployments of ours and of the reference, on systems that look booted."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from compat.booted_twins import Twins, Who
from support.simulated_boot import OURS, REFERENCE, why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]

#: How many random sequences are run.
SEQUENCES = int(os.environ.get("OSTREE_STAGED_SEQUENCES", "3"))


@pytest.fixture
def twins(memory: Path) -> Iterator[Twins]:
    made = Twins(memory)
    yield made
    made.remove()


def write(name: str, text: str) -> Callable[[Path], None]:
    def change(etc: Path) -> None:
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


def change_tree(twins: Twins, text: str, *, kernel: bool = False) -> None:
    (twins.tree / "usr/data").write_text(text)
    (twins.tree / "usr/etc" / f"default-{text}").write_text(text)
    if kernel:
        (twins.tree / "usr/lib/modules/5.10/vmlinuz").write_text(f"kernel {text}")


def test_from_staging_to_the_next_boot(twins: Twins) -> None:
    change_tree(twins, "2")
    twins.commit(version="2")

    assert twins.admin("deploy", "--stage", "os/main").out == ""
    assert "(staged)" in twins.admin("status").out
    twins.edit(write("late", "written after the deployment was staged"))
    finished = twins.admin("finalize-staged")
    assert "Copying /etc changes: 0 modified, 0 removed, 1 added\n" in finished.out
    assert "(pending)" in twins.admin("status").out
    twins.boot()
    status = twins.admin("status").out

    assert status.startswith("* os ")
    assert "(rollback)" in status
    assert twins.boots["ours"].shell("cat /etc/late /etc/default-2") == (
        "written after the deployment was staged2"
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--karg-append=a=1", "--karg-append=b"],
        ["--karg=root=LABEL=y"],
        ["--karg-none"],
        ["--karg-none", "--karg-append=only"],
        ["--karg-proc-cmdline"],
        ["--no-merge"],
        ["--no-merge", "--karg-append=x"],
        ["--retain"],
    ],
)
def test_options_of_staging(twins: Twins, options: list[str]) -> None:
    change_tree(twins, "2", kernel=True)
    twins.commit()

    twins.admin("deploy", "--stage", *options, "os/main")
    twins.admin("status")
    twins.admin("finalize-staged")
    twins.admin("status")


def test_further_initrds_are_staged(twins: Twins) -> None:
    (twins.tree / "usr/data").write_text("2")
    twins.commit()
    for boot in twins.boots.values():
        boot.shell("echo further >/run/further.img; echo again >/run/again.img")

    overlays = ["--overlay-initrd=/run/further.img", "--overlay-initrd=/run/again.img"]
    twins.admin("deploy", "--stage", *overlays, "os/main")
    twins.admin("finalize-staged")

    entries = twins.boots["ours"].shell("cat /boot/loader/entries/*")
    assert entries.count("\ninitrd /ostree/initramfs-overlays/") == 2


def test_a_later_one_takes_the_place(twins: Twins) -> None:
    for text in "234":
        change_tree(twins, text)
        twins.commit()
        twins.admin("deploy", "--stage", "os/main")
    twins.admin("deploy", "--stage", "os/main")

    twins.admin("finalize-staged")
    assert twins.admin("finalize-staged").out == ""


@pytest.mark.parametrize(
    "discarding", [["deploy", "os/main"], ["undeploy", "0"], ["deploy", "--retain", "os/main"]]
)
def test_what_discards_it(twins: Twins, discarding: list[str]) -> None:
    twins.commit()
    twins.admin("deploy", "os/main")
    twins.boot()
    change_tree(twins, "2")
    twins.commit()
    twins.admin("deploy", "--stage", "os/main")

    twins.admin(*discarding)

    assert "(staged)" not in twins.admin("status").out
    assert twins.admin("finalize-staged").out == ""


def test_what_leaves_it_staged(twins: Twins) -> None:
    twins.commit()
    twins.admin("deploy", "os/main")
    twins.boot()
    twins.admin("deploy", "--stage", "os/main")

    twins.admin("undeploy", "2")

    assert "(staged)" in twins.admin("status").out
    twins.admin("finalize-staged")


def test_an_upgrade_is_staged(twins: Twins) -> None:
    change_tree(twins, "2")
    twins.commit()

    twins.admin("upgrade", "--deploy-only", "--stage")
    assert "(staged)" in twins.admin("status").out
    twins.admin("finalize-staged")
    twins.boot()

    assert twins.admin("upgrade", "--deploy-only", "--stage").out == "No update available.\n"


def test_a_failed_merge_is_told_at_the_next_boot(twins: Twins) -> None:
    (twins.tree / "usr/etc/newly").mkdir()
    (twins.tree / "usr/etc/newly/file").write_text("x")
    twins.commit()
    twins.admin("deploy", "--stage", "os/main")
    twins.edit(write("newly", "a file here, a directory in the new release"))

    said = {name: twins.say(name, name, "finalize-staged") for name in NAMES}
    stamps = [twins.roots[name] / "boot/ostree/finalize-failure.stamp" for name in NAMES]

    assert all(answer.status == 1 for answer in said.values())
    for name, stamp in zip(NAMES, stamps, strict=True):
        assert said[name].err.endswith(stamp.read_text() + "\n")
        assert "cannot merge" in stamp.read_text()
    # The reference forgets what it could not finish; ours can be tried again.
    assert "(staged)" in twins.say("ours", "ours", "status").out
    twins.boot()
    for name, stamp in zip(NAMES, stamps, strict=True):
        command = (*(REFERENCE if name == "theirs" else OURS), "admin", "boot-complete")
        environ = {"INVOCATION_ID": "1"}
        first = twins.boots[name].run(*command, environ=environ, check=False)
        second = twins.boots[name].run(*command, environ=environ, check=False)
        assert first.returncode == 1
        assert first.stderr.startswith(
            "error: ostree-finalize-staged.service failed on previous boot: "
        )
        assert second.returncode == 0
        assert not stamp.exists()


def test_a_success_takes_the_failure_away(twins: Twins) -> None:
    for root in twins.roots.values():
        (root / "boot/ostree/finalize-failure.stamp").write_text("an older failure")

    change_tree(twins, "2")
    twins.commit()
    twins.admin("deploy", "--stage", "os/main")

    # 2022.7 keeps it.
    twins.say("ours", "ours", "finalize-staged")

    assert not (twins.roots["ours"] / "boot/ostree/finalize-failure.stamp").exists()


@pytest.mark.parametrize("stager", ["ours", "theirs"])
def test_one_stages_and_the_other_finishes(twins: Twins, stager: Who) -> None:
    finisher: Who = "theirs" if stager == "ours" else "ours"
    change_tree(twins, "2", kernel=True)
    twins.commit(version="2")
    for name in NAMES:
        twins.say(name, stager, "deploy", "--stage", "--karg-append=x=y", "os/main")
    twins.edit(write("late", "late"))
    twins.compare()

    said = [twins.say(name, finisher, "finalize-staged") for name in NAMES]

    assert said[0] == said[1]
    assert "bootconfig swap: yes" in said[0].out
    twins.compare()


def test_the_lock_of_one_holds_for_the_other(twins: Twins) -> None:
    change_tree(twins, "2")
    twins.commit()
    option = ["deploy", "--stage", "--lock-finalization", "os/main"]
    for name in NAMES:
        assert twins.say(name, name, *option).status == 0

    assert twins.say("ours", "theirs", "finalize-staged") == (0, "", "")
    assert twins.say("theirs", "ours", "finalize-staged") == (0, "", "")
    assert "(finalization locked)" in twins.say("theirs", "ours", "status").out
    assert twins.say("ours", "ours", "lock-finalization", "-u").status == 0
    assert "Transaction" in twins.say("ours", "theirs", "finalize-staged").out.replace(
        "Bootloader updated", "Transaction"
    )


def test_everything_read_only(memory: Path) -> None:
    twins = Twins(memory, read_only=True)
    try:
        change_tree(twins, "2", kernel=True)
        twins.commit()

        twins.admin("deploy", "--stage", "os/main")
        twins.admin("finalize-staged")

        for boot in twins.boots.values():
            assert boot.shell("touch /sysroot/x 2>/dev/null || echo refused") == "refused\n"
    finally:
        twins.remove()


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_random_sequences(twins: Twins, seed: int) -> None:
    dice = random.Random(f"staged {seed}")
    for number in range(12):
        step = dice.choice(
            [
                "commit",
                "commit",
                "edit",
                "stage",
                "stage",
                "stage",
                "deploy",
                "undeploy",
                "finalize",
                "finalize",
                "boot",
                "upgrade",
            ]
        )
        if step == "commit":
            change_tree(twins, f"{seed}-{number}", kernel=dice.random() < 0.4)
            twins.commit(version=dice.choice([None, "1", str(number)]))
        elif step == "edit":
            twins.edit(write(dice.choice(["a", "sub/c", f"new-{number}"]), f"{seed} {number}"))
        elif step == "stage":
            options = dice.choice([[], [], ["--karg-append=n=1"], ["--karg-none"], ["--no-merge"]])
            twins.admin("deploy", "--stage", *options, "os/main")
        elif step == "deploy":
            twins.admin("deploy", *dice.choice([[], ["--retain"], ["--not-as-default"]]), "os/main")
        elif step == "undeploy":
            twins.admin("undeploy", str(dice.randrange(3)))
        elif step == "upgrade":
            twins.admin("upgrade", "--deploy-only", *dice.choice([[], ["--stage"]]))
        elif step == "finalize":
            twins.admin("finalize-staged")
        else:
            twins.boot()
        twins.admin("status")
        print(step, number)


NAMES: tuple[Who, Who] = ("ours", "theirs")
