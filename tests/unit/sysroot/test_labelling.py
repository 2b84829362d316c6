"""SELinux labels of deployments, where their tree has a policy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.sysroot.labelling import read_policy, relabel_tree
from ostree.system.selinux import Policy
from support.policies import CONFIG, make_policy

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="labels are root's"),
]

CONTEXTS = (
    "/.*\tdefault_t\n"
    "/\t-d\troot_t\n"
    "/etc(/.*)?\tetc_t\n"
    "/usr/etc(/.*)?\tdefault_etc_t\n"
    "/etc/a\ta_t\n"
    "/etc/nolabel\t<<none>>\n"
    "/etc/ostree/remotes.d/.*\torigin_t\n"
    "/var(/.*)?\tvar_t\n"
    "/var/link\t-l\tlink_t\n"
)


def label(path: Path) -> str | None:
    try:
        value = os.getxattr(path, "security.selinux", follow_symlinks=False)
    except OSError:
        return None
    return value.removesuffix(b"\0").decode()


def add_policy(lab: Lab, *, config: str = CONFIG) -> None:
    make_policy(lab.tree, etc="usr/etc", contexts=CONTEXTS, config=config)
    lab.write("usr/etc/nolabel", "")


def deploy(lab: Lab) -> Path:
    with lab.open() as sysroot:
        return Path(sysroot.deployment_path(sysroot.deploy("stable", stateroot="os")))


def test_the_private_etc_is_labelled_as_etc(lab: Lab) -> None:
    add_policy(lab)
    (lab.tree / "usr/etc/link").symlink_to("a")
    lab.commit()

    root = deploy(lab)

    assert label(root / "etc") == "etc_t"
    assert label(root / "etc/a") == "a_t"
    assert label(root / "etc/sub") == "etc_t"
    assert label(root / "etc/link") == "etc_t"
    assert label(root / "etc/nolabel") is None
    assert label(root / "usr/etc/a") is None, "hard links to objects have the labels of the commit"
    assert label(Path(f"{root}.origin")) == "origin_t"
    backing = lab.root / f"ostree/deploy/os/backing/{root.name}/root-transient"
    assert label(backing / "upper") == "root_t"
    assert label(backing / "work") is None


def test_var_is_labelled_once(lab: Lab) -> None:
    add_policy(lab)
    lab.commit()
    var = lab.root / "ostree/deploy/os/var"
    (var / "lib").mkdir()
    (var / "lib/file").touch()
    os.setxattr(var / "lib/file", "security.selinux", b"old_t")
    (var / "link").symlink_to("nowhere")

    deploy(lab)
    labels = [label(var / name) for name in (".", "lib", "lib/file", "link")]
    (var / "later").touch()
    deploy(lab)

    assert labels == ["var_t", "var_t", "var_t", "link_t"]
    assert label(var / "later") is None
    assert [line for line in lab.lines if line.startswith("Relabeling")] == [
        "Relabeling /var (no stamp file 'var/.ostree-selabeled' found)"
    ]


def test_a_seeded_var_is_labelled(lab: Lab) -> None:
    add_policy(lab)
    lab.write("var/lib/data", "template")
    lab.commit()

    deploy(lab)

    assert label(lab.root / "ostree/deploy/os/var/lib/data") == "var_t"


def test_a_disabled_policy_labels_nothing(lab: Lab) -> None:
    add_policy(lab, config="SELINUX=disabled\nSELINUXTYPE=small\n")
    lab.commit()

    root = deploy(lab)

    assert label(root / "etc/a") is None
    assert label(Path(f"{root}.origin")) is None


def test_a_policy_that_cannot_be_used_stops_the_deployment(lab: Lab) -> None:
    add_policy(lab)
    (lab.tree / "usr/etc/selinux/small/policy/policy.33").unlink()
    (lab.tree / "usr/etc/selinux/small/policy/other").touch()
    lab.commit()

    with pytest.raises(OSTreeError) as caught:
        deploy(lab)

    assert str(caught.value) == (
        "Deploying tree: Initializing deployment: Preparing /etc: "
        "While calculating SELinux checksum: Could not find binary policy file"
    )
    assert lab.names() == []


def test_only_what_lacks_its_label_is_changed(tmp_path: Path) -> None:
    """Deeper than a path may be long, and no link is followed."""
    make_policy(tmp_path / "policy", contexts="/.*\tany_t\n/top/here\t<<none>>\n")
    policy = Policy.open(tmp_path / "policy")
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True)
    (top / "here").touch()
    (tmp_path / "outside").touch()
    (top / "sub/out").symlink_to(tmp_path / "outside")
    os.setxattr(top / "sub", "security.selinux", b"any_t")
    fd = os.open(top, os.O_RDONLY)
    deep = os.dup(fd)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=deep)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    changed: list[tuple[str, str, str]] = []

    assert policy is not None
    relabel_tree(policy, fd, "/top", keep=False, on_label=lambda *it: changed.append(it))
    again: list[object] = []
    relabel_tree(policy, fd, "/top", keep=False, on_label=lambda *it: again.append(it))
    deepest = os.getxattr(deep, "security.selinux")
    os.close(deep)
    os.close(fd)

    assert changed[0] == ("", "/top", "any_t")
    assert ("/sub/out", "/top/sub/out", "any_t") in changed
    assert len(changed) == 32
    assert again == []
    assert label(tmp_path / "outside") is None
    assert label(top / "here") is None
    assert deepest == b"any_t\0"


def test_a_label_may_be_kept(tmp_path: Path) -> None:
    make_policy(tmp_path / "policy", contexts="/.*\tany_t\n")
    policy = Policy.open(tmp_path / "policy")
    top = tmp_path / "top"
    top.mkdir()
    for name in ("labelled", "plain"):
        (top / name).touch()
    os.setxattr(top / "labelled", "security.selinux", b"old_t")
    fd = os.open(top, os.O_RDONLY)

    assert policy is not None
    relabel_tree(policy, fd, "/", keep=True)
    os.close(fd)

    assert (label(top / "labelled"), label(top / "plain")) == ("old_t", "any_t")


def test_no_policy_is_no_policy(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert read_policy(fd) is None
    finally:
        os.close(fd)
