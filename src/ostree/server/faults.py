"""What the test server does wrong on purpose, and what it demands: rules only (§9)."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_REALM = "auth-test"
_CREDENTIALS = "Basic Zm9vdXNlcjpiYXJwdw=="  # foouser:barpw


class Refusal:
    """Why a request is not answered as it should be.

    Attributes:
        status: The HTTP status instead.
        headers: Further headers.
        reason: A line for the log, or empty.
    """

    __slots__ = ("headers", "reason", "status")

    def __init__(
        self, status: int, *, reason: str = "", headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers


class RandomErrors:
    """A status instead of an answer, for some of the requests but not for ever.

    Args:
        status: The HTTP status.
        percentage: How many requests of a hundred fail, about.
        most: How many fail at all.
    """

    def __init__(self, status: int, percentage: int, most: int) -> None:
        self.status = status
        self._percentage = percentage
        self._left = most

    def happens(self, number: float) -> bool:
        """Whether the request fails for which a random number from 0 to 1 was drawn."""
        if self._left > 0 and number * 100 < self._percentage:
            self._left -= 1
            return True
        return False


class Faults:
    """What is demanded of requests, and how they fail.  May be used from several threads.

    Attributes:
        halves: Whether objects are cut off in the middle unless a range is asked for.
    """

    def __init__(
        self,
        *,
        cookies: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        basic_auth: bool = False,
        errors: Sequence[RandomErrors] = (),
        halves: bool = False,
        random: Callable[[], float],
    ) -> None:
        self._cookies = cookies
        self._headers = headers
        self._basic_auth = basic_auth
        self._errors = errors
        self._random = random
        self._lock = threading.Lock()
        self.halves = halves

    def check(self, headers: Mapping[str, str]) -> Refusal | None:
        """What is wrong with the headers of a request; their names are in lower case."""
        if self._basic_auth and headers.get("authorization") != _CREDENTIALS:
            challenge = ("WWW-Authenticate", f'Basic realm="{_REALM}"')
            return Refusal(401, headers=[challenge])
        sent = [cookie.strip() for cookie in headers.get("cookie", "").split(";")]
        for name, value in self._cookies:
            if f"{name}={value}" not in sent:
                return Refusal(403, reason=f"Expected cookie not found {name}={value}")
        for name, value in self._headers:
            found = headers.get(name.lower())
            if found is None:
                return Refusal(403, reason=f"Expected header not found {name}")
            if found != value:
                return Refusal(403, reason=f"Expected header {name}: {value} but found {found}")
        return None

    def random_error(self) -> Refusal | None:
        """A failure without reason, if this request is one of the unlucky ones."""
        with self._lock:
            for error in self._errors:
                if error.happens(self._random()):
                    return Refusal(error.status)
        return None

    def cuts_off(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether the answer ends in the middle."""
        return self.halves and "/objects" in f"/{path.lstrip('/')}" and "range" not in headers
