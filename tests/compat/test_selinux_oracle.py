"""Labels that deployments get from us and from the reference.

On a kernel without SELinux the reference labels only regular files of ``/etc`` and all of ``/var``.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from compat.admin_sequences.world import SIDE, SIDES, AdminWorld
from support.policies import make_policy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="labels are root's"),
]

#: In /etc the reference crashes where there is to be no label.
CONTEXTS = (
    "/.*\tdefault_t\n"
    "/\t-d\troot_t\n"
    "/etc(/.*)?\tetc_t\n"
    "/etc/.*\\.conf\t--\tconf_t\n"
    "/usr(/.*)?\tusr_t\n"
    "/usr/lib/modules/[^/]+/vmlinuz\t--\tkernel_t\n"
    "/var(/.*)?\tvar_t\n"
    "/var/log/.*\tlog_t\n"
    "/var/plain\t<<none>>\n"
)


@pytest.fixture
def world(tmp_path: Path, oracle: object) -> AdminWorld:
    made = AdminWorld(tmp_path / "world")
    tree = tmp_path / "tree"
    make_policy(tree, etc="usr/etc", contexts=CONTEXTS)
    for name in ("usr/lib/os-release", "usr/lib/modules/5/vmlinuz", "usr/lib/tmpfiles.d/x"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(f"ID={name}\n")
    for name in ("a.conf", "sub/b.conf", "sub/c"):
        (tree / "usr/etc" / name).parent.mkdir(exist_ok=True)
        (tree / "usr/etc" / name).write_text(name)
    (tree / "usr/etc/link").symlink_to("a.conf")
    words = ["-b", "os", "--timestamp=@1", f"--tree=dir={tree}"]
    made.reference("commit", f"--repo={made.source}", *words)
    made.both("os-init", "os")
    for side in SIDES:
        repo = f"--repo={made.base / side}/ostree/repo"
        made.reference("pull-local", repo, str(made.source), "os")
        var = made.base / side / "ostree/deploy/os/var"
        # 2022.7 makes it (§1.4).
        (var / "log").mkdir(exist_ok=True)
        for name in ("log/a", "plain", "labelled"):
            (var / name).touch()
        os.setxattr(var / "labelled", "security.selinux", b"old_t")
    return made


def labels(top: Path, *, only_files: bool) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for directory, below, names in os.walk(top):
        for name in [*below, *names]:
            path = os.path.join(directory, name)
            if only_files and not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            try:
                value = os.getxattr(path, "security.selinux", follow_symlinks=False)
            except OSError:
                value = None
            # Its NUL is there or not depending on the call; a kernel with SELinux does not mind.
            found[os.path.relpath(path, top)] = value and value.removesuffix(b"\0")
    return found


def test_a_deployment(world: AdminWorld) -> None:
    world.both("deploy", "--os=os", "os")

    path = world.deployments()[0]
    ours, theirs = (world.base / side for side in SIDES)
    assert labels(ours / path, only_files=True) == labels(theirs / path, only_files=True)
    mine = labels(ours / "ostree/deploy/os/var", only_files=False)
    yours = labels(theirs / "ostree/deploy/os/var", only_files=False)
    assert {name: mine[name] for name in yours.keys() & mine.keys()} == {
        name: yours[name] for name in yours.keys() & mine.keys()
    }
    assert mine["log/a"] == b"log_t"


def test_labelling_a_deployment(world: AdminWorld) -> None:
    """The same labels and messages, but for what the reference could not label when deploying."""
    world.both("deploy", "--os=os", "--no-merge", "os")
    path = world.deployments()[0]
    command = ("instutil", "selinux-ensure-labeled")

    lines = []
    for side, run in zip(SIDES, (world.run_ours, world.run_theirs), strict=True):
        outcome = run(("admin", *command, f"--sysroot={SIDE}"))
        assert outcome.status == 0, outcome
        lines.append({line for line in outcome.out.splitlines() if "(as '//etc" not in line})
        again = run(("admin", *command, f"--sysroot={SIDE}"))
        assert again.out == "Relabeling using policy 'small'\n", side
    ours, theirs = (labels(world.base / side / path, only_files=False) for side in SIDES)

    assert lines[0] == lines[1]
    assert len(lines[0]) > 10
    assert ours == theirs


def test_labelling_a_directory(world: AdminWorld) -> None:
    world.both("deploy", "--os=os", "--no-merge", "os")
    for side in SIDES:
        var = world.base / side / "ostree/deploy/os/var"
        os.setxattr(var / "plain", "security.selinux", b"wrong_t")
        os.removexattr(var / "log/a", "security.selinux")

    outcome = world.both(
        "instutil selinux-ensure-labeled", f"{SIDE}/ostree/deploy/os/var", "/var", sort=True
    )

    assert re.search(r"Set label of '.*/log/a' \(as '//var/log/a'\) to 'log_t'", outcome.out)


def test_without_policy_nothing_is_labelled(world: AdminWorld, tmp_path: Path) -> None:
    config = tmp_path / "tree/usr/etc/selinux/config"
    config.write_text("SELINUX=disabled\n")
    words = ["-b", "os", "--timestamp=@2", f"--tree=dir={tmp_path / 'tree'}"]
    for side in SIDES:
        world.reference("commit", f"--repo={world.base / side}/ostree/repo", *words)
    world.both("deploy", "--os=os", "os")

    outcome = world.both("instutil selinux-ensure-labeled")

    assert outcome.out.startswith("No SELinux policy found in deployment '")
