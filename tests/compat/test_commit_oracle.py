"""The reference and we, given the same trees and options, print and store the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import choices
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cli.running import Result, ostree
from ostree.repo.repository import Repo
from support.policies import make_policy
from support.trees import IS_ROOT, Node, materialize, trees

pytestmark = pytest.mark.oracle

MODES = ["bare", "archive", "bare-user", "bare-user-only"]
EXAMPLES = int(os.environ.get("PYOSTREE_RANDOM_TREES", "40"))
Oracle = Callable[..., object]
FREE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=set(Phase) - ({Phase.shrink} if "NOSHRINK" in os.environ else set()),
)


class Side(NamedTuple):
    """One of the two commands, with a directory of its own."""

    place: Path
    run: Callable[..., Result]

    def commit(self, *words: str) -> Result:
        """Commit in a repository next to the trees, with their directory as current one."""
        before = Path.cwd()
        os.chdir(self.place)
        try:
            result = self.run("commit", "--repo=repo", "--timestamp=@1", *words)
        finally:
            os.chdir(before)
        lines = [line for line in result.err.splitlines() if not line.startswith("hint: ")]
        return Result(result.status, result.out, "\n".join(sorted(lines)))

    def objects(self) -> set[str]:
        """Names of all objects, whatever the mode calls their files."""
        return {
            f"{path.parent.name}{path.name}".replace(".filez", ".file")
            for path in (self.place / "repo/objects").glob("??/*")
        }

    def files(self) -> set[str]:
        """Everything outside the repository."""
        found = set()
        for directory, names, others in os.walk(self.place):
            if "repo" in names and directory == str(self.place):
                names.remove("repo")
            found |= {
                os.path.relpath(os.path.join(directory, name), self.place)
                for name in (*names, *others)
            }
        return found


@pytest.fixture
def sides(tmp_path: Path, oracle: Oracle) -> Iterator[tuple[Side, Side]]:
    def run_oracle(*words: str) -> Result:
        done = oracle(*words, check=False)
        return Result(done.returncode, done.stdout, done.stderr)  # type: ignore[attr-defined]

    yield Side(tmp_path / "ours", ostree), Side(tmp_path / "theirs", run_oracle)
    shutil.rmtree(tmp_path, ignore_errors=True)


def start(sides: tuple[Side, Side], mode: str, **found: Node) -> None:
    """Give both an empty repository and the same trees."""
    for side in sides:
        shutil.rmtree(side.place, ignore_errors=True)
        side.place.mkdir(parents=True)
        Repo.create(side.place / "repo", mode).close()
        with (side.place / "repo/config").open("a", encoding="utf-8") as config:
            config.write("fsync=false\n")
        make_policy(side.place / "policy")
        for name, node in found.items():
            materialize(node, side.place / name)


def without_xattrs(node: Node) -> Node:
    """The same tree; the reference's 2022.7 does not sort a label in among other attributes."""
    children = tuple((name, without_xattrs(child)) for name, child in node.children)
    return node._replace(xattrs=(), children=children)


def paths_of(node: Node, prefix: str = "") -> list[str]:
    """Absolute paths of everything in a tree, the root as ``/``."""
    found = [prefix or "/"]
    for name, child in node.children:
        found += paths_of(child, f"{prefix}/{name}")
    return found


def same(sides: tuple[Side, Side], *words: str) -> Result:
    """Commit on both sides; what came of it, which has to be the same."""
    if "--skip-if-unchanged" in words:
        # Where nothing is committed the reference prints a table of uninitialised numbers.
        words = tuple(word for word in words if word != "--table-output")
    ours, theirs = (side.commit(*words) for side in sides)
    assert ours == theirs
    if ours.status == 0:
        assert sides[0].objects() == sides[1].objects()
    return ours


plain_options = st.lists(
    st.sampled_from(
        [
            "--canonical-permissions",
            "--no-xattrs",
            "--mode-ro-executables",
            "--owner-uid=0",
            "--owner-gid=0",
            "--no-bindings",
            "--bind-ref=other",
            "--add-metadata-string=version=1",
            "--add-metadata=n=uint32 7",
            "--add-detached-metadata-string=d=e",
            "--skip-if-unchanged",
            *(["--owner-uid=7", "--owner-gid=8"] if IS_ROOT else []),
        ]
    ),
    unique=True,
    max_size=4,
)


@FREE
@given(
    lower=trees,
    upper=trees,
    specs=st.lists(
        st.sampled_from(["dir=lower", "dir=upper", "ref=first", "ref=first^"]),
        min_size=1,
        max_size=3,
    ),
    base=st.sampled_from([[], ["--base=first"]]),
    options=plain_options,
    mode=st.sampled_from(MODES),
)
def test_trees_laid_over_each_other(
    sides: tuple[Side, Side],
    lower: Node,
    upper: Node,
    specs: list[str],
    base: list[str],
    options: list[str],
    mode: str,
) -> None:
    """Directories and commits in any order, with any of the changes: same tree or same refusal."""
    start(sides, mode, lower=lower, upper=upper)
    same(sides, "-b", "first", "--tree=dir=upper")
    same(sides, "-b", "first", "--tree=dir=lower", "--table-output")

    result = same(
        sides,
        "-b",
        "second",
        "--table-output",
        *base,
        *options,
        *(f"--tree={spec}" for spec in specs),
    )

    if result.status == 0:
        same(sides, "-b", "second", "--tree=ref=second", "--keep-metadata=ostree.ref-binding")


@FREE
@given(tree=trees, data=st.data(), options=plain_options, mode=st.sampled_from(MODES))
def test_rules_for_paths(
    sides: tuple[Side, Side],
    tree: Node,
    data: st.DataObject,
    options: list[str],
    mode: str,
) -> None:
    """Statoverride and skip-lists, with paths that are there and paths that are not."""
    path = st.sampled_from([*paths_of(tree), *paths_of(tree), "/nowhere"]).filter(
        lambda path: "\n" not in path
    )
    number = st.sampled_from(["2048", "=420", "0x40", "1e2", "1.9", "=493", "junk"])
    overrides = data.draw(st.lists(st.builds("{} {}".format, number, path), max_size=4))
    skipped = data.draw(st.lists(path, max_size=3))
    start(sides, mode, tree=tree)
    for side in sides:
        (side.place / "overrides").write_text("\n".join(overrides), encoding="utf-8")
        (side.place / "skipped").write_text("\n".join(skipped), encoding="utf-8")
    source = data.draw(st.sampled_from(["dir=tree", "ref=before"]))
    if source == "ref=before":
        same(sides, "-b", "before", "--tree=dir=tree")

    same(
        sides,
        "-b",
        "main",
        "--table-output",
        "--statoverride=overrides",
        "--skip-list=skipped",
        f"--tree={source}",
        *options,
    )


@FREE
@given(
    tree=trees,
    changed=trees,
    links=st.sampled_from(["--link-checkout-speedup", "-I"]),
    options=plain_options,
    mode=st.sampled_from(MODES),
    user=st.booleans(),
)
def test_links_to_objects(
    sides: tuple[Side, Side],
    oracle: Oracle,
    tree: Node,
    changed: Node,
    links: str,
    options: list[str],
    mode: str,
    user: bool,
) -> None:
    """Checkouts, with something else beside them, committed again without reading what is linked."""
    start(sides, mode, tree=tree, changed=changed)
    same(sides, "-b", "main", "--tree=dir=tree")
    how = ["-U"] if user or not IS_ROOT or mode == "bare-user-only" else []
    for side in sides:
        oracle("checkout", f"--repo={side.place}/repo", *how, "main", f"{side.place}/out")

    same(sides, "-b", "main", "--table-output", links, *options, "--tree=dir=out")
    same(
        sides,
        "-b",
        "main",
        "--table-output",
        links,
        *options,
        "--tree=dir=out",
        "--tree=dir=changed",
    )


@FREE
@given(tree=trees, data=st.data(), options=plain_options, mode=st.sampled_from(MODES))
def test_directories_that_are_consumed(
    sides: tuple[Side, Side],
    tree: Node,
    data: st.DataObject,
    options: list[str],
    mode: str,
) -> None:
    """The same commit, and the same is left of the directory."""
    paths = [path for path in paths_of(tree)[1:] if "\n" not in path]
    skipped = data.draw(st.lists(st.sampled_from(paths), max_size=2, unique=True)) if paths else []
    start(sides, mode, tree=tree)
    for side in sides:
        (side.place / "skipped").write_text("\n".join(skipped), encoding="utf-8")

    result = same(
        sides,
        "-b",
        "main",
        "--consume",
        "--table-output",
        "--skip-list=skipped",
        "--tree=dir=tree",
        *options,
    )

    if result.status == 0:
        assert sides[0].files() == sides[1].files()


@FREE
@given(
    tree=trees.map(without_xattrs),
    data=st.data(),
    options=plain_options,
    mode=st.sampled_from(MODES),
)
def test_labels_of_a_policy(
    sides: tuple[Side, Side], tree: Node, data: st.DataObject, options: list[str], mode: str
) -> None:
    """A policy in a directory, or in what is committed first."""
    start(sides, mode, tree=tree)
    for side in sides:
        (side.place / "policy/usr").mkdir()
        (side.place / "policy/etc").rename(side.place / "policy/usr/etc")
    same(sides, "-b", "system", "--tree=dir=policy", "--owner-uid=0", "--owner-gid=0")
    source = data.draw(
        st.sampled_from(
            [
                ["--selinux-policy=policy", "--tree=dir=tree"],
                ["--selinux-policy=policy", "--tree=ref=system", "--tree=dir=tree"],
                ["-P", "--tree=dir=policy", "--tree=dir=tree"],
                ["-P", "--tree=ref=system", "--tree=dir=tree"],
                ["-P", "--base=system", "--tree=dir=tree"],
                ["-P", "--tree=dir=tree", "--tree=dir=policy"],
            ]
        )
    )

    result = same(sides, "-b", "main", "--table-output", *source, *options)

    if result.status == 0:
        same(sides, "-b", "main", "--table-output", "--tree=ref=main", *options)


@FREE
@given(tree=trees, options=plain_options, mode=st.sampled_from(MODES))
def test_sizes_of_objects(
    sides: tuple[Side, Side], tree: Node, options: list[str], mode: str
) -> None:
    """Sizes in the commit's metadata are those that the reference's compression gives."""
    start(sides, mode, tree=tree)

    same(sides, "-b", "main", "--generate-sizes", "--tree=dir=tree", *options)


def test_the_reference_reads_what_hardly_shrinks(sides: tuple[Side, Side], oracle: Oracle) -> None:
    """Files that are compressed already, in part or not at all, in memory and as streams."""
    start(sides, "archive")
    words = [os.urandom(3).hex() for _ in range(100)]
    for number, size in enumerate((100, 33_000, 70_000, 1 << 20, 9 << 20)):
        random, text = os.urandom(size), " ".join(choices(words, k=size // 7)).encode()
        for name, data in (
            (f"random{number}", random),
            (f"text{number}", text),
            (f"both{number}", text + random + text),
        ):
            for side in sides:
                (side.place / "tree").mkdir(exist_ok=True)
                (side.place / "tree" / name).write_bytes(data)

    same(sides, "-b", "main", "--tree=dir=tree", "--canonical-permissions")

    repo, out = sides[0].place / "repo", sides[0].place / "out"
    oracle("fsck", f"--repo={repo}")
    oracle("checkout", f"--repo={repo}", "-U", "main", out)
    for path in (sides[0].place / "tree").iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()
