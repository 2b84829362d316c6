"""How to check out (repository format §6.7)."""

from __future__ import annotations

from enum import Enum

from ostree.errors import RepoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from ostree.repo.checkout_labels import Labels


class Existing(Enum):
    """What happens where the destination has something already."""

    REFUSE = "refuse"
    REPLACE = "union"
    KEEP = "union-add"
    IDENTICAL = "union-identical"


class CheckoutOptions:
    """How to check out.

    Attributes:
        user_mode: Files belong to the current user; no attributes, no setuid bits.
        force_copy: Never hard-link.
        require_hardlinks: Fail rather than copy.
        existing: What happens where the destination has something already.
        bareuseronly_dirs: Mask permissions of directories with 0775.
        whiteouts: Files ``.wh.NAME`` remove NAME from the destination, as layers of containers
            have it; ``.wh..wh..opq`` removes all that was in its directory.
        passthrough_whiteouts: Files ``.ostree-wh.NAME`` become overlay whiteouts NAME.
        uncompressed_cache: In user mode, keep the content of an archive repository's files
            decompressed, and link to that.
        fsync: Whether files that are new in that cache are synced.
        allow_missing: A subpath that does not exist is no error, and nothing happens.
        skip: What is left out: paths from the top of what is checked out, ``/bin/ls``, those of
            directories with a slash at the end.
        labels: SELinux labels for everything; nothing is hard-linked then.
    """

    __slots__ = (
        "allow_missing",
        "bareuseronly_dirs",
        "existing",
        "force_copy",
        "fsync",
        "labels",
        "passthrough_whiteouts",
        "require_hardlinks",
        "skip",
        "uncompressed_cache",
        "user_mode",
        "whiteouts",
    )

    def __init__(
        self,
        *,
        user_mode: bool = False,
        force_copy: bool = False,
        require_hardlinks: bool = False,
        existing: Existing = Existing.REFUSE,
        bareuseronly_dirs: bool = False,
        whiteouts: bool = False,
        passthrough_whiteouts: bool = False,
        uncompressed_cache: bool = False,
        fsync: bool = True,
        allow_missing: bool = False,
        skip: AbstractSet[str] = frozenset(),
        labels: Labels | None = None,
    ) -> None:
        self.user_mode = user_mode
        self.force_copy = force_copy or labels is not None
        self.require_hardlinks = require_hardlinks
        self.existing = existing
        self.bareuseronly_dirs = bareuseronly_dirs
        self.whiteouts = whiteouts
        self.passthrough_whiteouts = passthrough_whiteouts
        self.uncompressed_cache = uncompressed_cache
        self.fsync = fsync
        self.allow_missing = allow_missing
        self.skip = skip
        self.labels = labels

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            RepoError: in upstream's words.
        """
        if self.require_hardlinks and self.force_copy:
            raise RepoError("Cannot specify both --require-hardlinks and --force-copy")
        if self.existing is Existing.IDENTICAL and not self.require_hardlinks:
            raise RepoError("--union-identical requires --require-hardlinks")


def parse_skip_list(text: str) -> frozenset[str]:
    """The paths in a skip list, one a line; empty lines mean nothing."""
    return frozenset(line for line in text.split("\n") if line)
