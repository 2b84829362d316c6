"""Whether a sysroot boots: everything that its boot files name is there and whole."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path


class Sample:
    """A tree that can be deployed, of a given release.

    Args:
        release: Makes its files differ from those of other releases.
        kernel: Makes its kernel and ramdisk differ.
    """

    def __init__(self, release: str, kernel: str) -> None:
        modules = "usr/lib/modules/6.1"
        self.files = {
            f"{modules}/vmlinuz": f"kernel {kernel}\n" * 100,
            f"{modules}/initramfs.img": f"ramdisk {kernel}\n" * 100,
            f"{modules}/dtb/board.dtb": f"device tree {kernel}\n",
            "usr/lib/os-release": 'ID=sample\nPRETTY_NAME="Sample"\n',
            "usr/lib/tmpfiles.d/sample.conf": "",
            "usr/bin/program": f"program {release}\n",
            "usr/share/common": "the same in all\n",
            "usr/etc/conf": f"default {release}\n",
            "usr/etc/dir/conf": "default\n",
        }

    def write(self, directory: Path) -> None:
        """Make the tree."""
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (directory / "sysroot").mkdir(exist_ok=True)
        if not (directory / "ostree").is_symlink():
            (directory / "ostree").symlink_to("sysroot/ostree")

    @property
    def bootcsum(self) -> str:
        """The boot checksum."""
        names = [name for name in self.files if name.startswith("usr/lib/modules/")]
        return hashlib.sha256("".join(self.files[name] for name in names).encode()).hexdigest()


def booted_list(root: Path, samples: dict[str, Sample]) -> list[str]:
    """The deployments that the boot files name, in order, each checked to be complete.

    Args:
        root: The sysroot.
        samples: What each commit contains.

    Returns:
        ``CHECKSUM.SERIAL`` of each.

    Raises:
        AssertionError: something that a boot needs is missing or wrong.
    """
    entries = []
    for path in (root / "boot/loader/entries").glob("ostree-*.conf"):
        lines = [line.split(" ", 1) for line in path.read_text().splitlines()]
        entries.append(dict(lines))
    entries.sort(key=lambda entry: int(entry["version"]), reverse=True)
    found = [_check_entry(root, entry, samples) for entry in entries]
    if (root / "boot/loader/uEnv.txt").exists() and entries:
        _check_uenv(root, (root / "boot/loader/uEnv.txt").read_text(), entries)
    return found


def _check_entry(root: Path, entry: dict[str, str], samples: dict[str, Sample]) -> str:
    argument = re.search(
        r"(?:^| )ostree=/(ostree/boot\.[01]/[^/ ]+/([^/ ]+)/\d+)", entry["options"]
    )
    assert argument, entry
    deployment = Path(os.path.realpath(root / argument[1]))
    assert deployment.parent == (root / "ostree/deploy/os/deploy").resolve(), deployment
    sample = samples[deployment.name.partition(".")[0]]
    assert argument[2] == sample.bootcsum
    modules = "usr/lib/modules/6.1"
    for key, name in (
        ("linux", "vmlinuz"),
        ("initrd", "initramfs.img"),
        ("fdtdir", "dtb/board.dtb"),
    ):
        path = root / "boot" / entry[key].lstrip("/")
        if key == "fdtdir":
            path /= "board.dtb"
        assert path.read_text() == sample.files[f"{modules}/{name}"], path
    check_deployment(deployment, sample)
    return deployment.name


def check_deployment(deployment: Path, sample: Sample) -> None:
    """Make sure that a deployment is complete, with local configuration and origin."""
    for name, text in sample.files.items():
        assert (deployment / name).read_text() == text, name
    assert (deployment / "etc/dir/conf").read_text() == "default\n"
    assert (deployment / "etc/local").read_text() == "local\n"
    assert (deployment / "ostree").is_symlink()
    origin = deployment.with_name(f"{deployment.name}.origin")
    assert origin.read_text().startswith("[origin]\nrefspec=")


def _check_uenv(root: Path, text: str, entries: list[dict[str, str]]) -> None:
    """What U-Boot reads says the same."""
    values = dict(line.split("=", 1) for line in text.splitlines() if line)
    for index, entry in enumerate(entries):
        suffix = "" if index == 0 else str(index + 1)
        assert values[f"bootargs{suffix}"] == entry["options"]
        assert values[f"kernel_image{suffix}"] == "/boot" + entry["linux"]
        assert (root / values[f"kernel_image{suffix}"].lstrip("/")).is_file()


def leftovers(root: Path, samples: dict[str, Sample]) -> list[str]:
    """What is there although no listed deployment needs it."""
    listed = booted_list(root, samples)
    bootcsums = {samples[name.partition(".")[0]].bootcsum for name in listed}
    wanted_deploy = {*listed, *(f"{name}.origin" for name in listed)}
    version = os.readlink(root / "boot/loader").partition(".")[2]
    sub = os.readlink(root / f"ostree/boot.{version}")
    wanted = {
        "boot": {"boot", "loader", f"loader.{version}", "ostree", "uEnv.txt"},
        "boot/ostree": {f"os-{bootcsum}" for bootcsum in bootcsums},
        "ostree": {f"boot.{version}", sub, "repo", "deploy"},
        "ostree/deploy/os/deploy": wanted_deploy,
        "ostree/deploy/os/backing": set(listed),
    }
    return sorted(
        f"{directory}/{name}"
        for directory, names in wanted.items()
        for name in os.listdir(root / directory)
        if name not in names
    )
