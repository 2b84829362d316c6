"""Which failed requests are tried again, how often and when: rules only, no clock and no network."""

from __future__ import annotations

from ostree.errors import FetchError, FetchTimeoutError, StatusError
from ostree.net.fetcher import NOT_FOUND_STATUSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.errors import OSTreeError

#: Retried even where network errors are not: the server said that it may work later.
_BUSY_STATUSES = frozenset({408, 500})


class RetryPolicy:
    """Up to ``retries`` further attempts for each request, with growing pauses in between.

    Upstream retries at once, five times.  We wait 0, 0.1, 0.3, 1 and 2 seconds (the last one again
    for any further retry), which survives the restart of a server and spares one that is busy.

    Attributes:
        retries: Attempts after the first one; 0 for none.
        delays: Pause before the first, second, … retry, in seconds.
        network_errors: Whether errors below HTTP, and statuses other than 408 and 500, are retried.
    """

    __slots__ = ("delays", "network_errors", "retries")

    def __init__(
        self,
        *,
        retries: int = 5,
        delays: Sequence[float] = (0.0, 0.1, 0.3, 1.0, 2.0),
        network_errors: bool = True,
    ) -> None:
        self.retries = retries
        self.delays = delays
        self.network_errors = network_errors

    def retries_error(self, url: str, error: OSTreeError) -> bool:
        """Whether another attempt may help.

        Never for files, for what is not there (403, 404, 410), for a body that is too large, and
        for what the sink refused.
        """
        if url[:4].lower() != "http":
            return False
        if isinstance(error, StatusError):
            if error.status in NOT_FOUND_STATUSES:
                return False
            return self.network_errors or error.status in _BUSY_STATUSES
        return self.network_errors and isinstance(error, FetchError | FetchTimeoutError)

    def delay(self, retry: int, jitter: float) -> float | None:
        """Seconds to wait before a retry; ``None`` when it is time to give up.

        Args:
            retry: 1 for the first retry of a request, and so on.
            jitter: A random number from 0 to 1; spreads the pause by a quarter to either side, so
                that requests that failed together do not come back together.
        """
        if retry > self.retries:
            return None
        if not self.delays:
            return 0.0
        return self.delays[min(retry, len(self.delays)) - 1] * (0.75 + jitter / 2)
