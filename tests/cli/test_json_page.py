"""docs/json.md: its examples are what the commands print, and their fields are the documented ones."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.running import ostree, succeed
from ostree.cli.command import Group
from ostree.cli.commands import ROOT
from ostree.cli.context import Context, Output
from ostree.cli.options import JSON
from ostree.cli.progress import PullListener
from ostree.cli.progress_json import JsonLines
from ostree.events import Message
from support.documented_repository import make_documented_repository
from support.documented_sysroot import make_documented_sysroot
from support.draft_trees import BOOTABLE, NEARLY_PREPARED, write_tree
from support.image_tools import why_no_images
from support.json_page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.json_page import Section
    from support.openpgp import KeyMaker

PATH = Path(__file__).resolve().parents[2] / "docs" / "json.md"
PAGE = Page(PATH)
LINES = "`--progress=json`"
SHOW_COMMIT = "`ostree show --json COMMIT`"
IMAGES = "`ostree image build --json`"
SECTIONS = {section.title: section for section in PAGE.commands if section.title != LINES}


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with ``repo``, ``sysroot`` and ``rootfs``, those of the examples."""
    make_documented_repository(tmp_path / "repo")
    make_documented_sysroot(tmp_path / "sysroot")
    write_tree(tmp_path / "rootfs", NEARLY_PREPARED)
    make_device_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_device_repository(place: Path) -> None:
    """``device-repo`` with a system that can be deployed, on ``device/stable``."""
    tree = write_tree(place / "device-tree", {**BOOTABLE, "usr/etc": None, "data": None})
    for path in (tree, *tree.rglob("*")):
        path.chmod(0o755)
    succeed("init", "--repo", place / "device-repo", "--mode=archive")
    owner = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs", "--timestamp=@1704164645")
    succeed("commit", "--repo", place / "device-repo", "-b", "device/stable", *owner, tree)


def skip_unless_possible(title: str) -> None:
    if title == IMAGES and why_no_images():
        pytest.skip(why_no_images())


def run(command: str) -> str:
    """The output of a command as the page writes it, on the documented repository or sysroot."""
    program, *words = shlex.split(command)
    assert program == "ostree"
    return succeed(*words, environ={"OSTREE_REPO": "repo", "OSTREE_SYSROOT": "sysroot"})


def commands_with_json(group: Group = ROOT) -> Iterator[str]:
    """Those whose documents are ours: ``admin status --json`` prints upstream's."""
    for entry in group.entries:
        command = group.find(entry.name)
        if isinstance(command, Group):
            yield from commands_with_json(command)
        elif command is not None and JSON in command.options:
            yield command.name


@pytest.mark.parametrize("command", tuple(commands_with_json()))
def test_every_command_that_prints_documents_is_on_the_page(command: str) -> None:
    assert f"`ostree {command} --json" in PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize("title", SECTIONS)
def test_examples_print_what_the_page_says(title: str, documented: Path) -> None:
    section = SECTIONS[title]
    assert section.examples, "no example"
    skip_unless_possible(title)

    for example in section.examples:
        assert run(example.command) == example.output


def damaged_document(place: Path) -> dict[str, object]:
    """What ``fsck --json`` prints when a file is missing; the command fails besides."""
    for path in (place / "repo/objects").glob("*/*.filez"):
        path.unlink()
    result = ostree("fsck", "--repo=repo", "--json")
    assert (result.status, result.err) == (1, "error: Repository corruption encountered\n")
    document: dict[str, object] = json.loads(result.out)
    return document


def test_a_bad_repository_is_told_whole(documented: Path) -> None:
    """Every fault, whatever --all says, with the commits that it concerns."""
    document = damaged_document(documented)

    assert PAGE.problems(SECTIONS["`ostree fsck --json`"], document) == []
    bad = document["bad"]
    assert isinstance(bad, list)
    assert [(fault["type"], fault["missing"]) for fault in bad] == [("file", True)] * 3
    assert document["marked_partial"] == bad[0]["commits"]


def signed_document(place: Path, keys: KeyMaker) -> dict[str, Any]:
    """What ``show --json`` prints of a commit with a good signature and one of an unknown key."""
    for name in ("one@example.org", "two@example.org"):
        succeed("gpg-sign", "--repo=repo", f"--gpg-homedir={keys.home}", "main", name)
    (place / "repo/origin.trustedkeys.gpg").write_bytes(keys.export("one@example.org"))
    document: dict[str, Any] = json.loads(run("ostree show --json main"))
    return document


def test_a_signed_commit_is_told_with_what_its_signatures_are_worth(
    documented: Path, keys: KeyMaker
) -> None:
    document = signed_document(documented, keys)

    assert PAGE.problems(SECTIONS[SHOW_COMMIT], document) == []
    one, two = document["signatures"]
    assert (one["status"], one["valid"], one["user"]) == ("good", True, "One <one@example.org>")
    assert (two["status"], two["valid"], two["user"]) == ("key-missing", False, None)
    assert one["primary_key"].endswith(one["key"][-16:])


def test_a_signed_summary_is_told_with_its_signatures(documented: Path, keys: KeyMaker) -> None:
    home = f"--gpg-homedir={keys.home}"
    succeed("summary", "-u", "--repo=repo", home, "--gpg-sign=one@example.org")
    (documented / "one.gpg").write_bytes(keys.export("one@example.org"))
    (documented / "repo/origin.trustedkeys.gpg").write_bytes(keys.export("one@example.org"))
    for key in ("gpg-verify-summary", "gpg-verify"):
        succeed("config", "--repo=repo", "set", f'remote "origin".{key}', "true")

    local = json.loads(succeed("summary", "--json", "--repo=repo", f"--gpg-homedir={documented}"))
    remote = json.loads(run("ostree remote summary --json origin"))

    assert PAGE.problems(SECTIONS["`ostree summary --json`"], local) == []
    assert [found["status"] for found in local["signatures"]] == ["good"]
    assert remote["signatures"] == local["signatures"]


@pytest.mark.parametrize("title", SECTIONS)
def test_documents_have_the_documented_fields(title: str, documented: Path) -> None:
    """All of them, and no others, each of its type."""
    section = SECTIONS[title]
    skip_unless_possible(title)

    for example in section.examples:
        assert PAGE.problems(section, json.loads(run(example.command))) == []


def test_every_documented_field_is_in_some_example(documented: Path, keys: KeyMaker) -> None:
    """What never appears may as well not exist."""
    seen: set[str] = set()

    impossible = {IMAGES} if why_no_images() else set()
    for title in SECTIONS.keys() - impossible:
        section = SECTIONS[title]
        for example in section.examples:
            seen |= PAGE.seen(section, json.loads(run(example.command)))
    seen |= PAGE.seen(SECTIONS[SHOW_COMMIT], signed_document(documented, keys))
    seen |= PAGE.seen(SECTIONS["`ostree fsck --json`"], damaged_document(documented))

    left_out = (LINES, *impossible)
    fields = {name for name in PAGE.documented() if not name.startswith(left_out)}
    assert fields - seen == set()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"surplus": 1}, ".surplus: not documented"),
        ({"complete": None}, "complete: None is no boolean"),
        ({"commits": {}}, "commits: not an array"),
        ({"commits": [1]}, "commits[]: not an object"),
    ],
)
def test_a_document_that_is_not_as_documented_is_found(
    change: dict[str, object], problem: str, documented: Path
) -> None:
    """Else the tests above would prove nothing."""
    section: Section = SECTIONS["`ostree log --json`"]
    document = json.loads(run(section.examples[0].command))

    problems = PAGE.problems(section, document | change)

    assert problems == [problem]


def test_lines_of_progress_have_the_documented_fields(documented: Path) -> None:
    (section,) = (section for section in PAGE.commands if section.title == LINES)
    succeed("init", "--repo=copy", "--mode=archive")
    stream = io.BytesIO()
    output = Output(stream, "utf-8", is_terminal=False)
    ctx = Context(output, output, {})
    JsonLines(ctx, PullListener(ctx))(Message("from outside: \udcff", warning=True))

    result = ostree("pull-local", "--repo=copy", "--progress=json", "repo", "main")

    lines = [*result.err.splitlines(), stream.getvalue().decode()]
    documents = [json.loads(line) for line in lines]
    assert [problem for document in documents for problem in PAGE.problems(section, document)] == []
    seen = set().union(*(PAGE.seen(section, document) for document in documents))
    assert seen == {name for name in PAGE.documented() if name.startswith(LINES)}


def test_a_missing_field_is_found(documented: Path) -> None:
    section = SECTIONS["`ostree log --json`"]
    document = json.loads(run(section.examples[0].command))
    del document["commits"][0]["subject"]

    assert PAGE.problems(section, document) == ["commits[].subject: missing"]
