"""What the test server demands and does wrong."""

from __future__ import annotations

from ostree.server.faults import Faults, RandomErrors


def test_nothing_is_demanded_by_default() -> None:
    faults = Faults(random=lambda: 0.0)

    assert faults.check({}) is None
    assert faults.random_error() is None
    assert not faults.cuts_off("/objects/x", {})


def test_credentials() -> None:
    faults = Faults(basic_auth=True, random=lambda: 0.0)

    refusal = faults.check({"authorization": "Basic x"})

    assert refusal is not None
    assert refusal.status == 401
    assert refusal.headers == [("WWW-Authenticate", 'Basic realm="auth-test"')]
    assert faults.check({"authorization": "Basic Zm9vdXNlcjpiYXJwdw=="}) is None


def test_cookies_and_headers_are_demanded_by_value() -> None:
    faults = Faults(
        cookies=[("foo", "bar"), ("baz", "badger")],
        headers=[("X-One", "1")],
        random=lambda: 0.0,
    )
    cookies = {"cookie": "baz=badger; foo=bar"}

    texts = [
        refusal.reason if refusal else None
        for refusal in map(
            faults.check,
            ({"cookie": "foo=bar"}, cookies, {**cookies, "x-one": "2"}, {**cookies, "x-one": "1"}),
        )
    ]

    assert texts == [
        "Expected cookie not found baz=badger",
        "Expected header not found X-One",
        "Expected header X-One: 1 but found 2",
        None,
    ]


def test_errors_come_at_random_up_to_a_number() -> None:
    numbers = iter([0.49, 0.51, 0.1, 0.1])
    faults = Faults(errors=[RandomErrors(500, 50, 2)], random=lambda: next(numbers))

    found = [faults.random_error() for _ in range(4)]

    assert [refusal and refusal.status for refusal in found] == [500, None, 500, None]


def test_the_second_kind_of_error_is_tried_when_the_first_did_not_happen() -> None:
    numbers = iter([0.9, 0.1])
    errors = [RandomErrors(500, 50, 9), RandomErrors(408, 50, 9)]

    refusal = Faults(errors=errors, random=lambda: next(numbers)).random_error()

    assert refusal is not None
    assert refusal.status == 408


def test_objects_are_cut_off_unless_a_range_is_asked_for() -> None:
    faults = Faults(halves=True, random=lambda: 0.0)

    assert faults.cuts_off("//repo/objects/x", {})
    assert not faults.cuts_off("/repo/objects/x", {"range": "bytes=1-"})
    assert not faults.cuts_off("/repo/summary", {})
