"""Which failed requests are tried again, how often and when: rules only, no clock and no network."""

from __future__ import annotations

from ostree.errors import FetchError, FetchTimeoutError, StatusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.errors import OSTreeError

#: Retried even where network errors are not: the server said that it may work later.
_BUSY_STATUSES = frozenset({408, 500})
#: Of the statuses that blame the client, those that may be gone by the next time.
_PASSING_STATUSES = frozenset({408, 425, 429})

#: An attempt that brought so many bytes was no failure of the server.
PROGRESS = 64 * 1024


class RetryPolicy:
    """Up to ``retries`` further attempts for each request, with pauses that suit the server.

    Upstream retries at once, five times.  We leave a server in peace that has failed several times
    in a row, whatever was asked for: 0, 0.1, 0.3, 1 and 2 seconds (the last one again from then
    on), which survives the restart of a server and spares one that is busy.  As soon as it answers
    anything, the next failure is a first one again.

    Attributes:
        retries: Attempts after the first one; 0 for none.
        delays: Pause after the first, second, … failure in a row, in seconds.
        network_errors: Whether errors below HTTP, and statuses other than 408 and 500, are retried.
        most_patience: The longest pause that a server may ask for, in seconds.
    """

    __slots__ = ("delays", "most_patience", "network_errors", "retries")

    def __init__(
        self,
        *,
        retries: int = 5,
        delays: Sequence[float] = (0.0, 0.1, 0.3, 1.0, 2.0),
        network_errors: bool = True,
        most_patience: float = 30.0,
    ) -> None:
        self.retries = retries
        self.delays = delays
        self.network_errors = network_errors
        self.most_patience = most_patience

    def retries_error(self, url: str, error: OSTreeError) -> bool:
        """Whether another attempt may help.

        Never for files, for what the server calls the client's mistake (403 and 404 among them),
        for a body that is too large, for what the sink refused, and for a certificate that is not
        to be trusted.
        """
        if url[:4].lower() != "http":
            return False
        if isinstance(error, StatusError):
            if 400 <= error.status < 500 and error.status not in _PASSING_STATUSES:
                return False
            return self.network_errors or error.status in _BUSY_STATUSES
        if isinstance(error, FetchError) and not error.may_pass:
            return False
        return self.network_errors and isinstance(error, FetchError | FetchTimeoutError)

    def pause(self, failures: int, jitter: float, wish: float | None = None) -> float:
        """Seconds to leave a server in peace.

        Args:
            failures: How often it has failed since it last answered, this time included.
            jitter: A random number from 0 to 1; spreads the pause by a quarter to either side, so
                that clients that failed together do not come back together.
            wish: What the server asked for, in seconds.
        """
        delay = self.delays[min(failures, len(self.delays)) - 1] if self.delays else 0.0
        pause = delay * (0.75 + jitter / 2)
        return pause if wish is None else max(pause, min(wish, self.most_patience))


class ServerHealth:
    """How often a server has failed in a row, counting what fails together once.

    Attributes:
        failures: Failures since it last answered.
    """

    __slots__ = ("_since", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self._since = 0.0

    def answered(self) -> None:
        """Note an answer, whatever it says."""
        self.failures = 0

    def failed(self, sent: float, now: float) -> None:
        """Note that a request failed ``now`` that was sent at ``sent``."""
        if not self.failures or sent >= self._since:
            self.failures += 1
            self._since = now
