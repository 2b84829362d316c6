"""How to check out (repository format §6.7)."""

from __future__ import annotations

from enum import Enum

from ostree.errors import RepoError


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
        passthrough_whiteouts: Files ``.ostree-wh.NAME`` become overlay whiteouts NAME.
    """

    __slots__ = (
        "bareuseronly_dirs",
        "existing",
        "force_copy",
        "passthrough_whiteouts",
        "require_hardlinks",
        "user_mode",
    )

    def __init__(
        self,
        *,
        user_mode: bool = False,
        force_copy: bool = False,
        require_hardlinks: bool = False,
        existing: Existing = Existing.REFUSE,
        bareuseronly_dirs: bool = False,
        passthrough_whiteouts: bool = False,
    ) -> None:
        self.user_mode = user_mode
        self.force_copy = force_copy
        self.require_hardlinks = require_hardlinks
        self.existing = existing
        self.bareuseronly_dirs = bareuseronly_dirs
        self.passthrough_whiteouts = passthrough_whiteouts


def check_options(options: CheckoutOptions) -> None:
    """Refuse options that contradict each other.

    Raises:
        RepoError: in upstream's words.
    """
    if options.require_hardlinks and options.force_copy:
        raise RepoError("Cannot specify both --require-hardlinks and --force-copy")
    if options.existing is Existing.IDENTICAL and not options.require_hardlinks:
        raise RepoError("--union-identical requires --require-hardlinks")
