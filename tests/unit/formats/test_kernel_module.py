"""What kernel modules say of themselves."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import kernel_module
from ostree.formats.elf import ElfFile
from support.elf import MACHINES, make_elf, make_module


@pytest.mark.parametrize("machine", MACHINES)
def test_a_module_tells_what_it_needs(machine: str) -> None:
    """On machines of 32 and of 64 bits, of either byte order."""
    data = make_module(
        machine,
        depends="jbd2,crc-16",
        softdep=["pre: crc32c aes post: late", "pre: more"],
        alias=["fs-ext4", "ext3"],
        license="GPL",
    )

    info = kernel_module.decode_module(data)

    assert info.machine == machine
    assert info.needs == ("jbd2", "crc_16")
    assert info.before == ("crc32c", "aes", "more")
    assert info.after == ("late",)
    assert info.aliases == ("fs-ext4", "ext3")


def test_nothing_is_needed_by_default() -> None:
    info = kernel_module.decode_module(make_module(depends=""))

    assert (info.needs, info.before, info.after, info.aliases) == ((), (), (), ())


def test_a_program_is_no_module() -> None:
    with pytest.raises(FormatError, match=r"no section \.modinfo"):
        kernel_module.decode_module(make_elf())


@pytest.mark.parametrize(("interpreter", "static"), [(True, False), (False, True)])
@pytest.mark.parametrize("machine", MACHINES)
def test_a_program_tells_if_it_needs_a_linker(
    machine: str, interpreter: bool, static: bool
) -> None:
    elf = ElfFile(make_elf(machine, interpreter=interpreter))

    assert (elf.machine, elf.is_static) == (machine, static)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_file_that_ends_early_is_an_error_and_no_crash(machine: str) -> None:
    data = make_module(machine, depends="a,b")

    for size in range(len(data)):
        with pytest.raises(FormatError):
            kernel_module.decode_module(data[:size])


@given(st.binary(max_size=200))
def test_random_bytes_are_an_error_and_no_crash(data: bytes) -> None:
    with pytest.raises(FormatError):
        kernel_module.decode_module(b"\x7fELF\2\1" + data)


@given(st.data())
def test_damage_is_an_error_and_no_crash(data: st.DataObject) -> None:
    module = bytearray(make_module(depends="a,b"))
    place = data.draw(st.integers(0, len(module) - 1))
    module[place] = data.draw(st.integers(0, 255))

    with suppress(FormatError):
        assert kernel_module.decode_module(bytes(module)).machine


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("ext4.ko", "ext4"),
        ("mmc-block.ko.xz", "mmc_block"),
        ("a.ko.zst", "a"),
        ("a.ko.gz", "a"),
        ("modules.dep", None),
        ("a.ko.debug", None),
    ],
)
def test_files_of_modules_are_known_by_their_names(filename: str, name: str | None) -> None:
    assert kernel_module.name_of_file(filename) == name


def test_what_is_built_in_has_names_and_aliases() -> None:
    builtin = kernel_module.parse_builtin("kernel/fs/ext4/ext4.ko\nkernel/lib/crc-16.ko\n")
    aliases = kernel_module.parse_builtin_aliases(
        b"crc32c_generic.alias=crc32c\0crc32c_generic.license=GPL\0x.alias=crypto-crc32c\0"
    )

    assert builtin == {"ext4", "crc_16"}
    assert aliases == {"crc32c", "crypto_crc32c"}


def test_lists_are_written_as_depmod_does() -> None:
    """What is to be loaded first comes last."""
    needed = {"b/x.ko": ["a/first.ko", "a/second.ko"], "a/first.ko": []}

    assert kernel_module.encode_dependencies(needed) == (
        "a/first.ko:\nb/x.ko: a/second.ko a/first.ko\n"
    )
    assert kernel_module.encode_aliases({"ext4": ("fs-ext4", "ext3")}) == (
        "alias fs-ext4 ext4\nalias ext3 ext4\n"
    )
