"""What admin commands say and how they fail, by ours and by the reference, on equal sysroots."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree
from compat.test_sysroot_oracle import ENVIRONMENT, make_tree, reference
from support.memory import in_memory
from support.simulated_boot import make_removable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the reference gives files to root"),
]


class Pair:
    """A sysroot with one deployment of ``origin:os/main``, twice."""

    def __init__(self, directory: Path) -> None:
        self.theirs = directory / "theirs"
        self.ours = directory / "ours"
        server = directory / "server"
        tree = make_tree(directory / "tree")
        self.theirs.mkdir()
        reference("init", f"--repo={server}", "--mode=archive")
        for number in (1, 2):
            reference(
                "commit",
                f"--repo={server}",
                f"--branch=os/{'main' if number == 1 else 'next'}",
                f"--tree=dir={tree}",
                f"--add-metadata-string=version={number}",
                f"--timestamp=@{number}",
            )
        repo = f"--repo={self.theirs}/ostree/repo"
        reference("admin", "init-fs", self.theirs)
        reference("config", repo, "set", "core.fsync", "false")
        reference("remote", "add", repo, "--no-gpg-verify", "origin", f"file://{server}")
        reference("pull", repo, "origin", "os/main")
        self.admin_of_theirs("os-init", "os")
        self.admin_of_theirs("deploy", "--os=os", "--karg=root=X", "origin:os/main")
        subprocess.run(["cp", "-a", self.theirs, self.ours], check=True)

    def admin_of_theirs(self, *words: str) -> None:
        reference("admin", *words, f"--sysroot={self.theirs}")

    def change(self, act: Callable[[Path], object]) -> None:
        """Do the same to both."""
        for root in (self.theirs, self.ours):
            act(root)

    def compare(self, *words: str) -> str:
        """Run a command of both; they must say and answer the same.  How it failed, if it did."""
        theirs = subprocess.run(
            ["/usr/bin/ostree", "admin", f"--sysroot={self.theirs}", *words],
            check=False,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        )
        ours = ostree("admin", f"--sysroot={self.ours}", *words, environ=ENVIRONMENT)
        out = theirs.stdout.replace(str(self.theirs), str(self.ours))
        kept = [line for line in out.splitlines() if not line.startswith("Freed objects")]
        assert ours.out.splitlines() == kept
        assert ours.status == theirs.returncode
        error = last_line(theirs.stderr)
        assert last_line(ours.err) == error
        return error.removeprefix("error: ")


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line and not line.startswith("hint: ")]
    return lines[-1] if lines else ""


@pytest.fixture
def pair(memory: Path, oracle: object) -> Iterator[Pair]:
    made = Pair(memory)
    yield made
    make_removable(made.theirs)
    make_removable(made.ours)


#: What the boot entry may be like, as an edit of it, and whether the list can be read then.
ENTRIES: dict[str, tuple[str, str, bool]] = {
    "no options": ("options", "xoptions", False),
    "no ostree=": ("ostree=", "x=", False),
    "an impossible bootversion": ("boot.1", "boot.7", False),
    "another path": ("ostree=/ostree", "ostree=/x", False),
    "no version": ("version", "#version", True),
    "another boot checksum": ("/os/", "/os/00", False),
    "a malformed overlay": ("initrd", "initrd /x\ninitrd", False),
    "no kernel": ("linux", "#linux", True),
    "a tabulator": ("options ", "options\t", True),
    "no title": ("title", "#title", True),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_boot_entries(pair: Pair, name: str) -> None:
    old, new, readable = ENTRIES[name]

    def edit(root: Path) -> None:
        (path,) = (root / "boot/loader/entries").iterdir()
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    pair.change(edit)

    assert (pair.compare("status") == "") is readable


#: What an origin file may say.
ORIGINS = (
    "",
    "[origin]\n",
    "[origin]\nrefspec=nope:x\n",
    "[origin]\nrefspec=main\n",
    "[origin]\nrefspec=origin:os/main\nunlocked=hotfix\n",
    "[origin]\nrefspec=origin:os/main\nunlocked=other\n",
    "[origin]\nrefspec=origin:os/main\n[libostree-transient]\npinned=true\n",
    "[origin]\nrefspec=origin:os/main\n[libostree-transient]\npinned=other\n",
    "[origin]\nbaserefspec=origin:os/main\n",
    "[origin]\nrefspec=origin:os/main\nunconfigured-state=Run setup\n",
    "[origin]\nrefspec=origin:os/main\noverride-commit=zz\n",
    "garbage",
    None,
)


@pytest.mark.parametrize("text", ORIGINS)
def test_origins(pair: Pair, text: str | None) -> None:
    def write(root: Path) -> None:
        (path,) = (root / "ostree/deploy/os/deploy").glob("*.origin")
        path.unlink()
        if text is not None:
            path.write_text(text)

    pair.change(write)

    pair.compare("status")
    pair.compare("status", "--verify")
    pair.compare("upgrade", "--os=os")
    pair.compare("switch", "--os=os", "os/next")
    pair.compare("status")


def test_an_unreadable_refspec_is_listed(pair: Pair) -> None:
    def write(root: Path) -> None:
        (path,) = (root / "ostree/deploy/os/deploy").glob("*.origin")
        path.write_text("[origin]\nrefspec=a b\n")

    pair.change(write)

    assert pair.compare("status") == ""
    assert pair.compare("upgrade", "--os=os") == "Invalid refspec a b"


def test_a_commit_that_is_gone(pair: Pair) -> None:
    def remove(root: Path) -> None:
        for path in (root / "ostree/repo/objects").glob("*/*.commit"):
            path.unlink()

    pair.change(remove)

    assert pair.compare("status") == ""
    assert pair.compare("status", "-V") != ""


DAMAGES: dict[str, Callable[[Path], object]] = {
    "loader leads elsewhere": lambda root: relink(root / "boot/loader", "loader.7"),
    "loader is a directory": lambda root: to_directory(root / "boot/loader"),
    "no loader": lambda root: (root / "boot/loader").unlink(),
    "bootlinks lead elsewhere": lambda root: relink(root / "ostree/boot.1", "boot.1.7"),
    "no boot": lambda root: (root / "boot").rename(root / "boot.away"),
    "foreign entries": lambda root: (root / "boot/loader/entries/x.conf").write_text("x"),
    "foreign deployment": lambda root: (root / "ostree/deploy/os/deploy/x").mkdir(),
    "no bootlinks": lambda root: (root / "ostree/boot.1").unlink(),
}


def relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def to_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_sysroots(pair: Pair, name: str) -> None:
    pair.change(DAMAGES[name])

    pair.compare("status")
    pair.compare("--print-current-dir")


#: Commands that fail, and leave everything as it is.
FAILURES = (
    ("deploy", "origin:os/main"),
    ("deploy", "--os=os", "nope"),
    ("deploy", "--os=os", "a b"),
    ("deploy", "--os=os", "--karg-none", "--karg-proc-cmdline", "origin:os/main"),
    ("deploy", "--os=os", "--karg-none", "--karg-delete=a", "origin:os/main"),
    ("deploy", "--os=os", "--no-merge", "--karg-delete=a", "origin:os/main"),
    ("deploy", "--os=os", "--karg-delete=root=Y", "origin:os/main"),
    ("deploy", "--os=os", "--origin-file=/nonexistent", "origin:os/main"),
    ("deploy", "--os=os", "--origin-file=/etc/passwd", "origin:os/main"),
    ("deploy", "--os=os", "--overlay-initrd=/nonexistent", "origin:os/main"),
    ("deploy", "--os=os", "--stage", "origin:os/main"),
    ("deploy", "--os=os", "--stage", "--retain-pending", "origin:os/main"),
    ("deploy", "--os=os", "--stage", "--not-as-default", "origin:os/main"),
    ("deploy", "--bogus"),
    ("deploy",),
    ("os-init", "os"),
    ("os-init", "-x"),
    ("init-fs",),
    ("init-fs", "/nonexistent"),
    ("init-fs", "/etc/passwd"),
    ("undeploy",),
    ("undeploy", "9"),
    ("undeploy", "-1"),
    ("upgrade",),
    ("upgrade", "--os=nope"),
    ("upgrade", "--os="),
    ("upgrade", "--os=os", "--pull-only", "--deploy-only"),
    ("upgrade", "--os=os", "--override-commit=zzz"),
    ("switch", "--os=os"),
    ("switch", "x"),
    ("switch", "--os=nope", "x"),
    ("switch", "--os=", "x"),
    ("switch", "--os=os", "origin:os/main"),
    ("switch", "--os=os", "origin:"),
    ("switch", "--os=os", "a b"),
    ("switch", "--os=os", "far:os/main"),
    ("pin",),
    ("pin", "x"),
    ("pin", "0x0"),
    ("pin", "9"),
    ("pin", "99999999999999999999"),
    ("set-origin", "far"),
    ("set-origin", "far", "http://far"),
    ("set-origin", "--index=9", "origin", "http://far"),
    ("set-origin", "--index=-2", "origin", "http://far"),
    ("set-origin", "--index=x", "origin", "http://far"),
    ("set-origin", "--index=0", "a/b", "http://far"),
    ("set-origin", "--index=0", "far", "http://far", "--set=x"),
    ("config-diff",),
    ("config-diff", "--os=nope"),
    ("config-diff", "--os="),
    ("instutil",),
    ("instutil", "bogus"),
    ("instutil", "set-kargs", "--bogus"),
    ("kargs",),
    ("kargs", "bogus"),
    ("unlock",),
    ("bogus",),
    (),
)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, oracle: object) -> Iterator[Pair]:
    """A pair that only failing commands are run on."""
    with in_memory(tmp_path_factory.mktemp("pair")) as directory:
        made = Pair(directory)
        yield made
        make_removable(made.theirs)
        make_removable(made.ours)


@pytest.mark.parametrize("words", FAILURES, ids=" ".join)
def test_failures(untouched: Pair, words: tuple[str, ...]) -> None:
    before = untouched.compare("status")

    assert untouched.compare(*words) != ""

    assert untouched.compare("status") == before


#: Commands that work, one after the other.
SEQUENCE = (
    ("pin", "0"),
    ("pin", "0"),
    ("status",),
    ("deploy", "--os=os", "--karg-append=a", "origin:os/main", "ignored"),
    ("pin", "-u", "1", "0"),
    ("instutil", "set-kargs", "--merge", "--replace=root=Y", "--append=b", "c d"),
    ("instutil", "set-kargs", "--merge"),
    ("kargs", "edit-in-place", "--append-if-missing=a=1", "--append-if-missing=e", "ignored"),
    ("set-origin", "--index=0", "-s", "gpg-verify=false", "far", "metalink=http://far/"),
    ("set-origin", "--index=0", "origin", "http://ignored", "os/main"),
    ("status",),
    ("config-diff", "--os=os", "ignored"),
    ("upgrade", "--os=os"),
    ("switch", "--os=os", "os/next"),
    ("upgrade", "--os=os", "--pull-only"),
    ("upgrade", "--os=os", "--deploy-only"),
    ("cleanup", "ignored"),
    ("undeploy", "1"),
    ("--print-current-dir",),
    ("undeploy", "0"),
    ("status",),
    ("kargs", "edit-in-place", "--append-if-missing=x"),
    ("instutil", "set-kargs", "x"),
    ("--print-current-dir",),
    ("undeploy", "0"),
)


def test_what_commands_say_when_they_work(pair: Pair) -> None:
    for words in SEQUENCE:
        pair.compare(*words)
