"""What a pull is asked to do, and what it did."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostree.transfer.survey import PullEstimate
    from ostree.types import Checksum


class PullOptions:
    """How to pull; the defaults are those of the command.

    Attributes:
        depth: How many generations of parents to fetch too; -1 for all.
        mirror: Write refs under their own names, not the remote's (remotes and pull §4.8).
        commit_metadata_only: Only commit objects and their detached metadata; they stay partial.
        subpaths: Only these absolute paths of the tree; the commit stays partial.
        untrusted: Verify every object of a local source.
        http_trusted: Mirror file objects into an archive repository without verifying them.
        bareuseronly_files: Refuse files with mode bits outside 0775.
        timestamp_check: Refuse commits older than what their ref points to now.
        timestamp_check_from_rev: Refuse commits older than this revision.
        verify_bindings: Check that commits are bound to the refs they came by.
        url: Base URL instead of the configured one.
        http_headers: Sent with every request, as (name, value).
        network_retries: How often a request that failed is repeated.
        fsync: False leaves out all syncing; None follows the repository's configuration.
        per_object_fsync: Sync every content object as it is written.
        require_static_deltas: Fail rather than fetch objects where a static delta could be used.
        disable_static_deltas: Use none.
        dry_run: Find out what would be transferred, and change nothing.
        gpg_verify: Instead of the remote's setting of that name, as the three below.
        gpg_verify_summary: See above.
        sign_verify: See above.
        sign_verify_summary: See above.
        keyring_remotes: For commits that other remotes have the keys of, the names of those.
        override_remote_name: Write refs as if they came from the remote of this name
            (``pull-local --remote``).
        append_user_agent: Added to the user agent, after a blank.
        low_speed_limit: A transfer slower than this many bytes per second …
        low_speed_time: … for so many seconds is given up.
        update_interval: Seconds between two progress events, at least.
        cache_dir: Where summaries are cached instead of the repository's ``tmp/cache``.
        use_cache: False leaves the cache alone.
        fail_on_stale_cache: Fail where a cached summary turns out not to be the signed one, rather
            than fetch it again; for tests.
        retry_network_errors: False repeats requests only if the server said that it is busy.
        max_outstanding: Requests under way at once.
        limit_rate: Most bytes per second of all transfers together; 0 for no limit.
        localcache_repos: Repositories on this machine that are asked for objects first.
        collection_refs: Further refs to pull, as (collection ID, ref, commit or None).
    """

    __slots__ = (
        "append_user_agent",
        "bareuseronly_files",
        "cache_dir",
        "collection_refs",
        "commit_metadata_only",
        "depth",
        "disable_static_deltas",
        "dry_run",
        "fail_on_stale_cache",
        "fsync",
        "gpg_verify",
        "gpg_verify_summary",
        "http_headers",
        "http_trusted",
        "keyring_remotes",
        "limit_rate",
        "localcache_repos",
        "low_speed_limit",
        "low_speed_time",
        "max_outstanding",
        "mirror",
        "network_retries",
        "override_remote_name",
        "per_object_fsync",
        "require_static_deltas",
        "retry_network_errors",
        "sign_verify",
        "sign_verify_summary",
        "subpaths",
        "timestamp_check",
        "timestamp_check_from_rev",
        "untrusted",
        "update_interval",
        "url",
        "use_cache",
        "verify_bindings",
    )

    def __init__(
        self,
        *,
        depth: int = 0,
        mirror: bool = False,
        commit_metadata_only: bool = False,
        subpaths: Sequence[str] = (),
        untrusted: bool = False,
        http_trusted: bool = False,
        bareuseronly_files: bool = False,
        timestamp_check: bool = False,
        timestamp_check_from_rev: str | None = None,
        verify_bindings: bool = True,
        url: str | None = None,
        http_headers: Sequence[tuple[str, str]] = (),
        network_retries: int = 5,
        fsync: bool | None = None,
        per_object_fsync: bool = False,
        require_static_deltas: bool = False,
        disable_static_deltas: bool = False,
        dry_run: bool = False,
        gpg_verify: bool | None = None,
        gpg_verify_summary: bool | None = None,
        sign_verify: bool | None = None,
        sign_verify_summary: bool | None = None,
        keyring_remotes: Mapping[Checksum, str] | None = None,
        override_remote_name: str | None = None,
        append_user_agent: str | None = None,
        low_speed_limit: int = 1000,
        low_speed_time: int = 30,
        update_interval: float = 0.2,
        cache_dir: str | None = None,
        use_cache: bool = True,
        fail_on_stale_cache: bool = False,
        retry_network_errors: bool = True,
        max_outstanding: int = 8,
        limit_rate: int = 0,
        localcache_repos: Sequence[str] = (),
        collection_refs: Sequence[tuple[str, str, Checksum | None]] = (),
    ) -> None:
        self.depth = depth
        self.mirror = mirror
        self.commit_metadata_only = commit_metadata_only
        self.subpaths = subpaths
        self.untrusted = untrusted
        self.http_trusted = http_trusted
        self.bareuseronly_files = bareuseronly_files
        self.timestamp_check = timestamp_check
        self.timestamp_check_from_rev = timestamp_check_from_rev
        self.verify_bindings = verify_bindings
        self.url = url
        self.http_headers = http_headers
        self.network_retries = network_retries
        self.fsync = fsync
        self.per_object_fsync = per_object_fsync
        self.require_static_deltas = require_static_deltas
        self.disable_static_deltas = disable_static_deltas
        self.dry_run = dry_run
        self.gpg_verify = gpg_verify
        self.gpg_verify_summary = gpg_verify_summary
        self.sign_verify = sign_verify
        self.sign_verify_summary = sign_verify_summary
        self.keyring_remotes = keyring_remotes or {}
        self.override_remote_name = override_remote_name
        self.append_user_agent = append_user_agent
        self.low_speed_limit = low_speed_limit
        self.low_speed_time = low_speed_time
        self.update_interval = update_interval
        self.cache_dir = cache_dir
        self.use_cache = use_cache
        self.fail_on_stale_cache = fail_on_stale_cache
        self.retry_network_errors = retry_network_errors
        self.max_outstanding = max_outstanding
        self.limit_rate = limit_rate
        self.localcache_repos = localcache_repos
        self.collection_refs = collection_refs

    @property
    def is_partial(self) -> bool:
        """Whether what is pulled is less than whole commits."""
        return self.commit_metadata_only or bool(self.subpaths)


class PullResult:
    """What a pull did.

    Attributes:
        local: Whether objects were imported from a directory rather than fetched.
        metadata: Metadata objects fetched or imported (commits, directories, detached metadata).
        content: Content objects fetched or imported.
        cached_metadata: Metadata objects taken from other repositories of this machine instead.
        cached_content: Content objects taken from those.
        delta_parts: Parts of static deltas fetched.
        bytes_transferred: Bodies of object requests, in bytes; config, summary and refs not counted.
        seconds: How long fetching took, in whole seconds.
        unplanned: How many of the metadata objects no commit or directory led to: detached metadata
            and what was looked up to find static deltas.
        content_bytes_written: Plain bytes of content written anew; hard links do not count.
        estimate: What a dry run found out.
        commits: The commit of each requested ref, or of each requested checksum by itself.
    """

    __slots__ = (
        "bytes_transferred",
        "cached_content",
        "cached_metadata",
        "commits",
        "content",
        "content_bytes_written",
        "delta_parts",
        "estimate",
        "local",
        "metadata",
        "seconds",
        "unplanned",
    )

    def __init__(self, *, local: bool) -> None:
        self.local = local
        self.metadata = 0
        self.content = 0
        self.cached_metadata = 0
        self.cached_content = 0
        self.delta_parts = 0
        self.estimate: PullEstimate | None = None
        self.bytes_transferred = 0
        self.seconds = 0
        self.unplanned = 0
        self.content_bytes_written = 0
        self.commits: dict[str, Checksum] = {}
