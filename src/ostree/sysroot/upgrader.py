"""The decision what to upgrade to, and the upgrade (deployments §13)."""

from __future__ import annotations

from typing import NamedTuple

from ostree.errors import NotFoundError, OSTreeError, SysrootError, TrustError
from ostree.events import Message
from ostree.formats import origin as origins
from ostree.formats.date_text import format_c
from ostree.formats.refspec import parse_refspec
from ostree.sysroot.boot_failures import failed_commits
from ostree.sysroot.deploying import DeployRequest, deploy
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ostree.events import Listener
    from ostree.formats.keyfile import KeyFile
    from ostree.repo.repository import Repo
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.sysroot import Sysroot


class PullRequest(NamedTuple):
    """What an upgrade wants fetched.

    Attributes:
        remote: From which remote.
        ref: Which ref.
        commit: This commit instead of what the ref says there.
        newer_than: Refuse a commit that is older than this one.
    """

    remote: str
    ref: str
    commit: Checksum | None
    newer_than: Checksum | None

    @property
    def wanted(self) -> str:
        """The one thing to pull: a commit need not be bound to the ref that it is to be under."""
        return self.ref if self.commit is None else self.commit


if TYPE_CHECKING:
    Puller = Callable[[Repo, PullRequest, Listener], None]


class UpgradeResult(NamedTuple):
    """What came of an upgrade.

    Attributes:
        changed: Whether there was something new.
        commit: The commit that the origin leads to now.
        deployment: The new deployment, if one was made.
    """

    changed: bool
    commit: Checksum
    deployment: Deployment | None


class Upgrader:
    """Brings what one stateroot follows up to date.

    The sysroot's lock is held and its list is loaded.

    Attributes:
        merge: The deployment that a new one takes over from.
        origin: Where the new one will say it comes from; that of ``merge`` at first.

    Raises:
        SysrootError: there is nothing to upgrade from; see §13 for the order of the checks.
    """

    def __init__(
        self,
        sysroot: Sysroot,
        stateroot: str | None,
        *,
        puller: Puller | None,
        stage: bool = False,
        lint: bool = True,
        ignore_unconfigured: bool = False,
    ) -> None:
        self._sysroot = sysroot
        self._repo = sysroot.repo
        self._puller = puller or pull_from_remote
        self._stage = stage
        self._lint = lint
        if stateroot is None and sysroot.booted is None:
            raise SysrootError("Not currently booted into an OSTree system and no OS specified")
        if stateroot == "":
            raise SysrootError("Invalid empty osname")
        merge = sysroot.merge_deployment(stateroot)
        if merge is None:
            raise SysrootError(f"No previous deployment for OS '{stateroot}'")
        self.merge = merge
        if merge.origin is None:
            raise SysrootError(f"No origin known for deployment {merge.name}")
        self.origin: KeyFile = merge.origin.copy()
        self._check_origin(ignore_unconfigured=ignore_unconfigured)

    def _check_origin(self, *, ignore_unconfigured: bool) -> None:
        state = origins.unconfigured_state_of(self.origin)
        if state is not None and not ignore_unconfigured:
            raise SysrootError(f"origin unconfigured-state: {state}")
        refspec = origins.refspec_of(self.origin)
        if refspec is None:
            raise SysrootError(
                "No origin/refspec in current deployment origin; cannot upgrade via ostree"
            )
        parse_refspec(refspec)
        override = origins.override_commit_of(self.origin)
        if override is not None:
            Checksum(override)

    @property
    def refspec(self) -> str:
        """What is followed."""
        return origins.refspec_of(self.origin) or ""

    def fetch(
        self, override: Checksum | None, *, allow_downgrade: bool, fetching: bool
    ) -> Checksum:
        """Bring the origin's ref up to date, following it if it moved; what it leads to.

        Args:
            override: Use, and set the ref to, this commit instead of what the remote says.
            allow_downgrade: Whether the commit may be older than that of ``merge``.
            fetching: Whether to ask the remote.
        """
        newer_than = None if allow_downgrade else self.merge.checksum
        self._pull(override, newer_than, fetching=fetching)
        # Whether it moved is said by the commit that the ref names here, not by another one (§13).
        found = self._repo.load_commit(self._resolve())
        moved_to = found.metadata_value("ostree.endoflife-rebase", "s")
        if isinstance(moved_to, str):
            remote, _ = parse_refspec(self.refspec)
            origins.set_refspec(self.origin, moved_to if remote is None else f"{remote}:{moved_to}")
            parse_refspec(self.refspec)
            self._pull(override, newer_than, fetching=fetching)
        if override is None:
            return self._resolve()
        if not fetching and self._repo.find(override) is None:
            raise NotFoundError(f"Refspec '{override}' not found")
        self._repo.refs.set(self.refspec, override)
        return override

    def _pull(
        self, override: Checksum | None, newer_than: Checksum | None, *, fetching: bool
    ) -> None:
        remote, ref = parse_refspec(self.refspec)
        if remote is not None and fetching:
            request = PullRequest(remote, ref, override, newer_than)
            self._puller(self._repo, request, self._sysroot.on_event)

    def _resolve(self) -> Checksum:
        """What the origin leads to; it may be a commit as well as a ref."""
        return self._repo.resolve(self.refspec)

    def deploy(self, commit: Checksum) -> Deployment:
        """Make a deployment of a commit with the origin as it is now."""
        return deploy(
            self._sysroot,
            DeployRequest(
                commit,
                self.merge.stateroot,
                origin=self.origin,
                merge=self.merge,
                stage=self._stage,
                lint=self._lint,
            ),
        )


def upgrade(
    upgrader: Upgrader,
    sysroot: Sysroot,
    *,
    allow_downgrade: bool,
    override_commit: str | None,
    pull_only: bool,
    deploy_only: bool,
) -> UpgradeResult:
    """Fetch, compare, deploy; see :meth:`ostree.sysroot.sysroot.Sysroot.upgrade`.

    Raises:
        SysrootError: the options contradict each other.
        TrustError: the new commit is older than the current one.
    """
    if pull_only and deploy_only:
        raise SysrootError("Cannot simultaneously specify --pull-only and --deploy-only")
    origins.remove_transient_state(upgrader.origin)
    override = None if override_commit is None else Checksum(override_commit)
    if override is not None:
        origins.set_override_commit(upgrader.origin, override)
    try:
        commit = upgrader.fetch(override, allow_downgrade=allow_downgrade, fetching=not deploy_only)
    except OSTreeError:
        if pull_only:
            _drop_half_pulled(sysroot)
        raise
    if commit == upgrader.merge.checksum:
        sysroot.on_event(Message("No update available."))
        return UpgradeResult(changed=False, commit=commit, deployment=None)
    stateroot = upgrader.merge.stateroot
    if override is None and commit in failed_commits(sysroot.root_fd, stateroot):
        sysroot.on_event(Message(f"Commit {commit} did not start on this machine; not deployed."))
        return UpgradeResult(changed=False, commit=commit, deployment=None)
    if not allow_downgrade:
        check_not_older(sysroot.repo, commit, upgrader.merge.checksum)
    deployment = None if pull_only else upgrader.deploy(commit)
    return UpgradeResult(changed=True, commit=commit, deployment=deployment)


def _drop_half_pulled(sysroot: Sysroot) -> None:
    """Remove what a failed pull left, as far as that works."""
    try:
        sysroot.clean_up()
    except OSTreeError:
        return


def check_not_older(repo: Repo, new: Checksum, current: Checksum) -> None:
    """Refuse a commit with an earlier time.

    Raises:
        TrustError: it has one.
    """
    new_time = repo.load_commit(new).timestamp
    current_time = repo.load_commit(current).timestamp
    if new_time < current_time:
        raise TrustError(
            f"Upgrade target revision '{new}' with timestamp '{format_c(new_time)}' is "
            f"chronologically older than current revision '{current}' with timestamp "
            f"'{format_c(current_time)}'; use --allow-downgrade to permit"
        )


def pull_from_remote(repo: Repo, request: PullRequest, on_event: Listener) -> None:
    """Fetch as the remote is configured; the puller of upgrades that are given no other."""
    from ostree.transfer.options import PullOptions
    from ostree.transfer.pull import pull

    options = PullOptions(timestamp_check_from_rev=request.newer_than)
    pull(repo, request.remote, [request.wanted], options, on_event)
