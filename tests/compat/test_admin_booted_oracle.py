"""Admin commands of ours and of the reference on systems that look booted."""

from __future__ import annotations

import json
import os
import random
import socket
from typing import TYPE_CHECKING

import pytest

from compat.booted_twins import PROGRAMS, Twins, last_line
from compat.test_sysroot_oracle import reference
from support.simulated_boot import why_not

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]

#: How many random sequences are run.
SEQUENCES = int(os.environ.get("OSTREE_BOOTED_SEQUENCES", "3"))


@pytest.fixture
def twins(memory: Path, oracle: object) -> Iterator[Twins]:
    made = Twins(memory)
    yield made
    made.remove()


@pytest.fixture
def three(twins: Twins) -> Twins:
    """The list is pending, booted, rollback."""
    for text in "23":
        (twins.tree / "usr/data").write_text(text)
        twins.commit(version=text)
        twins.admin("deploy", "--retain-rollback", "os/main")
        if text == "2":
            twins.boot()
    heads = [line for line in twins.admin("status").out.splitlines() if " os " in line]
    assert [head.startswith("*") for head in heads] == [False, True, False]
    assert heads[0].endswith(" (pending)")
    assert heads[2].endswith(" (rollback)")
    return twins


def add_remote(twins: Twins, memory: Path, name: str) -> None:
    """A remote with what is in the systems' own repository."""
    server = memory / f"server-{name}"
    if not server.exists():
        reference("init", f"--repo={server}", "--mode=archive")
    source = twins.roots["theirs"] / "ostree/repo"
    reference("pull-local", f"--repo={server}", source, "os/main")
    url = url_of(server)
    for root in twins.roots.values():
        repo = f"--repo={root}/ostree/repo"
        reference("remote", "add", "--if-not-exists", "--no-gpg-verify", repo, name, url)


def url_of(server: Path) -> str:
    """Where a repository of the machine is inside."""
    return f"file://{server}" if server.is_relative_to("/dev") else f"file:///host{server}"


def test_what_is_said_of_the_list(three: Twins) -> None:
    three.admin("--print-current-dir")
    three.admin("status", "--print-current-dir")
    assert three.say("ours", "ours", "status", "-D").out == "not-default\n"
    listed = json.loads(three.say("ours", "ours", "status", "--json").out)["deployments"]

    assert [
        [key for key in ("booted", "pending", "rollback", "pinned", "staged") if item[key]]
        for item in listed
    ] == [["pending"], ["booted"], ["rollback"]]
    three.boot()
    assert three.say("ours", "ours", "status", "-D").out == "default\n"


def test_pins(three: Twins) -> None:
    three.admin("pin", "2")
    three.admin("pin", "1", "2", "7")
    three.admin("status")
    three.admin("deploy", "os/main")
    three.admin("pin", "-u", "1")
    three.admin("upgrade")


def test_pins_by_kind(three: Twins) -> None:
    """A word since 2024.2; an index does the same."""
    for word, index in (("rollback", "2"), ("pending", "0"), ("booted", "1")):
        theirs = three.say("theirs", "theirs", "pin", index)
        ours = three.say("ours", "ours", "pin", word)
        assert ours.out == theirs.out.replace(f"Deployment {index}", f"Deployment {word}")
        three.compare()


def test_what_is_staged_cannot_be_pinned(twins: Twins) -> None:
    (twins.tree / "usr/data").write_text("2")
    twins.commit()
    twins.admin("deploy", "--stage", "os/main")

    twins.admin("pin", "0")
    assert last_line(twins.say("ours", "ours", "pin", "pending").err) == (
        "error: Cannot pin staged deployment"
    )
    twins.admin("pin", "1")


def test_the_running_deployment_follows_another_remote(twins: Twins, memory: Path) -> None:
    """The remote is configured in the running ``/etc``, and an upgrade asks it."""
    server = memory / "server"
    reference("init", f"--repo={server}", "--mode=archive")
    (twins.tree / "usr/data").write_text("2")
    tree = f"--tree=dir={twins.tree}"
    reference("commit", f"--repo={server}", "--branch=os/main", "-s", "x", tree)

    twins.admin("set-origin", "--set=gpg-verify=false", "far", url_of(server))
    twins.admin("status")
    twins.admin("config-diff")
    twins.admin("upgrade")
    twins.admin("upgrade", "--pull-only")
    twins.boot()
    twins.admin("upgrade")


def test_switches(twins: Twins, memory: Path) -> None:
    for name in ("one", "two"):
        add_remote(twins, memory, name)

    twins.admin("switch", "nope:os/main")
    twins.admin("switch", "one:os/nope")
    assert twins.say("theirs", "theirs", "switch", "one:os/main").out.endswith(
        "Deleting ref '(null):os/main'\n"
    )
    assert twins.say("ours", "ours", "switch", "one:os/main").out.endswith(
        "Deleting ref 'os/main'\n"
    )
    twins.compare()
    twins.boot()
    twins.admin("switch", "os/main")
    twins.admin("switch", "two:")
    twins.admin("status")


def test_the_running_deployment_cannot_be_removed(three: Twins) -> None:
    three.admin("undeploy", "1")
    three.admin("undeploy", "0")
    three.admin("undeploy", "1")
    three.admin("undeploy", "0")


def test_kernel_arguments(three: Twins) -> None:
    three.admin("instutil", "set-kargs", "--merge", "--append=one", "two")
    three.admin("instutil", "set-kargs", "--import-proc-cmdline", "three")
    three.admin("kargs", "edit-in-place", "--append-if-missing=four=4")
    three.admin("status")


def test_kernel_arguments_of_the_running_deployment(twins: Twins) -> None:
    """The reference takes the changed one for another, and itself for removing what runs."""
    words = ("instutil", "set-kargs", "--merge", "one")
    assert twins.say("theirs", "theirs", *words).err == (
        "error: Attempting to remove booted deployment\n"
    )

    assert twins.say("ours", "ours", *words).status == 0

    assert "quiet ostree=" in twins.boots["ours"].shell("cat /boot/loader/entries/*")
    assert twins.say("ours", "theirs", "status").out == twins.say("ours", "ours", "status").out


def test_kernel_arguments_of_a_staged_deployment(twins: Twins) -> None:
    append = ("kargs", "edit-in-place", "--append-if-missing=quiet=no", "--append-if-missing=k=1")
    twins.commit()
    twins.admin("deploy", "--stage", "--karg-append=s", "os/main")

    # The reference orders the keys of the file by their hashes.
    twins.say("theirs", "theirs", *append)
    twins.say("ours", "ours", *append)
    twins.admin("finalize-staged")

    assert "quiet ostree=" in twins.boots["ours"].shell("cat /boot/loader/entries/ostree-2.conf")


def test_inherited_arguments_are_not_lost(twins: Twins) -> None:
    """The reference stages a deployment with nothing but what was to be appended."""
    twins.commit()
    twins.admin("deploy", "--stage", "os/main")

    twins.say("theirs", "theirs", "kargs", "edit-in-place", "--append-if-missing=k=1")
    twins.say("ours", "ours", "kargs", "edit-in-place", "--append-if-missing=k=1")
    twins.say("theirs", "theirs", "finalize-staged")
    twins.say("ours", "ours", "finalize-staged")

    ours = twins.boots["ours"].shell("grep -h ^options /boot/loader/entries/ostree-2*")
    theirs = twins.boots["theirs"].shell("grep -h ^options /boot/loader/entries/ostree-2*")
    assert theirs.startswith("options k=1 ostree=")
    assert ours.startswith("options root=LABEL=x quiet ostree=")
    assert ours.endswith(" k=1\n")


def test_another_default_and_back(three: Twins) -> None:
    """What the reference of that time cannot do leaves a list that it reads."""
    for command, order in (
        (("rollback",), [2, 0, 1]),
        (("set-default", "2"), [2, 0, 1]),
        (("rollback",), [1, 0, 2]),
    ):
        before = three.say("ours", "theirs", "status").out.splitlines()
        three.say("ours", "ours", *command)
        after = three.say("ours", "theirs", "status").out.splitlines()
        names = [
            [line.split()[1 + line.startswith("*")] for line in lines if " os " in line]
            for lines in (before, after)
        ]
        assert names[1] == [names[0][index] for index in order]


def test_commands_are_for_those_who_may_mount(three: Twins) -> None:
    """Looking at the list is for everybody; the reference of that time only asks for root."""
    for words in (
        ("pin", "0"),
        ("undeploy", "0"),
        ("config-diff",),
        ("cleanup",),
        ("upgrade",),
        ("instutil", "set-kargs", "x"),
        ("kargs", "edit-in-place", "--append-if-missing=x"),
        ("status",),
    ):
        argv = ("/bin/setpriv", "--bounding-set=-sys_admin", *PROGRAMS["ours"], "admin", *words)

        result = three.boots["ours"].run(*argv, check=False)

        if words == ("status",):
            assert result.returncode == 0
        else:
            assert result.stderr == "error: You must be root to perform this command\n", words
    three.compare()


#: Stands in for systemctl, and takes note of what it was to do.
SYSTEMCTL = """
mkdir -p /run/programs
printf '#!/bin/sh\\necho "$@" >>/run/asked\\n' >/run/programs/systemctl
chmod 755 /run/programs/systemctl
"""


def test_reboots(twins: Twins) -> None:
    """Only if there is something new."""
    for expected in ("", "reboot\n"):
        for name, boot in twins.boots.items():
            boot.shell(SYSTEMCTL)
            program = PROGRAMS["ours" if name == "ours" else "theirs"]

            boot.run(
                *program,
                *("admin", "upgrade", "--reboot"),
                environ={"PATH": "/run/programs:/bin"},
            )

            assert boot.shell("cat /run/asked", check=False) == expected
        # The reference becomes the other program with its lock in its hands.
        (twins.roots["theirs"] / "ostree/lock").unlink(missing_ok=True)
        twins.compare()
        (twins.tree / "usr/data").write_text("2")
        twins.commit()


def test_a_kernel_that_cannot_be_loaded(twins: Twins) -> None:
    """The deployment is in place by then."""
    (twins.tree / "usr/data").write_text("2")
    twins.commit()

    said = twins.say("ours", "ours", "upgrade", "--kexec")
    twins.say("theirs", "theirs", "upgrade")

    assert said.status == 1
    assert said.err.startswith("error: Loading kernel for kexec: kexec_file_load: ")
    twins.compare()


def test_the_journal_is_told(twins: Twins) -> None:
    twins.commit()
    path = twins.boots["ours"].run_directory / "systemd/journal/socket"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(os.fspath(path))
        journal.settimeout(30)

        twins.say("ours", "ours", "deploy", "os/main")

        entries = [journal.recv(1 << 16).decode() for _ in range(2)]
    assert entries[0].startswith(
        "MESSAGE=Copying /etc changes: 0 modified, 0 removed, 0 added\n"
        "PRIORITY=6\nSYSLOG_IDENTIFIER=ostree\n"
        "MESSAGE_ID=d3863baec13e4449ab0384684a8af3a7\n"
    )
    assert "\nOSTREE_N_DEPLOYMENTS=2\n" in entries[1]


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_random_sequences(twins: Twins, seed: int) -> None:
    """Deployments with all options, pins and reboots in any order."""
    chance = random.Random(seed)
    length = 1
    for number in range(12):
        if chance.random() < 0.5:
            change_tree(twins, chance, number)
        status = twins.admin("status").out
        twins.admin(*choose(chance, length, number, status))
        length = twins.admin("status").out.count(" os ")
        if chance.random() < 0.3:
            twins.admin("finalize-staged")
            twins.boot(chance.choice([0, 0, 1]) if length > 1 else 0)


def change_tree(twins: Twins, chance: random.Random, number: int) -> None:
    (twins.tree / "usr/data").write_text(str(chance.random()))
    if chance.random() < 0.3:
        (twins.tree / "usr/lib/modules/5.10/vmlinuz").write_text(f"kernel {number}")
    twins.commit(version=chance.choice([None, "1", str(number)]))


def choose(chance: random.Random, length: int, number: int, status: str) -> tuple[str, ...]:
    """A command that makes sense, and that the reference does not fail at."""
    commands: list[tuple[str, ...]] = [
        ("upgrade",),
        ("upgrade", "--stage"),
        ("undeploy", str(chance.randrange(length + 1))),
        ("pin", str(chance.randrange(length))),
        ("pin", "-u", str(chance.randrange(length))),
        ("cleanup",),
        ("config-diff",),
        ("deploy", *deploy_options(chance), "os/main"),
        ("deploy", *deploy_options(chance), "os/main"),
        ("deploy", *deploy_options(chance), "os/main"),
    ]
    if "(staged)" not in status:
        commands.append(("kargs", "edit-in-place", f"--append-if-missing=a{number % 3}"))
        if not status.startswith("*"):
            commands.append(("instutil", "set-kargs", f"k={number}"))
    return chance.choice(commands)


def deploy_options(chance: random.Random) -> list[str]:
    if chance.random() < 0.25:
        return ["--stage", *chance.sample(["--karg-append=s", "--no-merge"], 1)]
    options = (
        "--retain",
        "--retain-pending",
        "--retain-rollback",
        "--not-as-default",
        "--no-merge",
        "--no-prune",
        "--karg-append=x=1",
        "--karg=x=2",
        "--karg-none",
        "--karg-proc-cmdline",
    )
    chosen = chance.sample(options, chance.randrange(3))
    if "--karg-none" in chosen and "--karg-proc-cmdline" in chosen:
        chosen.remove("--karg-none")
    return chosen
