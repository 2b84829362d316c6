"""Pure readers of what ``gpg`` prints: status lines, listings, user IDs."""

from __future__ import annotations

import pytest

from ostree.sign.gpg.listing import GpgUserId, parse_keys
from ostree.sign.gpg.process import GpgOutput
from ostree.sign.gpg.signature import GpgStatus, parse_statuses

FINGERPRINT = "7370B67DE6A929507EDC856EBE292AB831A1DA88"
PRIMARY = "128D641F4A997003A94A63B6297968903961241A"


def statuses(*lines: str) -> list[list[str]]:
    return [line.split(" ") for line in lines]


def test_a_good_signature() -> None:
    found = parse_statuses(
        statuses(
            "NEWSIG good@example.org",
            f"KEY_CONSIDERED {FINGERPRINT} 0",
            "GOODSIG BE292AB831A1DA88 Good <good@example.org>",
            f"VALIDSIG {FINGERPRINT} 2026-11-24 1795558161 1893499200 4 0 22 8 00 {PRIMARY}",
        )
    )

    assert found is not None
    (signature,) = found
    assert signature.status is GpgStatus.GOOD
    assert (signature.fingerprint, signature.primary) == (FINGERPRINT, PRIMARY)
    assert (signature.timestamp, signature.expires) == (1795558161, 1893499200)
    assert (signature.algorithm, signature.hash) == ("EdDSA", "SHA256")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("EXPSIG", GpgStatus.EXPIRED),
        ("EXPKEYSIG", GpgStatus.KEY_EXPIRED),
        ("REVKEYSIG", GpgStatus.KEY_REVOKED),
        ("BADSIG", GpgStatus.BAD),
    ],
)
def test_others_prove_nothing(word: str, status: GpgStatus) -> None:
    found = parse_statuses(statuses(f"{word} BE292AB831A1DA88 Somebody"))

    assert found is not None
    assert [(one.status, one.is_valid) for one in found] == [(status, False)]


def test_a_validsig_without_a_goodsig_proves_nothing() -> None:
    line = f"VALIDSIG {FINGERPRINT} 2026-11-24 1795558161 0 4 0 22 8 00 {PRIMARY}"

    assert parse_statuses(statuses(line)) is None


def test_a_key_that_is_missing() -> None:
    """With its fingerprint where the signature tells it, and for another reason than that."""
    lines = (
        f"ERRSIG BE292AB831A1DA88 22 8 00 1795558161 9 {FINGERPRINT}",
        "ERRSIG BE292AB831A1DA88 1 10 00 1795558161 9 -",
        "ERRSIG BE292AB831A1DA88 99 99 00 1795558161 4",
    )

    found = parse_statuses(statuses(*lines))

    assert found is not None
    assert [(one.status, one.fingerprint, one.algorithm) for one in found] == [
        (GpgStatus.KEY_MISSING, FINGERPRINT, "EdDSA"),
        (GpgStatus.KEY_MISSING, "BE292AB831A1DA88", "RSA"),
        (GpgStatus.ERROR, "BE292AB831A1DA88", "[unknown name]"),
    ]


@pytest.mark.parametrize("word", ["NODATA 3", "UNEXPECTED 0"])
def test_anything_else_among_them_is_no_data(word: str) -> None:
    assert parse_statuses(statuses("GOODSIG BE292AB831A1DA88 x", word)) is None
    assert parse_statuses([]) is None


def test_status_lines_are_told_from_the_rest() -> None:
    output = GpgOutput(2, b"pub:u:\n[GNUPG:] FAILURE sign 99\nfpr:\n", b"gpg: one\ngpg: two\n")

    assert output.text == b"pub:u:\nfpr:\n"
    assert output.find("FAILURE") == ["FAILURE", "sign", "99"]
    assert output.find("NODATA") is None
    assert output.last_line() == "two"


LISTING = b"""tru::1:1795558140:0:3:1:5
pub:r:255:22:BE292AB831A1DA88:1795558140:1795558214::u:::scSC:::::ed25519:::0:
fpr:::::::::7370B67DE6A929507EDC856EBE292AB831A1DA88:
uid:r::::1795558140::C83D095F10E5C083A5F930F60C37C94A4219C4D0::a\\x3ab (c) <x@y.org>::::::::::0:
uid:i::::1795558140::C83D095F10E5C083A5F930F60C37C94A4219C4D0::\xff\\\\::::::::::0:
sub:e:255:22:47AFAEE78CDC8D3C:1795558140:0:::::s:::::ed25519::
fpr:::::::::A1C7A1CC1238CD99D2CC066247AFAEE78CDC8D3C:
"""


def test_a_listing() -> None:
    (key,) = parse_keys(LISTING)

    assert [(one.fingerprint[-8:], one.created, one.expires) for one in key.subkeys] == [
        ("31A1DA88", 1795558140, 1795558214),
        ("8CDC8D3C", 1795558140, 0),
    ]
    assert [(one.revoked, one.invalid) for one in key.subkeys] == [(True, False), (False, False)]
    assert [(one.text, one.revoked, one.invalid) for one in key.user_ids] == [
        ("a:b (c) <x@y.org>", True, False),
        ("\udcff\\", False, True),
    ]


@pytest.mark.parametrize(
    ("text", "name", "email", "address"),
    [
        ("Good <good@example.org>", "Good", "good@example.org", "good@example.org"),
        ("plain@example.org", "", "plain@example.org", "plain@example.org"),
        ("No Email", "No Email", "", None),
        ("Name (with comment) <c@example.org>", "Name", "c@example.org", "c@example.org"),
        ('"Quoted, Name" <q@example.org>', '"Quoted, Name"', "q@example.org", "q@example.org"),
        ("<only@example.org>", "", "only@example.org", "only@example.org"),
        ("X <bad> <two@example.org>", "X", "bad", None),
        ("Trail <t@example.org> more", "Trail", "t@example.org", "t@example.org"),
        ("Two@@at.org", "Two@@at.org", "", None),
        ("Caps <MiXed@Example.ORG>", "Caps", "MiXed@Example.ORG", "mixed@example.org"),
        ("plus <a+b c@example.org>", "plus", "a+b c@example.org", None),
        ("Nested <<n@example.org>>", "Nested", "<n@example.org>", "<n@example.org"),
        ("dots <a..b@example.org>", "dots", "a..b@example.org", "a..b@example.org"),
        ("dots <a@b..org>", "dots", "a@b..org", None),
        ("a..b@example.org", "a..b@example.org", "", None),
        ("", "", "", None),
        ("<<>", "", "", None),
        (")(", ")", "", None),
    ],
)
def test_user_ids(text: str, name: str, email: str, address: str | None) -> None:
    """As GPGME takes them apart (compared with the reference in tests/compat)."""
    user = GpgUserId(text)

    assert (user.name, user.email, user.address) == (name, email, address)
