"""A repository's configuration, typed (repository format §4.2, §4.3)."""

from __future__ import annotations

import os

from ostree.errors import FormatError, NotFoundError
from ostree.formats.keyfile import KeyFile
from ostree.formats.refspec import check_collection_id
from ostree.system import files
from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.integrity import Tristate

#: Configurations above this size are refused, in bytes.
_MAX_SIZE = 16 << 20
_FINDERS = "default-repo-finders"
#: What must be true or false for the repository to be opened at all.
_BOOLEANS = (
    ("core", "fsync"),
    ("core", "per-object-fsync"),
    ("core", "disable-xattrs"),
    ("core", "enable-uncompressed-cache"),
    ("core", "locking"),
    ("core", "add-remotes-config-dir"),
    ("ex-fsverity", "required"),
    ("ex-fsverity", "opportunistic"),
)
#: Digits of the largest 64-bit number; that number.
_MAX_DIGITS, _MAX_NUMBER = 20, (1 << 64) - 1
_UNITS = {"MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


class Config:
    """The values of ``[core]`` and its neighbours; reading a bad value raises FormatError.

    Attributes:
        keyfile: The file as parsed; unknown groups and keys are kept.
    """

    def __init__(self, keyfile: KeyFile) -> None:
        self.keyfile = keyfile

    @classmethod
    def load(cls, dir_fd: int) -> Config:
        """The configuration of the repository in a directory, checked.

        Raises:
            NotFoundError: if that is no repository.
            FormatError: if the configuration is wrong.
        """
        try:
            os.close(files.open_directory("objects", dir_fd=dir_fd))
        except OSError as error:
            raise NotFoundError(files.describe("opendir(objects)", error)) from error
        try:
            data = files.read_file("config", dir_fd, limit=_MAX_SIZE)
        except OSError as error:
            raise NotFoundError(files.describe("openat(config)", error)) from error
        try:
            config = cls(KeyFile.parse(data))
        except FormatError as error:
            error.add_prefix("Couldn't parse config file")
            raise
        config.validate()
        return config

    def validate(self) -> None:
        """Check what must be right before a repository can be used.

        Raises:
            FormatError: naming the key.
        """
        version = self.keyfile.get_string("core", "repo_version")
        if version != "1":
            raise FormatError(f"Invalid repository version '{version}'")
        if self._boolean("archive", default=False):
            raise FormatError(
                'This version of OSTree no longer supports "archive" repositories; '
                "use archive-z2 instead"
            )
        _ = self.mode
        if self.collection_id is not None:
            check_collection_id(self.collection_id)
        for group, key in _BOOLEANS:
            if self.keyfile.has_group(group):
                self.keyfile.get_boolean(group, key, default=False)
        _ = self.min_free_space
        _ = self.verity
        _ = self.repo_finders
        if self.keyfile.has_group("sysroot"):
            from ostree.formats.sysroot_config import parse_config

            parse_config(self.keyfile)

    @property
    def mode(self) -> RepoMode:
        """How objects are stored."""
        return RepoMode.parse(self.mode_text)

    @property
    def mode_text(self) -> str:
        """The mode as the file spells it."""
        text = self._string("mode")
        return "bare" if text is None else text

    @property
    def collection_id(self) -> str | None:
        """The collection of the repository's own refs."""
        return self._string("collection-id")

    @property
    def parent(self) -> str | None:
        """Path of the repository that is asked for missing objects and refs."""
        return self._string("parent")

    @property
    def fsync(self) -> bool:
        """Whether anything is synced to disk."""
        return self._boolean("fsync", default=True)

    @property
    def per_object_fsync(self) -> bool:
        """Whether every content object is synced as it is written."""
        return self._boolean("per-object-fsync", default=False)

    @property
    def payload_link_threshold(self) -> int | None:
        """Bytes of content from which on objects share blocks; None if they do not."""
        text = self._string("payload-link-threshold")
        if text is None:
            return None
        threshold = self._number("payload-link-threshold", 0)
        # As in C, -1 is the largest number.
        return threshold if 0 <= threshold < _MAX_NUMBER else None

    @property
    def verity(self) -> Tristate:
        """Whether objects are sealed with fs-verity."""
        if not (self.keyfile.has_group("ex-integrity") or self.keyfile.has_group("ex-fsverity")):
            return "no"
        from ostree.formats.integrity import wanted_verity

        return wanted_verity(self.keyfile)

    @property
    def disable_xattrs(self) -> bool:
        """Whether a bare repository leaves extended attributes alone."""
        return self._boolean("disable-xattrs", default=False)

    @property
    def uncompressed_cache(self) -> bool:
        """Whether checkouts from an archive keep content decompressed beside it."""
        return self._boolean("enable-uncompressed-cache", default=True)

    @property
    def stat_cache(self) -> bool:
        """Whether commits read only files that changed; a key of ours, which upstream ignores."""
        return self._boolean("pyostree-stat-cache", default=False)

    @property
    def locking(self) -> bool:
        """Whether the repository is locked at all."""
        return self._boolean("locking", default=True) and self.lock_timeout != -2

    @property
    def lock_timeout(self) -> int:
        """Seconds to wait for a lock; -1 for ever."""
        return self._number("lock-timeout-secs", 300)

    @property
    def temporary_expiry(self) -> int:
        """Age in seconds after which entries of ``tmp/`` are removed."""
        return self._number("tmp-expiry-secs", 86400)

    @property
    def tombstones(self) -> bool:
        """Whether deleted commits leave a tombstone."""
        return self._boolean("tombstone-commits", default=False)

    @property
    def sign_verify_deltas(self) -> bool:
        """Whether deltas that are applied from files have to be signed."""
        return self._boolean("sign-verify-deltas", default=False)

    @property
    def auto_update_summary(self) -> bool:
        """Whether the summary follows every change of refs."""
        return self._boolean("auto-update-summary", default=False) or self._boolean(
            "commit-update-summary", default=False
        )

    @property
    def zlib_level(self) -> str | None:
        """``archive.zlib-level`` as written."""
        return self.keyfile.find_string("archive", "zlib-level")

    @property
    def repo_finders(self) -> list[str]:
        """Where remotes for collections are looked for: any of ``config``, ``lan``, ``mount``."""
        if not self.keyfile.has_key("core", _FINDERS):
            return ["config", "mount"]
        names = self.keyfile.get_list("core", _FINDERS)
        if not names:
            raise FormatError("Invalid empty default-repo-finders configuration")
        for name in names:
            if name not in {"config", "lan", "mount"}:
                raise FormatError(f"Invalid configured repo-finder '{name}'")
        return names

    @property
    def min_free_space(self) -> tuple[int, int]:
        """(bytes, percent) that must stay free on the file system; one of them is 0."""
        text = self._string("min-free-space-size")
        size = 0 if text is None else _parse_size(text)
        default = 3 if text is None else 0
        text = self._string("min-free-space-percent")
        percent = default if text is None else _parse_percent(text)
        return (size, 0) if size else (0, percent)

    def _string(self, key: str) -> str | None:
        return self.keyfile.find_string("core", key)

    def _boolean(self, key: str, *, default: bool) -> bool:
        if not self.keyfile.has_group("core"):
            return default
        return self.keyfile.get_boolean("core", key, default=default)

    def _number(self, key: str, default: int) -> int:
        """A number as C reads it: leading digits count, garbage is 0."""
        text = self._string(key)
        if text is None:
            return default
        text = text.strip()
        sign = -1 if text.startswith("-") else 1
        digits = ""
        for character in text.lstrip("+-"):
            if character not in "0123456789":
                break
            digits += character
        return sign * int(digits.lstrip("0")[:_MAX_DIGITS] or "0")


def _parse_size(text: str) -> int:
    number, unit = text[:-2], text[-2:]
    if unit not in _UNITS or not (number.isascii() and number.isdigit()):
        raise FormatError(
            f"Invalid min-free-space-size '{text}': It should be of the format "
            "'123MB', '123GB' or '123TB'"
        )
    # As in C, a number that is too large becomes the largest; then it is one of megabytes.
    size = min(int(number.lstrip("0")[: _MAX_DIGITS + 1] or "0"), _MAX_NUMBER)
    if size * _UNITS[unit] // _UNITS["MB"] > _MAX_NUMBER:
        raise FormatError(f"Invalid min-free-space-size '{text}': Value was too high")
    return size * _UNITS[unit]


def _parse_percent(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise FormatError(f"Invalid min-free-space-percent '{text}': must be a number")
    if len(text.lstrip("0")) > 2:
        raise FormatError(f"Invalid min-free-space-percent '{text}'")
    return int(text.lstrip("0") or "0")
