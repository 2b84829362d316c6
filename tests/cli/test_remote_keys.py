"""``ostree remote gpg-import`` and ``gpg-list-keys``; keys that ``remote add`` takes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from cli.running import fail, misuse, ostree, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from support.openpgp import KeyMaker

URL = "http://localhost/"


@pytest.fixture
def remote(repo: Path) -> Path:
    """The repository, with a remote ``r``."""
    succeed("remote", "add", f"--repo={repo}", "r", URL)
    return repo


@pytest.fixture
def key_files(keys: KeyMaker, tmp_path: Path) -> dict[str, Path]:
    """Keys in files: ``one`` armoured, ``two`` not, ``all``, ``junk``."""
    contents = {
        "one": keys.export("one@example.org", armor=True),
        "two": keys.export("two@example.org"),
        "all": keys.export(),
        "junk": b"junk\n",
    }
    files = {name: tmp_path / name for name in contents}
    for name, content in contents.items():
        files[name].write_bytes(content)
    return files


def listed(repo: Path, *words: str, environ: dict[str, str] | None = None) -> list[str]:
    """The user IDs in a listing."""
    out = succeed("remote", "gpg-list-keys", f"--repo={repo}", *words, environ=environ)
    return [line[7:] for line in out.splitlines() if line.startswith("  UID: ")]


def test_import(remote: Path, key_files: dict[str, Path]) -> None:
    """Armoured or not, file by file; only what is new counts, and what was there stays."""
    add = ("remote", "gpg-import", f"--repo={remote}")

    first = succeed(*add, f"--keyring={key_files['one']}", "r")
    second = succeed(*add, "-k", key_files["all"], "r")
    third = succeed(*add, "-k", key_files["all"], "r")

    assert [first, second, third] == [
        'Imported 1 GPG key to remote "r"\n',
        'Imported 1 GPG key to remote "r"\n',
        'Imported 0 GPG keys to remote "r"\n',
    ]
    assert listed(remote, "r") == ["One <one@example.org>", "Two <two@example.org>"]
    keyring = remote / "r.trustedkeys.gpg"
    assert keyring.stat().st_mode & 0o7777 == 0o644
    assert keyring.read_bytes()[0] & 0x80


def test_import_of_chosen_keys(remote: Path, key_files: dict[str, Path]) -> None:
    add = ("remote", "gpg-import", f"--repo={remote}", f"-k={key_files['all']}", "r")

    out = succeed(*add[:3], "-k", key_files["all"], "r", "two@example.org")

    assert out == 'Imported 1 GPG key to remote "r"\n'
    assert listed(remote, "r") == ["Two <two@example.org>"]


def test_import_from_standard_input(
    remote: Path, key_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(key_files["all"].read_bytes()))
    monkeypatch.setattr("sys.stdin", stdin)

    out = succeed("remote", "gpg-import", f"--repo={remote}", "--stdin", "r")

    assert out == 'Imported 2 GPG keys to remote "r"\n'


def test_failing_imports(remote: Path, key_files: dict[str, Path], tmp_path: Path) -> None:
    """None of them leaves a keyring."""
    add = ("remote", "gpg-import", f"--repo={remote}")
    no_data = "error: GPG: Unable to export keys: GPGME: No data"

    assert fail(*add, "r") == no_data
    assert fail(*add, "r", "-k", key_files["junk"]) == no_data
    assert fail(*add, "r", "-k", tmp_path / "none") == (
        f"error: Error opening file {tmp_path}/none: No such file or directory"
    )
    assert (
        fail(*add, "r", "-k", tmp_path) == f"error: Error opening file {tmp_path}: Is a directory"
    )
    assert fail(*add, "x", "-k", key_files["one"]) == 'error: GPG: Remote "x" not found'
    for name, reason in (
        ("nobody@example.org", "End of file"),
        ("example.org", "Ambiguous name"),
        ("One", "Invalid value"),
    ):
        assert fail(*add, "r", "-k", key_files["all"], name) == (
            f'error: GPG: Unable to find key "{name}": GPGME: {reason}'
        )
    assert misuse(*add) == "error: NAME must be specified"
    assert misuse(*add, "r", "--stdin", "-k", "x") == (
        "error: --keyring and --stdin are mutually exclusive"
    )
    assert not (remote / "r.trustedkeys.gpg").exists()


def test_a_listing(remote: Path, key_files: dict[str, Path], keys: KeyMaker) -> None:
    succeed("remote", "gpg-import", f"--repo={remote}", "-k", key_files["one"], "r")
    (fingerprint,) = keys.fingerprints("One <one@example.org>")

    out = succeed("remote", "gpg-list-keys", f"--repo={remote}", "r").splitlines()

    known = ".well-known/openpgpkey"
    name = "9an53zghjrwynjhbwza4fj5hzpj3taeg?l=one"
    assert out[0] == f"Key: {fingerprint}"
    assert out[1].startswith("  Created: ")
    assert out[2:] == [
        "  UID: One <one@example.org>",
        f"  Advanced update URL: https://openpgpkey.example.org/{known}/example.org/hu/{name}",
        f"  Direct update URL: https://example.org/{known}/hu/{name}",
    ]


def test_which_keys_are_listed(
    remote: Path, key_files: dict[str, Path], trusted: dict[str, str]
) -> None:
    """A remote's own and configured ones, never the global ones; those without a name."""
    assert listed(remote, "r", environ=trusted) == []
    assert listed(remote, environ=trusted) == ["One <one@example.org>"]
    assert listed(remote, environ={"OSTREE_GPG_HOME": ""}) == []

    config = ("config", f"--repo={remote}", "set", 'remote "r".gpgkeypath')
    succeed(*config, str(key_files["two"]))
    assert listed(remote, "r", environ=trusted) == ["Two <two@example.org>"]

    succeed(*config, f"{key_files['two']};{key_files['one']}")
    assert sorted(listed(remote, "r")) == ["One <one@example.org>", "Two <two@example.org>"]

    succeed(*config, f"{key_files['two']};{key_files['one']},x")
    assert fail("remote", "gpg-list-keys", f"--repo={remote}", "r") == (
        "error: key value list contains more than one separator"
    )
    succeed(*config, f"{key_files['two']},")
    assert listed(remote, "r") == ["Two <two@example.org>"]

    succeed(*config, f",{key_files['two']}")
    assert fail("remote", "gpg-list-keys", f"--repo={remote}", "r") == (
        "error: opendir(): No such file or directory"
    )
    succeed(*config, "/no/such")
    assert fail("remote", "gpg-list-keys", f"--repo={remote}", "r") == (
        "error: opendir(/no/such): No such file or directory"
    )
    assert fail("remote", "gpg-list-keys", f"--repo={remote}", "x") == 'error: Remote "x" not found'


def test_a_directory_of_keys(remote: Path, key_files: dict[str, Path]) -> None:
    """Its regular files, whatever their names, and no deeper."""
    directory = key_files["one"].parent / "keys"
    (directory / "deeper").mkdir(parents=True)
    key_files["one"].rename(directory / "some name")
    key_files["two"].rename(directory / "deeper" / "two")
    succeed("config", f"--repo={remote}", "set", 'remote "r".gpgkeypath', str(directory))

    assert listed(remote, "r") == ["One <one@example.org>"]


def test_the_keyring_goes_with_the_remote(remote: Path, key_files: dict[str, Path]) -> None:
    succeed("remote", "gpg-import", f"--repo={remote}", "-k", key_files["one"], "r")

    succeed("remote", "delete", f"--repo={remote}", "r")

    assert not (remote / "r.trustedkeys.gpg").exists()


def test_the_parents_keys_count(remote: Path, key_files: dict[str, Path], tmp_path: Path) -> None:
    succeed("remote", "gpg-import", f"--repo={remote}", "-k", key_files["one"], "r")
    child = tmp_path / "child"
    succeed("init", f"--repo={child}", "--mode=bare-user")
    succeed("config", f"--repo={child}", "set", "core.parent", str(remote))

    assert listed(child, "r") == ["One <one@example.org>"]


def test_add_imports(repo: Path, key_files: dict[str, Path]) -> None:
    """Also into a remote that was there; not being able to is too late for the remote."""
    add = ("remote", "add", f"--repo={repo}", f"--gpg-import={key_files['one']}", "a", URL)

    first = succeed(*add)
    again = succeed(*add, "--if-not-exists")
    result = ostree(
        "remote", "add", f"--repo={repo}", f"--gpg-import={key_files['junk']}", "b", URL
    )

    assert first == 'Imported 1 GPG key to remote "a"\n'
    assert again == 'Imported 0 GPG keys to remote "a"\n'
    assert result.err == "error: GPG: Unable to export keys: GPGME: No data\n"
    assert succeed("remote", "list", f"--repo={repo}") == "a\nb\n"


def test_add_configures_engines(repo: Path) -> None:
    """Keys in their order, then the engines, then the collection."""
    succeed(
        "remote", "add", f"--repo={repo}", "--no-gpg-verify", "--sign-verify=ed25519=inline:k=",
        "--sign-verify=spki=file:/some/file", "--collection-id=org.example.C", "a", URL,
    )  # fmt: skip

    config = (repo / "config").read_text()

    assert config.endswith(
        f'[remote "a"]\nurl={URL}\ngpg-verify=false\nverification-ed25519-key=k=\n'
        "verification-spki-file=/some/file\nsign-verify=ed25519,spki\n"
        "collection-id=org.example.C\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["dummy"], "Failed to parse KEYTYPE=[inline|file]:DATA in dummy"),
        (["dummy=foo:bar"], "Invalid key reference foo, expected inline|file"),
        (["dummy=foo"], "Invalid key reference foo, expected inline|file"),
        (["nosuch=inline:x"], "Requested signature type is not implemented"),
        (["=inline:x"], "Requested signature type is not implemented"),
    ],
)
def test_bad_references_to_keys(repo: Path, options: list[str], message: str) -> None:
    given = [f"--sign-verify={option}" for option in options]

    assert fail("remote", "add", f"--repo={repo}", *given, "a", URL) == f"error: {message}"
    assert fail("remote", "add", f"--repo={repo}", *given, "--no-sign-verify", "a", URL) == (
        "error: Cannot specify both --sign-verify and --no-sign-verify"
    )
    assert succeed("remote", "list", f"--repo={repo}") == ""
