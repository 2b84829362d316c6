"""Disk images, looked into with other tools than those that made them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.running import fail, ostree, succeed
from ostree.formats import uboot_script
from ostree.formats.boot_entry import BootEntry, kernel_path
from ostree.formats.grub_environment import empty_block
from support.draft_trees import SYSTEMD, Contents, snapshot, write_tree
from support.image_tools import why_no_images

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(why_no_images()), reason=why_no_images()),
]

ROOTFS: Contents = {
    **SYSTEMD,
    "bin/sh": "shell",
    "boot/vmlinuz-6.1": "kernel",
    "boot/initrd.img-6.1": "ramdisk",
    "data": None,
    "etc/fstab": "proc /proc proc defaults 0 0",
    "usr/lib/os-release": "ID=os\nNAME=Os\nPRETTY_NAME=Os\n",
}
ENVIRON = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
SCRIPT = "echo booting\n"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a small system on ``os/test``; one file is somebody's."""
    place = tmp_path_factory.mktemp("repo")
    rootfs = write_tree(place / "rootfs", ROOTFS)
    succeed("tree", "prepare", rootfs)
    (rootfs / "usr/lib/private").write_text("private")
    (rootfs / "usr/lib/private").chmod(0o640)
    os.chown(rootfs / "usr/lib/private", 12, 34)
    succeed("init", f"--repo={place}/repo", "--mode=archive")
    succeed("commit", f"--repo={place}/repo", "--branch=os/test", "--no-xattrs", rootfs)
    return place / "repo"


def build(repo: Path, image: Path, *options: str) -> dict[str, object]:
    script = image.with_suffix(".cmd")
    script.write_text(SCRIPT)
    what = (f"--repo={repo}", "--ref=os/test", "--os=test", f"--output={image}")
    usual = () if any("bootloader" in option for option in options) else ("--bootloader=uboot",)
    words = (*what, *usual, f"--boot-script={script}", "--json", *options)
    document: dict[str, object] = json.loads(succeed("image", "build", *words, environ=ENVIRON))
    script.unlink()
    return document


def partitions(document: dict[str, object]) -> dict[str, dict[str, object]]:
    found = document["partitions"]
    assert isinstance(found, list)
    return {partition["role"]: partition for partition in found}


def cut(image: Path, partition: dict[str, object]) -> Path:
    """One partition as a file of its own."""
    offset, size = partition["offset"], partition["size"]
    assert isinstance(offset, int)
    assert isinstance(size, int)
    target = image.with_suffix(f".{partition['role']}")
    with open(image, "rb") as source, open(target, "wb") as file:
        source.seek(offset)
        remaining = size
        while remaining:
            remaining -= file.write(source.read(min(remaining, 1 << 20)))
    return target


def extract(file_system: Path) -> Path:
    """All that is in an ext4 file system, by debugfs."""
    target = file_system.with_suffix(f"{file_system.suffix}.files")
    target.mkdir()
    subprocess.run(
        ["debugfs", "-R", f"rdump / {target}", file_system], check=True, capture_output=True
    )
    return target


def check_table(image: Path, document: dict[str, object]) -> None:
    """Sfdisk finds the same partitions, and nothing to complain about."""
    verify = subprocess.run(
        ["sfdisk", "--verify", image], check=True, capture_output=True, text=True
    )
    assert "No errors detected" in verify.stdout
    out = subprocess.run(["sfdisk", "-J", image], check=True, capture_output=True, text=True).stdout
    table = json.loads(out)["partitiontable"]
    assert table["label"] == {"gpt": "gpt", "mbr": "dos"}[str(document["table"])]
    found = [(p["start"] * 512, p["size"] * 512) for p in table["partitions"]]
    assert found == [(p["offset"], p["size"]) for p in partitions(document).values()]
    show = ["partx", "--show", "--noheadings", "--output=UUID", str(image)]
    uuids = subprocess.run(show, check=True, capture_output=True, text=True).stdout.split()
    assert uuids == [p["partition_uuid"] for p in partitions(document).values()]


def check_file_systems(image: Path, document: dict[str, object]) -> dict[str, Path]:
    """e2fsck finds nothing to repair; returns the contents by role."""
    contents = {}
    for role, partition in partitions(document).items():
        part = cut(image, partition)
        if partition["file_system"] == "ext4":
            subprocess.run(["e2fsck", "-f", "-n", part], check=True, capture_output=True)
            contents[role] = extract(part)
        else:
            contents[role] = part
    return contents


@pytest.mark.parametrize("table", ["gpt", "mbr"])
@pytest.mark.parametrize("layout", ["single", "boot-partition"])
def test_an_image(layout: str, table: str, repo: Path, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"

    document = build(
        repo, image, f"--layout={layout}", f"--table={table}", "--data=40M", "--kargs=quiet panic=1"
    )

    check_table(image, document)
    contents = check_file_systems(image, document)
    roles = ["firmware", "root", "data"]
    assert list(contents) == (roles if layout == "single" else ["firmware", "boot", *roles[1:]])
    root = contents["root"]
    boot = contents.get("boot", root / "boot")
    uuids = {role: partition["uuid"] for role, partition in partitions(document).items()}
    uenv = dict(line.split("=", 1) for line in (boot / "uEnv.txt").read_text().splitlines() if line)
    assert uenv["bootargs"].startswith(
        f"root=UUID={uuids['root']} quiet panic=1 rw ostree=/ostree/"
    )
    # As U-Boot finds them on either layout: with /boot in front.
    assert (boot / uenv["kernel_image"].removeprefix("/boot/")).read_text() == "kernel"
    assert os.readlink(boot / "boot") == "."
    deployment = root / str(document["deployment"]).lstrip("/")
    private = snapshot(deployment)["usr/lib/private"]
    assert (private[0] & 0o7777, *private[1:]) == (0o640, 12, 34, "private")
    fstab = (deployment / "etc/fstab").read_text().splitlines()
    mounts = [f"UUID={uuids['data']} /data ext4 defaults,noatime,nofail 0 2"]
    if layout != "single":
        mounts.insert(0, f"UUID={uuids['boot']} /boot ext4 defaults,noatime 0 2")
        assert os.listdir(root / "boot") == []
    assert fstab == ["proc /proc proc defaults 0 0", *mounts]
    assert os.listdir(contents["data"]) == ["lost+found"]


@pytest.mark.parametrize(
    ("by", "table", "field"),
    [
        ("uuid", "gpt", "uuid"),
        ("label", "mbr", "role"),
        ("partuuid", "gpt", "partition_uuid"),
        ("partuuid", "mbr", "partition_uuid"),
        ("partlabel", "gpt", "role"),
    ],
)
def test_what_the_root_is_named_by(
    by: str, table: str, field: str, repo: Path, tmp_path: Path
) -> None:
    image = tmp_path / "disk.img"

    document = build(repo, image, f"--root-by={by}", f"--table={table}", "--layout=boot-partition")

    boot = extract(cut(image, partitions(document)["boot"]))
    value = partitions(document)["root"][field]
    assert f"bootargs=root={by.upper()}={value} rw " in (boot / "uEnv.txt").read_text()


def test_partitions_of_an_mbr_have_no_labels(repo: Path, tmp_path: Path) -> None:
    options = [f"--repo={repo}", "--ref=os/test", "--os=test", "--bootloader=none", "--table=mbr"]

    message = fail("image", "build", *options, "--root-by=partlabel", f"-o{tmp_path}/disk.img")

    assert message == (
        "error: Partitions of an MBR have no labels: --root-by=partlabel needs a GPT"
    )
    assert not (tmp_path / "disk.img").exists()


def test_what_uboot_finds(repo: Path, tmp_path: Path) -> None:
    extra = write_tree(tmp_path / "extra", {"MLO": "loader", "overlays/a.dtbo": "tree"})
    document = build(repo, tmp_path / "disk.img", f"--firmware={extra}")

    part = cut(tmp_path / "disk.img", partitions(document)["firmware"])
    (tmp_path / "fat").mkdir()
    subprocess.run(["mcopy", "-s", "-i", part, "::*", tmp_path / "fat"], check=True)

    found = {path: entry[3] for path, entry in snapshot(tmp_path / "fat").items()}
    assert found.pop("overlays") == ""
    assert found == {
        "boot.scr": uboot_script.encode(SCRIPT.encode(), name="OSTree boot script").decode(
            "latin-1"
        ),
        "bootstate.env": "bootcount=0\n",
        "MLO": "loader",
        "overlays/a.dtbo": "tree",
    }
    subprocess.run(["fsck.vfat", "-n", part], check=True, capture_output=True)


def test_hard_links_and_the_immutable_attribute_are_there(repo: Path, tmp_path: Path) -> None:
    document = build(repo, tmp_path / "disk.img", "--bootloader=none")
    part = cut(tmp_path / "disk.img", partitions(document)["root"])

    def stat(path: str) -> str:
        command = ["debugfs", "-R", f"stat {path}", str(part)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout

    assert "Flags: 0x80010" in stat(str(document["deployment"]))
    assert "Links: 2" in stat(f"{document['deployment']}/usr/lib/os-release")


def test_a_seed_makes_the_same_identities(repo: Path, tmp_path: Path) -> None:
    one = build(repo, tmp_path / "one.img", "--seed=release 1", "--layout=boot-partition")
    other = build(repo, tmp_path / "other.img", "--seed=release 1", "--layout=boot-partition")

    assert one == other
    for role in ("boot", "root"):
        part = cut(tmp_path / "one.img", partitions(one)[role])
        out = subprocess.run(["dumpe2fs", "-h", part], check=True, capture_output=True, text=True)
        assert f"Filesystem UUID:          {partitions(one)[role]['uuid']}" in out.stdout


def test_images_are_sparse_and_as_large_as_wanted(repo: Path, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"

    document = build(repo, image, "--size=1000M", "--data=700M")

    assert image.stat().st_size == document["size"] == 1000 << 20
    assert image.stat().st_blocks * 512 < 120 << 20


def test_what_does_not_fit_is_refused(repo: Path, tmp_path: Path) -> None:
    options = (f"--repo={repo}", "--ref=os/test", "--os=test", "--bootloader=none", "--size=20M")

    message = fail("image", "build", *options, f"--output={tmp_path}/disk.img", environ=ENVIRON)

    assert message == ("error: A disk of 20 MiB is too small: this system needs 66 MiB at least")
    assert os.listdir(tmp_path) == []


def test_a_data_partition_needs_its_directory(tmp_path: Path) -> None:
    rootfs = write_tree(tmp_path / "rootfs", {k: v for k, v in ROOTFS.items() if k != "data"})
    succeed("tree", "prepare", rootfs)
    succeed("init", f"--repo={tmp_path}/repo", "--mode=archive")
    succeed("commit", f"--repo={tmp_path}/repo", "--branch=os/test", rootfs)
    options = (f"--repo={tmp_path}/repo", "--ref=os/test", "--os=test", "--bootloader=none")
    before = sorted(os.listdir(tmp_path))

    output = f"--output={tmp_path}/disk.img"
    result = fail("image", "build", *options, "--data=40M", output, environ=ENVIRON)

    assert result == (
        "error: The tree has no directory /data, at which a partition is to be mounted; "
        "nobody can make it in a running system"
    )
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ({"etc/fstab": "-> /etc/hostname"}, "/etc/fstab of the tree is no file"),
        ({"data": "-> /tmp"}, "The tree has no directory /data"),
    ],
)
def test_links_of_a_tree_lead_nowhere(links: Contents, words: str, tmp_path: Path) -> None:
    """What they lead to on this machine is not in the image."""
    rootfs = write_tree(tmp_path / "rootfs", {**ROOTFS, **links})
    succeed("tree", "prepare", rootfs)
    succeed("init", f"--repo={tmp_path}/repo", "--mode=archive")
    succeed("commit", f"--repo={tmp_path}/repo", "--branch=os/test", rootfs)
    options = (f"--repo={tmp_path}/repo", "--ref=os/test", "--os=test", "--bootloader=none")

    output = f"--output={tmp_path}/disk.img"
    result = ostree("image", "build", *options, "--data=40M", output, environ=ENVIRON)

    assert result.status == 1
    assert result.err.startswith(f"error: {words}")


def test_the_ref_counts_and_not_an_old_summary(repo: Path, tmp_path: Path) -> None:
    shutil.copytree(repo, tmp_path / "repo", symlinks=True)
    what = (f"--repo={tmp_path}/repo", "--branch=os/test", "--no-xattrs", "--tree=ref=os/test")
    succeed("summary", "-u", f"--repo={tmp_path}/repo")
    new = succeed("commit", *what, "--subject=new").strip()

    document = build(tmp_path / "repo", tmp_path / "disk.img", "--remote=far=http://localhost/")

    assert document["commit"] == new


def test_an_old_image_stays_until_the_new_one_is_there(repo: Path, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_text("old")
    options = (f"--repo={repo}", "--os=test", "--bootloader=none", f"--output={image}")

    fail("image", "build", *options, "--ref=nothing", environ=ENVIRON)

    assert image.read_text() == "old"
    build(repo, image)
    assert os.listdir(tmp_path) == ["disk.img"]
    assert image.stat().st_size > 1 << 20


def test_as_root_of_a_user_namespace(repo: Path, tmp_path: Path) -> None:
    """It has one user only: a system that has others is refused, with what helps."""
    rootfs = write_tree(tmp_path / "rootfs", {**ROOTFS, "usr/etc": None})
    succeed("tree", "prepare", rootfs)
    succeed("init", f"--repo={tmp_path}/repo", "--mode=archive")
    succeed("commit", f"--repo={tmp_path}/repo", "--branch=os/test", "--no-xattrs", rootfs)

    def run(source: Path) -> subprocess.CompletedProcess[str]:
        what = (f"--repo={source}", "--ref=os/test", "--os=test", "--bootloader=none")
        command = [sys.executable, "-m", "ostree", "image", "build", *what]
        return subprocess.run(
            ["unshare", "--user", "--map-root-user", *command, f"--output={tmp_path}/disk.img"],
            check=False,
            capture_output=True,
            text=True,
        )

    alone, with_others = run(tmp_path / "repo"), run(repo)

    if "unshare failed" in alone.stderr:
        pytest.skip("there are no user namespaces")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert with_others.returncode == 1
    assert "fchown: Invalid argument" in with_others.stderr
    assert "try unshare --map-root-user --map-auto ostree image build" in with_others.stderr
    assert sorted(os.listdir(tmp_path)) == ["disk.img", "repo", "rootfs"]


def test_a_remote_needs_a_ref(repo: Path, tmp_path: Path) -> None:
    options = (f"--repo={repo}", f"--ref={'0' * 64}", "--os=test", "--bootloader=none")

    message = fail(
        "image", "build", *options, "--remote=a=b", f"--output={tmp_path}/x", environ=ENVIRON
    )

    assert message == "error: Updates follow a ref: with --remote, --ref cannot be a checksum"


def test_what_a_killed_run_has_left_is_removed(repo: Path, tmp_path: Path) -> None:
    """But not what another one works in, nor what has a similar name."""
    for name in (f".disk.img.{'0' * 16}", f".disk.img.{'1' * 16}", ".disk.img.other"):
        write_tree(tmp_path / name, {"root/file": "1"})
    fd = os.open(tmp_path / f".disk.img.{'1' * 16}", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)

    build(repo, tmp_path / "disk.img")

    os.close(fd)
    assert sorted(os.listdir(tmp_path)) == [f".disk.img.{'1' * 16}", ".disk.img.other", "disk.img"]


# updates --------------------------------------------------------------------------------------


def can_mount() -> bool:
    """Whether a loop device can be had in a mount namespace of our own."""
    command = ["unshare", "-m", "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0 and (
        os.path.exists("/dev/loop-control")
    )


@pytest.mark.oracle
@pytest.mark.skipif(not shutil.which("/usr/bin/ostree"), reason="the reference is not installed")
@pytest.mark.skipif(not can_mount(), reason="no loop devices")
@pytest.mark.parametrize("layout", ["single", "boot-partition"])
def test_the_reference_finds_a_system(layout: str, repo: Path, tmp_path: Path) -> None:
    """On the mounted image: status, its own fsck, and the remote that is configured."""
    image = tmp_path / "disk.img"
    remote = ("--remote=vendor=http://localhost/repo", "--no-gpg-verify")
    document = build(repo, image, f"--layout={layout}", *remote)
    found = partitions(document)
    root = f"loop,offset={found['root']['offset']},sizelimit={found['root']['size']}"
    lines = ["set -eu", f"mount -o {root} {image} {tmp_path}/mnt"]
    if layout == "boot-partition":
        boot = f"loop,offset={found['boot']['offset']},sizelimit={found['boot']['size']}"
        lines.append(f"mount -o {boot} {image} {tmp_path}/mnt/boot")
    (tmp_path / "mnt").mkdir()
    command = "/usr/bin/ostree"
    lines += [
        f"{command} admin status --sysroot={tmp_path}/mnt",
        f"{command} fsck --repo={tmp_path}/mnt/ostree/repo --quiet",
        f"{command} remote show-url --repo={tmp_path}/mnt/ostree/repo vendor",
        f"umount -R {tmp_path}/mnt",
    ]

    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert f"test {document['commit']}.0" in done.stdout
    assert "origin refspec: vendor:os/test" in done.stdout
    assert done.stdout.endswith("http://localhost/repo\n")


# GRUB -----------------------------------------------------------------------------------------

GRUB_MODULES = "/usr/lib/grub/x86_64-efi"
needs_grub = pytest.mark.skipif(
    not (shutil.which("grub-mkimage") and os.path.isdir(GRUB_MODULES)),
    reason="GRUB for UEFI is not installed (Debian: grub-common, grub-efi-amd64-bin)",
)


@needs_grub
@pytest.mark.parametrize("layout", ["single", "boot-partition"])
def test_what_grub_finds(layout: str, repo: Path, tmp_path: Path) -> None:
    document = build(repo, tmp_path / "disk.img", "--bootloader=grub2", f"--layout={layout}")

    contents = check_file_systems(tmp_path / "disk.img", document)
    boot = contents.get("boot", contents["root"] / "boot")
    (tmp_path / "fat").mkdir()
    subprocess.run(["mcopy", "-s", "-i", contents["firmware"], "::*", tmp_path / "fat"], check=True)
    program = (tmp_path / "fat/EFI/BOOT/BOOTX64.EFI").read_bytes()
    assert program.startswith(b"MZ")
    # The file system that its first commands look for is that of /boot.
    partition = "root" if layout == "single" else "boot"
    assert f"--set=root {partitions(document)[partition]['uuid']}".encode() in program
    config = (boot / "grub/grub.cfg").read_text()
    kernel = next(line.split()[1] for line in config.splitlines() if line.split()[:1] == ["linux"])
    assert (boot / kernel.removeprefix("/boot/")).read_text() == "kernel"
    settings = (contents["root"] / "ostree/repo/config").read_text()
    assert "bootloader=grub2\nboot-counting-tries=3\n" in settings
    assert "ostree: try $ostree_try, limit 3" in config
    environment = subprocess.run(
        ["mtype", "-i", contents["firmware"], "::/EFI/ostree/grubenv"],
        check=True,
        capture_output=True,
    ).stdout
    assert environment == empty_block()


SYSTEMD_BOOT = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")


@pytest.mark.skipif(not SYSTEMD_BOOT.exists(), reason="no systemd-boot (Debian: systemd-boot-efi)")
@pytest.mark.parametrize("layout", ["single", "boot-partition"])
def test_what_systemd_boot_finds(layout: str, repo: Path, tmp_path: Path) -> None:
    options = ("--bootloader=systemd-boot", f"--layout={layout}", "--tries=2")

    document = build(repo, tmp_path / "disk.img", *options)

    contents = check_file_systems(tmp_path / "disk.img", document)
    fat = tmp_path / "fat"
    fat.mkdir()
    subprocess.run(["mcopy", "-s", "-i", contents["firmware"], "::*", fat], check=True)
    assert (fat / "EFI/BOOT/BOOTX64.EFI").read_bytes() == SYSTEMD_BOOT.read_bytes()
    assert (fat / "loader/loader.conf").read_text().startswith("timeout ")
    assert os.listdir(fat / "loader/entries") == ["ostree-1-1+2.conf"]
    entry = BootEntry.parse((fat / "loader/entries/ostree-1-1+2.conf").read_text())
    assert (fat / kernel_path(entry).lstrip("/")).read_text() == "kernel"
    assert (fat / (entry.get("initrd") or "").lstrip("/")).read_text() == "ramdisk"
    # There the partition is mounted, and written by the next update.
    boot = contents.get("boot", contents["root"] / "boot")
    assert os.listdir(boot / "efi") == []
    blkid = ["blkid", "-p", "-s", "UUID", "-o", "value", str(contents["firmware"])]
    uuid = subprocess.run(blkid, check=True, capture_output=True, text=True).stdout.strip()
    deployment = contents["root"] / str(document["deployment"]).lstrip("/")
    fstab = (deployment / "etc/fstab").read_text().splitlines()
    assert fstab[-1] == f"UUID={uuid} /boot/efi vfat umask=0077,noatime 0 0"
    settings = (contents["root"] / "ostree/repo/config").read_text()
    assert "bootloader=systemd-boot\nboot-counting-tries=2\n" in settings


def test_systemd_boot_is_not_known_for_every_machine(repo: Path, tmp_path: Path) -> None:
    options = (f"--repo={repo}", "--ref=os/test", "--os=test", "--bootloader=systemd-boot")

    message = fail(
        "image", "build", *options, "--arch=m68k", f"--output={tmp_path}/disk.img", environ=ENVIRON
    )

    assert message == "error: systemd-boot on m68k is not known here"
    assert os.listdir(tmp_path) == []


def test_grub_needs_its_modules(repo: Path, tmp_path: Path) -> None:
    options = (f"--repo={repo}", "--ref=os/test", "--os=test", "--bootloader=grub2", "--arch=m68k")

    result = ostree("image", "build", *options, f"--output={tmp_path}/disk.img", environ=ENVIRON)

    assert result.status == 1
    assert result.err.startswith(
        "error: GRUB for UEFI on m68k is not known here"
        if shutil.which("grub-mkimage")
        else "error: grub-mkimage is not installed"
    )
    assert os.listdir(tmp_path) == []
