"""``ostree static-delta``: its commands, their words and their exit status."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

DUMMY = {"OSTREE_DUMMY_SIGN_ENABLED": "1"}
OWNER = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs")


class Repository:
    """Three commits of ``main``, the newest last."""

    def __init__(self, path: Path) -> None:
        self.path = path / "deltas"
        succeed("init", f"--repo={self.path}", "--mode=archive")
        tree = path / "versions"
        tree.mkdir()
        tree.chmod(0o755)
        data = bytearray(random.Random(1).randbytes(50_000))
        self.commits = []
        for number in range(3):
            data[100 * number] ^= 1
            (tree / "program").write_bytes(data)
            (tree / "program").chmod(0o644)
            words = ("--branch=main", f"--timestamp=@{number}", *OWNER, str(tree))
            self.commits.append(succeed("commit", f"--repo={self.path}", *words).strip())

    def run(self, command: str, *words: str | Path) -> str:
        """A command that has to succeed; what it prints."""
        result = ostree("static-delta", command, f"--repo={self.path}", *words, environ=DUMMY)
        assert result.status == 0, result.err
        return result.out

    def fail(self, command: str, *words: str | Path) -> str:
        return fail("static-delta", command, f"--repo={self.path}", *words, environ=DUMMY)

    def name(self, source: int | None, target: int) -> str:
        to = self.commits[target]
        return to if source is None else f"{self.commits[source]}-{to}"

    def receiver(self, path: Path) -> Path:
        """A repository with all but the newest commit."""
        repo = path / "receiver"
        succeed("init", f"--repo={repo}", "--mode=bare-user")
        succeed("pull-local", f"--repo={repo}", self.path, self.commits[1])
        return repo


@pytest.fixture
def deltas(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_nothing_to_list(deltas: Repository) -> None:
    assert deltas.run("list") == "(No static deltas)\n"
    assert deltas.run("indexes") == "(No static deltas indexes)\n"


def test_made_listed_indexed_and_deleted(deltas: Repository) -> None:
    out = deltas.run("generate", "main")

    assert out == (
        f"Generating static delta:\n  From: {deltas.commits[1]}\n  To:   {deltas.commits[2]}\n"
    )
    name = deltas.name(1, 2)
    assert deltas.run("list") == f"{name}\n"
    assert deltas.run("reindex") == ""
    assert deltas.run("indexes") == f"{deltas.commits[2]}\n"
    assert deltas.run("delete", name) == ""
    assert deltas.run("list") == "(No static deltas)\n"
    assert deltas.fail("delete", name) == f"error: Can't find delta {name}"


def test_one_that_exists_is_made_again_unless_told_otherwise(deltas: Repository) -> None:
    deltas.run("generate", "--empty", "main")

    assert deltas.run("generate", "-n", "--empty", "main") == (
        f"Delta {deltas.name(None, 2)} already exists.\n"
    )
    assert deltas.run("generate", "--empty", "main").startswith("Generating static delta:\n")


def test_from_scratch_and_the_byte_order(deltas: Repository) -> None:
    deltas.run("generate", "--empty", "--swap-endianness", "--set-endianness=l", "--to=main")

    shown = deltas.run("show", deltas.commits[2]).splitlines()

    assert "From <scratch>" in shown
    assert "Endianness: big" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "TO revision must be specified"),
        (("--empty", "--from=main", "main"), "Cannot specify both --empty and --from=REV"),
        (("--set-endianness=x", "main"), "Invalid endianness 'x'"),
        (("--last=1", "--from=main", "main"), "Cannot specify --from=REV with --last"),
        (("--last=-1", "main"), "Invalid --last=-1"),
        (("--max-memory=0", "main"), "Invalid --max-memory=0"),
        (("--last=1", "--filename=x", "main"), "Cannot specify --filename for several deltas"),
        (("nope",), "Refspec 'nope' not found"),
    ],
)
def test_what_cannot_be_made(deltas: Repository, words: tuple[str, ...], message: str) -> None:
    assert deltas.fail("generate", *words).startswith(f"error: {message}")
    assert deltas.run("list") == "(No static deltas)\n"


def test_several_at_once_and_what_each_costs(deltas: Repository) -> None:
    """From each of the last commits, from named ones, from scratch; each once."""
    out = deltas.run("generate", "--last=9", "--from-each-of=main^^", "--empty", "main")

    headers = [line for line in out.splitlines() if line.startswith("  From:")]
    assert headers == [
        "  From: empty",
        f"  From: {deltas.commits[1]}",
        f"  From: {deltas.commits[0]}",
    ]
    table = out.splitlines()[-4:]
    assert table[0].split() == ["DELTA", "SIZE", "FULL", "SHARE"]
    assert [line.split("-")[0] for line in table[1:]] == [
        "empty",
        deltas.commits[1][:10],
        deltas.commits[0][:10],
    ]
    shares = [float(line.split()[-1].rstrip("%")) for line in table[1:]]
    assert 95 < shares[0] < 105
    assert max(shares[1:]) < 5
    assert sorted(deltas.run("list", "--shares").splitlines()[1:]) == sorted(table[1:])


def test_the_documents(deltas: Repository) -> None:
    deltas.run("generate", "main")

    (listed,) = json.loads(deltas.run("list", "--json"))["deltas"]
    shown = json.loads(deltas.run("show", "--json", deltas.name(1, 2)))

    assert (listed["from"], listed["to"]) == (deltas.commits[1], deltas.commits[2])
    assert {key: shown[key] for key in listed} == listed
    assert shown["parts"][0]["operations"]["bspatch"] == 1


def test_a_file_for_a_stick(tmp_path: Path, deltas: Repository) -> None:
    """One file, taken elsewhere, brings the commit; no ref is set."""
    file = tmp_path / "update"
    deltas.run("generate", "--inline", "--min-fallback-size=0", f"--filename={file}", "main")
    receiver = deltas.receiver(tmp_path)

    assert succeed("static-delta", "apply-offline", f"--repo={receiver}", file) == ""

    assert "program" in succeed("ls", f"--repo={receiver}", deltas.commits[2])
    assert succeed("refs", f"--repo={receiver}") == ""


def test_little_memory(deltas: Repository) -> None:
    """Then nothing is compared, and everything is in the delta."""
    deltas.run("generate", "--max-memory=1", "main")

    shown = json.loads(deltas.run("show", "--json", deltas.name(1, 2)))

    assert shown["parts"][0]["operations"]["bspatch"] == 0


class TestSigned:
    """With the engine that proves nothing, which is enough to see what is asked of it."""

    @pytest.fixture
    def name(self, deltas: Repository) -> str:
        deltas.run("generate", "--sign-type=dummy", "--sign=one", "--sign=two", "main")
        return deltas.name(1, 2)

    def test_verification(self, deltas: Repository, name: str) -> None:
        verify = ("--sign-type=dummy", name)

        assert deltas.run("show", name).splitlines()[1] == "Signed: yes"
        for key in ("one", "two"):
            assert deltas.run("verify", *verify, key) == "Verification OK\n"
        result = ostree(
            "static-delta", "verify", f"--repo={deltas.path}", *verify, "three", environ=DUMMY
        )
        assert (result.status, result.out) == (1, "Verification fails\n")
        assert result.err == "error: signature: dummy: incorrect signatures found: 2\n"

    def test_an_unsigned_one(self, deltas: Repository) -> None:
        deltas.run("generate", "main")
        words = ("--sign-type=dummy", deltas.name(1, 2), "one")

        result = ostree("static-delta", "verify", f"--repo={deltas.path}", *words, environ=DUMMY)

        assert (result.status, result.out) == (1, "Verification fails\n")
        assert result.err == "error: no signatures in static-delta\n"

    def test_an_engine_that_nobody_knows(self, deltas: Repository, name: str) -> None:
        words = ("--sign-type=none", name, "one")

        result = ostree("static-delta", "verify", f"--repo={deltas.path}", *words, environ=DUMMY)

        assert (result.status, result.out) == (1, "Sign-type not supported\n")
        assert result.err == "error: Requested signature type is not implemented\n"

    @pytest.mark.usefixtures("name")
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--sign-type=dummy", "KEY"), None),
            (("--sign-type=dummy", "bad"), "signature: dummy: incorrect signatures found: 2"),
            ((), None),
        ],
    )
    def test_application(
        self,
        tmp_path: Path,
        deltas: Repository,
        words: tuple[str, ...],
        message: str | None,
    ) -> None:
        receiver = deltas.receiver(tmp_path)
        (path,) = deltas.path.glob("deltas/*/*")
        options = [word for word in words if word.startswith("--")]
        keys = ["one" if word == "KEY" else word for word in words if not word.startswith("--")]
        command = ["static-delta", "apply-offline", f"--repo={receiver}", *options]

        result = ostree(*command, path, *keys, environ=DUMMY)

        assert result.err == ("" if message is None else f"error: {message}\n")
        has = ostree("show", f"--repo={receiver}", deltas.commits[2]).status == 0
        assert has is (message is None)

    def test_who_asks_for_signatures_takes_no_delta_without(
        self, tmp_path: Path, deltas: Repository
    ) -> None:
        """The reference does (docs/adr/0008)."""
        deltas.run("generate", "main")
        receiver = deltas.receiver(tmp_path)
        (path,) = deltas.path.glob("deltas/*/*")
        apply = ("static-delta", "apply-offline", f"--repo={receiver}")

        message = fail(*apply, "--sign-type=dummy", path, "one", environ=DUMMY)
        assert message == "error: no signatures in static-delta"

        succeed("config", f"--repo={receiver}", "set", "core.sign-verify-deltas", "true")
        message = fail(*apply, path, environ=DUMMY)
        assert message == "error: Key is mandatory to check delta signature"
