"""Programs against the public API as their authors write them: all of this must type-check.

Never run; ``mypy`` is the test.  See also ``api_must_not_check.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, assert_type

import ostree


def build(path: str | Path) -> ostree.Checksum:
    modifier = ostree.Modifier(owner_uid=0, owner_gid=0, canonical_permissions=True)
    with ostree.Repo.create(path, "archive", collection_id="org.example.Os") as repo:
        assert_type(repo, ostree.Repo)
        with repo.transaction(fsync=False) as txn:
            assert_type(txn, ostree.Transaction)
            root = txn.import_directory(Path("rootfs"), modifier=modifier, on_event=show)
            assert_type(root, ostree.TreeId)
            new = txn.commit(
                root,
                parent=repo.find("os/x86_64"),
                subject="Build 42",
                metadata=[("version", ostree.Variant("s", "42"))],
            )
            txn.set_ref("os/x86_64", new)
            other = txn.import_tar(Path("rootfs.tar"), modifier=modifier, autocreate_parents=True)
            assert_type(other, ostree.TreeId)
    return new


def show(event: ostree.Event) -> None:
    if isinstance(event, ostree.StepProgress):
        assert_type(event.total, int | None)
        assert_type(event.bytes, int)
    elif isinstance(event, ostree.Message):
        assert_type(event.text, str)


def look(repo: ostree.Repo) -> None:
    commit = repo.load_commit(repo.resolve("os/x86_64"))
    assert_type(commit, ostree.Commit)
    assert_type(commit.parent, ostree.Checksum | None)
    tree = repo.tree("os/x86_64")
    assert_type(tree["usr/bin/sh"], ostree.Tree)
    assert_type(tree.get("usr"), ostree.Tree | None)
    assert_type(tree["etc/os-release"].read_text(), str)
    assert_type(tree["etc/os-release"].xattrs, tuple[tuple[bytes, bytes], ...])
    stream: BinaryIO = tree["vmlinuz"].open()
    with stream:
        assert_type(stream.read(16), bytes)
    for entry in tree.walk():
        assert_type(entry.path, str)
    for name, child in tree.items():
        assert_type((name, child), tuple[str, ostree.Tree])


def work(repo: ostree.Repo) -> None:
    options = ostree.CheckoutOptions(user_mode=True, existing=ostree.Existing.REPLACE)
    repo.checkout("os/x86_64", Path("out"), options=options, subpath="/usr")
    for change in repo.diff("os/x86_64^", Path("rootfs")):
        assert_type(change, ostree.Change)
        assert_type(change.kind, ostree.ChangeKind)
    kept = ostree.Keep(depth=3, younger_than=1700000000, only_branches=["os/x86_64"])
    assert_type(repo.prune(kept, dry_run=True).freed, int)
    assert_type(repo.fsck(keep_going=True, on_event=show).commits, int)


def names_are_text(checksum: ostree.Checksum) -> str:
    try:
        return checksum.upper()
    except ostree.OSTreeError as error:
        return error.hint or error.message


def manage(path: Path) -> None:
    settings = ostree.SysrootSettings(immutable=False)
    with ostree.Sysroot.open(path, settings=settings, on_event=show) as sysroot:
        assert_type(sysroot, ostree.Sysroot)
        assert_type(sysroot.deployments, list[ostree.Deployment])
        assert_type(sysroot.booted, ostree.Deployment | None)
        arguments = ostree.KernelArgumentOptions(append=["quiet"], delete=["debug"])
        keep = ostree.Retention(rollback=True)
        new = sysroot.deploy(
            "os/x86_64",
            stateroot="os",
            kernel_arguments=arguments,
            retention=keep,
            overlay_initrds=[Path("more.img")],
        )
        assert_type(new, ostree.Deployment)
        assert_type(new.checksum, ostree.Checksum)
        assert_type(new.refspec, str | None)
        assert_type(sysroot.upgrade(stateroot="os").deployment, ostree.Deployment | None)
        assert_type(sysroot.switch("origin:os/next", stateroot="os"), ostree.Deployment)
        assert_type(sysroot.roll_back("os"), ostree.Deployment)
        assert_type(sysroot.set_default(1), ostree.Deployment)
        assert_type(sysroot.pin("booted", pinned=False), bool)
        assert_type(sysroot.set_origin("origin", [("url", "https://example.org/")]), str)
        assert_type(sysroot.diff_config("os").modified, list[str])
        sysroot.undeploy(1)
