"""From an operating system tree to a deployed update, with the commands a user would type.

A "build server" commits a tree and serves it on the loopback interface; a "device", which is a
directory here, pulls it, deploys it, is edited, updated and rolled back.  Needs neither root nor
a network, and removes what it made.

    python -m demo.run [--ostree PATH] [--tree DIRECTORY]
"""

from __future__ import annotations

import argparse
import filecmp
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from itertools import pairwise
from typing import NoReturn

from demo import rootfs
from demo.console import Console, DemoError, Server, check, remove_tree, timed

MIB = rootfs.MIB
REF = f"demo-{platform.machine()}-gateway"
OS = "gateway"
REPO = "server/ostree_repo"
REMOTE = f"local_repo:{REF}"
DEVICE = "device"
UENV = f"{DEVICE}/boot/loader/uEnv.txt"

#: What the tree, both repositories and the deployments may take together, in multiples of the tree.
COPIES = 4
HOST_BUDGET = 200 * MIB
LARGEST = 6 * MIB


class Demo:
    """The story, one method a step."""

    def __init__(self, console: Console, tree: str | None) -> None:
        self.console = console
        self.tree = tree
        self.times: dict[str, float] = {}
        self.size = 0

    def tell(self) -> None:
        """Run all steps."""
        self.gather()
        self.commit_first()
        self.console.title("It serves the repository over HTTP")
        with Server(self.console, REPO) as server:
            url = server.url()
            self.prepare_device()
            self.pull(url)
            first = self.deploy()
            self.edit(first)
            self.commit_second()
            self.upgrade()
        self.roll_back()
        self.sum_up()

    def gather(self) -> None:
        """Make the tree of release 1."""
        console = self.console
        console.title("An operating system tree")
        root = console.path("rootfs")
        os.mkdir(root)
        with timed(self.times, "gather"):
            if self.tree is None:
                budget = min(HOST_BUDGET, shutil.disk_usage(console.place).free // COPIES)
                gathering = rootfs.Gathering(budget, LARGEST, console.status)
                rootfs.gather_host(gathering, root)
                kernels = "/boot"
            else:
                unlimited = sys.maxsize
                gathering = rootfs.Gathering(unlimited, unlimited, console.status)
                rootfs.gather_tree(gathering, self.tree, root)
                kernels = os.path.join(self.tree, "boot")
            kernel = rootfs.complete(gathering, root, kernels=kernels)
        self.size = gathering.bytes
        console.say(f"Copied from {self.tree or 'this host'}: {gathering}.")
        if gathering.unreadable or gathering.special or gathering.left_out:
            console.say(
                f"Not copied: {gathering.unreadable} unreadable, {gathering.special} special, "
                f"{gathering.left_out} beyond the demo's size."
            )
        console.say(f"As for booting: {kernel}.")
        console.run("ls", "-m", "rootfs", "rootfs/usr")
        console.proves("real files, in the /usr-merged shape that OSTree deploys")

    def commit_first(self) -> None:
        """Commit release 1 on the build server."""
        console = self.console
        console.title("The build server commits release 1")
        os.makedirs(console.path("server"))
        console.run("ostree", f"--repo={REPO}", "init", "--mode=archive")
        self._commit(1)
        console.run("ostree", f"--repo={REPO}", "log", REF)
        console.proves(
            "the tree is now objects named by their content, and a ref that names the commit"
        )

    def commit_second(self) -> None:
        """Change the tree and commit it as release 2."""
        console = self.console
        console.title("The build server commits release 2")
        before = self._objects(REPO)
        what = rootfs.change(console.path("rootfs"))
        console.say(f"Changed: {what}.")
        self._commit(2)
        after = self._objects(REPO)
        console.proves(
            f"only what differs was stored: {after[0] - before[0]} new objects "
            f"beside {before[0]}, {(after[1] - before[1]) / MIB:.1f} MiB beside "
            f"{before[1] / MIB:.1f} MiB"
        )

    def _commit(self, release: int) -> None:
        with timed(self.times, f"commit release {release}"):
            self.console.run(
                "ostree",
                f"--repo={REPO}",
                "commit",
                f"--branch={REF}",
                f"--subject=Release {release}",
                f"--add-metadata-string=version={release}",
                # The device's files belong to whoever runs this, who need not be root.
                f"--owner-uid={os.getuid()}",
                f"--owner-gid={os.getgid()}",
                "--tree=dir=rootfs",
            )
        self.console.run("ostree", "summary", "-u", f"--repo={REPO}")

    def prepare_device(self) -> None:
        """Make an empty disk that boots with U-Boot."""
        console = self.console
        console.title("A device is prepared")
        os.mkdir(console.path(DEVICE))
        console.run("ostree", "admin", "init-fs", "--modern", DEVICE)
        console.run("mkdir", "-p", f"{DEVICE}/boot/loader.0")
        console.run("ln", "-s", "loader.0", f"{DEVICE}/boot/loader")
        console.run("touch", UENV)
        # From here on the commands are those of someone on the device.
        console.export("OSTREE_SYSROOT", DEVICE)
        console.run("ostree", "admin", "os-init", OS)
        console.proves("an empty sysroot; the empty uEnv.txt says that U-Boot is the boot loader")

    def pull(self, url: str) -> None:
        """Fetch release 1 over HTTP."""
        console = self.console
        console.title("The device pulls release 1")
        console.run("ostree", "remote", "add", "local_repo", url, "--no-gpg-verify")
        console.run("ostree", "remote", "refs", "local_repo")
        with timed(self.times, "pull release 1"):
            console.run_live("ostree", "pull", REMOTE)
        served = console.ask("ostree", f"--repo={REPO}", "rev-parse", REF)
        pulled = console.ask("ostree", "rev-parse", REMOTE)
        check(lambda: served == pulled, "the device's ref is the server's")
        with timed(self.times, "fsck on the device"):
            console.run_live("ostree", "fsck")
        console.proves("every object arrived and hashes to its name")

    def deploy(self) -> str:
        """Deploy release 1; returns the deployment's directory."""
        console = self.console
        console.title("The device deploys release 1")
        # On a booted device --os is that of the running system and the arguments are kept.
        with timed(self.times, "deploy release 1"):
            console.run(
                "ostree",
                "admin",
                "deploy",
                f"--os={OS}",
                "--karg=root=/dev/mmcblk0p2",
                "--karg=rw",
                REMOTE,
            )
        self._status(["1"])
        deployment = console.ask("ostree", "admin", "--print-current-dir")
        check(
            lambda: same_tree(console.path("rootfs/usr"), f"{deployment}/usr"),
            "the deployment equals the committed tree",
        )
        check(
            lambda: os.stat(f"{deployment}/usr/lib/os-release").st_nlink > 1,
            "deployed files are hard links to objects",
        )
        console.proves(
            "/usr equals the committed tree byte for byte, as hard links: no second copy"
        )
        return deployment

    def edit(self, deployment: str) -> None:
        """Change a setting as an administrator would."""
        console = self.console
        console.title("Someone edits /etc on the device")
        setting = rootfs.NETWORK.removeprefix("usr/")
        console.run_shell(f"echo method=manual > $(ostree admin --print-current-dir)/{setting}")
        check(lambda: read(f"{deployment}/{setting}") == "method=manual\n", "/etc can be edited")
        default = f"{deployment}/{rootfs.NETWORK}"
        check(lambda: read(default) == "method=auto\n", "the default in /usr/etc is untouched")
        console.proves(
            "/etc is the deployment's own; the default stays in /usr/etc to compare with"
        )

    def upgrade(self) -> None:
        """Update to release 2 and look what became of the edit."""
        console = self.console
        console.title("The device upgrades")
        with timed(self.times, "upgrade to release 2"):
            console.run_live("ostree", "admin", "upgrade", f"--os={OS}")
        self._status(["2", "1"])
        deployment = console.ask("ostree", "admin", "--print-current-dir")
        settings = rootfs.SETTINGS.removeprefix("usr/")
        console.run_shell(f"cd $(ostree admin --print-current-dir)/{settings} && head *")
        check(
            lambda: read(f"{deployment}/{settings}/network.conf") == "method=manual\n",
            "the local edit is kept",
        )
        check(
            lambda: "release=2" in read(f"{deployment}/{settings}/channel.conf"),
            "a default that nobody edited is updated",
        )
        console.proves("the edit is kept, the other defaults are those of release 2")
        console.run("cat", UENV)
        check(
            lambda: "\nkernel_image2=" in read(console.path(UENV)),
            "uEnv.txt names a fallback",
        )
        console.proves("U-Boot starts release 2, and has release 1 whole to fall back to")

    def roll_back(self) -> None:
        """Take release 2 away again."""
        console = self.console
        console.title("The device rolls back, without the server")
        console.run("ostree", "admin", "undeploy", "0")
        self._status(["1"])
        console.run("cat", UENV)
        deployment = console.ask("ostree", "admin", "--print-current-dir")
        setting = f"{deployment}/{rootfs.NETWORK.removeprefix('usr/')}"
        check(lambda: read(setting) == "method=manual\n", "release 1 has its own /etc")
        console.proves("release 1 is first again, with the /etc it had")

    def sum_up(self) -> None:
        """Figures at the end."""
        console = self.console
        console.title("Summary")
        for label, repository in (("server", REPO), ("device", f"{DEVICE}/ostree/repo")):
            count, size = self._objects(repository)
            console.say(f"{label:22}{count:9,} objects {size / MIB:9.1f} MiB")
        console.say(f"{'the tree':22}{'':17} {self.size / MIB:9.1f} MiB")
        for name, seconds in self.times.items():
            console.say(f"{name:22}{seconds:9.2f} s")

    def _status(self, versions: list[str]) -> None:
        output = self.console.run("ostree", "admin", "status")
        words = output.split()
        shown = [after for word, after in pairwise(words) if word == "Version:"]
        check(lambda: shown == versions, f"the deployments are releases {', '.join(versions)}")

    def _objects(self, repository: str) -> tuple[int, int]:
        """How many objects a repository has, and their size in bytes."""
        count = size = 0
        for directory, _, names in os.walk(self.console.path(f"{repository}/objects")):
            for name in names:
                count += 1
                size += os.lstat(os.path.join(directory, name)).st_size
        return count, size


def read(path: str) -> str:
    """The text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def same_tree(one: str, other: str) -> bool:
    """Whether two directories hold the same names, links, permissions and bytes."""
    names = sorted(os.listdir(one))
    if names != sorted(os.listdir(other)):
        return False
    for name in names:
        left, right = os.path.join(one, name), os.path.join(other, name)
        if os.lstat(left).st_mode != os.lstat(right).st_mode:
            return False
        if os.path.islink(left):
            same = os.readlink(left) == os.readlink(right)
        elif os.path.isdir(left):
            same = same_tree(left, right)
        else:
            same = filecmp.cmp(left, right, shallow=False)
        if not same:
            return False
    return True


def roomiest() -> str:
    """Where to work: the usual temporary directory, or /var/tmp if that has much more room."""
    usual = tempfile.gettempdir()
    if shutil.disk_usage(usual).free >= COPIES * HOST_BUDGET or not os.access("/var/tmp", os.W_OK):
        return usual
    return max(usual, "/var/tmp", key=lambda path: shutil.disk_usage(path).free)


def stop(_signal: int, _frame: object) -> NoReturn:
    """End as after ^C, cleaning up."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo; 0 if everything it claims was so."""
    parser = argparse.ArgumentParser(description="an OSTree system from commit to rollback")
    parser.add_argument("--ostree", default=shutil.which("ostree"), help="the command to show")
    parser.add_argument("--tree", help="a root file system to use instead of the host's files")
    arguments = parser.parse_args()
    if not arguments.ostree or not os.access(arguments.ostree, os.X_OK):
        parser.error(f"no such command: {arguments.ostree}")
    if arguments.tree is not None and not os.path.isdir(arguments.tree):
        parser.error(f"no such directory: {arguments.tree}")
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)

    start = time.monotonic()
    place = tempfile.mkdtemp(prefix="pyostree-demo-", dir=roomiest())
    console = Console(place, arguments.ostree)
    tree = os.path.abspath(arguments.tree) if arguments.tree else None
    try:
        console.say(f"Working in {place}, which is removed at the end.")
        Demo(console, tree).tell()
        status = 0
    except (DemoError, OSError) as error:
        console.say("")
        print(f"demo: FAILED: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        console.say("")
        print("demo: stopped", file=sys.stderr)
        status = 130
    finally:
        remove_tree(place)
    if status == 0:
        console.say(f"{'all of it':22}{time.monotonic() - start:9.2f} s; {place} is removed.")
    return status


if __name__ == "__main__":
    sys.exit(main())
