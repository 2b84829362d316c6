"""The disk of a sysroot: as Linux mounts it, and as a boot loader reads it."""

from __future__ import annotations

import contextlib
import errno
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from ostree.system import mounting
from support.loop_partition import attached

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MIB = 1 << 20


class Part(NamedTuple):
    """Where a file system is, in bytes."""

    offset: int
    size: int


class Layout(NamedTuple):
    """Which file systems there are.

    Attributes:
        root: That of the sysroot.
        boot: That of ``/boot``; None if it is in that of the sysroot.
    """

    root: Part
    boot: Part | None

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.root,) if self.boot is None else (self.root, self.boot)


#: By their names: the sysroot's file system lies behind room for a boot loader and ``/boot``.
LAYOUTS = {
    "separate /boot": Layout(Part(25 * _MIB, 96 * _MIB), Part(_MIB, 24 * _MIB)),
    "/boot on the root": Layout(Part(_MIB, 96 * _MIB), None),
}


class Disk:
    """An image with one ext4 file system, or two.

    Args:
        image: The file.
        layout: Where they are.
        directory: For mount points; in a mount namespace of our own, so that nobody copies a mount
            and keeps it, and with it old content, alive.
    """

    def __init__(self, image: Path, layout: Layout, directory: Path) -> None:
        self.image = image
        self._layout = layout
        self._directory = directory

    def make(self) -> None:
        """Make the image, with empty file systems."""
        with self.image.open("wb") as file:
            file.truncate(sum(self._layout.parts[0]) + _MIB)
        for offset, size in self._layout.parts:
            run(
                *("/sbin/mkfs.ext4", "-q", "-F", "-E", f"offset={offset},lazy_itable_init=0"),
                *(self.image, f"{size >> 10}k"),
            )

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Path]:
        """The sysroot with its ``/boot``, after their journals were replayed."""
        # A kernel in a hurry writes more, and earlier, than it has to.
        options = "commit=1"
        with self._mount(self._layout.root, "root", options) as root:
            if self._layout.boot is None:
                yield root
                return
            (root / "boot").mkdir(exist_ok=True)
            with self._mount(self._layout.boot, "root/boot", options):
                yield root

    @contextlib.contextmanager
    def unreplayed_boot(self) -> Iterator[Path]:
        """``/boot`` as who does not replay a journal reads it; nothing is changed."""
        part = self._layout.boot or self._layout.root
        with self._mount(part, "seen", "noload", mounting.READ_ONLY) as seen:
            yield seen if self._layout.boot else seen / "boot"

    def check(self) -> None:
        """Have each file system checked; they are not mounted.

        Raises:
            AssertionError: something is wrong with one.
        """
        for offset, _ in self._layout.parts:
            command = ["/sbin/e2fsck", "-fn", f"{self.image}?offset={offset}"]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout

    @contextlib.contextmanager
    def _mount(self, part: Part, where: str, options: str, flags: int = 0) -> Iterator[Path]:
        path = self._directory / where
        path.mkdir(exist_ok=True)
        with attached(self.image, part.offset, part.size) as device:
            mounting.mount(device, str(path), "ext4", flags, options)
        try:
            yield path
        finally:
            _unmount(path)


def _unmount(path: Path) -> None:
    """Unmount; a process that has just ended may still be letting go."""
    for _ in range(50):
        try:
            mounting.unmount(str(path))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        else:
            return
        time.sleep(0.1)
    raise TimeoutError(f"{path} is in use")


def copy(image: Path, other: Path) -> None:
    """Copy an image; what is zero takes no room."""
    run("cp", "--sparse=always", image, other)


def run(*command: str | Path) -> str:
    """Run a program; gives what it prints.

    Raises:
        AssertionError: it fails.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout
