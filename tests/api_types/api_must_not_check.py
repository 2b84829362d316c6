"""Misuse of the public API that a type checker has to find.

Never run.  Each wrong line says which error it has to be; if it were none any more, ``mypy`` would
report the comment as unused, and fail.
"""

from __future__ import annotations

from pathlib import Path

import ostree


def flags_are_named(repo: ostree.Repo, txn: ostree.Transaction, root: ostree.TreeId) -> None:
    repo.transaction(False)  # type: ignore[call-arg]
    repo.prune(None, "0" * 64)  # type: ignore[call-arg]
    repo.fsck(True)  # type: ignore[call-arg]
    ostree.Modifier(0, 0)  # type: ignore[call-arg]
    txn.commit(root, None, "subject")  # type: ignore[call-arg]
    ostree.Keep(True)  # type: ignore[call-arg]


def kinds_are_kept_apart(repo: ostree.Repo, txn: ostree.Transaction, root: ostree.TreeId) -> None:
    txn.commit("0" * 64)  # type: ignore[arg-type]
    txn.commit(root, parent=b"0" * 32)  # type: ignore[arg-type]
    txn.commit(root, subject=None)  # type: ignore[arg-type]
    txn.set_ref("main", "0" * 64)  # type: ignore[arg-type]
    txn.import_directory(b"rootfs")  # type: ignore[arg-type]
    repo.resolve(b"main")  # type: ignore[arg-type]
    repo.tree(root)  # type: ignore[arg-type]
    repo.checkout("main", 3)  # type: ignore[arg-type]
    repo.checkout("main", Path("out"), options={"user_mode": True})  # type: ignore[arg-type]
    ostree.Modifier(owner_uid="root")  # type: ignore[arg-type]
    ostree.Checksum(b"0" * 64)  # type: ignore[arg-type]


def trees_are_read_only(repo: ostree.Repo) -> None:
    tree = repo.tree("main")
    tree["etc"] = tree["usr"]  # type: ignore[index]
    del tree["etc"]  # type: ignore[attr-defined]
    tree.mode = 0o755  # type: ignore[misc]
    tree[b"etc"]  # type: ignore[index]
    tree["etc"].read_text().decode()  # type: ignore[attr-defined]


def results_may_be_absent(repo: ostree.Repo) -> None:
    repo.find("main").upper()  # type: ignore[union-attr]
    repo.load_commit(repo.resolve("main")).parent.upper()  # type: ignore[union-attr]
    print(repo.tree("main").get("etc").path)  # type: ignore[union-attr]


def there_are_no_other_names() -> None:
    print(ostree.nope)  # type: ignore[attr-defined]
    ostree.Repo("path")  # type: ignore[call-arg]


def a_system_is_changed_by_name(sysroot: ostree.Sysroot) -> None:
    sysroot.deploy("os", "os")  # type: ignore[call-arg]
    sysroot.pin(0, False)  # type: ignore[call-arg]
    sysroot.set_default("1")  # type: ignore[arg-type]
    sysroot.undeploy("1")  # type: ignore[arg-type]
    ostree.Retention(True)  # type: ignore[call-arg]
    ostree.KernelArgumentOptions(append="quiet", replace=1)  # type: ignore[arg-type]
