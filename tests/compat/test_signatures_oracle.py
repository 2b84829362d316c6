"""Signatures, both ways: what one command makes the other one accepts, and says the same about.

Keys are good, expired, revoked, unknown, with subkeys and with user IDs of every kind.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from cli.running import ostree, succeed
from ostree.formats import commitmeta, signature_dict
from ostree.formats.gvariant import Variant
from support.openpgp import KeyMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Same = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.oracle

GPG = "ostree.gpgsigs"
DUMMY = {"OSTREE_DUMMY_SIGN_ENABLED": "1"}

USERS = [
    "plain@example.org",
    "Caps@Example.ORG",
    "No Email",
    "Name (with comment) <c@example.org>",
    "Name (c) more <d@example.org>",
    "(only a comment)",
    "(comment first) Name <f@example.org>",
    '"Quoted, Name" <q@example.org>',
    "Übel <ü@example.org>",
    "a:b %41 \\ <colon@example.org>",
    "<only@example.org>",
    "X <bad> <two@example.org>",
    "Nested <<n@example.org>>",
    "Open <o@example.org",
    "Trail <t@example.org> more",
    "Two@@at.org",
    "dots <a..b@example.org>",
    "plus <a+b c@example.org>",
    "odd <a%b&c?d#e/f=g@exa_mple.org>",
    "  spaces   <s@example.org>  ",
]


class Keys(NamedTuple):
    """A GnuPG home, the names of its keys, and directories with its public keys."""

    maker: KeyMaker
    names: dict[str, str]
    all_keys: str
    no_keys: str


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    base = tmp_path_factory.mktemp("keys")
    for name in ("all", "none"):
        (base / name).mkdir()
    with KeyMaker(base / "home") as maker:
        names = {
            name: maker.make(f"{name} <{name}@example.org>")
            for name in ("good", "other", "expired", "revoked", "missing")
        }
        names["sub"] = maker.make("sub <sub@example.org>", subkey="never")
        names["ends"] = maker.make("ends <ends@example.org>", expires="2099-01-01")
        names["rsa"] = maker.make("rsa <rsa@example.org>", algorithm="rsa2048")
        yield Keys(maker, names, str(base / "all"), str(base / "none"))


@pytest.fixture(scope="module")
def signatures(keys: Keys) -> dict[str, bytes]:
    """Of the commit in :func:`repo`, one of every kind; after that keys expire and are revoked."""
    maker = keys.maker
    data = COMMIT
    made = {name: maker.sign(data, key) for name, key in keys.names.items()}
    made["bad"] = maker.sign(b"something else", keys.names["good"])
    made["over"] = maker.sign(data, keys.names["good"], "--default-sig-expire", "seconds=1")
    made["limited"] = maker.sign(data, keys.names["good"], "--default-sig-expire", "2098-02-03")
    made["text"] = maker.sign(data, keys.names["good"], "--textmode")
    maker.revoke(keys.names["revoked"])
    maker.expire(keys.names["expired"], "seconds=1")
    exported = [name for name in keys.names if name != "missing"]
    ring = maker.export(*(keys.names[name] for name in exported))
    with open(f"{keys.all_keys}/keys.gpg", "wb") as file:
        file.write(ring)
    subprocess.run(["sleep", "2.1"], check=True)
    return made


#: The vector of the format document: a commit that needs nothing to be shown.
COMMIT = bytes.fromhex(
    "766563746f72000000000000659200804d45b8f10ca8c485c985cef2053db7b22dec9c05f401a7937113237b5c924aa9"
    "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488300807000000"
)
CHECKSUM = "c38f6e68bf00b9c3f6cabcf41c2431a6327c53287d001685934191f982d0eab8"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with that commit, whose tree is not there, as ``main``."""
    repo = tmp_path / "repo"
    succeed("init", f"--repo={repo}", "--mode=archive")
    (repo / "objects" / CHECKSUM[:2]).mkdir()
    (repo / "objects" / CHECKSUM[:2] / f"{CHECKSUM[2:]}.commit").write_bytes(COMMIT)
    (repo / "refs/heads/main").write_text(f"{CHECKSUM}\n")
    return repo


def put(repo: Path, elements: Sequence[bytes], key: str = GPG) -> None:
    path = repo / "objects" / CHECKSUM[:2] / f"{CHECKSUM[2:]}.commitmeta"
    path.write_bytes(commitmeta.encode([(key, Variant("aay", list(elements)))]))


def reference(*argv: str, environ: dict[str, str]) -> tuple[int, str, str]:
    """What the reference does with a variable or two more than the ``oracle`` fixture has."""
    if not os.path.exists("/usr/bin/ostree"):
        pytest.skip("the reference command is not installed (Debian: ostree)")
    done = subprocess.run(
        ["/usr/bin/ostree", *argv],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", **environ},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def same(monkeypatch: pytest.MonkeyPatch) -> Iterator[Same]:
    """Runs both commands; they have to do and say the same, which is returned."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def run(*argv: str | Path, **environ: str) -> tuple[int, str, str]:
        words = [str(word) for word in argv]
        theirs = reference(*words, environ=environ)
        ours = ostree(*words, environ=environ)
        assert tuple(ours) == theirs, words
        return theirs

    yield run
    monkeypatch.undo()
    time.tzset()


# show -----------------------------------------------------------------------------------------

KINDS = ["good", "other", "expired", "revoked", "missing", "sub", "ends", "rsa", "bad", "over",
         "limited", "text"]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_one_signature_is_shown_the_same(
    same: Same, repo: Path, keys: Keys, signatures: dict[str, bytes], name: str
) -> None:
    put(repo, [signatures[name]])

    for home in (keys.all_keys, keys.no_keys, ""):
        _, out, _ = same("show", f"--repo={repo}", "main", OSTREE_GPG_HOME=home)
        assert "Found 1 signature:" in out


def test_any_mixture_is_shown_the_same(
    same: Same, repo: Path, keys: Keys, signatures: dict[str, bytes]
) -> None:
    """Twenty of a great many, the same ones each time."""
    choose = random.Random(20)
    for _ in range(20):
        names = choose.choices(KINDS, k=choose.randint(2, 6))
        put(repo, [signatures[name] for name in names])

        same("show", f"--repo={repo}", "main", OSTREE_GPG_HOME=keys.all_keys)


def test_mutilated_signatures_are_shown_the_same(
    same: Same, repo: Path, keys: Keys, signatures: dict[str, bytes]
) -> None:
    good, rsa = signatures["good"], signatures["rsa"]
    for elements in (
        [],
        [b""],
        [b"garbage"],
        [b"garbage", good],
        [good, b"garbage"],
        [good[:40]],
        [good[:40], good],
        [good[:40], good[40:], rsa],
        [good + rsa],
        [good, bytes(10)],
        [keys.maker.sign(COMMIT, keys.names["good"], "--armor")],
    ):
        put(repo, elements)
        same("show", f"--repo={repo}", "main", OSTREE_GPG_HOME=keys.all_keys)


def test_user_ids_are_shown_the_same(same: Same, repo: Path, tmp_path: Path) -> None:
    """In show and in listings; addresses decide where keys can be updated from."""
    ring = tmp_path / "ring"
    ring.mkdir()
    with KeyMaker(tmp_path / "home") as maker:
        prints = [maker.make_odd(user) for user in USERS]
        put(repo, [maker.sign(COMMIT, key) for key in prints])
        (ring / "keys.gpg").write_bytes(maker.export())

    _, out, _ = same("show", f"--repo={repo}", "main", OSTREE_GPG_HOME=str(ring))
    _, listed, _ = same("remote", "gpg-list-keys", f"--repo={repo}", OSTREE_GPG_HOME=str(ring))

    assert out.count("Good signature") == listed.count("Key: ") == len(USERS)


def test_listings_are_the_same(
    same: Same, repo: Path, keys: Keys, signatures: dict[str, bytes]
) -> None:
    """Revoked, expired and limited keys, and subkeys."""
    assert signatures

    _, out, _ = same("remote", "gpg-list-keys", f"--repo={repo}", OSTREE_GPG_HOME=keys.all_keys)

    for words in ("(revoked)", "Expired: ", "Expires: ", "Subkey: "):
        assert words in out


# signing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ours_first", [True, False])
def test_signatures_of_both_stand_beside_each_other(
    same: Same, repo: Path, keys: Keys, signatures: dict[str, bytes], ours_first: bool
) -> None:
    """Each adds to what the other has written, and finds both good."""
    assert signatures
    sign = ("gpg-sign", f"--repo={repo}", f"--gpg-homedir={keys.maker.home}", "main")
    environ = {"OSTREE_GPG_HOME": "/none"}
    if ours_first:
        succeed(*sign, keys.names["good"])
        reference(*sign, keys.names["rsa"], environ=environ)
    else:
        reference(*sign, keys.names["good"], environ=environ)
        succeed(*sign, keys.names["rsa"])

    _, out, _ = same("show", f"--repo={repo}", "main", OSTREE_GPG_HOME=keys.all_keys)

    assert out.count("Good signature") == 2


def test_dictionaries_have_the_same_bytes(repo: Path, tmp_path: Path) -> None:
    """Whatever was in them and in whatever order signatures were added."""
    other = tmp_path / "other"
    subprocess.run(["cp", "-a", repo, other], check=True)
    entries = [("k", Variant("s", "v")), ("a", Variant("u", 1)), ("zzz", Variant("aay", [b"x"]))]
    for keys, order in itertools.product((("s1",), ("s1", "s2", "s3")), range(3)):
        for place in (repo, other):
            path = place / "objects" / CHECKSUM[:2] / f"{CHECKSUM[2:]}.commitmeta"
            path.write_bytes(commitmeta.encode(entries[order:] + entries[:order]))
        for key in keys:
            succeed("sign", f"--repo={repo}", "-s", "dummy", "main", key, environ=DUMMY)
            reference("sign", f"--repo={other}", "-s", "dummy", "main", key, environ=DUMMY)

        written = [
            (place / "objects" / CHECKSUM[:2] / f"{CHECKSUM[2:]}.commitmeta").read_bytes()
            for place in (repo, other)
        ]
        assert written[0] == written[1]
        found = signature_dict.signatures(signature_dict.decode(written[0]), "ostree.sign.dummy")
        assert found == [key.encode() for key in keys]


@pytest.mark.parametrize(
    "words",
    [
        ["main", "nobody@example.org"],
        ["main", "nobody"],
        ["main", "example.org"],
        ["main", "revoked@example.org"],
        ["main", "expired@example.org"],
        ["nosuch", "good@example.org"],
        ["main", ""],
        ["-d", "main", "good@example.org"],
    ],
)
def test_gpg_sign_fails_the_same(
    same: Same, repo: Path, keys: Keys, signatures: dict[str, bytes], words: list[str]
) -> None:
    assert signatures

    same("gpg-sign", f"--repo={repo}", f"--gpg-homedir={keys.maker.home}", *words)


def test_signing_twice_is_refused_the_same(
    same: Same, repo: Path, keys: Keys, signatures: dict[str, bytes]
) -> None:
    """By any name of the key, by that of a subkey, and for a signature that is not good."""
    home = f"--gpg-homedir={keys.maker.home}"
    for name in ("good", "sub", "expired", "bad", "missing"):
        put(repo, [signatures[name]])
        user = "good" if name == "bad" else name
        for key in (f"{user}@example.org", keys.names[user], keys.names[user][-8:]):
            if name != "missing":
                same("gpg-sign", f"--repo={repo}", home, "main", key, OSTREE_GPG_HOME=keys.all_keys)
    put(repo, [b"garbage"])
    same("gpg-sign", f"--repo={repo}", home, "main", "good@example.org")


def test_deleting_is_the_same(
    repo: Path, keys: Keys, signatures: dict[str, bytes], tmp_path: Path
) -> None:
    """Which ones go, which stay, what is told; behind a bad one the reference aborts."""
    other = tmp_path / "other"
    choose = random.Random(7)
    for _ in range(8):
        names = choose.choices([kind for kind in KINDS if kind not in {"text", "bad"}], k=4)
        put(repo, [signatures[name] for name in names])
        subprocess.run(["cp", "-aT", repo, other], check=True)
        wanted = [f"{name}@example.org" for name in choose.sample(list(keys.names), 3)]
        home = {"OSTREE_GPG_HOME": keys.all_keys}

        ours = ostree("gpg-sign", f"--repo={repo}", "-d", "main", *wanted, environ=home)
        theirs = reference("gpg-sign", f"--repo={other}", "-d", "main", *wanted, environ=home)

        path = f"objects/{CHECKSUM[:2]}/{CHECKSUM[2:]}.commitmeta"
        assert tuple(ours) == theirs
        assert (repo / path).read_bytes() == (other / path).read_bytes(), (names, wanted)


# keyrings -------------------------------------------------------------------------------------


def test_imports_are_the_same(
    repo: Path, keys: Keys, signatures: dict[str, bytes], tmp_path: Path
) -> None:
    """Armoured, binary, both in one stream, chosen keys, secret keys, nothing at all."""
    assert signatures
    maker = keys.maker
    sources = {
        "armoured": maker.export("good@example.org", armor=True),
        "binary": maker.export("rsa@example.org"),
        "all": maker.export(),
        "secret": maker.run("--armor", "--export-secret-keys", "good@example.org"),
        "secrets": maker.run("--export-secret-keys", "good@example.org", "rsa@example.org"),
        "junk": b"junk\n",
        "empty": b"",
    }
    for name, content in sources.items():
        (tmp_path / name).write_bytes(content)
    other = tmp_path / "other"
    for files, names in (
        (["armoured"], []),
        (["binary"], []),
        (["all"], []),
        (["armoured", "binary"], []),
        (["binary", "armoured"], []),
        (["armoured", "armoured"], []),
        (["secret"], []),
        (["secrets"], []),
        (["junk"], []),
        (["empty"], []),
        (["junk", "armoured"], []),
        (["all"], ["good@example.org", "sub@example.org"]),
        (["all"], ["example.org"]),
        (["all"], ["good"]),
        (["all"], ["nobody@example.org"]),
        (["all"], [keys.names["sub"], keys.names["rsa"][-16:]]),
        ([], []),
        ([], ["good@example.org"]),
        (["missing"], []),
    ):
        results = []
        for place, run in ((repo, ostree), (other, None)):
            place.mkdir(exist_ok=True)
            words = ["remote", "gpg-import", f"--repo={place}"]
            words += [word for file in files for word in ("-k", str(tmp_path / file))]
            words += ["r", *names]
            if not (place / "config").exists():
                succeed("init", f"--repo={place}")
            succeed("remote", "add", f"--repo={place}", "--force", "r", "http://localhost/")
            (place / "r.trustedkeys.gpg").unlink(missing_ok=True)
            done = tuple(run(*words)) if run else reference(*words, environ={})
            listed = reference("remote", "gpg-list-keys", f"--repo={place}", "r", environ={})
            results.append((done, sorted(listed[1].splitlines())))
        assert results[0] == results[1], (files, names)


# the engine for tests -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["sign", "-s", "dummy", "main"],
        ["sign", "-s", "dummy", "--verify"],
        ["sign"],
        ["sign", "-s", "dummy", "nosuch", "k"],
        ["sign", "-s", "nosuch", "main", "k"],
        ["sign", "-s", "dummy", "--verify", "main", "k"],
        ["sign", "-s", "dummy", "--verify", "main"],
        ["remote", "add", "--sign-verify=dummy=foo:bar", "r", "http://x/"],
        ["remote", "add", "--sign-verify=dummy", "r", "http://x/"],
        ["remote", "add", "--sign-verify=x=inline:y", "r", "http://x/"],
        ["remote", "add", "--no-sign-verify", "--sign-verify=dummy=inline:y", "r", "http://x/"],
    ],
)
def test_the_same_words_without_help(repo: Path, words: list[str]) -> None:
    """Where nothing was signed; the help before a message has options the reference lacks."""
    ours = ostree(*words, f"--repo={repo}", environ=DUMMY)
    theirs = reference(*words, f"--repo={repo}", environ=DUMMY)

    assert (ours.status, ours.out) == theirs[:2]
    assert ours.err.splitlines()[-1:] == theirs[2].splitlines()[-1:]


def test_summaries_are_signed_the_same(
    repo: Path, keys: Keys, signatures: dict[str, bytes], tmp_path: Path
) -> None:
    """The same places in summary.sig, and each finds the other's good."""
    assert signatures
    other = tmp_path / "other"
    subprocess.run(["cp", "-a", repo, other], check=True)
    options = ["-u", f"--gpg-sign={keys.names['good']}", f"--gpg-sign={keys.names['rsa']}",
               f"--gpg-homedir={keys.maker.home}", "--sign=a", "--sign=b", "--sign-type=dummy"]  # fmt: skip

    succeed("summary", f"--repo={repo}", *options, environ=DUMMY)
    reference("summary", f"--repo={other}", *options, environ=DUMMY)

    ours, theirs = (
        signature_dict.decode((place / "summary.sig").read_bytes()) for place in (repo, other)
    )
    assert [(key, len(value.value)) for key, value in ours] == [
        (key, len(value.value)) for key, value in theirs
    ]
    shown = succeed("summary", f"--repo={other}", "-v", environ={"OSTREE_GPG_HOME": keys.all_keys})
    assert shown.count("Good signature") == 2
