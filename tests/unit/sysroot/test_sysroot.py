"""Deployments from the first to the last."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import FormatError, NotFoundError, OSTreeError, SysrootError
from ostree.formats.keyfile import KeyFile
from ostree.sysroot.deployment_list import Retention
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions
from ostree.sysroot.sysroot import Sysroot

if TYPE_CHECKING:
    from unit.sysroot.conftest import Lab

NOT_BOOTED = (
    "Looking for booted deployment: Not currently booted into an OSTree system "
    "and no --os= argument given"
)


def test_init_fs_twice(tmp_path: Path) -> None:
    Sysroot.init_fs(tmp_path)
    Sysroot.init_fs(tmp_path)

    names = ["boot", "dev", "home", "ostree", "proc", "root", "run", "sys", "tmp"]
    assert sorted(os.listdir(tmp_path)) == names
    assert stat.S_IMODE((tmp_path / "tmp").stat().st_mode) == 0o1777
    with Sysroot.open(tmp_path) as sysroot:
        assert sysroot.deployments == []
        assert sysroot.booted is None
        assert sysroot.repo.mode.value == "bare"


def test_init_fs_epochs(tmp_path: Path) -> None:
    for epoch in (1, 2):
        (tmp_path / str(epoch)).mkdir()
        Sysroot.init_fs(tmp_path / str(epoch), epoch=epoch)

    assert sorted(os.listdir(tmp_path / "1")) == ["boot", "ostree"]
    assert stat.S_IMODE((tmp_path / "2/ostree").stat().st_mode) == 0o700
    with pytest.raises(SysrootError, match="Invalid epoch: -1"):
        Sysroot.init_fs(tmp_path, epoch=-1)
    with pytest.raises(SysrootError, match="No such file or directory"):
        Sysroot.init_fs(tmp_path / "nope")


def test_a_stateroot_exists_once(lab: Lab) -> None:
    with lab.open() as sysroot, pytest.raises(SysrootError) as caught:
        sysroot.init_stateroot("os")

    assert str(caught.value) == "Creating ostree/deploy/os: File exists"


def test_missing_sysroot_and_missing_repository(tmp_path: Path) -> None:
    with pytest.raises(SysrootError, match=r"opendir\(.*nope\): No such file or directory"):
        Sysroot.open(tmp_path / "nope")

    with Sysroot.open(tmp_path) as sysroot, pytest.raises(OSTreeError) as caught:
        _ = sysroot.deployments
    assert str(caught.value).startswith("loading sysroot: Opening sysroot repo: ")


def test_first_deployment(lab: Lab) -> None:
    checksum = lab.commit(version="7")

    with lab.open() as sysroot:
        deployment = sysroot.deploy(
            "stable",
            stateroot="os",
            kernel_arguments=KernelArgumentOptions(append=["root=LABEL=x"]),
        )

    assert deployment.name == f"{checksum}.0"
    assert deployment.index == 0
    assert deployment.refspec == "stable"
    assert lab.entries() == ["ostree-1.conf"]
    bootcsum = deployment.bootcsum
    assert (lab.root / "boot/loader/entries/ostree-1.conf").read_text() == (
        "title Test OS 7 (ostree:0)\nversion 1\n"
        f"options root=LABEL=x ostree=/ostree/boot.1/os/{bootcsum}/0\n"
        f"linux /ostree/os-{bootcsum}/vmlinuz-5.1\ninitrd /ostree/os-{bootcsum}/initramfs-5.1.img\n"
    )
    link = lab.root / f"ostree/boot.1/os/{bootcsum}/0"
    assert link.resolve() == (lab.root / deployment.path).resolve()
    assert lab.lines == [
        "Relabeling /var (no stamp file 'var/.ostree-selabeled' found)",
        "Bootloader updated; bootconfig swap: yes; bootversion: boot.1.1, deployment count change: 1",
    ]


def test_etc_is_a_copy_and_usr_is_not(lab: Lab) -> None:
    lab.commit()

    with lab.open() as sysroot:
        root = Path(sysroot.deployment_path(sysroot.deploy("stable", stateroot="os")))

    assert (root / "etc/a").stat().st_nlink == 1
    assert (root / "usr/etc/a").stat().st_nlink > 1
    assert not (root / "etc/a").samefile(root / "usr/etc/a")


def test_deploying_twice_uses_a_sub_swap_when_only_userspace_changed(lab: Lab) -> None:
    with lab.open() as sysroot:
        for number in range(4):
            lab.write("usr/data", str(number))
            lab.commit()
            sysroot.deploy("stable", stateroot="os")

    versions = [line.split("bootversion: ")[1] for line in lab.lines if "bootversion" in line]
    assert [v.split(",")[0] for v in versions] == ["boot.1.1", "boot.0.1", "boot.0.0", "boot.0.1"]
    assert len(lab.names()) == 2


def test_undeploy_the_last_one(lab: Lab) -> None:
    checksum = lab.commit()
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")

        sysroot.undeploy(0)

        assert sysroot.deployments == []
    assert lab.entries() == []
    assert os.listdir(lab.root / "ostree/deploy/os/deploy") == []
    assert os.listdir(lab.root / "boot/ostree") == []
    assert lab.lines[-1] == f"Deleted deployment {checksum}.0"


def test_cleanup_prunes_history_and_keeps_deployed_commits(lab: Lab) -> None:
    first = lab.commit()
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
        lab.write("usr/data", "2")
        unused = lab.commit(None)
        second = lab.commit()

        sysroot.deploy("stable", stateroot="os", prune=False)
        before = set(sysroot.repo.commits())
        result = sysroot.cleanup()

        assert unused == second
        assert before == {first, second}
        assert set(sysroot.repo.commits()) == {first, second}
        assert result is not None
        sysroot.undeploy(1)
        assert set(sysroot.repo.commits()) == {second}
        refs = {r: c for r, c in sysroot.repo.refs.local().items() if r.startswith("ostree/")}
        assert refs == {f"ostree/{sysroot.bootversion}/{sysroot.subbootversion}/0": second}


@pytest.mark.parametrize(
    ("stateroot", "rev", "message"),
    [
        ("os", "nope", "Refspec 'nope' not found"),
        (
            "nope",
            "stable",
            "Deploying tree: Initializing deployment: No such stateroot: nope",
        ),
        (None, "stable", NOT_BOOTED),
    ],
)
def test_what_cannot_be_deployed(lab: Lab, stateroot: str | None, rev: str, message: str) -> None:
    lab.commit()

    with lab.open() as sysroot, pytest.raises(OSTreeError) as caught:
        sysroot.deploy(rev, stateroot=stateroot)

    assert str(caught.value) == message
    assert lab.names() == []


@pytest.mark.parametrize("name", ["../os", "a b", "", "."])
def test_bad_names_of_stateroots(lab: Lab, name: str) -> None:
    lab.commit()

    with lab.open() as sysroot:
        with pytest.raises(FormatError):
            sysroot.deploy("stable", stateroot=name)
        with pytest.raises(FormatError):
            sysroot.init_stateroot(name)


def test_only_booted_systems_can_stage(lab: Lab) -> None:
    lab.commit()

    with lab.open() as sysroot, pytest.raises(SysrootError, match=r"^Cannot stage deployment: Not"):
        sysroot.deploy("stable", stateroot="os", stage=True)


def test_both_etc_directories_are_refused(lab: Lab) -> None:
    lab.write("etc/x", "x")
    lab.commit()

    with lab.open() as sysroot, pytest.raises(SysrootError) as caught:
        sysroot.deploy("stable", stateroot="os", lint=False)

    assert str(caught.value).endswith("Preparing /etc: Tree contains both /etc and /usr/etc")


def test_an_empty_etc_is_replaced(lab: Lab) -> None:
    (lab.tree / "etc").mkdir()
    lab.commit()

    with lab.open() as sysroot:
        deployment = sysroot.deploy("stable", stateroot="os")

    assert (lab.root / deployment.path / "etc/a").read_text() == "default"


def test_a_tree_without_etc(lab: Lab) -> None:
    for name in ("usr/etc/a", "usr/etc/sub/b"):
        (lab.tree / name).unlink()
    (lab.tree / "usr/etc/sub").rmdir()
    (lab.tree / "usr/etc").rmdir()
    lab.commit()

    with lab.open() as sysroot:
        deployment = sysroot.deploy("stable", stateroot="os")
        sysroot.deploy("stable", stateroot="os")

    assert not (lab.root / deployment.path / "etc").exists()


def test_var_is_filled_once(lab: Lab) -> None:
    lab.write("var/lib/data", "template")
    (lab.tree / "usr/lib/tmpfiles.d/x.conf").unlink()
    (lab.tree / "usr/lib/tmpfiles.d").rmdir()
    lab.commit()
    var = lab.root / "ostree/deploy/os/var"

    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
        (var / "lib/data").write_text("mine")
        sysroot.deploy("stable", stateroot="os")

    assert (var / "lib/data").read_text() == "mine"
    assert stat.S_IMODE((var / "tmp").stat().st_mode) == 0o1777
    assert (var / "run").readlink() == Path("../run")
    assert len([line for line in lab.lines if line.startswith("Relabeling")]) == 1


def test_a_failed_deployment_leaves_the_list_and_is_cleaned_up(lab: Lab) -> None:
    good = lab.commit()
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
        (lab.tree / "usr/lib/modules/5.1/vmlinuz").unlink()
        lab.commit("broken")

        with pytest.raises(SysrootError, match="Failed to find kernel in /usr/lib/modules"):
            sysroot.deploy("broken", stateroot="os", lint=False)

        deployments = lab.root / "ostree/deploy/os/deploy"
        left = [name for name in os.listdir(deployments) if not name.endswith(".origin")]
        assert len(left) == 2
        sysroot.cleanup()
    assert sorted(os.listdir(deployments)) == [f"{good}.0", f"{good}.0.origin"]
    assert lab.names() == [f"{good}.0"]


def test_a_foreign_directory_stops_deploying(lab: Lab) -> None:
    lab.commit()
    (lab.root / "ostree/deploy/os/deploy/foo").mkdir(parents=True)

    with lab.open() as sysroot, pytest.raises(FormatError) as caught:
        sysroot.deploy("stable", stateroot="os")

    assert str(caught.value).endswith("Invalid deploy name 'foo', expected CHECKSUM.TREESERIAL")


def test_pinned_deployments_stay(lab: Lab) -> None:
    lab.commit()
    origin = KeyFile.parse("[origin]\nrefspec=stable\n[libostree-transient]\npinned=true\n")

    with lab.open() as sysroot:
        pinned = sysroot.deploy("stable", stateroot="os", origin=origin)
        for _ in range(3):
            sysroot.deploy("stable", stateroot="os")

        assert [d.pinned for d in sysroot.deployments] == [False, False, True]
        assert sysroot.deployments[-1].key == pinned.key


def test_a_version_cannot_add_lines_to_the_boot_entry(lab: Lab) -> None:
    lab.commit(version="1\noptions init=/bin/sh")

    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")

    text = (lab.root / "boot/loader/entries/ostree-1.conf").read_text()
    assert text.splitlines()[0] == "title Test OS 1 options init=/bin/sh (ostree:0)"
    assert len([line for line in text.splitlines() if line.startswith("options")]) == 1


def set_config(lab: Lab, key: str, value: str) -> None:
    with lab.open() as sysroot:
        keyfile = sysroot.repo.config.keyfile.copy()
        keyfile.set_string("sysroot", key, value)
        sysroot.repo.save_config(keyfile)


def test_none_ignores_other_boot_loaders(lab: Lab) -> None:
    lab.commit()
    (lab.root / "boot/grub").mkdir()
    (lab.root / "boot/grub/grub.cfg").write_text("")
    set_config(lab, "bootloader", "none")

    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")

    assert lab.entries() == ["ostree-1.conf"]


def test_uboot_without_its_file(lab: Lab) -> None:
    lab.commit()
    set_config(lab, "bootloader", "uboot")

    with lab.open() as sysroot, pytest.raises(SysrootError) as caught:
        sysroot.deploy("stable", stateroot="os")

    assert str(caught.value) == (
        "Bootloader write config: openat(boot/loader/uEnv.txt): No such file or directory"
    )
    assert lab.names() == []


def test_an_unknown_boot_loader(lab: Lab) -> None:
    """It can neither be configured nor, if it is, the repository be opened; as upstream has it."""
    lab.commit()
    with pytest.raises(SysrootError, match=r"^Invalid bootloader configuration: 'lilo'$"):
        set_config(lab, "bootloader", "lilo")
    with (lab.root / "ostree/repo/config").open("a") as file:
        file.write("[sysroot]\nbootloader=lilo\n")

    with pytest.raises(SysrootError) as caught, lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")

    assert str(caught.value).endswith("opening repo: Invalid bootloader configuration: 'lilo'")


def test_boot_prefix_and_boot_counting(lab: Lab) -> None:
    lab.commit()
    set_config(lab, "bootprefix", "true")
    set_config(lab, "boot-counting-tries", "3")

    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
        assert lab.entries() == ["ostree-1+3.conf"]
        sysroot.deploy("stable", stateroot="os")

    assert lab.entries() == ["ostree-1+3-0.conf", "ostree-2+3.conf"]
    text = (lab.root / "boot/loader/entries/ostree-2+3.conf").read_text()
    assert "linux /boot/ostree/os-" in text


def test_device_trees_are_copied_over(lab: Lab) -> None:
    lab.write("usr/lib/modules/5.1/dtb/a.dtb", "a")
    (lab.tree / "usr/lib/modules/5.1/dtb/same.dtb").symlink_to("a.dtb")
    lab.commit()

    with lab.open() as sysroot:
        deployment = sysroot.deploy("stable", stateroot="os")
        sysroot.deploy("stable", stateroot="os")

    dtb = lab.root / f"boot/ostree/os-{deployment.bootcsum}/dtb"
    assert (dtb / "same.dtb").readlink() == Path("a.dtb")
    assert (dtb / "a.dtb").read_text() == "a"


def test_kernel_arguments_of_the_running_system(lab: Lab, tmp_path: Path) -> None:
    lab.commit()
    (tmp_path / "cmdline").write_text("BOOT_IMAGE=/k root=/dev/sda1 ostree=/x quiet\n")

    with lab.open() as sysroot:
        sysroot.settings.proc_directory = str(tmp_path)
        deployment = sysroot.deploy(
            "stable", stateroot="os", kernel_arguments=KernelArgumentOptions(running=True)
        )

    assert list(deployment.kernel_arguments.without("ostree")) == ["root=/dev/sda1", "quiet"]
    assert next(iter(deployment.kernel_arguments)) == "root=/dev/sda1"


def test_not_as_default(lab: Lab) -> None:
    lab.commit()

    with lab.open() as sysroot:
        first = sysroot.deploy("stable", stateroot="os")
        second = sysroot.deploy("stable", stateroot="os", retention=Retention(not_as_default=True))

        assert [d.key for d in sysroot.deployments] == [first.key, second.key]
        assert second.index == 1


def test_an_unchanged_list_is_not_written(lab: Lab) -> None:
    lab.commit()
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
        count = len(lab.lines)

        sysroot.write_deployments(sysroot.deployments)

    assert len(lab.lines) == count


def test_a_removed_directory_is_noticed(lab: Lab) -> None:
    lab.commit()
    with lab.open() as sysroot:
        deployment = sysroot.deploy("stable", stateroot="os")
        (lab.root / deployment.path).rename(lab.root / "moved")

        with pytest.raises(SysrootError, match="Unable to find expected deployment root: "):
            sysroot.write_deployments([*sysroot.deployments, *sysroot.deployments])


def test_changes_of_others_are_seen(lab: Lab) -> None:
    lab.commit()

    with lab.open() as first, lab.open() as second:
        assert second.deployments == []
        first.deploy("stable", stateroot="os")
        second.load()

        assert [d.key for d in second.deployments] == [d.key for d in first.deployments]


def test_missing_ref_for_an_upgrade(lab: Lab) -> None:
    checksum = lab.commit()

    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
        sysroot.repo.refs.set("stable", None)
        with pytest.raises(NotFoundError, match="Refspec 'stable' not found"):
            sysroot.upgrade(stateroot="os")

    assert lab.names() == [f"{checksum}.0"]


def test_errors_of_the_system_are_errors_of_ours(lab: Lab) -> None:
    lab.commit()
    (lab.root / "boot").rmdir()
    (lab.root / "boot").write_text("no directory")

    with lab.open() as sysroot, pytest.raises(SysrootError, match="Not a directory"):
        sysroot.deploy("stable", stateroot="os")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may set the attribute")
def test_the_deployment_directory_is_immutable(lab: Lab) -> None:
    lab.commit()

    with lab.open() as sysroot:
        sysroot.settings.immutable = True
        deployment = sysroot.deploy("stable", stateroot="os")
        root = lab.root / deployment.path
        try:
            (root / "file").touch()
        except PermissionError:
            (root / "etc/file").touch()
            sysroot.undeploy(0)
        else:
            pytest.skip("the file system has no immutable attribute")

    assert not root.exists()


def test_what_was_not_yet_in_place_is_cleaned_up(lab: Lab) -> None:
    lab.commit()
    with lab.open() as sysroot:
        sysroot.deploy("stable", stateroot="os")
    places = [
        lab.root / name for name in ("ostree", "boot", "boot/ostree", "ostree/deploy/os/deploy")
    ]
    for place in places:
        (place / ".tmp-0123456789abcdef").symlink_to("x")
        (place / "tmp.0123456789abcdef").write_text("x")
        (place / ".tmp-mine").write_text("x")

    with lab.open() as sysroot:
        sysroot.cleanup()

    for place in places:
        assert [path.name for path in place.glob("*tmp*")] == [".tmp-mine"]


def test_only_running_systems_are_unlocked(lab: Lab) -> None:
    with lab.open() as sysroot:
        with pytest.raises(SysrootError, match=r"^Not currently booted into an OSTree system$"):
            sysroot.unlock("hotfix")
        for state in ("none", "nonsense"):
            with pytest.raises(ValueError, match=r"nonsense|can only be unlocked"):
                sysroot.unlock(state)


def test_keys_stand_as_if_arguments_had_been_given(lab: Lab) -> None:
    """Upstream orders keys by a hash table, and it counts which came first: even empty options."""
    lab.write("usr/lib/modules/5.1/dtb/board.dtb", "dtb")
    lab.commit()
    with lab.open() as sysroot:
        keyfile = sysroot.repo.config.keyfile.copy()
        extra = "key1=value1;grub_users=root"
        keyfile.set_string("sysroot", "bls-append-except-default", extra)
        sysroot.repo.save_config(keyfile)
        sysroot.deploy("stable", stateroot="os")

        sysroot.deploy(
            "stable",
            stateroot="os",
            kernel_arguments=KernelArgumentOptions(none=True),
            retention=Retention(not_as_default=True),
        )

    text = (lab.root / "boot/loader/entries/ostree-1.conf").read_text()
    assert [line.split()[0] for line in text.splitlines()[-3:]] == [
        "fdtdir",
        "grub_users",
        "key1",
    ]
