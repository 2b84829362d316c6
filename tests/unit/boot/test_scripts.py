"""The shell scripts: what a linter says, and that the ramdisk has what they call."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import ostree.boot.scripts
from ostree.boot.programs import APPLETS
from ostree.boot.scripts import RAMDISK_SCRIPTS, read_script

DIRECTORY = Path(ostree.boot.scripts.__file__).parent
HOOKS = DIRECTORY.parent / "hooks"
SCRIPTS = sorted(
    path
    for path in [*DIRECTORY.iterdir(), *HOOKS.rglob("*")]
    if path.is_file() and path.suffix in {"", ".sh"}
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shellcheck_finds_nothing(script: Path) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck (Debian: shellcheck) is not installed")

    done = subprocess.run(
        ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", script],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.stdout == ""


def words_of(text: str) -> set[str]:
    """Words that may be names of commands; of comments and assignments none."""
    text = re.sub(r"^\s*#.*$|[a-z_]+=|\$\{?[a-z_]+|--[a-z-]+|-[a-z]+", "", text, flags=re.MULTILINE)
    return set(re.findall(r"[a-z_0-9]+", text))


def test_the_ramdisk_has_every_program_that_its_scripts_call() -> None:
    """And each program is called: what nothing calls is not asked of a busybox."""
    words = {word for name in RAMDISK_SCRIPTS for word in words_of(read_script(name).decode())}
    # Some are the shell's own, some are not meant as commands.
    others = {
        "echo",
        "expr",
        "false",
        "less",
        "link",
        "printf",
        "test",
        "time",
        "true",
        "uevent",
        "watchdog",
        "yes",
    }
    if not shutil.which("busybox"):
        pytest.skip("busybox (Debian: busybox-static) is not installed")
    listing = subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True)

    called = words & set(listing.stdout.split()) - others

    assert set(APPLETS) - words == set()
    assert called - set(APPLETS) - {"init", "busybox"} == set()
