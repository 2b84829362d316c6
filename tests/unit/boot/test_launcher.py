"""The program that starts our script without a ramdisk."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

import ostree.boot
from ostree.boot.launcher import MACHINES, make_launcher
from ostree.boot.programs import find_busybox
from ostree.errors import NotFoundError, OSTreeError
from ostree.formats.elf import ElfFile

SOURCES = Path(ostree.boot.__file__).parent / "launchers"
PREFIXES = {"x86_64": "x86_64-linux-gnu-", "aarch64": "aarch64-linux-gnu-"}


def tool(machine: str, name: str) -> str:
    """An assembler or its like for a machine; skips where there is none."""
    prefix = PREFIXES.get(machine, "arm-linux-gnueabihf-")
    found = shutil.which(prefix + name)
    if found is None:
        pytest.skip(f"{prefix}{name} is not installed (Debian: binutils for that machine)")
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_its_instructions_are_those_of_the_source(machine: str, tmp_path: Path) -> None:
    source, object, code = SOURCES / f"{machine}.S", tmp_path / "o", tmp_path / "code"

    subprocess.run([tool(machine, "as"), "-o", object, source], check=True)
    copy = [tool(machine, "objcopy"), "-O", "binary", "-j", ".text", str(object), str(code)]
    subprocess.run(copy, check=True)

    assert make_launcher(machine).endswith(code.read_bytes())


@pytest.mark.parametrize("machine", MACHINES)
def test_it_is_a_static_program(machine: str) -> None:
    elf = ElfFile(make_launcher(machine))

    assert (elf.machine, elf.is_static) == (machine, True)


@pytest.mark.parametrize("machine", MACHINES)
def test_it_starts_the_script_beside_it_with_its_arguments(machine: str, tmp_path: Path) -> None:
    program = tmp_path / "deep/ostree-prepare-root"
    program.parent.mkdir()
    program.write_bytes(make_launcher(machine))
    program.chmod(0o755)
    program.with_suffix(".sh").write_text('echo "$0 $# $1 $2 $WORD"\n')
    try:
        busybox = find_busybox(["/"])
    except NotFoundError as error:
        pytest.skip(f"{error} (Debian: busybox-static)")
    shutil.copy(busybox.path, program.parent / "busybox")
    command = [str(program)]
    if platform.machine() != machine:
        emulator = shutil.which(f"qemu-{machine}")
        if emulator is None:
            pytest.skip(f"qemu-{machine} (Debian: qemu-user) is not installed")
        command.insert(0, emulator)

    done = subprocess.run(
        [*command, "single", "two words"],
        check=True,
        capture_output=True,
        text=True,
        env={"WORD": "kept"},
    )

    assert done.stdout == f"{program}.sh 2 single two words kept\n"


def test_a_name_that_is_too_long_is_no_way_into_memory(tmp_path: Path) -> None:
    program = tmp_path / "launcher"
    program.write_bytes(make_launcher("x86_64"))
    program.chmod(0o755)
    if platform.machine() != "x86_64":
        pytest.skip("this machine is no x86_64")

    done = subprocess.run(["a" * 5000], executable=program, check=False)

    assert done.returncode == 127


def test_another_machine_has_none() -> None:
    with pytest.raises(OSTreeError, match="not possible on riscv"):
        make_launcher("riscv")
