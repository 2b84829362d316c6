"""The reference and we make the same commits of the same trees, and read each other's."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostree.formats.gvariant import Variant
from ostree.repo.checkout_options import CheckoutOptions
from ostree.repo.modifier import Modifier
from ostree.repo.repository import Repo
from support.trees import IS_ROOT, Node, materialize, trees

pytestmark = pytest.mark.oracle

MODES = ["bare", "archive", "bare-user", "bare-user-only"]
EXAMPLES = int(os.environ.get("PYOSTREE_RANDOM_TREES", "500"))
Oracle = Callable[..., object]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, oracle: Oracle) -> Iterator[Path]:
    """A directory with a repository of ours and one of the reference's for each mode."""
    base = tmp_path_factory.mktemp("random-trees")
    for mode in MODES:
        oracle("init", f"--repo={base / ('their-' + mode)}", f"--mode={mode}")
        oracle(f"--repo={base / ('their-' + mode)}", "config", "set", "core.fsync", "false")
        Repo.create(base / f"our-{mode}", mode).close()
        with Repo.open(base / f"our-{mode}") as repo:
            keyfile = repo.config.keyfile.copy()
            keyfile.set_string("core", "fsync", "false")
            repo.save_config(keyfile)
    yield base
    shutil.rmtree(base)


def commit_ours(repo: Path, tree: Path, ref: str, modifier: Modifier) -> str:
    with Repo.open(repo) as opened, opened.transaction() as txn:
        root = txn.import_directory(tree, modifier=modifier)
        binding = Variant("as", [ref])
        checksum = txn.commit(root, metadata=[("ostree.ref-binding", binding)], timestamp=1)
        txn.set_ref(ref, checksum)
    return checksum


def snapshot(root: Path, *, with_owner: bool) -> dict[str, tuple[object, ...]]:
    """Everything about a directory tree that a checkout has to give back."""
    found: dict[str, tuple[object, ...]] = {}
    for directory, subdirectories, names in os.walk(root):
        for name in [".", *subdirectories, *names]:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            attributes = {
                key: os.getxattr(path, key, follow_symlinks=False)
                for key in os.listxattr(path, follow_symlinks=False)
                if with_owner
            }
            body: object = None
            if stat.S_ISREG(info.st_mode):
                body = Path(path).read_bytes()
            elif stat.S_ISLNK(info.st_mode):
                body = os.readlink(path)
            owner = (info.st_uid, info.st_gid) if with_owner else ()
            found[os.path.relpath(path, root)] = (info.st_mode, owner, attributes, body)
    return found


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    tree=trees, options=st.sampled_from(["", "canonical", "owner"]), look_at=st.sampled_from(MODES)
)
def test_commits_agree_and_are_readable(
    place: Path, oracle: Oracle, tree: Node, options: str, look_at: str
) -> None:
    """Same tree, same options: same checksum in every mode; each checks out what the other wrote."""
    source = place / "tree"
    materialize(tree, source)
    flags = {"canonical": ["--canonical-permissions"], "owner": ["--owner-uid=7", "--owner-gid=8"]}
    modifier = {
        "": Modifier(),
        "canonical": Modifier(canonical_permissions=True),
        "owner": Modifier(owner_uid=7, owner_gid=8),
    }
    try:
        for mode in MODES:
            if not IS_ROOT and mode == "bare" and options:
                continue  # keeping other owners takes root
            ours = commit_ours(place / f"our-{mode}", source, "main", modifier[options])
            theirs = oracle(
                f"--repo={place / ('their-' + mode)}",
                "commit",
                "-b",
                "main",
                "--parent=none",
                "--timestamp=@1",
                *flags.get(options, []),
                f"--tree=dir={source}",
            ).stdout.strip()  # type: ignore[attr-defined]

            assert ours == theirs, mode

        user_mode = not IS_ROOT or look_at == "bare-user-only"
        more = ["-U"] if user_mode else []
        oracle(
            f"--repo={place / ('our-' + look_at)}",
            "checkout",
            *more,
            "main",
            str(place / "co-theirs"),
        )
        with Repo.open(place / f"their-{look_at}") as repo:
            repo.checkout("main", place / "co-ours", options=CheckoutOptions(user_mode=user_mode))

        assert snapshot(place / "co-ours", with_owner=IS_ROOT) == snapshot(
            place / "co-theirs", with_owner=IS_ROOT
        )
    finally:
        for name in ("tree", "co-theirs", "co-ours"):
            shutil.rmtree(place / name, ignore_errors=True)


def test_each_finds_the_others_repositories_whole(place: Path, oracle: Oracle) -> None:
    """After all those commits the reference's fsck accepts ours, and ours accepts theirs."""
    for mode in MODES:
        oracle(f"--repo={place / ('our-' + mode)}", "fsck", "-q")
        with Repo.open(place / f"their-{mode}") as repo:
            result = repo.fsck()

        assert not result.corrupted
        assert result.commits
