"""Checkouts compared with the reference: random trees, modes, options, existing destinations."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cli.running import ostree, succeed
from support.policies import make_policy
from support.trees import IS_ROOT, Node, layers, materialize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Oracle

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(not IS_ROOT, reason="owners, attributes and devices need root"),
]

SPLIT = "bare-split-xattrs"
MODES = ["bare", "archive", "bare-user", "bare-user-only", SPLIT]
EXAMPLES = int(os.environ.get("PYOSTREE_RANDOM_TREES", "25"))
_TEMPORARY = re.compile(r"(checkout-union-|\./tmp\.)\w+")

CHECKS = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

#: What can be asked for in one command, each with what it rules out.
FLAGS = ["-U", "-C", "-H", "-M", "-z", "--disable-cache", "--whiteouts", "--allow-noent"]
UNIONS = [[], ["--union"], ["--union-add"], ["--union-identical", "-H"]]

flags = st.lists(st.sampled_from(FLAGS), max_size=3, unique=True)
unions = st.sampled_from(UNIONS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, oracle: Oracle) -> Iterator[Path]:
    """A directory with a repository of each mode."""
    base = tmp_path_factory.mktemp("checkout")
    for mode in MODES:
        oracle("init", f"--repo={base / mode}", f"--mode={mode}")
        oracle(f"--repo={base / mode}", "config", "set", "core.fsync", "false")
    yield base
    shutil.rmtree(base)


def commit(oracle: Oracle, repo: Path, tree: Path, branch: str = "main") -> str:
    """Commit a tree as the reference; what it cannot write comes from another repository."""
    target = repo.with_name("bare") if repo.name == SPLIT else repo
    result = oracle(
        f"--repo={target}", "commit", "-b", branch, "--parent=none", f"--tree=dir={tree}"
    )
    if repo.name == SPLIT:
        environ = {"OSTREE_EXP_WRITE_BARE_SPLIT_XATTRS": "1"}
        succeed("pull-local", f"--repo={repo}", target, branch, environ=environ)
    return result.stdout.strip()


def snapshot(
    root: Path, inodes: dict[int, str], *, link_owners: bool, all_labels: bool
) -> dict[str, object]:
    """Everything about a destination that a checkout decides.

    Times are 0 or not; a hard link is known by the object that has the inode.
    """
    found: dict[str, object] = {}
    if not root.exists():
        return found
    for directory, subdirectories, names in os.walk(root):
        here = [*subdirectories, *names]
        for path in [directory] * (directory == str(root)) + [f"{directory}/{n}" for n in here]:
            info = os.lstat(path)
            body: object = None
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    body = file.read()
            elif stat.S_ISLNK(info.st_mode):
                body = os.readlink(path)
            attributes = {
                name: os.getxattr(path, name, follow_symlinks=False)
                for name in os.listxattr(path, follow_symlinks=False)
                if all_labels or stat.S_ISREG(info.st_mode) or name != "security.selinux"
            }
            owner = (info.st_uid, info.st_gid)
            found[os.path.relpath(path, root)] = (
                oct(info.st_mode),
                owner if link_owners or not stat.S_ISLNK(info.st_mode) else (),
                info.st_rdev,
                attributes,
                body,
                stat.S_ISLNK(info.st_mode) or info.st_mtime_ns == 0,
                inodes.get(info.st_ino),
            )
    return found


def inodes_of(repo: Path) -> dict[int, str]:
    """The objects, and what is kept decompressed, by inode."""
    found = {}
    for top in ("objects", "uncompressed-objects-cache"):
        for path in (repo / top).glob("*/*"):
            found[path.lstat().st_ino] = str(path.relative_to(repo))
    return found


def cache_of(repo: Path) -> dict[str, object]:
    """What is in the cache of decompressed content, and how."""
    return {
        str(path.relative_to(repo)): (oct(path.lstat().st_mode), path.read_bytes())
        for path in (repo / "uncompressed-objects-cache").glob("*/*")
    }


def words(text: str) -> str:
    """Messages without what is random in them, and without our hints."""
    lines = [line for line in text.splitlines() if not line.startswith("hint: ")]
    return _TEMPORARY.sub(r"\1XXXXXX", "\n".join(lines))


class Pair:
    """Runs one checkout here and as the reference, each into a destination of its own."""

    def __init__(self, place: Path, oracle: Oracle, repo: Path) -> None:
        self._oracle = oracle
        self._place = place
        self.repo = repo
        self.prepare: Callable[[Path], None] = lambda _: None
        self.parent: Path | None = None
        self.all_labels = True

    def check(self, *argv: str) -> None:
        """Both have to do and say the same."""
        outcomes = []
        for run in (self._ours, self._theirs):
            out = self._place / "out"
            shutil.rmtree(self.repo / "uncompressed-objects-cache", ignore_errors=True)
            self.prepare(out)
            try:
                status, message = run(f"--repo={self.repo}", "checkout", *argv)
                # How far a failure came depends on the order of things.
                state = None if status else self._state(out, argv)
                outcomes.append((status, message, state))
            finally:
                remove(out)
        assert outcomes[0] == outcomes[1]

    def _state(self, out: Path, argv: tuple[str, ...]) -> tuple[object, ...]:
        inodes = inodes_of(self.repo)
        if self.parent is not None:
            inodes.update(inodes_of(self.parent))
        # The reference forgets the owner of a link that it puts in the place of another.
        link_owners = "--union" not in argv
        return (
            snapshot(out, inodes, link_owners=link_owners, all_labels=self.all_labels),
            cache_of(self.repo),
        )

    def _ours(self, *argv: str) -> tuple[int, str]:
        result = ostree(*argv)
        assert result.out == ""
        return result.status, words(result.err)

    def _theirs(self, *argv: str) -> tuple[int, str]:
        result = self._oracle(*argv, check=False)
        assert result.returncode in (0, 1), result.stderr
        return result.returncode, words(result.stderr)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def directories(node: Node, path: str = "") -> Iterator[str]:
    """The paths of all directories below a node."""
    for name, child in node.children:
        if child.kind == "dir":
            yield f"{path}/{name}"
            yield from directories(child, f"{path}/{name}")


def files(node: Node, path: str = "") -> Iterator[str]:
    """The paths of everything else."""
    for name, child in node.children:
        if child.kind == "dir":
            yield from files(child, f"{path}/{name}")
        else:
            yield f"{path}/{name}"


# new destinations -------------------------------------------------------------------------------


@CHECKS
@given(tree=layers, mode=st.sampled_from(MODES), flags=flags, union=unions, data=st.data())
def test_a_new_destination(
    place: Path,
    oracle: Oracle,
    tree: Node,
    mode: str,
    flags: list[str],
    union: list[str],
    data: st.DataObject,
) -> None:
    """Contents, owners, modes, attributes, times and hard links; or the same error."""
    repo, pair = place / mode, Pair(place, oracle, place / mode)
    part = data.draw(st.sampled_from(["/", *directories(tree), *files(tree), "/nope", "/a/b"]))
    try:
        materialize(tree, place / "tree")
        commit(oracle, repo, place / "tree")

        pair.check(*flags, *union, f"--subpath={part}", "main", str(place / "out"))
    finally:
        remove(place / "tree")


def mistakes_copies(tree: Node, mode: str, flags: list[str], union: list[str]) -> bool:
    """Whether the reference takes its own copies, which are not like the objects, for something else."""
    if "--union-identical" not in union or ("-U" not in flags and mode != "bare-user-only"):
        return False
    return any(is_copied_otherwise(child) for _, child in tree.children)


def is_copied_otherwise(node: Node) -> bool:
    """Whether a user's copy is not like the object: of a file that its owner cannot read, or an empty one.

    Other files are linked, or refused.
    """
    if node.kind == "dir":
        return any(is_copied_otherwise(child) for _, child in node.children)
    if node.kind != "file":
        return False
    loses = node.mode & 0o6000 or node.xattrs or node.owner != (os.geteuid(), os.getegid())
    return not node.mode & 0o400 or bool(not node.content and loses)


# existing destinations --------------------------------------------------------------------------


def has_directory_over(kinds: tuple[str, ...], upper: Node, lower: Node) -> bool:
    """Whether a directory of the upper tree comes where the lower has something of other kinds."""
    there = dict(lower.children)
    for name, child in upper.children:
        other = there.get(name)
        if child.kind != "dir" or other is None:
            continue
        if other.kind in kinds or (other.kind == "dir" and has_directory_over(kinds, child, other)):
            return True
    return False


@CHECKS
@given(
    both=st.tuples(layers, layers),
    mode=st.sampled_from(MODES),
    flags=flags,
    union=unions,
    again=st.booleans(),
)
def test_an_existing_destination(
    place: Path,
    oracle: Oracle,
    both: tuple[Node, Node],
    mode: str,
    flags: list[str],
    union: list[str],
    again: bool,
) -> None:
    """One tree over another, which was checked out or put there by hand."""
    lower, upper = both
    # Links are not followed here; and with whiteouts, newer versions replace what is in the way.
    other_kinds = ("link", "file", "hardlink") if "--whiteouts" in flags else ("link",)
    assume(not has_directory_over(other_kinds, upper, lower))
    assume(not mistakes_copies(upper, mode, flags, union))
    repo, pair = place / mode, Pair(place, oracle, place / mode)
    user = [flag for flag in flags if flag == "-U"]

    def prepare(out: Path) -> None:
        if again:
            oracle(f"--repo={repo}", "checkout", *user, "lower", str(out))
        else:
            materialize(lower, out)

    pair.prepare = prepare
    try:
        for branch, tree in (("lower", lower), ("upper", upper)):
            materialize(tree, place / "tree")
            commit(oracle, repo, place / "tree", branch)
            remove(place / "tree")

        pair.check(*flags, *union, "upper", str(place / "out"))
    finally:
        remove(place / "tree")


@CHECKS
@given(
    tree=layers, mode=st.sampled_from(MODES), user=st.booleans(), union=st.sampled_from(UNIONS[1:])
)
def test_a_tree_over_itself(
    place: Path, oracle: Oracle, tree: Node, mode: str, user: bool, union: list[str]
) -> None:
    """The same twice; where the reference takes its own copies for something else, we do not."""
    repo, pair = place / mode, Pair(place, oracle, place / mode)
    flags = ["-U"] * user
    assume(not mistakes_copies(tree, mode, flags, union))
    pair.prepare = lambda out: void(
        oracle(f"--repo={repo}", "checkout", *flags, "main", str(out), check=False)
    )
    try:
        materialize(tree, place / "tree")
        commit(oracle, repo, place / "tree")

        pair.check(*flags, *union, "main", str(place / "out"))
    finally:
        remove(place / "tree")


def void(_: object) -> None:
    """A result nobody wants."""


# named things -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def named(place: Path, oracle: Oracle) -> Path:
    """The repositories with ``main``, a tree of known names, and ``other``, nearly the same."""
    tree = place / "named"
    for directory in ("bin", "sub/deep", "void"):
        (tree / directory).mkdir(parents=True)
    (tree / "hello").write_text("hello\n")
    (tree / "bin/run").write_text("run\n")
    (tree / "bin/run").chmod(0o755)
    (tree / "sub/deep/low").write_text("low\n")
    (tree / "empty").write_bytes(b"")
    (tree / "link").symlink_to("hello")
    (tree / "unreadable").write_text("secret\n")
    (tree / "unreadable").chmod(0)
    for mode in MODES:
        commit(oracle, place / mode, tree)
    (tree / "hello").write_text("other\n")
    for mode in MODES:
        commit(oracle, place / mode, tree, "other")
    shutil.rmtree(tree)
    return place


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "words_",
    [
        "--union --union-add main OUT",
        "--union --union-identical main OUT",
        "--union-add --union-identical -C main OUT",
        "--union --union-add --union-identical main OUT",
        "-H -C main OUT",
        "-H -C --union-identical --union main OUT",
        "-H -C --union-identical --skip-list=nolist main OUT",
        "--union-identical main OUT",
        "--union-identical --selinux-prefix=/x --skip-list=nolist main OUT",
        "--union-identical -H -C nope OUT",
        "--selinux-prefix=/x main OUT",
        "--selinux-prefix=/x --skip-list=nolist main OUT",
        "--selinux-policy=/nope main OUT",
        "--selinux-policy=/nope -H main OUT",
        "--selinux-policy=/nope --union-identical main OUT",
        "--selinux-policy=/nope --skip-list=nolist main OUT",
        "--selinux-policy=/nope nope OUT",
        "--skip-list=nolist main OUT",
        "--skip-list=nolist nope OUT",
        "--fsync=zz nope OUT",
        "--fsync= main OUT",
        "--fsync=NO main OUT",
        "--fsync=Yes -U main OUT",
        "--subpath=/nope main OUT",
        "--subpath=/nope/x main OUT",
        "--subpath=/hello/x main OUT",
        "--subpath=/hello/ main OUT",
        "--subpath=bin main OUT",
        "--subpath=bin/ main OUT",
        "--subpath=//bin main OUT",
        "--subpath=/./bin main OUT",
        "--subpath=/bin/../sub main OUT",
        "--subpath= main OUT",
        "--subpath=/nope --allow-noent main OUT",
        "--subpath=/nope --allow-noent -U main OUT",
        "--subpath=/nope --allow-noent -C main OUT",
        "--subpath=/nope --allow-noent -z main OUT",
        "--subpath=/nope --allow-noent --union main OUT",
        "--subpath=/nope --allow-noent --union-add main OUT",
        "--subpath=/hello/x --allow-noent main OUT",
        "--allow-noent nope OUT",
        "main OUT/no/parent",
        "--subpath=/hello main OUT/no/parent",
        "--subpath=/hello main OUT",
        "--subpath=/unreadable -U main OUT",
        "--subpath=/empty main OUT",
        "--subpath=/link -C main OUT",
        "main^ OUT",
        "--from-file=nolist OUT",
    ],
)
def test_words_are_the_references(named: Path, oracle: Oracle, mode: str, words_: str) -> None:
    argv = [word.replace("OUT", str(named / "out")) for word in words_.split()]

    Pair(named, oracle, named / mode).check(*argv)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "/hello\n/bin/\n",
        "/hello\n\n/sub/deep\n",
        "/sub/deep/\n/sub/deep/low",
        "/bin/run",
        "hello\n /link\n/empty \n/void\n",
        "/",
    ],
)
def test_skip_lists(
    named: Path, oracle: Oracle, tmp_path: Path, mode: str, user: bool, text: str
) -> None:
    (tmp_path / "list").write_text(text)
    pair = Pair(named, oracle, named / mode)

    for part in ("/", "/sub", "/bin", "/hello"):
        flags = [f"--skip-list={tmp_path / 'list'}", f"--subpath={part}", *(["-U"] * user)]
        pair.check(*flags, "main", str(named / "out"))


@pytest.mark.parametrize("mode", ["bare", "archive"])
@pytest.mark.parametrize("options", ["", "--union", "--union-add -U", "--union -C", "--union -H"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"main\0/bin\0",
        b"main\0/bin\0main\0/sub\0",
        b"main\0/bin\0other\0/\0",
        b"main\0/bin",
        b"main\0",
        b"main",
        b"main\0\0",
        b"\0/bin\0main\0/bin\0",
        b"main\0/bin\0\0\0main\0/sub\0",
        b"main\0/bin\0nope\0/bin\0",
        b"main\0/bin\0main\0/nope\0",
        b"main\0/hello\0main\0/empty\0",
        b"main\0/bin\nother\0/sub\0",
        b"../x\0/\0",
    ],
)
def test_lists_of_checkouts(
    named: Path, oracle: Oracle, tmp_path: Path, mode: str, options: str, content: bytes
) -> None:
    (tmp_path / "list").write_bytes(content)
    argv = [*options.split(), f"--from-file={tmp_path / 'list'}", str(named / "out")]

    Pair(named, oracle, named / mode).check(*argv)


EXISTING = {
    "a directory for a file": "mkdir hello",
    "a full directory for a file": "mkdir -p hello/x",
    "a directory for a link": "mkdir link",
    "a directory for an empty file": "mkdir empty",
    "a directory for an unreadable file": "mkdir unreadable",
    "a file for a directory": "echo x > bin",
    "a pipe for a directory": "mkfifo bin",
    "a pipe for a file": "mkfifo hello",
    "a pipe for an empty file": "mkfifo empty",
    "a link for a file": "ln -s /nowhere hello; ln -s /nowhere empty",
    "a file for a link": "echo hello > link",
    "another link": "ln -s elsewhere link",
    "the same link": "ln -s hello link",
    "the same file": "echo hello > hello",
    "the same file of others": "echo hello > hello; chown 1 hello",
    "the same file with an attribute": "echo hello > hello; setfattr -n user.x -v 1 hello",
    "the same file, closed": "echo hello > hello; chmod 600 hello",
    "another file": "echo jello > hello",
    "the same empty file": ": > empty",
    "an empty file of others": ": > empty; chown 1 empty",
    "an empty file, closed": ": > empty; chmod 600 empty",
    "directories": "mkdir -p bin sub/deep; chmod 700 . bin; touch -d @77 . bin",
}


@pytest.mark.parametrize("existing", EXISTING)
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        (mode, options)
        for mode, several in {
            "bare": ["", "-U", "-C"],
            "archive": ["", "-U", "-U --disable-cache"],
            "bare-user": ["", "-U"],
            "bare-user-only": ["", "-C"],
            SPLIT: ["", "-U"],
        }.items()
        for options in several
    ],
)
def test_what_is_in_the_way(
    named: Path, oracle: Oracle, existing: str, mode: str, options: str
) -> None:
    pair = Pair(named, oracle, named / mode)
    pair.prepare = lambda out: void(
        subprocess.run(f"mkdir {out} && cd {out} && {EXISTING[existing]}", shell=True, check=True)
    )

    for union in ("", "--union", "--union-add", "--union-identical -H"):
        pair.check(*options.split(), *union.split(), "main", str(named / "out"))


# whiteouts --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layered(place: Path, oracle: Oracle) -> Path:
    """The repositories with layers: ``docker`` and ``overlay`` have whiteouts of their kinds."""
    tree = place / "layer"
    for directory in ("sub", "opaque", "replaced", ".wh.directory"):
        (tree / directory).mkdir(parents=True)
    for name in (".wh.file", ".wh.full", ".wh.link", ".wh.missing", ".wh.again", "again", "new"):
        (tree / name).write_text(name)
    (tree / ".wh.alias").symlink_to("anywhere")
    (tree / "sub/.wh.deep").write_bytes(b"")
    (tree / "opaque/.wh..wh..opq").write_bytes(b"")
    (tree / "opaque/inside").write_text("inside")
    (tree / ".wh.directory/x").write_bytes(b"")
    (tree / "replaced/x").write_bytes(b"")
    for mode in MODES:
        commit(oracle, place / mode, tree, "docker")
    (tree / "opaque/.wh..wh..opq").rename(tree / ".wh..wh..opq")
    for mode in MODES:
        commit(oracle, place / mode, tree, "opaque")
    shutil.rmtree(tree)
    tree.mkdir()
    (tree / ".ostree-wh.gone").write_text("content does not matter")
    (tree / ".ostree-wh.gone").chmod(0o640)
    os.setxattr(tree / ".ostree-wh.gone", "trusted.x", b"1")
    os.chown(tree / ".ostree-wh.gone", 5, 6)
    (tree / ".ostree-wh.link").symlink_to("nowhere")
    (tree / ".ostree-wh.directory").mkdir()
    (tree / ".ostree-wh.directory/.ostree-wh.x").write_bytes(b"")
    for mode in MODES:
        commit(oracle, place / mode, tree, "overlay")
    for name in (".wh.", ".ostree-wh."):
        shutil.rmtree(tree)
        tree.mkdir()
        (tree / name).write_bytes(b"")
        for mode in MODES:
            commit(oracle, place / mode, tree, f"empty{name}x")
    shutil.rmtree(tree)
    return place


LOWER = (
    "mkdir -p full/x sub opaque/old keep .wh.missing; touch file full/x/y link again sub/deep "
    "sub/kept alias .wh.file opaque/gone; ln -s /etc keep/etc; chmod 700 opaque"
)
LINKED = "ln -s keep opaque; mkdir keep; touch keep/x full"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("branch", ["docker", "opaque"])
@pytest.mark.parametrize(
    "options",
    [
        "--union",
        "--union --whiteouts",
        "--union-add --whiteouts",
        "--union --whiteouts -C",
        "--union --whiteouts -U",
        "--union-identical -H --whiteouts",
        "--whiteouts",
    ],
)
@pytest.mark.parametrize("lower", ["", LOWER, LINKED])
def test_whiteouts_of_layers(
    layered: Path, oracle: Oracle, mode: str, branch: str, options: str, lower: str
) -> None:
    if lower == LINKED and "--whiteouts" not in options:
        lower = LOWER  # a link to a directory would not be followed
    pair = Pair(layered, oracle, layered / mode)
    if lower:
        pair.prepare = made_by(lower)

    pair.check(*options.split(), branch, str(layered / "out"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("branch", ["empty.wh.x", "empty.ostree-wh.x"])
def test_whiteouts_of_nothing(layered: Path, oracle: Oracle, mode: str, branch: str) -> None:
    pair = Pair(layered, oracle, layered / mode)

    pair.check("--whiteouts", "--process-passthrough-whiteouts", branch, str(layered / "out"))


DEVICE = "mknod gone c 0 0; chown 5:6 gone; chmod 640 gone; setfattr -n trusted.x -v 1 gone"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", ["", "-U", "-C", "-M"])
def test_passed_through_whiteouts(layered: Path, oracle: Oracle, mode: str, options: str) -> None:
    pair = Pair(layered, oracle, layered / mode)

    for part in ("/", "/.ostree-wh.gone", "/.ostree-wh.link", "/.ostree-wh.directory"):
        flags = ["--process-passthrough-whiteouts", f"--subpath={part}", *options.split()]
        pair.check(*flags, "overlay", str(layered / "out"))


@pytest.mark.parametrize("union", ["--union", "--union-add", "--union-identical -H"])
@pytest.mark.parametrize(
    "existing",
    [
        "touch gone",
        "mkdir gone",
        "ln -s x gone",
        DEVICE,
        f"{DEVICE}; setfattr -x trusted.x gone",
        f"{DEVICE}; setfattr -n trusted.y -v 1 gone",
        f"{DEVICE}; chgrp 7 gone",
        f"{DEVICE}; chown 6 gone",
        f"{DEVICE}; chmod 600 gone",
        f"{DEVICE}; chmod 600 gone; chown 6 gone",
        f"{DEVICE}; chown 6:7 gone",
    ],
)
def test_what_is_in_the_way_of_devices(
    layered: Path, oracle: Oracle, union: str, existing: str
) -> None:
    pair = Pair(layered, oracle, layered / "bare")
    pair.prepare = made_by(existing)

    flags = ["--process-passthrough-whiteouts", *union.split()]
    pair.check(*flags, "overlay", str(layered / "out"))


def made_by(script: str) -> Callable[[Path], None]:
    """What makes a destination with a shell's help."""

    def prepare(out: Path) -> None:
        subprocess.run(f"mkdir {out} && cd {out} && {{ {script}; }}", shell=True, check=True)

    return prepare


# labels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", ["", "-U", "--union-add"])
@pytest.mark.parametrize("prefix", [None, "/usr", "/usr/", "/"])
@pytest.mark.parametrize("part", ["/", "/bin", "/bin/run", "/sub/deep"])
def test_labels_of_files(
    named: Path,
    oracle: Oracle,
    tmp_path: Path,
    mode: str,
    options: str,
    prefix: str | None,
    part: str,
) -> None:
    """Of regular files: the reference labels nothing else where the kernel has no SELinux."""
    make_policy(
        tmp_path,
        contexts="/.*\tu:r:default\n/bin/.*\tu:r:bin\n/usr/.*\tu:r:usr\n/usr/bin/.*\tu:r:ubin\n",
    )
    pair = Pair(named, oracle, named / mode)
    pair.all_labels = False
    flags = [f"--selinux-policy={tmp_path}", *options.split(), f"--subpath={part}"]
    if prefix is not None:
        flags.append(f"--selinux-prefix={prefix}")

    pair.check(*flags, "main", str(named / "out"))


# damaged repositories, parents ------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", ["", "-U", "-C", "-U -H", "-H", "--union"])
@pytest.mark.parametrize("kind", ["file", "dirtree", "dirmeta", "commit"])
def test_missing_objects(
    named: Path, oracle: Oracle, tmp_path: Path, mode: str, options: str, kind: str
) -> None:
    repo = tmp_path / "repo"
    shutil.copytree(named / mode, repo, symlinks=True, copy_function=os.link)
    listed = {"file": "-C main /hello", "dirtree": "-dC main /bin", "dirmeta": "-dC main /bin"}
    if kind == "commit":
        checksum = oracle(f"--repo={repo}", "rev-parse", "main").stdout.strip()
    else:
        words_ = oracle(f"--repo={repo}", "ls", *listed[kind].split()).stdout.split()
        checksum = words_[5 if kind == "dirmeta" else 4]
    extension = "filez" if kind == "file" and mode == "archive" else kind
    (repo / "objects" / checksum[:2] / f"{checksum[2:]}.{extension}").unlink()

    Pair(tmp_path, oracle, repo).check(*options.split(), "main", str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("mode", "parent"),
    # The reference aborts where a parent is an archive and the child is not.
    [
        (mode, parent)
        for mode in MODES
        for parent in MODES
        if mode == "archive" or parent != "archive"
    ],
)
@pytest.mark.parametrize("options", ["", "-U --disable-cache", "-C", "-UC"])
def test_objects_of_parents(
    named: Path, oracle: Oracle, tmp_path: Path, mode: str, parent: str, options: str
) -> None:
    """Linked where the parent's mode allows, whatever the mode of the child."""
    child = tmp_path / "child"
    oracle("init", f"--repo={child}", f"--mode={mode}")
    oracle(f"--repo={child}", "config", "set", "core.parent", str(named / parent))
    pair = Pair(tmp_path, oracle, child)
    pair.parent = named / parent

    pair.check(*options.split(), "main", str(tmp_path / "out"))


@pytest.mark.root
@pytest.mark.parametrize("options", [("--union-identical", "-U", "-H"), ("--union", "-U")])
@pytest.mark.parametrize("header", ["3:0 755", "0:0 4755", "0:0 1777", "0:0 666", "0:0 640"])
def test_over_files_that_are_like_the_object_but_not_like_its_file(
    tmp_path: Path, oracle: Oracle, options: tuple[str, ...], header: str
) -> None:
    """A bare-user object's file has another owner and mode than a copy made with the commit's."""
    owner, mode = header.split()
    tree, repo = tmp_path / "tree", f"--repo={tmp_path / 'repo'}"
    tree.mkdir()
    (tree / "file").write_text("content")
    subprocess.run(["chown", owner, tree / "file"], check=True)
    (tree / "file").chmod(int(mode, 8))
    oracle("init", repo, "--mode=bare-user")
    oracle("commit", repo, "-b", "main", "--no-xattrs", tree)
    outcomes = []
    for is_ours in (True, False):
        out = tmp_path / "out"
        oracle("checkout", repo, "-C", "main", out)
        argv = ("checkout", repo, *options, "main", str(out))
        status = ostree(*argv).status if is_ours else oracle(*argv, check=False).returncode
        info = (out / "file").stat()
        outcomes.append((status, info.st_nlink, info.st_uid, oct(info.st_mode)))
        shutil.rmtree(out)

    assert outcomes[0] == outcomes[1]
