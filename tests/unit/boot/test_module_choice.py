"""Which modules a ramdisk holds, and in what order they are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ostree.boot.module_choice import choose_modules
from ostree.errors import NotFoundError
from ostree.formats.kernel_module import ModuleInfo

if TYPE_CHECKING:
    from collections.abc import Iterable


class Modules:
    """A kernel's modules in memory."""

    def __init__(self, builtin: Iterable[str] = (), **infos: ModuleInfo) -> None:
        self._builtin = set(builtin)
        self._infos = infos

    def info(self, name: str) -> ModuleInfo | None:
        return self._infos.get(name)

    def is_builtin(self, name: str) -> bool:
        return name in self._builtin

    def with_alias(self, alias: str) -> list[str]:
        return [name for name, info in self._infos.items() if alias in info.aliases]


def module(
    *needs: str, before: Iterable[str] = (), after: Iterable[str] = (), alias: str = ""
) -> ModuleInfo:
    return ModuleInfo("x86_64", needs, before, after, (alias,))


def test_what_a_module_needs_comes_with_it_in_order() -> None:
    modules = Modules(
        ext4=module("jbd2", "mbcache", "crc16"),
        jbd2=module("crc16"),
        mbcache=module(),
        crc16=module(),
    )

    choice = choose_modules(modules, required=["ext4"], at_start=[], drivers=[])

    assert choice.dependencies == {
        "ext4": ("crc16", "jbd2", "mbcache"),
        "jbd2": ("crc16",),
        "mbcache": (),
        "crc16": (),
    }
    assert choice.at_start == ("ext4",)


def test_what_is_built_in_is_left_out() -> None:
    modules = Modules({"jbd2", "ext4"}, xfs=module("jbd2"))

    choice = choose_modules(modules, required=["ext4", "xfs"], at_start=[], drivers=[])

    assert choice.dependencies == {"xfs": ()}


def test_a_soft_dependency_is_found_by_its_alias_and_loaded_before() -> None:
    """As crc32c of ext4, which is crc32c_generic, and crc32c_intel, and no dependency at all."""
    modules = Modules(
        ext4=module("jbd2", before=["crc32c"]),
        jbd2=module(),
        crc32c_generic=module(alias="crc32c"),
        crc32c_intel=module(alias="crc32c"),
    )

    choice = choose_modules(modules, required=[], at_start=["ext4"], drivers=[])

    assert choice.at_start == ("crc32c_generic", "crc32c_intel", "ext4")
    assert choice.dependencies["ext4"] == ("jbd2",)


def test_a_soft_dependency_of_what_is_needed_counts_too() -> None:
    modules = Modules(
        {"aes"},
        top=module("low"),
        low=module(before=["hash", "aes"], after=["late"]),
        hash=module(),
        late=module(),
    )

    choice = choose_modules(modules, required=["top"], at_start=[], drivers=[])

    assert choice.at_start == ("hash", "late", "top")


def test_soft_dependencies_that_do_not_exist_or_run_in_circles_do_no_harm() -> None:
    modules = Modules(a=module(before=["b", "nonesuch"]), b=module(before=["a"]))

    choice = choose_modules(modules, required=["a"], at_start=[], drivers=[])

    assert sorted(choice.at_start) == ["a", "b"]


def test_drivers_are_there_and_wait_for_their_hardware() -> None:
    modules = Modules(nvme=module("nvme_core"), nvme_core=module())

    choice = choose_modules(modules, required=[], at_start=["overlay"], drivers=["nvme", "ahci"])

    assert sorted(choice.dependencies) == ["nvme", "nvme_core"]
    assert choice.at_start == ()


def test_a_driver_that_is_asked_for_is_loaded() -> None:
    modules = Modules(nvme=module())

    choice = choose_modules(modules, required=["nvme"], at_start=[], drivers=["nvme"])

    assert choice.at_start == ("nvme",)


def test_a_module_that_is_asked_for_has_to_be_there() -> None:
    with pytest.raises(NotFoundError, match=r"^No kernel module nonesuch$"):
        choose_modules(Modules(), required=["nonesuch"], at_start=[], drivers=[])


def test_what_a_module_needs_has_to_be_there() -> None:
    modules = Modules(ext4=module("jbd2"))

    with pytest.raises(NotFoundError, match=r"^No kernel module jbd2$"):
        choose_modules(modules, required=[], at_start=["ext4"], drivers=[])
