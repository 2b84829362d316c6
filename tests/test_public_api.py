"""What ``import ostree`` promises: these names, these types, the documented example, little cost."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ostree

PROJECT = Path(__file__).resolve().parent.parent

#: Adding a name is a decision; removing one breaks users.
NAMES = {
    "CancelledError",
    "Change",
    "ChangeKind",
    "CheckoutOptions",
    "Checksum",
    "ChecksumError",
    "Commit",
    "CorruptionError",
    "DeployPlan",
    "Deployment",
    "Doubt",
    "Event",
    "Existing",
    "ExistsError",
    "FetchError",
    "FetchTimeoutError",
    "FormatError",
    "Keep",
    "KernelArgumentOptions",
    "LockError",
    "LogEntry",
    "Message",
    "Modifier",
    "NotFoundError",
    "OSTreeError",
    "ObjectNotFoundError",
    "ObjectType",
    "PathNotFoundError",
    "PullProgress",
    "RefNotFoundError",
    "RemoteNotFoundError",
    "Repo",
    "RepoError",
    "RepoMode",
    "Retention",
    "SignatureError",
    "SpaceError",
    "StatusError",
    "StepProgress",
    "Sysroot",
    "SysrootError",
    "SysrootSettings",
    "TooLargeError",
    "Transaction",
    "TransferError",
    "Tree",
    "TreeId",
    "TrustError",
    "UnlockedState",
    "UsageError",
    "Variant",
    "__version__",
}

PRINT_NEW_MODULES = """
import sys
before = set(sys.modules)
import ostree
print(*sorted(set(sys.modules) - before))
"""


def run_python(code: str) -> str:
    """The output of ``code`` in a fresh interpreter."""
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return result.stdout


def python_examples(page: Path) -> list[str]:
    """The ```` ```python ```` blocks of a page."""
    blocks: list[str] = []
    block: list[str] | None = None
    for line in page.read_text(encoding="utf-8").splitlines():
        if block is None:
            block = [] if line == "```python" else None
        elif line == "```":
            blocks.append("\n".join(block))
            block = None
        else:
            block.append(line)
    return blocks


def test_the_names_are_these() -> None:
    assert set(ostree.__all__) == NAMES
    assert set(dir(ostree)) == NAMES
    assert len(ostree.__all__) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_resolves(name: str) -> None:
    value = getattr(ostree, name)

    assert getattr(ostree, name) is value
    if name != "__version__":
        assert value.__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    name = "Nope"

    with pytest.raises(AttributeError, match="module 'ostree' has no attribute 'Nope'"):
        getattr(ostree, name)


def test_errors_share_a_base() -> None:
    """``except ostree.OSTreeError`` catches everything the library raises on purpose."""
    errors = [getattr(ostree, name) for name in NAMES if name.endswith("Error")]

    assert all(issubclass(error, ostree.OSTreeError) for error in errors)


def test_importing_the_package_imports_nothing_else() -> None:
    assert run_python(PRINT_NEW_MODULES).split() == ["__future__", "ostree"]


def test_the_version_is_the_projects() -> None:
    with (PROJECT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["version"] == ostree.__version__


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_documented_examples_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example stands alone and works in an empty directory."""
    monkeypatch.chdir(tmp_path)
    examples = python_examples(PROJECT / page)

    for number, example in enumerate(examples):
        place = tmp_path / str(number)
        place.mkdir()
        monkeypatch.chdir(place)
        exec(compile(example, f"{page}, example {number}", "exec"), {"__name__": "example"})

    assert examples
