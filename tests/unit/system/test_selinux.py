"""Labels of an SELinux policy in a directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.system.selinux import Policy, configured_name
from support.policies import CONFIG, CONTEXTS, make_policy

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY, REGULAR, LINK = 0o040755, 0o100644, 0o120777


def opened(top: Path) -> Policy:
    policy = Policy.open(top)
    assert policy is not None
    return policy


@pytest.mark.parametrize("etc", ["etc", "usr/etc"])
def test_labels_follow_path_and_type(tmp_path: Path, etc: str) -> None:
    make_policy(tmp_path, etc=etc)

    policy = opened(tmp_path)

    assert policy.name == "small"
    assert policy.label("/", DIRECTORY) == b"system_u:object_r:default_t:s0\0"
    assert policy.label("/usr/bin/ls", REGULAR) == b"system_u:object_r:bin_t:s0\0"
    assert policy.label("/usr/bin/ls", LINK) == b"system_u:object_r:usr_t:s0\0"
    assert policy.label("/usr/bin", DIRECTORY) == b"system_u:object_r:usr_t:s0\0"
    assert policy.label("/etc/ü", REGULAR) == b"system_u:object_r:etc_t:s0\0"
    assert policy.label("/nolabel", REGULAR) is None


def test_substitutions_and_local_rules_count(tmp_path: Path) -> None:
    files = make_policy(tmp_path) / "contexts" / "files"
    (files / "file_contexts.subs_dist").write_text("/opt /usr\n")
    (files / "file_contexts.local").write_text("/usr/bin/ls\t--\ta:b:c\n")

    policy = opened(tmp_path)

    assert policy.label("/opt/x", REGULAR) == b"system_u:object_r:usr_t:s0\0"
    assert policy.label("/usr/bin/ls", REGULAR) == b"a:b:c\0"


def test_policies_do_not_mix(tmp_path: Path) -> None:
    """Several can be open; none becomes the policy of the process."""
    make_policy(tmp_path / "one")
    make_policy(tmp_path / "two", contexts="/.*\tx:y:z\n")

    one = opened(tmp_path / "one")
    two = opened(tmp_path / "two")

    assert two.label("/etc", DIRECTORY) == b"x:y:z\0"
    assert one.label("/etc", DIRECTORY) == b"system_u:object_r:etc_t:s0\0"


@pytest.mark.parametrize(
    "config",
    [
        "SELINUX=disabled\nSELINUXTYPE=small\n",
        "SELINUXTYPE=small\n",
        "#SELINUX=enforcing\nSELINUXTYPE=small\n",
        "SELINUX=\nSELINUXTYPE=small\n",
        "",
    ],
)
def test_what_is_not_enabled_gives_no_labels(tmp_path: Path, config: str) -> None:
    make_policy(tmp_path, config=config)

    assert Policy.open(tmp_path) is None


def test_a_tree_without_policy_gives_no_labels(tmp_path: Path) -> None:
    empty = Policy.open(tmp_path)
    make_policy(tmp_path, etc="usr/etc")
    (tmp_path / "etc" / "selinux").mkdir(parents=True)
    unconfigured = Policy.open(tmp_path)

    assert empty is None
    assert unconfigured is None, "etc counts before usr/etc"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CONFIG, "small"),
        ("SELINUX=Permissive\r\nSELINUXTYPE=a\r\n", "a"),
        ("SELINUX=enforcing or so\nSELINUXTYPE=a\nSELINUXTYPE=b", "b"),
        ("SELINUX=enforcing\n SELINUXTYPE=a\n", ""),
        (" SELINUX=enforcing\nSELINUXTYPE=a\n", None),
    ],
)
def test_the_configuration_names_the_policy(text: str, name: str | None) -> None:
    assert configured_name(text) == name


def test_a_missing_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSTreeError) as caught:
        Policy.open(tmp_path / "nowhere")

    assert str(caught.value) == f"opendir({tmp_path}/nowhere): No such file or directory"


@pytest.mark.parametrize("name", ["", "../elsewhere", "a/b"])
def test_a_type_is_a_name(tmp_path: Path, name: str) -> None:
    make_policy(tmp_path, config=f"SELINUX=enforcing\nSELINUXTYPE={name}\n")

    with pytest.raises(OSTreeError, match=r"^Invalid SELINUXTYPE"):
        Policy.open(tmp_path)


def test_a_policy_without_rules_is_refused(tmp_path: Path) -> None:
    root = make_policy(tmp_path)
    os.unlink(root / "contexts" / "files" / "file_contexts")

    with pytest.raises(OSTreeError) as caught:
        Policy.open(tmp_path)

    assert str(caught.value) == (
        f"With policy root '{root}': selabel_open(SELABEL_CTX_FILE): No such file or directory"
    )


def test_a_policy_that_does_not_know_the_root_is_refused(tmp_path: Path) -> None:
    root = make_policy(tmp_path, contexts=CONTEXTS.partition("\n")[2])

    with pytest.raises(OSTreeError) as caught:
        Policy.open(tmp_path)

    assert str(caught.value) == (
        f"With policy root '{root}': Failed to look up context of /: No such file or directory"
    )


def test_a_policy_without_its_binary_is_refused(tmp_path: Path) -> None:
    root = make_policy(tmp_path)
    os.unlink(root / "policy" / "policy.33")

    with pytest.raises(OSTreeError) as caught:
        Policy.open(tmp_path)

    assert str(caught.value) == (
        "While calculating SELinux checksum: Could not find binary policy file"
    )


def test_a_rule_that_is_no_expression_is_an_error_not_a_missing_label(tmp_path: Path) -> None:
    make_policy(tmp_path, contexts=CONTEXTS + "/usr/bin/(ls\tx:y:z\n")

    policy = opened(tmp_path)

    with pytest.raises(OSTreeError, match=r"^selabel_lookup: /usr/bin"):
        policy.label("/usr/bin/ls", REGULAR)
