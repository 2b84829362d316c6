"""The ramdisk's script starts a deployment: in namespaces, with busybox, from a disk in a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ostree.formats import gvariant
from ostree.formats.gvariant import Variant
from support.fake_machine import (
    BOOTCSUM,
    COMMIT,
    STATEROOT,
    TARGET,
    FakeMachine,
    Started,
    require_machine,
)

pytestmark = pytest.mark.root

DEPLOYMENT = f"/ostree/deploy/{STATEROOT}/deploy/{COMMIT}.0"
UUID = "0b00b00b-1234-5678-9abc-def012345678"


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path, require_machine())


def configure(machine: FakeMachine, text: str, place: str = "usr/lib/ostree") -> None:
    """Put a prepare-root.conf into the ramdisk."""
    file = machine.ramdisk / place / "prepare-root.conf"
    file.write_text(text)


def configure_repository(machine: FakeMachine, text: str) -> None:
    (machine.sysroot / "ostree/repo/config").write_text(text)


def state(started: Started) -> list[tuple[str, Variant]]:
    """What ``/run/ostree-booted`` says, which has to be in normal form."""
    assert started.facts is not None
    data = bytes.fromhex(started.facts["state"][0])
    pairs: list[tuple[str, Variant]] = gvariant.decode("a{sv}", data, strict=True)
    assert gvariant.encode("a{sv}", pairs) == data
    return pairs


def succeed(started: Started) -> dict[str, list[str]]:
    """The facts of a system that ran."""
    assert started.facts is not None, started.messages
    assert started.status == 0
    return started.facts


def fail(started: Started) -> str:
    """The last words of a ramdisk that gave up, after which the kernel would have panicked."""
    assert started.facts is None
    assert started.status == 1
    prefix = "<2>ostree: cannot start the system: "
    words = [line for line in started.messages.splitlines() if line.startswith(prefix)]
    assert len(words) == 1, started.messages
    return words[0].removeprefix(prefix)


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_a_deployment_is_started(machine: FakeMachine, kind: str) -> None:
    """As an initramfs, which is left with switch_root, and as an initrd's image: pivot_root."""
    facts = succeed(started := machine.start(kind=kind))

    assert facts["pid"] == ["1"]
    assert facts["writable"] == ["/", "/etc", "/var", "/sysroot", "/boot"]
    mounts = {where: mount.root for where, mount in started.mounts.items() if mount.type == "ext4"}
    for name in ("/proc/cmdline", "/dev/console"):
        del mounts[name]
    assert mounts == {
        "/": DEPLOYMENT,
        "/usr": f"{DEPLOYMENT}/usr",
        "/var": f"/ostree/deploy/{STATEROOT}/var",
        "/boot": "/boot",
        "/sysroot": "/",
    }
    assert "ro" in started.mounts["/usr"].options
    # What a command mounts in a mount namespace of its own is seen by all.
    assert all("shared:" in mount.tags for mount in started.mounts.values())


def test_the_system_finds_what_it_was_prepared_with(machine: FakeMachine) -> None:
    machine.system("stat -c 'inode %d %i' /; cat /etc/local /var/kept | sed 's/^/text /'")

    facts = succeed(started := machine.start())

    device, inode = map(int, facts["inode"][0].split())
    assert facts["text"] == ["of the machine", "in var"]
    assert state(started) == [
        ("backing-root-device-inode", Variant("(tt)", (device, inode))),
        ("root.transient", Variant("b", False)),
        ("root.transient-ro", Variant("b", False)),
        ("sysroot-ro", Variant("b", False)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[sysroot]\nreadonly=true\n",
        "# why\n[etc]\ntransient=false\n\n[sysroot]\n  readonly = 1  \n",
        "[other]\nreadonly=false\n[sysroot]\nreadonly=true",
    ],
)
def test_sysroot_is_read_only_on_request(machine: FakeMachine, text: str) -> None:
    """While /etc and /var, and the stateroot's own var, can still be written."""
    machine.system(f"touch /sysroot/ostree/deploy/{STATEROOT}/var/x && echo writable-in-place yes")
    configure(machine, text)

    facts = succeed(started := machine.start())

    assert facts["writable"] == ["/", "/etc", "/var", "/boot"]
    assert facts["writable-in-place"] == ["yes"]
    assert ("sysroot-ro", Variant("b", True)) in state(started)
    assert "ro" in started.mounts["/sysroot"].options
    assert started.mounts["/etc"].root == f"{DEPLOYMENT}/etc"


def test_the_configuration_in_etc_has_the_last_word(machine: FakeMachine) -> None:
    configure(machine, "[sysroot]\nreadonly=true\n[etc]\ntransient=true\n")
    configure(machine, "[sysroot]\nreadonly=false\n", "etc/ostree")

    started = machine.start()

    succeed(started)
    assert "rw" in started.mounts["/sysroot"].options
    assert started.mounts["/etc"].type == "overlay"


@pytest.mark.parametrize("value", ["true", "1"])
def test_the_repository_may_ask_for_it_too(machine: FakeMachine, value: str) -> None:
    configure_repository(machine, f"[core]\nmode=bare\n[sysroot]\nreadonly = {value}\n")

    started = machine.start()

    succeed(started)
    assert "ro" in started.mounts["/sysroot"].options
    assert "Found legacy sysroot.readonly flag" in started.messages


@pytest.mark.parametrize("text", ["nonsense\n", "[sysroot]\nreadonly=perhaps\n", "\0\n"])
def test_nonsense_in_the_repository_does_not_keep_it_from_starting(
    machine: FakeMachine, text: str
) -> None:
    configure_repository(machine, text)

    started = machine.start()

    succeed(started)
    assert "rw" in started.mounts["/sysroot"].options


def test_etc_can_be_transient(machine: FakeMachine) -> None:
    """It begins as the commit's, is written in memory, and says where for the tools."""
    configure(machine, "[etc]\ntransient=true\n")
    machine.system("ls /etc | sed 's/^/etc /'; echo x > /etc/new")

    facts = succeed(started := machine.start())

    assert facts["etc"] == ["default"]
    recorded = dict(state(started))["transient-etc"]
    assert str(recorded.value).startswith("/run/ostree/transient-etc.")
    assert machine.has_on_disk(f"{DEPLOYMENT}/etc/local")
    assert not machine.has_on_disk(f"{DEPLOYMENT}/etc/new")
    assert f"upperdir={recorded.value}/upper" in started.mounts["/etc"].super_options


def test_a_hotfix_outlives_a_reboot(machine: FakeMachine) -> None:
    """``ostree admin unlock --hotfix`` leaves two directories; what is written stays in them."""
    for name in (".usr-ovl-upper", ".usr-ovl-work"):
        (machine.deployment / name).mkdir()
    machine.system("cat /usr/hot | sed 's/^/hot /'; echo fixed > /usr/hot")

    first = succeed(machine.start())
    disk = machine.sysroot.parent / "disk.img"
    second = succeed(started := machine.start(disk=disk))

    assert "/usr" in first["writable"]
    assert "hot" not in first
    assert second["hot"] == ["fixed"]
    assert started.mounts["/usr"].type == "overlay"
    assert "shared:" in started.mounts["/usr"].tags


def test_a_hotfix_on_a_read_only_disk_can_be_read(machine: FakeMachine) -> None:
    for name in (".usr-ovl-upper", ".usr-ovl-work"):
        (machine.deployment / name).mkdir()
    (machine.deployment / ".usr-ovl-upper/hot").write_text("fixed\n")
    machine.system("cat /usr/hot | sed 's/^/hot /'")

    facts = succeed(machine.start("ro"))

    assert facts["hot"] == ["fixed"]
    assert "writable" not in facts


def test_what_unlock_left_behind_is_removed(machine: FakeMachine) -> None:
    left = machine.sysroot / f"ostree/deploy/{STATEROOT}/var/tmp/ostree-unlock-ovl.AbCdEf/upper"
    left.mkdir(parents=True)
    machine.system("ls /var/tmp | sed 's/^/left /'; ls -d /var/tmp | sed 's/^/kept /'")

    facts = succeed(machine.start())

    assert "left" not in facts
    assert facts["kept"] == ["/var/tmp"]


@pytest.mark.parametrize("place", ["/var", "//var/", "/var//"])
def test_fstab_may_mount_var_itself(machine: FakeMachine, place: str) -> None:
    (machine.deployment / "etc/fstab").write_text(f"# /var\nLABEL=data {place} ext4 rw 0 0\n")

    started = machine.start()

    succeed(started)
    assert "/var" not in started.mounts


def test_fstab_that_mounts_below_var_leaves_var(machine: FakeMachine) -> None:
    (machine.deployment / "etc/fstab").write_text("LABEL=data /var/lib ext4 rw 0 0\n")

    started = machine.start()

    succeed(started)
    assert "/var" in started.mounts


def test_boot_of_its_own_is_left_to_the_system(machine: FakeMachine) -> None:
    shutil.rmtree(machine.sysroot / "boot")
    (machine.sysroot / "boot").mkdir()

    started = machine.start()

    succeed(started)
    assert "/boot" not in started.mounts


@pytest.mark.parametrize(
    "root",
    [
        "root=LABEL=the-root",
        f"root=UUID={UUID}",
        "root=/dev/disk/by-label/the-root",
        f"root=/dev/disk/by-uuid/{UUID}",
        "root=/dev/nonesuch root=DEVICE",
        "root=NUMBER",
        "root=/dev/ram0 ostree_root=LABEL=the-root",
    ],
)
def test_the_root_device_has_many_names(machine: FakeMachine, root: str) -> None:
    disk = machine.make_disk(uuid=UUID)

    started = machine.start(root=root, disk=disk)

    succeed(started)


@pytest.mark.parametrize(
    ("table", "roots"),
    [
        (
            "label: dos\nlabel-id: 0x0b00b00c\nstart=2048,size=49152,type=83\n",
            ["PARTUUID=0b00b00c-01"],
        ),
        (
            f"label: gpt\nstart=2048,size=49152,uuid={UUID}\n",
            [f"PARTUUID={UUID}", f"PARTUUID={UUID.upper()}"],
        ),
    ],
)
def test_the_root_can_be_a_partition(
    machine: FakeMachine, tmp_path: Path, table: str, roots: list[str]
) -> None:
    """Which busybox cannot find, and kernels tell since 6.12 only: the table is read."""
    if not shutil.which("sfdisk"):
        pytest.skip("sfdisk (Debian: fdisk) is not installed")
    disk = tmp_path / "table.img"
    disk.write_bytes(bytes(1 << 20) + machine.make_disk().read_bytes() + bytes(1 << 20))
    subprocess.run(["sfdisk", "-q", disk], input=table, text=True, check=True)

    for root in [*roots, f"/dev/disk/by-{roots[-1].lower().replace('=', '/')}"]:
        started = machine.start(root=f"root={root}", disk=disk, partition=(2048, 49152))

        succeed(started)
        assert "p1\n" in started.messages


def test_the_root_can_be_mounted_read_only_with_options(machine: FakeMachine) -> None:
    facts = succeed(
        started := machine.start("rw ro rootfstype=ext4 rootflags=noatime,data=ordered")
    )

    assert "writable" not in facts
    mount = started.mounts["/sysroot"]
    assert mount.options >= {"ro", "noatime"}
    assert set(mount.super_options.split(",")) >= {"ro"}


def test_init_can_be_another_program(machine: FakeMachine) -> None:
    """Words that are none of the kernel's are arguments of it, as the kernel itself would do."""
    init = machine.deployment / "usr/sbin/init"
    init.rename(init.with_name("other"))

    facts = succeed(machine.start("init=/sbin/other"))

    assert facts["pid"] == ["1"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("ostree.watchdog=20", ["start"]), ("ostree.watchdog=0", [""]), ("", [""])],
)
def test_a_watchdog_is_started_on_request(
    machine: FakeMachine, arguments: str, expected: list[str]
) -> None:
    """The system has to go on with it, or stop it."""
    machine.system("echo dog $(cat /dev/watchdog)")

    facts = succeed(machine.start(arguments, files="watchdog"))

    assert facts["dog"] == expected


def test_an_android_slot_names_the_link(machine: FakeMachine) -> None:
    (machine.sysroot / "ostree/root.b").symlink_to(f"deploy/{STATEROOT}/deploy/{COMMIT}.0")

    succeed(machine.start("androidboot.slot_suffix=_b", target=None))


def test_the_first_target_counts(machine: FakeMachine) -> None:
    succeed(machine.start("a*", root=f"root=DEVICE ostree={TARGET}", target="/nowhere"))


class TestFailures:
    """One line that says why, then the end of process 1: the kernel panics and may reboot."""

    def test_no_root(self, machine: FakeMachine) -> None:
        assert fail(machine.start(root=None)) == "no root= on the kernel's command line"

    def test_no_target(self, machine: FakeMachine) -> None:
        message = fail(machine.start(target=None))

        assert message == "No ostree target found; expected ostree=/ostree/boot.N/..."

    def test_invalid_slot(self, machine: FakeMachine) -> None:
        message = fail(machine.start("androidboot.slot_suffix=_c"))

        assert message == "androidboot.slot_suffix invalid: _c"

    @pytest.mark.parametrize(
        "root",
        [
            "/dev/nonesuch",
            "LABEL=nonesuch",
            "UUID=11111111-2222",
            "PARTUUID=12345678-01",
            "PARTLABEL=x",
        ],
    )
    def test_a_device_that_does_not_appear(self, machine: FakeMachine, root: str) -> None:
        message = fail(machine.start("rootwait=1", root=f"root={root}"))

        assert message == f"the root device {root} did not appear in 1 seconds"

    def test_a_device_without_file_system(self, machine: FakeMachine, tmp_path: Path) -> None:
        empty = tmp_path / "empty.img"
        empty.touch()
        os.truncate(empty, 1 << 20)

        message = fail(machine.start(disk=empty))

        assert message.startswith("cannot mount /dev/loop")

    def test_another_file_system_than_it_is_told(self, machine: FakeMachine) -> None:
        message = fail(machine.start("rootfstype=vfat rootflags=uid=1"))

        assert message.endswith(" as vfat with uid=1")

    def test_the_link_is_missing(self, machine: FakeMachine) -> None:
        target = TARGET.replace("boot.1", "boot.0")

        message = fail(machine.start(target=target))

        assert message == f"Couldn't find specified OSTree root '/sysroot{target}'"

    def test_the_link_is_a_directory(self, machine: FakeMachine) -> None:
        message = fail(machine.start(target=DEPLOYMENT))

        assert message == f"OSTree target is not a symbolic link: /sysroot{DEPLOYMENT}"

    @pytest.mark.parametrize(
        "target",
        [
            "/etc",
            "../../../../../etc",
            "../../../repo",
            f"../../../deploy/{STATEROOT}/var",
            f"../../../deploy/{STATEROOT}/deploy/{COMMIT}.0/usr",
            f"../../../deploy/{STATEROOT}/deploy",
        ],
    )
    def test_the_link_leads_astray(self, machine: FakeMachine, target: str) -> None:
        link = machine.sysroot / f"ostree/boot.1.1/{STATEROOT}/{BOOTCSUM}/0"
        link.unlink()
        link.symlink_to(target)

        message = fail(machine.start())

        assert message.startswith("OSTree target is no deployment: ")

    def test_the_link_dangles(self, machine: FakeMachine) -> None:
        machine.deployment.rename(machine.deployment.with_suffix(".1"))

        message = fail(machine.start())

        assert message.startswith("OSTree target leads nowhere: ")

    @pytest.mark.parametrize("name", ["usr", "sysroot", "var", "etc", "run", "proc", "dev"])
    def test_a_directory_is_missing(self, machine: FakeMachine, name: str) -> None:
        shutil.rmtree(machine.deployment / name)

        message = fail(machine.start())

        assert name in message

    def test_the_stateroot_has_no_var(self, machine: FakeMachine) -> None:
        shutil.rmtree(machine.sysroot / f"ostree/deploy/{STATEROOT}/var")

        assert fail(machine.start()) == "the stateroot testos has no var"

    def test_init_is_missing(self, machine: FakeMachine) -> None:
        (machine.deployment / "usr/sbin/init").unlink()

        assert fail(machine.start()) == "the deployment has no /sbin/init"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "[sysroot]\nreadonly=perhaps\n",
                "prepare-root.conf: sysroot.readonly is neither true nor false: perhaps",
            ),
            (
                "[composefs]\nenabled=sometimes\n",
                "composefs.enabled is none of yes, no, maybe, verity, signed: sometimes",
            ),
            (
                "[composefs]\nenabled=signed\n",
                "composefs signatures cannot be checked by a script: use ostree-prepare-root",
            ),
            (
                "[root]\ntransient=true\ntransient-ro=true\n",
                "Cannot set both root.transient and root.transient-ro",
            ),
            ("[root]\ntransient=true\n", "Must enable composefs with root.transient"),
            (
                "nonsense\n",
                "/usr/lib/ostree/prepare-root.conf: neither a group nor a key: nonsense",
            ),
        ],
    )
    def test_the_configuration_is_wrong(
        self, machine: FakeMachine, text: str, expected: str
    ) -> None:
        configure(machine, text)

        assert fail(machine.start()) == expected

    def test_composefs_is_required_and_missing(self, machine: FakeMachine) -> None:
        message = fail(machine.start("ostree.prepare-root.composefs=yes"))

        assert message.endswith("/.ostree.cfs does not exist")

    def test_etc_of_the_commit_is_missing(self, machine: FakeMachine) -> None:
        configure(machine, "[etc]\ntransient=true\n")
        shutil.rmtree(machine.deployment / "usr/etc")

        assert "/usr/etc" in fail(machine.start())

    def test_the_machine_reboots_on_request(self, machine: FakeMachine) -> None:
        """In a namespace of process numbers that is a signal to process 1."""
        started = machine.start("ostree.onfail=reboot panic=1", target=None)

        assert started.facts is None
        assert "No ostree target found" in started.messages
        assert started.status not in {0, 1}

    def test_a_shell_is_started_on_request(self, machine: FakeMachine) -> None:
        """On the console, and once it ends so does process 1."""
        started = machine.start("ostree.onfail=shell", target=None, typed="echo $((6 * 7)) here\n")

        assert started.facts is None
        assert "a shell on the console; it ends with 'exit'" in started.messages
        assert "42 here" in started.messages
        assert started.status == 1

    def test_a_shell_can_look_before_the_start(self, machine: FakeMachine) -> None:
        machine.system("ls /run | sed -n 's/^looked/looked /p'")

        facts = succeed(machine.start("rd.break", typed="touch /run/looked-around\n"))

        assert facts["looked"] == ["-around"]


class TestFileSystemCheck:
    """A program ``/sbin/fsck.ext4`` of the ramdisk is run before the root is mounted."""

    def check(self, machine: FakeMachine, status: int, arguments: str = "") -> Started:
        program = machine.ramdisk / "sbin/fsck.ext4"
        program.write_text(
            f'#!/bin/sh\necho "check $*" | sed s,/dev/.*,DEVICE, >&2\nexit {status}\n'
        )
        program.chmod(0o755)
        return machine.start(arguments)

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ("", "check -p DEVICE"),
            ("fsck.mode=force", "check -f -p DEVICE"),
            ("fsck.repair=yes", "check -y DEVICE"),
            ("fsck.mode=force fsck.repair=no", "check -f -n DEVICE"),
        ],
    )
    def test_it_is_called_as_the_command_line_says(
        self, machine: FakeMachine, arguments: str, expected: str
    ) -> None:
        started = self.check(machine, 1, arguments)

        succeed(started)
        assert expected in started.messages.splitlines()

    def test_it_can_be_skipped(self, machine: FakeMachine) -> None:
        started = self.check(machine, 4, "fsck.mode=skip")

        succeed(started)
        assert "check" not in started.messages

    def test_errors_that_remain_end_it(self, machine: FakeMachine) -> None:
        message = fail(self.check(machine, 4))

        assert message.endswith("failed: /sbin/fsck.ext4 ended with 4")

    def test_a_repaired_root_wants_a_new_start(self, machine: FakeMachine) -> None:
        assert "has to be started anew" in fail(self.check(machine, 2))


class TestComposefs:
    """An image of the tree's metadata, with the contents in the repository's objects."""

    @pytest.fixture
    def machine(self, machine: FakeMachine, tmp_path: Path) -> FakeMachine:
        if not shutil.which("mkfs.erofs"):
            pytest.skip("mkfs.erofs (Debian: erofs-utils) is not installed")
        if "erofs" not in Path("/proc/filesystems").read_text():
            pytest.skip("this kernel has no erofs")
        machine.system("ls /usr | sed 's/^/usr /'; cat /etc/local | sed 's/^/text /'")
        tree = tmp_path / "image"
        shutil.copytree(machine.deployment, tree, symlinks=True)
        objects = machine.sysroot / "ostree/repo/objects"
        for number, path in enumerate(sorted(tree.rglob("*"))):
            if path.is_symlink() or not path.is_file():
                continue
            target = objects / f"{number:02x}/{'0' * 62}.file"
            target.parent.mkdir(parents=True)
            shutil.copy(path, target)
            # A file without its content: where that is, overlayfs is told by attributes.
            size = path.stat().st_size
            path.write_bytes(b"")
            os.truncate(path, size)
            set_trusted(path, "metacopy", "")
            set_trusted(path, "redirect", f"/{target.relative_to(objects)}")
        set_trusted(tree, "opaque", "y")
        shutil.rmtree(tree / "etc")
        (tree / "etc").mkdir()
        make = ["mkfs.erofs", "--quiet", str(machine.deployment / ".ostree.cfs"), str(tree)]
        done = subprocess.run(make, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        # Were the plain tree used, it would have this.
        (machine.deployment / "usr/plain").touch()
        return machine

    @pytest.mark.parametrize("enabled", ["yes", "true", "maybe"])
    def test_it_is_the_root(self, machine: FakeMachine, enabled: str) -> None:
        configure(machine, f"[composefs]\nenabled={enabled}\n")

        facts = succeed(started := machine.start())

        assert "plain" not in facts["usr"]
        assert facts["text"] == ["of the machine"]
        sysroot = [] if enabled != "maybe" else ["/sysroot"]
        assert facts["writable"] == ["/etc", "/var", *sysroot, "/boot"]
        assert started.mounts["/"].type == "overlay"
        told = dict(state(started))
        assert (told["composefs"], told["composefs.verity"]) == (
            Variant("b", True),
            Variant("b", False),
        )

    @pytest.mark.parametrize(
        ("key", "writable"), [("transient", ["/", "/usr"]), ("transient-ro", [])]
    )
    def test_the_root_can_be_transient(
        self, machine: FakeMachine, key: str, writable: list[str]
    ) -> None:
        """What is written there is in memory."""
        configure(machine, f"[composefs]\nenabled=yes\n[root]\n{key}=true\n")

        facts = succeed(started := machine.start())

        assert set(facts["writable"]) - {"/etc", "/var", "/boot"} == set(writable)
        assert dict(state(started))[f"root.{key}"] == Variant("b", True)
        assert "upperdir=/run/ostree/.private/root/upper" in started.mounts["/"].super_options

    def test_its_fstab_tells_what_not_to_mount(self, machine: FakeMachine) -> None:
        """Which is in the deployment's /etc, and not in the image's."""
        configure(machine, "[composefs]\nenabled=yes\n")
        (machine.deployment / "etc/fstab").write_text("LABEL=boot /boot ext4 rw 0 0\n")

        started = machine.start()

        succeed(started)
        assert "/boot" not in started.mounts

    def test_the_command_line_can_say_no(self, machine: FakeMachine) -> None:
        configure(machine, "[composefs]\nenabled=yes\n")

        facts = succeed(started := machine.start("ostree.prepare-root.composefs=no"))

        assert "plain" in facts["usr"]
        assert "composefs" not in dict(state(started))


def set_trusted(path: Path, name: str, value: str) -> None:
    os.setxattr(path, f"trusted.overlay.{name}", value.encode())
