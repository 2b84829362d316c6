"""The rules of verification: bytes in, accepted or refused; no disk, no network, no keys."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from ostree.errors import ChecksumError, OSTreeError, SignatureError
from ostree.formats import signature_dict
from ostree.sign.interface import Verdict, Verifier
from ostree.transfer.trust import EVERYTHING, WHEN_LOOKING, WHEN_PULLING, Trust
from ostree.types import Checksum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.formats.gvariant import Variant

COMMIT = b"a commit"
NAME = Checksum(hashlib.sha256(COMMIT).hexdigest())
NO_GPG = (
    "GPG verification enabled, but no signatures found "
    "(use gpg-verify=false in remote config to disable)"
)


class Said(Verdict):
    def __init__(self, text: str) -> None:
        self.text = text

    def descriptions(self, prefix: str = "") -> list[str]:
        return [f"{prefix}{self.text}\n"]


class Fake(Verifier):
    """Is content with signatures that name it and the data; notes whom it was asked about."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.metadata_key = f"key.{name}"
        self.asked: list[Sequence[bytes] | None] = []

    def sign(self, data: bytes) -> bytes:
        return self.name.encode() + b":" + data

    def verify(self, data: bytes, signatures: Sequence[bytes] | None) -> Verdict:
        self.asked.append(signatures)
        if signatures is None:
            raise SignatureError(f"{self.name} has no place")
        if self.sign(data) in signatures:
            return Said(f"{self.name} is content")
        raise SignatureError(f"{self.name} is not content with {len(signatures)}")


def dictionary(*signatures: tuple[Fake, bytes]) -> bytes:
    entries: list[tuple[str, Variant]] = []
    for engine, signature in signatures:
        entries = signature_dict.with_signature(entries, engine.metadata_key, signature)
    return signature_dict.encode(entries)


def good(*engines: Fake, data: bytes = COMMIT) -> bytes:
    return dictionary(*((engine, engine.sign(data)) for engine in engines))


@pytest.fixture
def gpg() -> Fake:
    return Fake("gpg")


@pytest.fixture
def engines() -> list[Fake]:
    return [Fake("one"), Fake("two")]


def refusal(function: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(SignatureError) as caught:
        function(*arguments)
    return caught.value.message


# commits --------------------------------------------------------------------------------------


def test_nothing_demanded_nothing_looked_at() -> None:
    """Neither signatures nor the checksum."""
    assert EVERYTHING.check_fetched(NAME, b"x", b"garbage") is None
    assert EVERYTHING.check_stored(NAME, b"x", None) is None
    assert EVERYTHING.check_summary(None, None, WHEN_PULLING) is None
    assert not EVERYTHING.demands_commit
    assert not EVERYTHING.demands_summary


def test_gpg_is_content(gpg: Fake) -> None:
    trust = Trust(gpg=lambda _: gpg)

    for check in (trust.check_fetched, trust.check_stored):
        verdict = check(NAME, COMMIT, good(gpg))
        assert verdict is not None
        assert verdict.describe() == "gpg is content\n"


@pytest.mark.parametrize("detached", [None, b"", b"garbage", good(Fake("other"))])
def test_no_gpg_signature_at_all(gpg: Fake, detached: bytes | None) -> None:
    trust = Trust(gpg=lambda _: gpg)

    for check in (trust.check_fetched, trust.check_stored):
        assert refusal(check, NAME, COMMIT, detached) == f"Commit {NAME}: {NO_GPG}"
    assert gpg.asked == []


def test_gpg_is_not_content(gpg: Fake) -> None:
    trust = Trust(gpg=lambda _: gpg)
    detached = good(gpg, data=b"another commit")

    for check in (trust.check_fetched, trust.check_stored):
        assert refusal(check, NAME, COMMIT, detached) == (
            f"Commit {NAME}: gpg is not content with 1"
        )


@pytest.mark.parametrize("which", ["gpg", "engines"])
def test_a_signature_of_another_commit_does_not_help(
    gpg: Fake, engines: list[Fake], which: str
) -> None:
    """An old commit, rightly signed, under the name of a new one."""
    trust = Trust(gpg=lambda _: gpg) if which == "gpg" else Trust(engines=engines)
    old = b"an old commit"

    for check in (trust.check_fetched, trust.check_stored):
        with pytest.raises(ChecksumError, match=f"expected='{NAME}'"):
            check(NAME, old, good(gpg, *engines, data=old))


def test_both_have_to_be_content(gpg: Fake, engines: list[Fake]) -> None:
    trust = Trust(gpg=lambda _: gpg, engines=engines)

    for check in (trust.check_fetched, trust.check_stored):
        assert check(NAME, COMMIT, good(gpg, engines[1])) is not None
        assert refusal(check, NAME, COMMIT, good(*engines)) == f"Commit {NAME}: {NO_GPG}"
        assert "Can't verify commit" in refusal(check, NAME, COMMIT, good(gpg))


def test_one_engine_is_enough(engines: list[Fake]) -> None:
    one, two = engines
    trust = Trust(engines=engines)

    for check in (trust.check_fetched, trust.check_stored):
        check(NAME, COMMIT, good(one))
        check(NAME, COMMIT, good(two))
        check(NAME, COMMIT, dictionary((one, b"bad"), (two, two.sign(COMMIT))))


def test_words_about_a_commit_that_comes(engines: list[Fake]) -> None:
    """Engines without signatures are not asked."""
    one, two = engines
    check = Trust(engines=engines).check_fetched

    assert refusal(check, NAME, COMMIT, None) == "Can't verify commit without detached metadata"
    assert refusal(check, NAME, COMMIT, b"") == "Can't verify commit: No signatures found"
    assert refusal(check, NAME, COMMIT, dictionary((two, b"bad"))) == (
        "Can't verify commit: two is not content with 1"
    )
    assert one.asked == []
    assert refusal(check, NAME, COMMIT, dictionary((one, b"bad"), (two, b"bad"))) == (
        "Can't verify commit: (1 other invalid signatures): one is not content with 1"
    )


def test_words_about_a_commit_that_is_there(engines: list[Fake]) -> None:
    """Every engine is asked, and the first one's complaint counts."""
    two = engines[1]
    check = Trust(engines=engines).check_stored

    for detached in (None, b"", dictionary((two, b"bad"))):
        assert refusal(check, NAME, COMMIT, detached) == (
            f"Can't verify commit {NAME}: one has no place"
        )
    assert two.asked == [None, None, [b"bad"]]


def test_attestation(gpg: Fake, engines: list[Fake]) -> None:
    """What speaks for a commit, told apart."""
    both = Trust(gpg=lambda _: gpg, engines=engines).attest(COMMIT, good(gpg, *engines))

    assert [verdict.describe() for verdict in both if verdict] == [
        "gpg is content\n",
        "one is content\n",
    ]
    assert Trust(gpg=lambda _: gpg).attest(COMMIT, good(gpg))[1] is None
    attest = Trust(gpg=lambda _: gpg, engines=engines).attest
    assert refusal(attest, COMMIT, None) == "Can't verify commit without detached metadata"
    assert refusal(attest, COMMIT, b"") == NO_GPG
    assert refusal(attest, COMMIT, good(gpg)) == "Can't verify commit: No signatures found"


def test_commits_may_have_keyrings_of_their_own(gpg: Fake) -> None:
    asked = []

    def choose(commit: Checksum) -> Fake:
        asked.append(commit)
        return gpg

    Trust(gpg=choose).check_fetched(NAME, COMMIT, good(gpg))

    assert asked == [NAME]


def test_a_keyring_that_cannot_be_read_is_named_with_the_commit() -> None:
    def choose(_: Checksum) -> Fake:
        raise OSTreeError("no keys")

    with pytest.raises(OSTreeError) as caught:
        Trust(gpg=choose).check_fetched(NAME, COMMIT, good(Fake("gpg")))
    assert caught.value.message == f"Commit {NAME}: no keys"


# summaries ------------------------------------------------------------------------------------

OFF = "=false in remote config to disable)"
WRONG_URL = "(check that the configured URL in remote config is correct)"


@pytest.mark.parametrize(
    ("words", "no_summary", "no_signature"),
    [
        (
            WHEN_PULLING,
            f"no summary found (use gpg-verify-summary{OFF}",
            f"no summary.sig found (use gpg-verify-summary{OFF}",
        ),
        (
            WHEN_LOOKING,
            f"no summary found {WRONG_URL}",
            f"no summary signatures found (use gpg-verify-summary{OFF}",
        ),
    ],
    ids=["pull", "look"],
)
def test_missing_files_where_gpg_is_demanded(
    gpg: Fake, words: object, no_summary: str, no_signature: str
) -> None:
    check = Trust(gpg_summary=gpg).check_summary
    prefix = "GPG verification enabled, but "

    assert refusal(check, None, None, words) == prefix + no_summary
    assert refusal(check, None, b"", words) == prefix + no_summary
    assert refusal(check, b"summary", None, words) == prefix + no_signature


@pytest.mark.parametrize(
    ("words", "prefix", "no_summary", "no_signature", "both"),
    [
        (
            WHEN_PULLING,
            "Signatures verification enabled, but ",
            f"no summary found (use sign-verify-summary{OFF}",
            f"no summary.sig found (use sign-verify-summary{OFF}",
            f"no summary.sig found (use sign-verify-summary{OFF}",
        ),
        (
            WHEN_LOOKING,
            "Signature verification enabled, but ",
            f"no summary found {WRONG_URL}",
            f"no summary signatures found (use sign-verify-summary{OFF}",
            f"no summary found {WRONG_URL}",
        ),
    ],
    ids=["pull", "look"],
)
def test_missing_files_where_engines_are_demanded(
    engines: list[Fake], words: object, prefix: str, no_summary: str, no_signature: str, both: str
) -> None:
    """A summary alone missing lets everything through in upstream's pull (ADR 18)."""
    check = Trust(summary_engines=engines).check_summary

    assert refusal(check, None, None, words) == prefix + both
    assert refusal(check, b"summary", None, words) == prefix + no_signature
    assert refusal(check, None, b"", words) == prefix + no_summary


def test_a_good_summary(gpg: Fake, engines: list[Fake]) -> None:
    summary = b"not even a summary"
    trust = Trust(gpg_summary=gpg, summary_engines=engines)

    verdict = trust.check_summary(summary, good(gpg, engines[0], data=summary), WHEN_PULLING)

    assert verdict is not None
    assert verdict.describe() == "gpg is content\n"
    assert trust.demands_summary
    assert trust.demands_gpg_summary
    assert not trust.demands_commit


def test_words_about_a_bad_summary(gpg: Fake, engines: list[Fake]) -> None:
    """No prefix; garbage for a signature file holds no signature."""
    summary = b"summary"
    by_gpg = Trust(gpg_summary=gpg).check_summary
    by_engines = Trust(summary_engines=engines).check_summary

    for data in (b"", b"garbage", good(Fake("other"))):
        assert refusal(by_gpg, summary, data, WHEN_PULLING) == NO_GPG
        assert refusal(by_engines, summary, data, WHEN_PULLING) == "No signatures found"
    bad = good(gpg, *engines, data=b"another summary")
    assert refusal(by_gpg, summary, bad, WHEN_PULLING) == "gpg is not content with 1"
    assert refusal(by_engines, summary, bad, WHEN_PULLING) == (
        "(1 other invalid signatures): one is not content with 1"
    )
