"""Boot loaders whose configuration, or boot record, another program makes."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.programs import contained, describe_end, run_program
from support.bootloaders import GENERATOR, Place, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts take root")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    os.close(place.root_fd)


def output(place: Place, name: str = "boot/loader.1/grub.cfg") -> str:
    return (place.root / name).read_text()


# grub2 -------------------------------------------------------------------------------------------


def test_a_generator_is_told_where_and_for_which_bootversion(place: Place) -> None:
    prepare(place, "grub2")

    place.loader("grub2").write_config(1, [place.deployment(0)])

    assert output(place) == "ostree=/ostree/boot.1/ efi=\n"
    assert place.noted()[0].startswith(f"generator -o {place.root}/boot/loader.1/grub.cfg [")


def test_a_generator_on_efi(place: Place) -> None:
    prepare(place, "grub2-efi")

    place.loader("grub2").write_config(1, [place.deployment(0)])

    vendor = "boot/efi/EFI/vendor"
    assert output(place, f"{vendor}/grub.cfg.new") == "ostree=/ostree/boot.1/ efi=1\n"
    assert output(place, f"{vendor}/grub.cfg") == "old"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("#!/bin/sh\nexit 7\n", r"{program}: Child process exited with code 7"),
        ("#!/bin/sh\nkill -9 $$\n", r"{program}: Child process killed by signal 9"),
        ("#!/bin/sh\n", r"openat\(boot/loader.1/grub.cfg\): No such file or directory"),
    ],
)
def test_a_generator_that_fails(place: Place, script: str, message: str) -> None:
    prepare(place, "grub2")
    program = place.program("generator", script)

    with pytest.raises(SysrootError, match=f"^{message.format(program=program)}$"):
        place.loader("grub2").write_config(1, [place.deployment(0)])


def test_no_such_generator(place: Place) -> None:
    prepare(place, "grub2")
    place.environ["OSTREE_GRUB2_EXEC"] = "/nowhere/x"

    with pytest.raises(SysrootError) as caught:
        place.loader("grub2").write_config(1, [place.deployment(0)])

    assert str(caught.value) == (
        "Failed to execute child process \u201c/nowhere/x\u201d (No such file or directory)"
    )


@pytest.mark.parametrize("variable", [None, "INVOCATION_ID", "OSTREE_DEBUG_GRUB2"])
def test_what_a_generator_says(
    place: Place, variable: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    prepare(place, "grub2")
    if variable is not None:
        place.environ[variable] = "1"

    place.loader("grub2").write_config(1, [place.deployment(0)])

    assert capfd.readouterr().out == ("" if variable is None else "noise\n")


def test_without_a_generator_the_whole_file_is_ours(place: Place) -> None:
    prepare(place, "grub2-builtin")

    place.loader("grub2").write_config(1, [place.deployment(0), place.deployment(1)])

    assert output(place).endswith(
        "menuentry 'Os (ostree:1)' {\n"
        "\t linux /boot/ostree/os-1/vmlinuz root=/dev/x "
        f"ostree=/ostree/boot.1/os/{'b' * 64}/1\n"
        "\t initrd /boot/ostree/os-1/initramfs.img\n}\n\n"
    )


@pytest.mark.parametrize(
    ("variable", "bootprefix", "kernel"),
    [
        (None, False, "/boot/ostree/os-0/vmlinuz"),
        (None, True, "/ostree/os-0/vmlinuz"),
        ("", False, "/ostree/os-0/vmlinuz"),
        ("/x", True, "/x/ostree/os-0/vmlinuz"),
    ],
)
def test_where_grub_finds_boot(
    place: Place, variable: str | None, *, bootprefix: bool, kernel: str
) -> None:
    prepare(place, "grub2-builtin")
    if variable is not None:
        place.environ["OSTREE_BOOT_PARTITION"] = variable

    place.loader("grub2", bootprefix=bootprefix).write_config(1, [place.deployment(0)])

    assert f"\t linux {kernel} root" in output(place)


@pytest.mark.parametrize(
    ("state", "active"),
    [
        ('{"static-configs":{"timestamp":"2024"}}', False),
        ('{"static-configs":null}', True),
        ("{}", True),
        ("", True),
    ],
)
def test_a_static_config_of_bootupd_is_left_alone(
    place: Place, state: str, *, active: bool
) -> None:
    prepare(place, "grub2-builtin")
    (place.root / "boot/bootupd-state.json").write_text(state)

    assert place.loader("grub2").is_active() == active


@pytest.mark.parametrize("text", ["", "half of ostree=/ostree/boot.1/os/x"])
def test_what_a_swap_without_end_left_on_efi_goes(place: Place, text: str) -> None:
    """Bootversion 0 is the active one still."""
    prepare(place, "grub2-efi")
    vendor = place.root / "boot/efi/EFI/vendor"
    (vendor / "grub.cfg.new").write_text(text)

    place.loader("grub2").after_swap(0, [place.deployment(0)])

    assert sorted(path.name for path in vendor.iterdir()) == ["grub.cfg"]
    assert (vendor / "grub.cfg").read_text() == "old"


def test_without_a_generator_efi_is_left_alone(place: Place) -> None:
    """A whole file of ours could not find the kernels from there."""
    prepare(place, "grub2-builtin-efi")
    before = place.tree()

    with pytest.raises(SysrootError, match=r"^Neither grub2-mkconfig nor grub-mkconfig is inst"):
        place.loader("grub2").write_config(1, [place.deployment(0)])

    assert place.tree() == before


def test_bios_comes_before_efi_and_vendors_in_order(place: Place) -> None:
    prepare(place, "grub2-efi")
    (place.root / "boot/efi/EFI/another").mkdir()
    (place.root / "boot/efi/EFI/another/grub.cfg").write_text("old")

    place.loader("grub2").write_config(1, [place.deployment(0)])
    assert (place.root / "boot/efi/EFI/another/grub.cfg.new").exists()

    (place.root / "boot/grub").mkdir()
    (place.root / "boot/grub/grub.cfg").symlink_to("nowhere")
    place.loader("grub2").write_config(1, [place.deployment(0)])
    assert (place.root / "boot/loader.1/grub.cfg").exists()


def make_bootable(tree: Path) -> None:
    """As much of a system as a shell script needs; ``usr`` is the host's, mounted for a test."""
    for name in ("bin", "lib", "lib64", "sbin"):
        (tree / name).symlink_to(f"usr/{name}")
    for name in ("usr", "run"):
        (tree / name).mkdir()


@needs_root
def test_a_program_with_a_deployment_as_its_root(place: Place) -> None:
    """It sees the sysroot and its boot, and the host sees nothing of these mounts."""
    deployment = place.deployment(0)
    tree = place.root / deployment.path
    make_bootable(tree)
    (tree / "etc").mkdir()
    mounts = [("/usr", "/usr"), (str(place.root), "/sysroot"), (f"{place.root}/boot", "/boot")]
    script = "ls / > /boot/seen; ls /sysroot >> /boot/seen; touch /run/x; test -r /proc/self/maps"
    before = Path("/proc/self/mountinfo").read_text()

    run_program(contained(["sh", "-c", script], str(tree), mounts), environ=place.environ)

    seen = (place.root / "boot/seen").read_text().split()
    assert {"etc", "sysroot", "ostree"} <= set(seen)
    assert os.listdir(tree / "run") == os.listdir(tree / "usr") == []
    assert Path("/proc/self/mountinfo").read_text() == before


@needs_root
def test_the_systems_own_generator_runs_in_the_new_tree(place: Place) -> None:
    """The sysroot of an installer is none that it runs in."""
    prepare(place, "grub2-builtin")
    deployment = place.deployment(0)
    tree = place.root / deployment.path
    # A static shell would be needed to run it: that it is found and entered is what can be seen.
    (tree / "usr/sbin").mkdir(parents=True)
    program = tree / "usr/sbin/grub-mkconfig"
    program.write_text(GENERATOR)
    program.chmod(0o755)
    place.program("unshare")

    with pytest.raises(SysrootError, match=r"grub\.cfg"):
        place.loader("grub2").write_config(1, [deployment])

    call = place.calls.read_text().replace("\n", " ")
    assert call.startswith("unshare --mount --propagation private sh -euc")
    assert " -- /usr/sbin/grub-mkconfig -o /boot/loader.1/grub.cfg [" in call


def test_a_mount_point_that_is_a_link_stays_inside(place: Place, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "real").mkdir(parents=True)
    (tree / "boot").symlink_to("/real")
    (tree / "proc").symlink_to("../../../../../outside")

    argv = contained(["x"], str(tree), [("/from", "/boot")])

    assert argv[argv.index(str(tree)) :] == [str(tree), "/from", "real", "--", "x"]
    with pytest.raises(SysrootError, match="The tree has no directory /sysroot"):
        contained(["x"], str(tree), [("/from", "/sysroot")])
    assert place.noted() == []


def test_how_a_program_ended() -> None:
    assert describe_end(3) == "Child process exited with code 3"
    assert describe_end(-15) == "Child process killed by signal 15"


# zipl --------------------------------------------------------------------------------------------


def run_stamped(place: Place, kind: str) -> None:
    loader = place.loader(kind)
    loader.write_config(1, [place.deployment(0)])
    assert (place.root / "boot/ostree-bootloader-update.stamp").read_bytes() == b""
    place.swap()
    loader.after_swap(1, [place.deployment(0)])


@needs_root
@pytest.mark.parametrize(
    ("file", "text", "secure"),
    [
        (None, "", "auto"),
        ("sys/firmware/ipl/secure", "1\n", "1"),
        ("sys/firmware/ipl/secure", "0\n", "auto"),
        ("dev/kmsg", "a\nb\nc\nd\n6,1;Secure-IPL enabled\n", "1"),
        ("dev/kmsg", "a\nb\nc\nd\ne\n6,1;Secure-IPL enabled\n", "auto"),
    ],
)
def test_zipl_knows_of_secure_boot(place: Place, file: str | None, text: str, secure: str) -> None:
    prepare(place, "zipl")
    if file is not None:
        (place.host / file).parent.mkdir(parents=True)
        (place.host / file).write_text(text)

    run_stamped(place, "zipl")

    assert f"-- zipl --secure {secure} -V [" in place.calls.read_text().replace("\n", " ")
    assert not (place.root / "boot/ostree-bootloader-update.stamp").exists()


@needs_root
def test_a_boot_record_that_could_not_be_written_is_not_forgotten(place: Place) -> None:
    prepare(place, "zipl")
    place.program("unshare", "#!/bin/sh\nexit 1\n")

    with pytest.raises(SysrootError, match=r"^zipl: Child process exited with code 1$"):
        run_stamped(place, "zipl")
    assert (place.root / "boot/ostree-bootloader-update.stamp").exists()

    place.program("unshare")
    place.loader("zipl").after_swap(1, [place.deployment(0)])
    assert not (place.root / "boot/ostree-bootloader-update.stamp").exists()


@pytest.fixture
def guest(place: Place) -> Place:
    """A Secure Execution guest; its programs note what they were given."""
    for name, text in (
        ("sys/firmware/uv/prot_virt_guest", "1\n"),
        ("etc/crypttab", "root UUID=x /etc/luks/root luks\n"),
        ("etc/luks/root", "secret 1"),
        ("etc/luks/boot", "secret 2"),
        ("etc/se-hostkeys/ibm-z-hostkey-2", ""),
        ("etc/se-hostkeys/ibm-z-hostkey-1", ""),
        ("etc/se-hostkeys/other", ""),
        ("boot/ostree/os-0/vmlinuz", "kernel"),
        ("boot/ostree/os-0/initramfs.img", "initramfs"),
    ):
        path = place.host / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    copies = f"cp $6 {place.host}/ramdisk; cp $8 {place.host}/arguments"
    place.program("pvimg", f"#!/bin/sh\n{copies}\n")
    for name in ("mount", "umount", "zipl"):
        place.program(name)
    return place


@needs_root
def test_secure_execution(guest: Place) -> None:
    run_stamped(guest, "zipl")

    se, boot = f"{guest.host}/sysroot/se", f"{guest.host}/boot/ostree/os-0"
    key = f"-k {guest.host}/etc/se-hostkeys/ibm-z-hostkey"
    keys = f"{key}-1 {key}-2"
    parts = f"--kernel {boot}/vmlinuz --ramdisk /initrd --parmfile /cmdline"
    calls = [re.sub(r"\S*/ostree-se-\w+|  *\[.*\]$", "", call) for call in guest.noted()]
    assert calls == [
        f"mount -t ext4 {guest.host}/dev/disk/by-label/se {se}",
        f"pvimg create --verbose {parts} {keys} --no-verify --overwrite --output {se}/sdboot",
        f"zipl -V -t {se} -i {se}/sdboot",
        f"umount {se}",
    ]
    assert (guest.host / "arguments").read_text().startswith("root=/dev/x ostree=/ostree/boot.1/")
    assert not (guest.root / "boot/ostree-bootloader-update.stamp").exists()
    ramdisk = (guest.host / "ramdisk").read_bytes()
    assert ramdisk.startswith(b"initramfs")
    archive = gzip.decompress(ramdisk.removeprefix(b"initramfs"))
    listing = subprocess.run(
        ["cpio", "-itv", "--quiet"], input=archive, capture_output=True, check=True
    ).stdout.decode()
    assert re.findall(r"^(\S+) .* (\S+)$", listing, re.MULTILINE) == [
        ("drwxr-xr-x", "etc"),
        ("drwxr-xr-x", "etc/luks"),
        ("-rw-------", "etc/crypttab"),
        ("-rw-------", "etc/luks/root"),
        ("-rw-------", "etc/luks/boot"),
    ]
    assert b"secret 1" in archive


@needs_root
@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("etc/luks/boot", r"^Secure Execution: /etc/luks/boot: No such file or directory$"),
        ("etc/se-hostkeys/ibm-z-hostkey-*", r"no ibm-z-hostkey\* in /etc/se-hostkeys"),
    ],
)
def test_what_secure_execution_cannot_do_without(guest: Place, missing: str, words: str) -> None:
    for path in guest.host.glob(missing):
        path.unlink()

    with pytest.raises(SysrootError, match=words):
        run_stamped(guest, "zipl")

    assert (guest.root / "boot/ostree-bootloader-update.stamp").exists()
    programs = [call.split()[0] for call in guest.noted()]
    assert programs in ([], ["mount", "umount"])


# aboot -------------------------------------------------------------------------------------------


def test_aboot_is_given_the_first_deployment(place: Place) -> None:
    prepare(place, "aboot")

    run_stamped(place, "aboot")

    options = f"root=/dev/x ostree=/ostree/boot.1/os/{'b' * 64}/0"
    assert place.noted() == [
        f"aboot-deploy -r . -c /ostree/cfg-0 -o {options} /ostree/os-0/aboot.img [{place.root}]"
    ]


@pytest.mark.parametrize("key", ["aboot", "abootcfg", "version", "linux", "initrd", "options"])
def test_aboot_needs_all_keys_before_anything_is_switched(place: Place, key: str) -> None:
    prepare(place, "aboot")
    deployment = place.deployment(0)
    deployment.entry.discard(key)

    with pytest.raises(SysrootError, match=f'^aboot: no "{key}" key in bootloader config$'):
        place.loader("aboot").write_config(1, [deployment])

    assert not (place.root / "boot/ostree-bootloader-update.stamp").exists()
