"""The cookies that a repository's remotes are sent: ``NAME.cookies.txt`` (§2.6)."""

from __future__ import annotations

import os
import stat
import time
from datetime import UTC, datetime

from ostree.errors import NotFoundError, RepoError
from ostree.formats import cookie_jar
from ostree.formats.cookie_jar import Cookie
from ostree.formats.refspec import check_remote_name
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo

_LIFETIME_YEARS = 25
_LIMIT = 1 << 20


class CookieJar:
    """The cookies of one remote, which need not be configured.

    Raises:
        FormatError: if the name is none for a remote.
    """

    def __init__(self, repo: Repo, remote: str) -> None:
        check_remote_name(remote)
        self._dir_fd = repo.dir_fd
        self._name = f"{remote}.cookies.txt"

    def cookies(self) -> list[Cookie]:
        """All of them; none if there is no jar.

        Raises:
            RepoError: if it cannot be read.
        """
        try:
            data = files.read_file(self._name, self._dir_fd, limit=_LIMIT)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed(error) from error
        return cookie_jar.parse(data.decode("utf-8", "surrogateescape"))

    def add(self, domain: str, path: str, name: str, value: str) -> None:
        """Add a cookie that lasts for 25 years; others of that name stay.

        Raises:
            FormatError: if a field has a tab or line end.
            RepoError: if it cannot be written.
        """
        cookie = Cookie(domain, path, name, value, expires=_years_from(time.time()))
        line = f"{cookie.to_line()}\n".encode("utf-8", "surrogateescape")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            fd = os.open(self._name, flags, 0o644, dir_fd=self._dir_fd)
            try:
                files.write_all(fd, line)
            finally:
                os.close(fd)
        except OSError as error:
            raise self._failed(error) from error

    def delete(self, domain: str, path: str, name: str) -> None:
        """Remove a cookie, and whatever in the jar is none.

        Raises:
            NotFoundError: ``Cookie not found in jar``.
            RepoError: if it cannot be written.
        """
        cookies = self.cookies()
        kept = [cookie for cookie in cookies if not cookie.is_called(domain, path, name)]
        text = cookie_jar.format_jar(kept).encode("utf-8", "surrogateescape")
        try:
            files.replace_file(self._name, text, self._dir_fd, mode=self._mode())
        except OSError as error:
            raise self._failed(error) from error
        if len(kept) == len(cookies):
            raise NotFoundError("Cookie not found in jar")

    def _mode(self) -> int:
        try:
            return stat.S_IMODE(os.stat(self._name, dir_fd=self._dir_fd).st_mode)
        except FileNotFoundError:
            return 0o644

    def _failed(self, error: OSError) -> RepoError:
        return RepoError(files.describe(f"open({self._name})", error))


def _years_from(now: float) -> int:
    """The same moment of the calendar, 25 years later; 28 February for the 29th."""
    moment = datetime.fromtimestamp(now, UTC)
    year = moment.year + _LIFETIME_YEARS
    try:
        return int(moment.replace(year=year).timestamp())
    except ValueError:
        return int(moment.replace(year=year, day=28).timestamp())
