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
from ostree.net.curl_error import curl_error
from ostree.net.retry import RetryPolicy, ServerHealth

URL = "http://host/x"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_statuses_are_retried(status: int) -> None:
    assert RetryPolicy().retries_error(URL, StatusError("", status=status))


@pytest.mark.parametrize(
    "error",
    [
        StatusError("", status=401),
        StatusError("", status=403),
        StatusError("", status=404),
        StatusError("", status=410),
        TooLargeError(""),
        ChecksumError(""),
    ],
)
def test_what_will_not_change_is_not_retried(error: OSTreeError) -> None:
    assert not RetryPolicy().retries_error(URL, error)


def test_a_bad_certificate_stays_bad() -> None:
    policy = RetryPolicy()

    retried = [code for code in (7, 35, 60, 77) if policy.retries_error(URL, curl_error(URL, code))]

    assert retried == [7, 35]


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

    pauses = [policy.pause(failures, 0.5) for failures in range(1, 7)]

    assert policy.retries == 5
    assert pauses == [0.0, 0.1, 0.3, 1.0, 2.0, 2.0]


def test_jitter_spreads_a_pause_by_a_quarter() -> None:
    policy = RetryPolicy()

    assert policy.pause(4, 0.0) == 0.75
    assert policy.pause(4, 1.0) == 1.25
    assert RetryPolicy(delays=[]).pause(5, 1.0) == 0.0


def test_the_wish_of_a_server_is_granted_within_reason() -> None:
    policy = RetryPolicy(most_patience=30.0)

    assert policy.pause(1, 0.5, 7) == 7.0
    assert policy.pause(5, 0.5, 1) == 2.0
    assert policy.pause(1, 0.5, 86400) == 30.0


def test_failures_in_a_row_are_counted_until_an_answer() -> None:
    health = ServerHealth()

    health.failed(sent=0.0, now=1.0)
    health.failed(sent=1.0, now=2.0)

    assert health.failures == 2
    health.answered()
    assert health.failures == 0


def test_requests_that_fail_together_are_one_failure() -> None:
    health = ServerHealth()

    for now in (1.0, 1.1, 1.2):
        health.failed(sent=0.5, now=now)

    assert health.failures == 1
