"""The rules of trying again."""

from __future__ import annotations

import pytest

from ostree.errors import (
    ChecksumError,
    FetchError,
    FetchTimeoutError,
    OSTreeError,
    StatusError,
    TooLargeError,
)
from ostree.net.retry import RetryPolicy

URL = "http://host/x"


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503])
def test_statuses_are_retried(status: int) -> None:
    assert RetryPolicy().retries_error(URL, StatusError("", status=status))


@pytest.mark.parametrize(
    "error",
    [
        StatusError("", status=403),
        StatusError("", status=404),
        StatusError("", status=410),
        TooLargeError(""),
        ChecksumError(""),
    ],
)
def test_what_will_not_change_is_not_retried(error: OSTreeError) -> None:
    assert not RetryPolicy().retries_error(URL, error)


def test_only_web_transfers_are_retried() -> None:
    policy = RetryPolicy()

    assert policy.retries_error("HTTPS://host/x", FetchError(""))
    assert not policy.retries_error("file:///x", FetchError(""))


def test_without_network_errors_only_busy_servers_are_asked_again() -> None:
    policy = RetryPolicy(network_errors=False)

    assert policy.retries_error(URL, StatusError("", status=408))
    assert policy.retries_error(URL, StatusError("", status=500))
    assert not policy.retries_error(URL, StatusError("", status=502))
    assert not policy.retries_error(URL, FetchError(""))
    assert not policy.retries_error(URL, FetchTimeoutError(""))


def test_the_default_is_five_retries_with_growing_pauses() -> None:
    policy = RetryPolicy()

    pauses = [policy.delay(retry, 0.5) for retry in range(1, 7)]

    assert pauses == [0.0, 0.1, 0.3, 1.0, 2.0, None]


def test_jitter_spreads_a_pause_by_a_quarter() -> None:
    policy = RetryPolicy()

    assert policy.delay(4, 0.0) == 0.75
    assert policy.delay(4, 1.0) == 1.25


def test_the_last_pause_serves_for_all_further_retries() -> None:
    policy = RetryPolicy(retries=9, delays=[1.0, 2.0])

    assert policy.delay(9, 0.5) == 2.0
    assert RetryPolicy(delays=[]).delay(5, 1.0) == 0.0
    assert RetryPolicy(retries=0).delay(1, 0.5) is None
