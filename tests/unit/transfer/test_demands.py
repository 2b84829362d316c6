"""What the configuration of a remote demands of signatures, and what is wrong in it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError, RemoteNotFoundError, SignatureError
from ostree.formats import signature_dict
from ostree.repo.repository import Repo
from ostree.sign.settings import SignSettings
from ostree.transfer.demands import local_trust, trust_in
from ostree.transfer.options import PullOptions
from ostree.types import Checksum
from support.openpgp import VECTOR_COMMIT, VECTOR_SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.transfer.trust import Trust

PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
OTHER = "45yzbkuEok0lLabxzdAHWUDSMZgYfxU40sN+LMfYHVA="


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    Repo.create(tmp_path / "repo", "archive").close()
    settings = SignSettings(
        key_directories=[str(tmp_path / "keys")], global_keyrings="/none", dummy=True
    )
    with Repo.open(tmp_path / "repo", sign_settings=settings) as repo:
        yield repo


def demanded(repo: Repo, chosen: PullOptions | None = None, **options: str) -> Trust:
    """The trust in a remote with these options; ``_`` in their names stands for ``-``."""
    pairs = [("url", "http://x"), *((k.replace("_", "-"), v) for k, v in options.items())]
    repo.remotes.add("far", pairs, replace=True)
    return trust_in(repo, repo.remotes.get("far"), chosen or PullOptions())


def names(trust: Trust) -> list[str]:
    return [engine.metadata_key.rpartition(".")[2] for engine in trust._engines]


@pytest.mark.parametrize(
    ("options", "overrides", "commit", "summary"),
    [
        ({}, {}, True, False),
        ({"gpg_verify": "true"}, {}, True, False),
        ({"gpg_verify": "0"}, {}, False, False),
        ({"gpg_verify": "false"}, {"gpg_verify": True}, True, False),
        ({}, {"gpg_verify": False}, False, False),
        ({"gpg_verify": "0", "gpg_verify_summary": "1"}, {}, False, True),
        (
            {"gpg_verify": "0", "gpg_verify_summary": "1"},
            {"gpg_verify_summary": False},
            False,
            False,
        ),
        ({"gpg_verify": "0", "sign_verify": "1"}, {}, True, False),
        ({"gpg_verify": "0", "sign_verify": "1"}, {"sign_verify": False}, False, False),
        ({"gpg_verify": "0", "sign_verify_summary": "true"}, {}, False, True),
        ({"gpg_verify": "0", "sign_verify": "false"}, {}, False, False),
        ({"gpg_verify": "0", "sign_verify": ""}, {}, False, False),
    ],
    ids=str,
)
def test_what_is_demanded(
    repo: Repo, options: dict[str, str], overrides: dict[str, bool], commit: bool, summary: bool
) -> None:
    """GPG of commits is the default; everything else has to be asked for."""
    chosen = PullOptions(
        gpg_verify=overrides.get("gpg_verify"),
        gpg_verify_summary=overrides.get("gpg_verify_summary"),
        sign_verify=overrides.get("sign_verify"),
    )

    trust = demanded(repo, chosen, **options)

    assert (trust.demands_commit, trust.demands_summary) == (commit, summary)


@pytest.mark.parametrize("value", ["true", "1"])
def test_all_engines(repo: Repo, value: str) -> None:
    """In their order, whether they have keys configured or not."""
    trust = demanded(repo, gpg_verify="false", sign_verify=value)

    assert names(trust) == ["ed25519", "spki", "dummy"]


@pytest.mark.parametrize("value", ["dummy;ed25519", "dummy,ed25519", "dummy;ed25519;"])
def test_a_list_of_engines(repo: Repo, value: str) -> None:
    """Upstream's remote add writes commas, its pull reads semicolons."""
    trust = demanded(
        repo,
        gpg_verify="false",
        sign_verify=value,
        verification_dummy_key="k",
        verification_ed25519_key=PUBLIC,
    )

    assert names(trust) == ["dummy", "ed25519"]


def test_keys_of_both_kinds_count(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{OTHER}\n")
    trust = demanded(
        repo,
        gpg_verify="0",
        sign_verify="ed25519",
        verification_ed25519_key=PUBLIC,
        verification_ed25519_file=str(tmp_path / "keys"),
    )

    with pytest.raises(SignatureError) as caught:
        trust._engines[0].verify(b"", [bytes(64)])

    assert caught.value.message.count("; key '") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sign_verify": "nosuch"}, "Requested signature type is not implemented"),
        ({"sign_verify": "dummy"}, "No keys found for required signapi type dummy"),
        (
            {"sign_verify": "ed25519", "verification_dummy_key": "x"},
            "No keys found for required signapi type ed25519",
        ),
        (
            {"sign_verify": "true", "verification_dummy_file": "/nofile"},
            "Failed loading 'dummy' keys from '/nofile",
        ),
        (
            {"sign_verify": "ed25519", "verification_ed25519_file": "/nofile"},
            "Failed loading 'ed25519' keys from '/nofile",
        ),
        (
            {"sign_verify_summary": "1", "verification_ed25519_key": "x"},
            "Failed loading 'ed25519' keys from inline `verification-key`",
        ),
    ],
)
def test_what_cannot_be_loaded(repo: Repo, options: dict[str, str], message: str) -> None:
    with pytest.raises(SignatureError) as caught:
        demanded(repo, None, **options)

    assert caught.value.message == message


def test_a_setting_that_is_none(repo: Repo) -> None:
    with pytest.raises(FormatError, match="gpg-verify"):
        demanded(repo, gpg_verify="perhaps")


def test_the_systems_keys_are_looked_for_late(repo: Repo, tmp_path: Path) -> None:
    """Only where there is something to check."""
    engine = demanded(repo, gpg_verify="0", sign_verify="1")._engines[0]

    with pytest.raises(SignatureError, match="ed25519: commit have no signatures of my type"):
        engine.verify(b"", None)
    with pytest.raises(SignatureError, match="signature: ed25519: no keys loaded"):
        engine.verify(b"", [bytes(64)])
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/trusted.ed25519").write_text(f"{PUBLIC}\n")
    with pytest.raises(SignatureError, match="couldn't be verified with: key 'd75a"):
        engine.verify(b"", [bytes(64)])


def test_directories_prove_nothing_unless_asked(repo: Repo) -> None:
    named = PullOptions(gpg_verify=True, override_remote_name="far")

    assert not local_trust(repo, PullOptions()).demands_commit
    assert local_trust(repo, named).demands_commit
    with pytest.raises(SignatureError, match="Must specify remote name"):
        local_trust(repo, PullOptions(gpg_verify_summary=True))
    dictionary = signature_dict.with_signature([], "ostree.gpgsigs", VECTOR_SIGNATURE)
    name = Checksum(hashlib.sha256(VECTOR_COMMIT).hexdigest())
    with pytest.raises(RemoteNotFoundError, match=f'^Commit {name}: Remote "far" not found$'):
        local_trust(repo, named).check_stored(
            name, VECTOR_COMMIT, signature_dict.encode(dictionary)
        )
