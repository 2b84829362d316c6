"""A repository's configuration, typed (repository format §4.2, §4.3)."""

from __future__ import annotations

import os

from ostree.errors import FormatError, NotFoundError
from ostree.formats.keyfile import KeyFile
from ostree.formats.refspec import check_collection_id
from ostree.system import files
from ostree.types import RepoMode

#: Configurations above this size are refused, in bytes.
_MAX_SIZE = 16 << 20
_UNITS = {"MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_BOOLEANS = (
    "fsync",
    "per-object-fsync",
    "disable-xattrs",
    "locking",
    "tombstone-commits",
    "enable-uncompressed-cache",
)


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
        for key in _BOOLEANS:
            self._boolean(key, default=True)
        _ = self.min_free_space

    @property
    def mode(self) -> RepoMode:
        """How objects are stored."""
        return RepoMode.parse(self.mode_text)

    @property
    def mode_text(self) -> str:
        """The mode as the file spells it."""
        return self._string("mode") or "bare"

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
    def disable_xattrs(self) -> bool:
        """Whether a bare repository leaves extended attributes alone."""
        return self._boolean("disable-xattrs", default=False)

    @property
    def uncompressed_cache(self) -> bool:
        """Whether checkouts from an archive keep content decompressed beside it."""
        return self._boolean("enable-uncompressed-cache", default=True)

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
    def min_free_space(self) -> tuple[int, int]:
        """(bytes, percent) that must stay free on the file system; bytes win when not 0."""
        text = self._string("min-free-space-size")
        if text is not None:
            number, unit = text[:-2], text[-2:]
            if unit not in _UNITS or not (number.isascii() and number.isdigit()):
                raise FormatError(
                    f"Invalid min-free-space-size '{text}': It should be of the format "
                    "'123MB', '123GB' or '123TB'"
                )
            return int(number) * _UNITS[unit], 0
        text = self._string("min-free-space-percent")
        if text is None:
            return 0, 3
        if not (text.isascii() and text.isdigit()):
            raise FormatError(f"Invalid min-free-space-percent '{text}': must be a number")
        if int(text) > 99:
            raise FormatError(f"Invalid min-free-space-percent '{text}'")
        return 0, int(text)

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
        return sign * int(digits or "0")
