"""docs/json.md: its examples are what the commands print, and their fields are the documented ones."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.running import succeed
from support.documented_repository import make_documented_repository
from support.json_page import Page

if TYPE_CHECKING:
    from support.json_page import Section

PAGE = Page(Path(__file__).resolve().parents[2] / "docs" / "json.md")
SECTIONS = {section.title: section for section in PAGE.commands}


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with ``repo``, the repository of the examples."""
    make_documented_repository(tmp_path / "repo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> str:
    """The output of a command as the page writes it, on the documented repository."""
    program, *words = shlex.split(command)
    assert program == "ostree"
    return succeed(*words, environ={"OSTREE_REPO": "repo"})


@pytest.mark.parametrize("title", SECTIONS)
def test_examples_print_what_the_page_says(title: str, documented: Path) -> None:
    section = SECTIONS[title]
    assert section.examples, "no example"

    for example in section.examples:
        assert run(example.command) == example.output


@pytest.mark.parametrize("title", SECTIONS)
def test_documents_have_the_documented_fields(title: str, documented: Path) -> None:
    """All of them, and no others, each of its type."""
    section = SECTIONS[title]

    for example in section.examples:
        assert PAGE.problems(section, json.loads(run(example.command))) == []


def test_every_documented_field_is_in_some_example(documented: Path) -> None:
    """What never appears may as well not exist."""
    seen: set[str] = set()

    for section in PAGE.commands:
        for example in section.examples:
            seen |= PAGE.seen(section, json.loads(run(example.command)))

    assert PAGE.documented() - seen == set()


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


def test_a_missing_field_is_found(documented: Path) -> None:
    section = SECTIONS["`ostree log --json`"]
    document = json.loads(run(section.examples[0].command))
    del document["commits"][0]["subject"]

    assert PAGE.problems(section, document) == ["commits[].subject: missing"]
