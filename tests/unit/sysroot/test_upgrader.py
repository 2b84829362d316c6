"""Upgrades, with a remote that is a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError, SysrootError, TransferError, TrustError
from ostree.formats.origin import new_origin
from ostree.repo.repository import Repo

if TYPE_CHECKING:
    from pathlib import Path

    from ostree.events import Listener
    from ostree.sysroot.upgrader import PullRequest
    from ostree.types import Checksum
    from unit.sysroot.conftest import Lab


class Remote:
    """Answers pulls by setting refs to commits that are there already."""

    def __init__(self, **refs: Checksum) -> None:
        self.refs = refs
        self.requests: list[PullRequest] = []

    def __call__(self, repo: Repo, request: PullRequest, _on_event: Listener) -> None:
        self.requests.append(request)
        found = request.commit or self.refs.get(request.ref)
        if found is None:
            raise TransferError(f"No such branch '{request.ref}' in repository summary")
        repo.refs.set(f"{request.remote}:{request.ref}", found)


@pytest.fixture
def first(lab: Lab) -> Checksum:
    """A deployment whose origin is ``origin:stable``."""
    checksum = lab.commit(None)
    with lab.open() as sysroot:
        sysroot.deploy(checksum, stateroot="os", origin=new_origin("origin:stable"), prune=False)
        sysroot.repo.refs.set("origin:stable", checksum)
    lab.lines.clear()
    return checksum


def second_commit(lab: Lab, time: int = 1000) -> Checksum:
    lab.write("usr/data", "2")
    return lab.commit(None, time=time)


def test_new_commit_is_pulled_and_deployed(lab: Lab, first: Checksum) -> None:
    second = second_commit(lab, time=2000)
    remote = Remote(stable=second)

    with lab.open() as sysroot:
        result = sysroot.upgrade(stateroot="os", puller=remote)

    assert result.changed
    assert result.commit == second
    assert lab.names() == [f"{second}.0", f"{first}.0"]
    request = remote.requests[0]
    assert (request.remote, request.ref, request.commit) == ("origin", "stable", None)
    assert request.newer_than == first


def test_nothing_new(lab: Lab, first: Checksum) -> None:
    with lab.open() as sysroot:
        result = sysroot.upgrade(stateroot="os", puller=Remote(stable=first))

    assert not result.changed
    assert lab.lines == ["No update available."]


def test_older_commits_need_permission(lab: Lab, first: Checksum) -> None:
    old = second_commit(lab, time=10)

    with lab.open() as sysroot:
        with pytest.raises(TrustError, match="is chronologically older than current revision"):
            sysroot.upgrade(stateroot="os", puller=Remote(stable=old))
        remote = Remote(stable=old)
        sysroot.upgrade(stateroot="os", puller=remote, allow_downgrade=True)

    assert lab.names() == [f"{old}.0", f"{first}.0"]
    assert remote.requests[0].newer_than is None


def test_pull_only_and_then_deploy_only(lab: Lab, first: Checksum) -> None:
    second = second_commit(lab)
    remote = Remote(stable=second)

    with lab.open() as sysroot:
        pulled = sysroot.upgrade(stateroot="os", puller=remote, pull_only=True)
        assert pulled.changed
        assert pulled.deployment is None
        assert lab.names() == [f"{first}.0"]
        sysroot.upgrade(stateroot="os", puller=remote, deploy_only=True)

    assert lab.names() == [f"{second}.0", f"{first}.0"]
    assert len(remote.requests) == 1
    assert lab.lines[0].startswith("Copying /etc changes")


def test_override_is_noted_and_forgotten(lab: Lab, first: Checksum) -> None:
    second = second_commit(lab)

    with lab.open() as sysroot:
        remote = Remote(stable=first)
        sysroot.upgrade(stateroot="os", puller=remote, override_commit=second)
        origin = sysroot.deployments[0].origin
        assert origin is not None
        assert origin.get_string("origin", "override-commit") == second
        assert remote.requests[0].commit == second
        assert sysroot.repo.refs.get("origin:stable") == second
        sysroot.upgrade(stateroot="os", puller=Remote(stable=first))
        origin = sysroot.deployments[0].origin
        assert origin is not None
        assert not origin.has_key("origin", "override-commit")


def test_a_branch_that_ended_leads_to_the_next(lab: Lab, first: Checksum) -> None:
    lab.write("usr/data", "last")
    last = lab.commit(None, rebase="next")
    lab.write("usr/data", "next")
    following = lab.commit(None)
    remote = Remote(stable=last, next=following)

    with lab.open() as sysroot:
        sysroot.upgrade(stateroot="os", puller=remote)

        assert sysroot.deployments[0].refspec == "origin:next"
    assert lab.names() == [f"{following}.0", f"{first}.0"]


def test_a_failed_pull_changes_nothing(lab: Lab, first: Checksum) -> None:
    with lab.open() as sysroot:
        for pull_only in (False, True):
            with pytest.raises(TransferError):
                sysroot.upgrade(stateroot="os", puller=Remote(), pull_only=pull_only)

    assert lab.names() == [f"{first}.0"]


@pytest.mark.parametrize(
    ("stateroot", "origin", "message"),
    [
        (None, "", "Not currently booted into an OSTree system and no OS specified"),
        ("", "", "Invalid empty osname"),
        ("nope", "", "No previous deployment for OS 'nope'"),
        (
            "os",
            "[origin]\nunconfigured-state=Run X\nrefspec=a\n",
            "origin unconfigured-state: Run X",
        ),
        (
            "os",
            "[origin]\n",
            "No origin/refspec in current deployment origin; cannot upgrade via ostree",
        ),
        ("os", "[origin]\nrefspec=a b\n", "Invalid refspec a b"),
        ("os", "[origin]\nrefspec=a\noverride-commit=zz\n", "Invalid rev zz"),
    ],
)
def test_origins_that_cannot_be_followed(
    lab: Lab, first: Checksum, stateroot: str | None, origin: str, message: str
) -> None:
    path = next((lab.root / "ostree/deploy/os/deploy").glob(f"{first}.*.origin"))
    path.write_text(origin)

    with lab.open() as sysroot, pytest.raises(OSTreeError) as caught:
        sysroot.upgrade(stateroot=stateroot)

    assert str(caught.value) == message


def test_no_origin(lab: Lab, first: Checksum) -> None:
    next((lab.root / "ostree/deploy/os/deploy").glob("*.origin")).unlink()

    with lab.open() as sysroot, pytest.raises(SysrootError) as caught:
        sysroot.upgrade(stateroot="os")

    assert str(caught.value) == f"No origin known for deployment {first}.0"


def test_contradicting_options_and_bad_revisions(lab: Lab, first: Checksum) -> None:
    with lab.open() as sysroot:
        with pytest.raises(SysrootError, match="--pull-only and --deploy-only"):
            sysroot.upgrade(stateroot="os", pull_only=True, deploy_only=True)
        with pytest.raises(OSTreeError, match="Invalid rev zzz"):
            sysroot.upgrade(stateroot="os", override_commit="zzz")

    assert lab.names() == [f"{first}.0"]


def test_marks_of_the_old_deployment_are_not_inherited(lab: Lab, first: Checksum) -> None:
    path = next((lab.root / "ostree/deploy/os/deploy").glob("*.origin"))
    path.write_text(
        "[origin]\nrefspec=origin:stable\nunlocked=hotfix\n\n"
        "[libostree-transient]\npinned=true\n\n[other]\nkey=value\n"
    )
    second = second_commit(lab)

    with lab.open() as sysroot:
        sysroot.upgrade(stateroot="os", puller=Remote(stable=second))
        origin = sysroot.deployments[0].origin

    assert origin is not None
    assert origin.to_text() == "[origin]\nrefspec=origin:stable\n\n[other]\nkey=value\n"
    assert lab.names() == [f"{second}.0", f"{first}.0"]


def test_without_a_puller_the_remote_is_asked(lab: Lab, first: Checksum, tmp_path: Path) -> None:
    """An archive repository in another directory is the remote."""
    lab.write("usr/data", "2")
    with (
        Repo.create(tmp_path / "server", "archive") as server,
        server.transaction() as transaction,
    ):
        root = transaction.import_directory(lab.tree)
        second = transaction.commit(root, timestamp=2000)
        transaction.set_ref("stable", second)
    url = f"file://{tmp_path}/server"

    with lab.open() as sysroot:
        sysroot.repo.remotes.add("origin", [("url", url), ("gpg-verify", "false")])
        sysroot.upgrade(stateroot="os")

    assert lab.names() == [f"{second}.0", f"{first}.0"]
