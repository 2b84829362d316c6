"""``ostree image build``: what it asks for and refuses; tests/e2e has the images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cli.running import ENVIRON, fail, misuse, ostree
from ostree.cli.commands.image.build import parse_size
from ostree.cli.options import OptionError
from ostree.errors import ImageError
from ostree.image.tool import Toolbox

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = ("--repo=repo", "--ref=os/test", "--os=test", "--bootloader=none", "--output=disk.img")


@pytest.mark.parametrize("missing", NEEDED)
def test_what_has_to_be_given(missing: str) -> None:
    name = missing.partition("=")[0]

    message = misuse("image", "build", *(option for option in NEEDED if option != missing))

    assert message == f"error: {name} must be specified"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--bootloader=lilo"],
            "--bootloader 'lilo': it is one of uboot, grub2, systemd-boot, none",
        ),
        (["--table=apm"], "--table 'apm': it is one of gpt, mbr"),
        (["--layout=x"], "--layout 'x': it is one of single, boot-partition"),
        (["--root-by=x"], "--root-by 'x': it is one of uuid, label, partuuid, partlabel"),
        (["--size=0"], "--size '0': a size is a number with K, M, G or T"),
        (["--data=4X"], "--data '4X': a size is a number with K, M, G or T"),
        (["--remote=x"], "--remote 'x': it is NAME=URL"),
        (["--bootloader=grub2", "--tries=6"], "--tries '6': it is 0 to 5"),
        (["--bootloader=grub2", "--tries=many"], "--tries 'many': it is 0 to 5"),
    ],
)
def test_values_that_mean_nothing(options: list[str], message: str) -> None:
    assert fail("image", "build", *NEEDED, *options) == f"error: Invalid {message}"


def test_options_of_a_remote_need_one() -> None:
    assert fail("image", "build", *NEEDED, "--no-gpg-verify") == (
        "error: Options of a remote need --remote"
    )


def test_where_a_script_counts_it_has_its_own_setting() -> None:
    assert "--tries is for grub2" in fail(
        "image", "build", *NEEDED, "--bootloader=uboot", "--tries=3"
    )


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("4k", 4096), ("16M", 16 << 20), ("2G", 2 << 30), ("1T", 1 << 40)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size("size", text) == size


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5G", "1GB", "٣M", "9" * 30, "2000T"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(OptionError, match="Invalid --size"):
        parse_size("size", text)


def test_a_missing_tool_is_named_with_its_package(tmp_path: Path) -> None:
    tools = Toolbox({"PATH": str(tmp_path)})
    tools._directories = [str(tmp_path)]

    with pytest.raises(ImageError, match=r"^mkfs.ext4 is not installed$") as caught:
        tools.require(["mkfs.ext4"])

    assert caught.value.hint == "it is in the Debian package e2fsprogs"


def test_a_failing_tool_is_named_with_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "mcopy").write_text("#!/bin/sh\necho first\necho 'no room' >&2\nexit 3\n")
    (tmp_path / "mcopy").chmod(0o755)

    with pytest.raises(ImageError, match=r"^mcopy: no room$"):
        Toolbox({"PATH": f"{tmp_path}:/usr/bin:/bin"}).run("mcopy")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--repo=nowhere"], "nowhere"),
        (["--ref=nothing"], "nothing"),
        (["--os=a/b"], "a/b"),
    ],
)
def test_nothing_is_left_of_an_image_that_fails(
    options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ostree("init", "--repo=repo", "--mode=archive").status == 0
    before = sorted(os.listdir("."))

    result = ostree("image", "build", *NEEDED, *options, environ={"PATH": ENVIRON["PATH"]})

    assert result.status == 1
    assert words in result.err
    assert sorted(os.listdir(".")) == before
