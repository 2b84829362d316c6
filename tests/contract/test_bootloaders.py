"""What every boot loader promises."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError, SysrootError
from ostree.sysroot.bootloaders.choice import NEVER_PROBED, PROBED
from support.bootloaders import Place, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = [
    "syslinux",
    "uboot",
    "grub2",
    "grub2-efi",
    "grub2-builtin",
    "grub2-builtin-counting",
    "none",
]
STAMPED = list(NEVER_PROBED)
#: Another program reads the entries, or the boot loader itself.
GENERATED = ["grub2", "grub2-efi", "none"]


@pytest.fixture(params=[*KINDS, *STAMPED])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    os.close(place.root_fd)


@pytest.fixture
def prepared(place: Place, kind: str) -> Place:
    prepare(place, kind)
    return place


def test_all_are_here() -> None:
    assert {kind.partition("-")[0] for kind in KINDS} == set(PROBED)


def test_it_is_found_where_it_was_set_up(place: Place, kind: str) -> None:
    loader = place.loader(kind)
    before = loader.is_active()
    prepare(place, kind)

    assert before == (kind == "none")
    assert loader.is_active() == (kind not in STAMPED)


def test_only_what_is_announced_is_written(prepared: Place, kind: str) -> None:
    """A plan can name the files, and their content unless a program makes it."""
    loader = prepared.loader(kind)
    deployments = [prepared.deployment(0), prepared.deployment(1)]
    before = prepared.tree()
    facts = loader.read_facts_of(deployments)
    planned = loader.config_files(facts, 1, [d.entry for d in deployments])
    assert prepared.tree() == before

    loader.write_config(1, deployments)

    changed = {name: data for name, data in prepared.tree().items() if before.get(name) != data}
    assert set(changed) == {file.path for file in planned}
    for file in planned:
        assert file.data is None or changed[file.path] == file.data
    assert planned == loader.config_files(facts, 1, [d.entry for d in deployments])


def test_the_active_configuration_stays_until_the_swap(prepared: Place, kind: str) -> None:
    before = prepared.tree()

    prepared.loader(kind).write_config(1, [prepared.deployment(0)])

    assert before.items() <= prepared.tree().items()


def test_writing_can_be_repeated(prepared: Place, kind: str) -> None:
    loader = prepared.loader(kind)
    deployments = [prepared.deployment(0), prepared.deployment(1)]
    loader.write_config(1, deployments)
    once = prepared.tree()

    prepared.loader(kind).write_config(1, deployments)

    assert prepared.tree() == once


def test_an_interrupted_swap_is_finished_by_the_next_program(prepared: Place, kind: str) -> None:
    deployments = [prepared.deployment(0)]
    prepared.loader(kind).write_config(1, deployments)
    prepared.swap()

    prepared.loader(kind).after_swap(1, deployments)
    finished = prepared.tree()
    calls = prepared.noted()
    prepared.loader(kind).after_swap(1, deployments)

    assert prepared.tree() == finished
    assert prepared.noted() == calls
    assert not any(name.endswith((".stamp", ".new")) for name in finished)
    if kind.endswith("-efi"):
        assert b"/ostree/boot.1/" in (prepared.root / "boot/efi/EFI/vendor/grub.cfg").read_bytes()
        assert finished["boot/efi/EFI/vendor/grub.cfg.old"] == b"old"


def test_no_deployments(prepared: Place, kind: str) -> None:
    """As after the last one was undeployed."""
    loader = prepared.loader(kind)

    loader.write_config(1, [])
    prepared.swap()
    loader.after_swap(1, [])


@pytest.mark.parametrize("kind", [k for k in (*KINDS, *STAMPED) if k not in GENERATED])
def test_an_entry_without_a_kernel_is_refused(prepared: Place, kind: str) -> None:
    loader = prepared.loader(kind)
    deployment = prepared.deployment(0)
    deployment.entry.discard("linux")
    before = prepared.tree()

    with pytest.raises(SysrootError, match=r'o "linux" key in bootloader config'):
        loader.write_config(1, [deployment])

    assert prepared.tree() == before


def test_a_name_and_whether_it_is_atomic(prepared: Place, kind: str) -> None:
    loader = prepared.loader(kind)

    assert loader.name
    assert loader.atomic == (kind not in {"grub2-efi", "none"})


@pytest.mark.parametrize("kind", ["syslinux", "uboot"])
@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * ((1 << 20) + 1), None])
def test_what_is_replaced_has_to_be_text(prepared: Place, kind: str, content: bytes | None) -> None:
    name = {"syslinux": "syslinux.cfg", "uboot": "uEnv.txt"}[kind]
    path = prepared.root / "boot/loader.0" / name
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    with pytest.raises(OSTreeError, match=rf"{name}|UTF-8|larger"):
        prepared.loader(kind).write_config(1, [prepared.deployment(0)])

    assert not (prepared.root / "boot/loader.1" / name).exists()
