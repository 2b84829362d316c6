"""A sysroot that is updated from a server, and the operations during which the power goes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from boot.server import serving
from ostree.sysroot.boot_disk import BootDisk
from ostree.system.checkpointing import Checkpointer
from ostree.system.files import sync_filesystem
from support.bootable import Sample, booted_list
from support.forked_command import run_forked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

REF = "os/main"
#: The commands that are run all the time.
COMMANDS = ("fsck", "pull", "admin.cleanup", "admin.deploy", "admin.undeploy", "admin.upgrade")

#: What a process that was to be killed ends with.
_DIED = 9


class Vendor:
    """Makes three releases and serves them.

    Args:
        directory: For the server, which is to run as long as the system is used.
        same_kernel: Whether all have one kernel, so that an update changes only bootlinks.

    Attributes:
        releases: What is in them.
        commits: Their checksums.
        samples: What is in each commit.
        port: Of the server on the loopback.
    """

    def __init__(self, directory: Path, *, same_kernel: bool) -> None:
        kernels = "aaa" if same_kernel else "abc"
        self.releases = [Sample(str(number), kernel) for number, kernel in enumerate(kernels)]
        for number, release in enumerate(self.releases):
            release.files["usr/share/large"] = f"large file of {number}\n" * 20000
        self.commits: list[str] = []
        self.samples: dict[str, Sample] = {}
        self.port = 0
        self._directory = directory
        self._repo = f"--repo={directory}/served/repo"
        (directory / "served").mkdir()
        run_ostree("init", self._repo, "--mode=archive")

    def serving(self) -> AbstractContextManager[int]:
        """The server; gives its port."""
        command = str(Path(sys.executable).with_name("ostree"))
        return serving(command, self._directory / "served")

    def publish(self) -> str:
        """Publish the next release."""
        number = len(self.commits)
        tree = self._directory / f"tree-{number}"
        self.releases[number].write(tree)
        commit = run_ostree("commit", self._repo, f"--branch={REF}", str(tree)).strip()
        self.commits.append(commit)
        self.samples[commit] = self.releases[number]
        return commit


class System:
    """A sysroot on mounted file systems, whose boot loader is U-Boot.

    Args:
        root: Where it is mounted.
        vendor: Whose releases it gets.
        boot: Tells the times apart that the machine was started: what is being written when the
            power goes is of no use for who comes after it.
        careless: Whether changes of the boot configuration are left in the journal, as by release
            2022.7 of the reference.
    """

    def __init__(
        self, root: Path, vendor: Vendor, *, boot: str = "first", careless: bool = False
    ) -> None:
        self.root = root
        self.vendor = vendor
        self._environment = {**os.environ, "OSTREE_BOOTID": boot, "OSTREE_SYSROOT_OPTS": ""}
        self._before = _leave_it_in_the_journal if careless else None

    def set_up(self) -> None:
        """Make the sysroot and deploy two releases, one after the other; publish the third."""
        url = f"http://127.0.0.1:{self.vendor.port}/repo"
        self.ostree("admin", "init-fs", "--modern", str(self.root))
        self.admin("os-init", "os")
        self.repo("remote", "add", "vendor", url, "--no-gpg-verify")
        # By this file OSTree knows that the boot loader is U-Boot.
        (self.root / "boot/loader.0").mkdir()
        (self.root / "boot/loader").symlink_to("loader.0")
        (self.root / "boot/loader.0/uEnv.txt").touch()
        (self.root / "boot/uEnv.txt").symlink_to("loader/uEnv.txt")
        for _ in range(2):
            self.vendor.publish()
            self.pull()
            self.deploy()
            for etc in self.root.glob("ostree/deploy/os/deploy/*/etc"):
                (etc / "local").write_text("local\n")
        self.vendor.publish()

    def sync_no_objects(self) -> None:
        """Have what is pulled not synced from now on."""
        self.repo("config", "set", "core.fsync", "false")

    def sync_names(self) -> None:
        """Have the journal written, and no content, as the kernel does when it likes to."""
        fd = os.open(self.root / "ostree/repo", os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def ostree(self, *arguments: str) -> str:
        return run_ostree(*arguments, environment=self._environment, before=self._before)

    def repo(self, verb: str, *arguments: str) -> str:
        return self.ostree(verb, f"--repo={self.root}/ostree/repo", *arguments)

    def admin(self, verb: str, *arguments: str) -> str:
        return self.ostree("admin", verb, f"--sysroot={self.root}", *arguments)

    def pull(self) -> None:
        self.repo("pull", "vendor", REF)

    def deploy(self) -> None:
        self.admin("deploy", "--os=os", f"vendor:{REF}")

    def deploy_and_die(self) -> None:
        """Deploy, and be killed before anything of the switch is brought to the disk."""
        words = ("admin", "deploy", f"--sysroot={self.root}", "--os=os", f"vendor:{REF}")
        status, output = run_forked(
            *words, environment=self._environment, before=_die_at_the_switch
        )
        assert status == _DIED, output
        assert self.booted()[0] == 2

    def booted(self) -> list[int]:
        """The releases of the list, each complete with everything that starts it."""
        return [
            self.vendor.commits.index(name.partition(".")[0])
            for name in booted_list(self.root, self.vendor.samples)
        ]

    def pulled(self) -> int:
        """The release that the remote's ref leads to."""
        text = (self.root / "ostree/repo/refs/remotes/vendor" / REF).read_text()
        return self.vendor.commits.index(text.strip())


def run_ostree(
    *arguments: str,
    environment: Mapping[str, str] = os.environ,
    before: Callable[[], None] | None = None,
) -> str:
    """Run the command; gives what it prints.

    Raises:
        AssertionError: it fails.
    """
    status, output = run_forked(*arguments, environment=environment, before=before)
    assert status == 0, f"ostree {' '.join(arguments)}: {output}"
    return output


def _leave_it_in_the_journal() -> None:
    def only_sync(self: Checkpointer, *, synced: bool = False) -> None:
        if not synced:
            sync_filesystem(self._fd)

    Checkpointer.checkpoint = only_sync  # type: ignore[method-assign]


def _die_at_the_switch() -> None:
    BootDisk._bring_to_disk = lambda *_: os._exit(_DIED)  # type: ignore[method-assign]


class Operation:
    """What is recorded, and what it leads to if it is made again after the power is back."""

    name = ""

    def prepare(self, system: System) -> None:
        """What comes before and is on the disk for certain."""

    def begin(self, system: System) -> None:
        """What comes before and may not be on the disk yet."""

    def act(self, system: System) -> None:
        """The operation."""
        raise NotImplementedError

    def check(self, system: System) -> None:
        """What has to be after it was made again."""
        assert system.pulled() == 2
        assert system.booted()[0] == 2


class Pull(Operation):
    name = "pull"

    def act(self, system: System) -> None:
        system.pull()

    def check(self, system: System) -> None:
        assert system.pulled() == 2
        assert system.booted() == [1, 0]


class Deploy(Operation):
    name = "deploy"

    def prepare(self, system: System) -> None:
        system.pull()

    def act(self, system: System) -> None:
        system.deploy()


class Upgrade(Operation):
    name = "upgrade"

    def act(self, system: System) -> None:
        system.admin("upgrade", "--os=os")


class Undeploy(Operation):
    name = "undeploy"

    def act(self, system: System) -> None:
        if system.booted() == [1, 0]:
            system.admin("undeploy", "0")

    def check(self, system: System) -> None:
        assert system.booted() == [0]


class Cleanup(Operation):
    """After a deployment that was interrupted at the worst moment."""

    name = "cleanup"

    def prepare(self, system: System) -> None:
        system.pull()

    def begin(self, system: System) -> None:
        system.deploy_and_die()

    def act(self, system: System) -> None:
        system.admin("cleanup")

    def check(self, system: System) -> None:
        """The old list or the new one, whichever reached the disk."""
        assert system.booted() in ([1, 0], [2, 1])


OPERATIONS = {
    operation.name: operation for operation in (Pull(), Deploy(), Upgrade(), Undeploy(), Cleanup())
}
