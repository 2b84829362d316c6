"""What ``ostree commit`` puts together: trees over each other, changes, links, what it consumes."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed
from support.policies import make_policy
from support.vectors import IS_ROOT

if TYPE_CHECKING:
    from pathlib import Path


def listing(repo: Path, rev: str) -> list[str]:
    """The paths of a commit."""
    return succeed("ls", "-R", "--nul-filenames-only", f"--repo={repo}", rev).split("\0")[:-1]


def modes(repo: Path, rev: str) -> dict[str, str]:
    """Type and permissions by path."""
    lines = succeed("ls", "-R", f"--repo={repo}", rev).splitlines()
    return {line.split()[4]: line.split()[0] for line in lines}


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    """A second tree: a file more, and another version of one."""
    upper = tmp_path / "upper"
    (upper / "sub").mkdir(parents=True)
    (upper / "sub/new").write_text("new\n")
    (upper / "hello.txt").write_text("other\n")
    upper.chmod(0o700)
    (upper / "sub").chmod(0o755)
    return upper


# several trees ----------------------------------------------------------------------------------


def test_later_trees_lie_over_earlier_ones(repo: Path, tree: Path, upper: Path) -> None:
    trees = (f"--tree=dir={tree}", f"--tree=dir={upper}")
    succeed("commit", f"--repo={repo}", "-b", "x", *trees)

    assert set(listing(repo, "x")) == {*listing(repo, "main"), "/sub/new"}
    assert succeed("cat", f"--repo={repo}", "x", "/hello.txt") == "other\n"
    assert modes(repo, "x")["/"] == "d00700"


def test_a_commit_can_be_a_tree(repo: Path, upper: Path) -> None:
    succeed("commit", f"--repo={repo}", "-b", "x", f"--tree=dir={upper}", "--tree=ref=main")

    assert set(listing(repo, "x")) == {*listing(repo, "main"), "/sub/new"}
    assert succeed("cat", f"--repo={repo}", "x", "/hello.txt") == "hello\n"


def test_a_base_is_taken_as_it_is(repo: Path, tree: Path, upper: Path) -> None:
    """Changes apply to trees, not to the base."""
    (tree / "hello.txt").chmod(0o777)
    succeed("commit", f"--repo={repo}", "-b", "odd", tree)
    common = ("--canonical-permissions", "-b", "x", f"--tree=dir={upper}")

    succeed("commit", f"--repo={repo}", "--base=odd", *common[:-1], f"--tree=dir={upper}/sub")

    assert modes(repo, "x")["/hello.txt"] == "-00777"
    assert modes(repo, "x")["/new"] == "-00644"


def test_a_file_and_a_directory_cannot_meet(repo: Path, upper: Path) -> None:
    (upper / "bin").write_text("no directory")

    over = fail("commit", f"--repo={repo}", "-b", "x", "--base=main", f"--tree=dir={upper}")
    under = fail("commit", f"--repo={repo}", "-b", "x", f"--tree=dir={upper}", "--tree=ref=main")

    assert over == "error: Can't replace directory with file: bin"
    assert under == "error: Can't replace file with directory: bin"


def test_trees_can_land_below_a_prefix(repo: Path, tree: Path, upper: Path) -> None:
    """Prefixes do not add up; what is on the way is 0755, the tree's root keeps its own mode."""
    succeed(
        "commit",
        f"--repo={repo}",
        "-b",
        "x",
        "--tree=prefix=usr/share/",
        f"--tree=dir={upper}",
        "--tree=prefix=/opt",
        "--tree=ref=main",
        "--tree=prefix=/",
        f"--tree=dir={tree}/sub",
    )

    found = modes(repo, "x")
    assert found["/usr"] == "d00755"
    assert found["/usr/share"] == "d00700"
    assert {"/usr/share/sub/new", "/opt/bin/run.sh", "/deep", "/up"} <= set(found)
    assert "/hello.txt" not in found


def test_below_prefixes_alone_there_is_a_root_too(repo: Path, upper: Path) -> None:
    words = ("--tree=prefix=/a/b", f"--tree=dir={upper}", "--owner-uid=7")

    succeed("commit", f"--repo={repo}", "-b", "x", *words)

    lines = succeed("ls", f"--repo={repo}", "x").splitlines()
    assert lines == ["d00755 0 0      0 /", "d00755 0 0      0 /a"]
    assert modes(repo, "x")["/a/b"] == "d00700"


def test_rules_name_paths_in_the_commit(repo: Path, upper: Path, tmp_path: Path) -> None:
    (tmp_path / "skip").write_text("/usr/sub\n/usr/bin\n")
    (tmp_path / "modes").write_text("=448 /usr/hello.txt\n")
    rules = (f"--skip-list={tmp_path}/skip", f"--statoverride={tmp_path}/modes")
    trees = ("--tree=prefix=/usr", f"--tree=dir={upper}", "--tree=ref=main")

    succeed("commit", f"--repo={repo}", "-b", "x", *rules, *trees)

    found = modes(repo, "x")
    assert "/usr/sub/new" not in found
    assert "/usr/sub/deep" in found  # the second tree's: each entry of a list counts once
    assert "/usr/bin/run.sh" not in found
    assert found["/usr/hello.txt"] == "-00700"


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("a/../b", "Invalid path uplink filename '..'"),
        ("./a", "Invalid self-referential filename '.'"),
        ("hello.txt/x", "Can't replace file with directory: hello.txt"),
    ],
)
def test_a_prefix_that_cannot_be_is_refused(
    repo: Path, tree: Path, prefix: str, message: str
) -> None:
    words = ("--base=main", f"--tree=prefix={prefix}", f"--tree=dir={tree}")

    assert fail("commit", f"--repo={repo}", "-b", "x", *words) == f"error: {message}"


# rules for paths --------------------------------------------------------------------------------


def test_paths_that_are_not_there_are_named(repo: Path, tree: Path, tmp_path: Path) -> None:
    """In the order of the reference's table; modes that replace are not missed."""
    (tmp_path / "modes").write_text("1 /a\n1 /b\n1 /hello.txt\n1 /c\n=1 /d\n")
    (tmp_path / "skip").write_text("/e\n/link\n")
    modes = f"--statoverride={tmp_path}/modes"
    skip = f"--skip-list={tmp_path}/skip"

    both = ostree("commit", f"--repo={repo}", "-b", "x", modes, skip, tree)
    skips = ostree("commit", f"--repo={repo}", "-b", "x", skip, tree)

    assert both.err == (
        "Unmatched statoverride path: /a\n"
        "Unmatched statoverride path: /c\n"
        "Unmatched statoverride path: /b\n"
        "error: Unmatched statoverride paths\n"
    )
    assert skips.err == "Unmatched skip-list path: /e\nerror: Unmatched skip-list paths\n"
    assert succeed("refs", f"--repo={repo}") == "main\n"


@pytest.mark.parametrize("option", ["statoverride", "skip-list"])
@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "openat({path}): No such file or directory"), (b"1 /\xff", "Invalid UTF-8")],
)
def test_a_list_that_cannot_be_read_is_an_error(
    repo: Path, tree: Path, tmp_path: Path, option: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / "list"
    if content is not None:
        path.write_bytes(content)

    assert fail("commit", f"--repo={repo}", "-b", "x", f"--{option}={path}", tree) == (
        f"error: {message.format(path=path)}"
    )


def test_nothing_is_left_if_the_root_is_skipped(repo: Path, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "skip").write_text("/\n")

    message = fail("commit", f"--repo={repo}", "-b", "x", f"--skip-list={tmp_path}/skip", tree)

    assert message == "error: Can't commit an empty tree"


@pytest.mark.parametrize("mode", ["bare-user", "archive"])
def test_a_mode_that_no_file_has_is_refused(tree: Path, tmp_path: Path, mode: str) -> None:
    """The reference stores it where the repository does not notice."""
    (tmp_path / "modes").write_text("65536 /hello.txt\n")
    succeed("init", f"--repo={tmp_path}/r", f"--mode={mode}")
    rules = f"--statoverride={tmp_path}/modes"

    message = fail("commit", f"--repo={tmp_path}/r", "-b", "x", rules, tree)

    assert message == "error: Corrupted archive file; invalid mode 98724"


# labels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("epoch", "label"), [("0", "usr_t"), ("1", "etc_t")])
def test_files_are_labelled(repo: Path, tree: Path, tmp_path: Path, epoch: str, label: str) -> None:
    """In epoch 1 ``/usr/etc`` has the labels of ``/etc``."""
    make_policy(tmp_path / "policy")
    (tree / "usr/etc").mkdir(parents=True)
    (tree / "usr/etc/passwd").write_text("root")
    words = (f"--selinux-policy={tmp_path}/policy", f"--selinux-labeling-epoch={epoch}")

    succeed("commit", f"--repo={repo}", "-b", "x", *words, tree)

    shown = succeed("ls", f"--repo={repo}", "-X", "x", "/usr/etc/passwd", "/hello.txt")
    assert f"(b'security.selinux', b'system_u:object_r:{label}:s0')" in shown.splitlines()[0]
    assert "object_r:default_t:s0" in shown.splitlines()[1]


def test_what_is_made_for_a_prefix_is_labelled(repo: Path, tree: Path, tmp_path: Path) -> None:
    make_policy(tmp_path / "policy")
    words = (f"--selinux-policy={tmp_path}/policy", "--tree=prefix=/usr/bin", f"--tree=dir={tree}")

    succeed("commit", f"--repo={repo}", "-b", "x", *words)

    shown = succeed("ls", f"--repo={repo}", "-dX", "x", "/", "/usr").splitlines()
    assert ["default_t" in shown[0], "usr_t" in shown[1]] == [True, True]


def test_a_policy_may_come_from_the_first_tree(repo: Path, tree: Path, tmp_path: Path) -> None:
    make_policy(tmp_path / "system", etc="usr/etc")
    succeed("commit", f"--repo={repo}", "-b", "system", tmp_path / "system")

    for number, source in enumerate(
        (f"--tree=dir={tmp_path}/system", "--tree=ref=system", "--base=system")
    ):
        branch = f"b{number}"
        succeed("commit", f"--repo={repo}", "-b", branch, "-P", source, f"--tree=dir={tree}")
        shown = succeed("ls", f"--repo={repo}", "-X", branch, "/hello.txt")
        assert "object_r:default_t:s0" in shown

    assert not [name for name in os.listdir(repo / "tmp") if name.startswith("selinux")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["-P", "--selinux-policy=/"],
            "Cannot specify both --selinux-policy and --selinux-policy-from-base",
        ),
        (["-P", "--tree=tar=x"], "Cannot use --selinux-policy-from-base with tar"),
        (["--selinux-labeling-epoch=2"], "Unknown SELinux labeling epoch: 2"),
        (["--selinux-policy=/nowhere"], "opendir(/nowhere): No such file or directory"),
    ],
)
def test_what_cannot_be_labelled_is_refused(
    repo: Path, tree: Path, words: list[str], message: str
) -> None:
    assert fail("commit", f"--repo={repo}", "-b", "x", *words, tree) == f"error: {message}"


# links and what is consumed ---------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--link-checkout-speedup", "-I"])
def test_links_to_objects_are_not_read(tree: Path, tmp_path: Path, option: str) -> None:
    """They are counted as hits, and need not even be readable."""
    repo, out = tmp_path / "r", tmp_path / "out"
    succeed("init", f"--repo={repo}", "--mode=bare-user")
    succeed("commit", f"--repo={repo}", "-b", "x", tree)
    succeed("checkout", f"--repo={repo}", "-U", "x", out)
    (out / "sub/new").write_text("new\n")
    words = ("-b", "x", "--table-output", option, f"--tree=dir={out}")

    table = succeed("commit", f"--repo={repo}", *words).splitlines()

    assert "Content Cache Hits: 2" in table
    assert "Content Total: 4" in table  # three links, which were made anew, and the new file
    assert set(listing(repo, "x")) == {*listing(repo, "x^"), "/sub/new"}


def test_changes_spare_links_only_if_they_are_trusted(tree: Path, tmp_path: Path) -> None:
    repo, out = tmp_path / "r", tmp_path / "out"
    succeed("init", f"--repo={repo}", "--mode=bare-user")
    succeed("commit", f"--repo={repo}", "-b", "x", tree)
    succeed("checkout", f"--repo={repo}", "-U", "x", out)
    common = ("--owner-uid=7", f"--tree=dir={out}")

    succeed("commit", f"--repo={repo}", "-b", "compared", "--link-checkout-speedup", *common)
    succeed("commit", f"--repo={repo}", "-b", "trusted", "-I", *common)

    owners = [
        succeed("ls", f"--repo={repo}", branch, "/hello.txt").split()[1]
        for branch in ("compared", "trusted")
    ]
    assert owners == ["7", str(os.geteuid())]


@pytest.mark.parametrize("mode", ["bare", "bare-user-only"])
def test_consumed_files_become_objects(tree: Path, tmp_path: Path, mode: str) -> None:
    repo = tmp_path / "r"
    succeed("init", f"--repo={repo}", f"--mode={mode}")
    inode = (tree / "hello.txt").stat().st_ino

    succeed("commit", f"--repo={repo}", "-b", "x", "--consume", f"--tree=dir={tree}")

    assert not tree.exists()
    objects = {
        path.stat().st_ino: path.lstat()
        for path in repo.glob("objects/*/*.file")
        if not path.is_symlink()
    }
    assert (objects[inode].st_nlink, objects[inode].st_mtime) == (1, 0)
    assert succeed("cat", f"--repo={repo}", "x", "/hello.txt") == "hello\n"
    succeed("fsck", f"--repo={repo}", "-q")


def test_what_is_consumed_stays_if_the_commit_fails(tree: Path, tmp_path: Path) -> None:
    repo = tmp_path / "r"
    succeed("init", f"--repo={repo}", "--mode=bare-user-only")
    words = ("-b", "x", "--consume", f"--tree=dir={tree}")

    message = fail("commit", f"--repo={repo}", "--timestamp=never", *words)

    assert message == "error: Could not parse 'never'"
    assert (tree / "hello.txt").read_text() == "hello\n"
    succeed("commit", f"--repo={repo}", *words)
    assert not tree.exists()


def test_the_current_directory_is_emptied(
    repo: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)

    succeed("commit", f"--repo={repo}", "-b", "x", "--consume")

    assert os.listdir(tree) == []


@pytest.mark.skipif(not IS_ROOT, reason="keeping other owners takes root")
def test_changed_files_are_copied(tree: Path, tmp_path: Path) -> None:
    """An owner that is set makes another object of a file; its own inode is not touched."""
    repo, kept = tmp_path / "r", tmp_path / "kept"
    succeed("init", f"--repo={repo}", "--mode=bare")
    os.link(tree / "hello.txt", kept)

    succeed(
        "commit", f"--repo={repo}", "-b", "x", "--consume", "--owner-uid=7", f"--tree=dir={tree}"
    )

    assert not tree.exists()
    assert (kept.stat().st_uid, kept.stat().st_nlink) == (0, 1)


# archives ---------------------------------------------------------------------------------------


@pytest.fixture
def archive(tree: Path, tmp_path: Path) -> Path:
    """A tar archive of the tree."""
    pytest.importorskip("libarchive", reason="libarchive-c is not installed")
    with tarfile.open(tmp_path / "tree.tar", "w") as tar:
        tar.add(tree, ".")
    return tmp_path / "tree.tar"


def test_an_archive_can_be_a_tree(repo: Path, archive: Path, upper: Path) -> None:
    words = (f"--tree=tar={archive}", "--tree=prefix=/opt", f"--tree=tar={archive}")

    succeed("commit", f"--repo={repo}", "-b", "x", f"--tree=dir={upper}", *words)

    assert {"/sub/new", "/opt/sub/deep", "/bin/run.sh"} <= set(listing(repo, "x"))
    assert succeed("cat", f"--repo={repo}", "x", "/hello.txt") == "hello\n"


def test_paths_in_an_archive_can_be_rewritten(repo: Path, archive: Path) -> None:
    words = ("--tar-autocreate-parents", "--tar-pathname-filter=^bin,usr/bin")

    succeed("commit", f"--repo={repo}", "-b", "x", *words, f"--tree=tar={archive}")

    assert "/usr/bin/run.sh" in listing(repo, "x")
    assert "/bin" not in listing(repo, "x")


def test_an_archive_that_is_not_there_is_named(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("libarchive", reason="libarchive-c is not installed")
    monkeypatch.chdir(tmp_path)

    message = fail("commit", f"--repo={repo}", "-b", "x", "--tree=tar=nowhere")
    pattern = fail("commit", f"--repo={repo}", "-b", "x", "--tar-pathname-filter=x", "--tree=tar=n")

    path = f"{tmp_path}/nowhere"
    assert message == f"error: archive_read_open_filename: Failed to open '{path}'"
    assert pattern == "error: Missing ',' in --tar-pathname-filter"
