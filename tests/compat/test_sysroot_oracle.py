"""Deployments of ours and of the reference, step by step, from the same commits."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.events import Message
from ostree.sysroot.deployment_list import Retention
from ostree.sysroot.immutable import set_immutable
from ostree.sysroot.kernel_argument_options import KernelArgumentOptions
from ostree.sysroot.sysroot import Sysroot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostree.events import Event

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the reference gives files to root"),
]

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OSTREE_SYSROOT_OPTS": "skip-sync",
}
OLD_TIME = 978307200

#: The reference names the call in front of it, which differs.
NOT_A_DIRECTORY = ": Not a directory"


class Outcome:
    """What a command said, and whether it failed."""

    def __init__(self, lines: list[str], error: str | None) -> None:
        self.lines = lines
        self.error = error


class Pair:
    """Two sysroots that get the same treatment, one by each program."""

    def __init__(self, directory: Path) -> None:
        self.source = directory / "source"
        self.theirs = directory / "theirs"
        self.ours = directory / "ours"
        self.source.mkdir()
        for path in (self.theirs, self.ours):
            path.mkdir()
        reference("init", f"--repo={self.source}", "--mode=archive")
        reference("admin", "init-fs", self.theirs)
        Sysroot.init_fs(self.ours)
        for path in (self.source, self.theirs / "ostree/repo", self.ours / "ostree/repo"):
            reference("config", f"--repo={path}", "set", "core.fsync", "false")

    def init_stateroot(self, name: str) -> None:
        reference("admin", f"--sysroot={self.theirs}", "os-init", name)
        with Sysroot.open(self.ours) as sysroot:
            sysroot.init_stateroot(name)

    def commit(self, tree: Path, *, version: str | None, time: int, parent: bool = True) -> str:
        """Commit a tree, put it into both system repositories; its checksum."""
        arguments = [
            "commit",
            f"--repo={self.source}",
            "--branch=test/os",
            f"--tree=dir={tree}",
            "--subject=x",
            f"--timestamp=@{time}",
        ]
        if not parent:
            arguments.append("--parent=none")
        if version is not None:
            arguments.append(f"--add-metadata-string=version={version}")
        checksum = reference(*arguments).lines[0]
        for path in (self.theirs, self.ours):
            reference("pull-local", f"--repo={path}/ostree/repo", self.source, "test/os")
        return checksum

    def both(self, path: str) -> Iterator[Path]:
        """The same file in both sysroots; the immutable flag of deployments does no harm below."""
        yield self.theirs / path
        yield self.ours / path

    def run(self, arguments: list[str], act: Callable[[Sysroot], object]) -> Outcome:
        """The same command in both; checks that both say the same and leave the same."""
        theirs = reference("admin", f"--sysroot={self.theirs}", *arguments, check=False)
        lines: list[str] = []

        def listen(event: Event) -> None:
            if isinstance(event, Message) and not event.warning:
                lines.append(event.text)

        ours = Outcome(lines, None)
        with Sysroot.open(self.ours, on_event=listen) as sysroot:
            try:
                act(sysroot)
            except OSTreeError as error:
                ours.error = str(error)
        assert (ours.error is None) == (theirs.error is None), (ours.error, theirs.error)
        if ours.error is not None and theirs.error is not None:
            if theirs.error.endswith(NOT_A_DIRECTORY):
                assert ours.error.endswith(NOT_A_DIRECTORY)
            else:
                assert ours.error.endswith(theirs.error)
            return ours
        assert ours.lines == theirs.lines
        assert snapshot(self.ours) == snapshot(self.theirs)
        return ours


def reference(*arguments: str | Path, check: bool = True) -> Outcome:
    """The reference command."""
    result = subprocess.run(
        ["/usr/bin/ostree", *(os.fspath(argument) for argument in arguments)],
        check=False,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    if check:
        assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if not line.startswith("Freed objects")]
    error = result.stderr.strip().removeprefix("error: ") if result.returncode else None
    return Outcome(lines, error)


def snapshot(sysroot: Path) -> dict[str, object]:
    """Everything that both programs must leave alike."""
    found: dict[str, object] = {}
    for path, directories, files in os.walk(sysroot):
        relative = os.path.relpath(path, sysroot)
        directories[:] = [d for d in directories if not is_different(relative, d)]
        for name in directories + files:
            full = os.path.join(path, name)
            key = re.sub(r"(entries/ostree-\d+)-[^/]*\.conf$", r"\1.conf", f"{relative}/{name}")
            found[key] = describe(full)
    heads = sysroot / "ostree/repo/refs/heads"
    found["refs"] = {
        str(p.relative_to(heads)): p.read_text() for p in heads.rglob("*") if p.is_file()
    }
    found["objects"] = sorted(
        str(p.relative_to(sysroot))
        for p in (sysroot / "ostree/repo/objects").rglob("*")
        if not p.is_dir()
    )
    return found


def is_different(parent: str, name: str) -> bool:
    """What newer releases do otherwise, and what is compared by other means."""
    return f"{parent}/{name}" == "ostree/repo" or (
        name in {"backing", "var"} and re.fullmatch("ostree/deploy/[^/]+", parent) is not None
    )


def describe(path: str) -> tuple[object, ...]:
    info = os.lstat(path)
    facts: tuple[object, ...] = (oct(info.st_mode), info.st_uid, info.st_gid)
    if stat.S_ISLNK(info.st_mode):
        return (*facts, os.readlink(path))
    if stat.S_ISREG(info.st_mode):
        content = Path(path).read_bytes()
        times = info.st_mtime if info.st_mtime == OLD_TIME else None
        attributes = tuple((n, os.getxattr(path, n)) for n in sorted(os.listxattr(path)))
        if path.endswith(".origin"):
            # GLib keeps the empty line in front of a group that was removed.
            content = content.rstrip(b"\n")
        text: object = content.decode() if b"options" in content else hashlib.md5(content).digest()
        return (*facts, info.st_nlink, times, attributes, text)
    return facts


@pytest.fixture
def pair(tmp_path: Path, oracle: object) -> Iterator[Pair]:
    yield Pair(tmp_path)
    clear_immutable(tmp_path)


def clear_immutable(directory: Path) -> None:
    """Let pytest remove what deployments forbid to touch."""
    for path in directory.glob("*/ostree/deploy/*/deploy/*.*"):
        if path.is_dir():
            fd = os.open(path.parent, os.O_RDONLY)
            try:
                set_immutable(path.name, fd, on=False)
            finally:
                os.close(fd)


def make_tree(path: Path, kernel: str = "5.10") -> Path:
    modules = path / "usr/lib/modules" / kernel
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_text(f"kernel {kernel}")
    (modules / "initramfs.img").write_text("initramfs")
    etc = path / "usr/etc"
    (etc / "sub/deep").mkdir(parents=True)
    for name in ("a", "b", "sub/c", "sub/deep/d"):
        (etc / name).write_text(f"default {name}")
    (etc / "link").symlink_to("a")
    (path / "usr/lib/os-release").write_text('ID=test\nPRETTY_NAME="Test OS"\n')
    (path / "usr/lib/tmpfiles.d").mkdir()
    for name in ("boot", "sysroot", "var"):
        (path / name).mkdir()
    (path / "ostree").symlink_to("sysroot/ostree")
    return path


def deploy(
    pair: Pair, checksum: str, *, stateroot: str = "os", arguments: list[str] | None = None
) -> Outcome:
    """``admin deploy`` by both, with options that both understand."""
    words = arguments or []

    def values(option: str) -> list[str]:
        return [word.split("=", 1)[1] for word in words if word.startswith(f"{option}=")]

    return pair.run(
        ["deploy", f"--os={stateroot}", *words, checksum],
        lambda sysroot: sysroot.deploy(
            checksum,
            stateroot=stateroot,
            kernel_arguments=KernelArgumentOptions(
                none="--karg-none" in words,
                replace=values("--karg"),
                append=values("--karg-append"),
                delete=values("--karg-delete"),
            ),
            merge="--no-merge" not in words,
            prune="--no-prune" not in words,
            retention=Retention(
                everything="--retain" in words,
                pending="--retain-pending" in words,
                rollback="--retain-rollback" in words,
                not_as_default="--not-as-default" in words,
            ),
        ),
    )


def upgrade(pair: Pair, stateroot: str = "os") -> Outcome:
    return pair.run(
        ["upgrade", f"--os={stateroot}", "--deploy-only"],
        lambda sysroot: sysroot.upgrade(stateroot=stateroot, deploy_only=True),
    )


def undeploy(pair: Pair, index: int) -> Outcome:
    return pair.run(["undeploy", str(index)], lambda sysroot: sysroot.undeploy(index))


def edit_etc(pair: Pair, edit: Callable[[Path], None], index: int = 0) -> None:
    """Change the ``/etc`` of the deployment at ``index`` in both sysroots."""
    with Sysroot.open(pair.ours) as sysroot:
        path = sysroot.deployments[index].path
    for root in pair.both(path):
        edit(root / "etc")


def test_first_and_second_deployment(pair: Pair, tmp_path: Path) -> None:
    pair.init_stateroot("os")
    first = pair.commit(make_tree(tmp_path / "tree"), version="1", time=1)

    deploy(pair, first, arguments=["--karg-append=root=LABEL=rootfs", "--karg=quiet"])
    (tmp_path / "tree/usr/etc/new").write_text("new")
    second = pair.commit(tmp_path / "tree", version="2", time=2)
    deploy(pair, second, arguments=["--karg-append=debug"])
    deploy(pair, second)
    undeploy(pair, 1)
    undeploy(pair, 0)


def test_upgrades_by_sub_swap_and_full_swap(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    pair.init_stateroot("os")
    pair.commit(tree, version=None, time=1)
    deploy(pair, "test/os")

    for number in range(4):
        (tree / "usr/data").write_text(str(number))
        pair.commit(tree, version=None, time=2 + number)
        upgrade(pair)
    (tree / "usr/lib/modules/5.10/vmlinuz").write_text("other kernel")
    pair.commit(tree, version=None, time=10)
    upgrade(pair)
    assert upgrade(pair).lines == ["No update available."]


def test_downgrade_is_refused_in_the_same_words(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    pair.init_stateroot("os")
    pair.commit(tree, version=None, time=1_700_000_000)
    deploy(pair, "test/os")
    (tree / "usr/data").write_text("older")
    pair.commit(tree, version=None, time=1_600_000_000)

    outcome = upgrade(pair)

    assert outcome.error is not None
    assert "chronologically older" in outcome.error


def test_two_stateroots(pair: Pair, tmp_path: Path) -> None:
    first = pair.commit(make_tree(tmp_path / "tree"), version="1", time=1)
    for name in ("os", "other"):
        pair.init_stateroot(name)

    for stateroot in ("os", "other", "os", "other"):
        deploy(pair, first, stateroot=stateroot)
    undeploy(pair, 2)
    deploy(pair, first, stateroot="os", arguments=["--retain", "--not-as-default"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--karg-none"],
        ["--karg-none", "--karg=only"],
        ["--no-merge"],
        ["--no-merge", "--karg-append=x=1"],
        ["--karg=root=other", "--karg=root=third"],
        ["--karg-append=dup=1", "--karg-append=dup=2"],
        ["--karg-delete=quiet"],
        ["--karg-delete=root=LABEL=x"],
        ["--karg-delete=root=wrong"],
        ["--retain"],
        ["--retain-pending"],
        ["--retain-rollback"],
        ["--not-as-default"],
        ["--no-prune"],
    ],
)
def test_options_of_a_second_deployment(pair: Pair, tmp_path: Path, arguments: list[str]) -> None:
    tree = make_tree(tmp_path / "tree")
    pair.init_stateroot("os")
    first = pair.commit(tree, version="1", time=1)
    deploy(pair, first, arguments=["--karg-append=root=LABEL=x", "--karg-append=quiet"])
    (tree / "usr/data").write_text("2")
    second = pair.commit(tree, version="1", time=2)
    deploy(pair, second)

    deploy(pair, first, arguments=arguments)


def test_uenv_of_uboot(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    (tree / "usr/lib/modules/5.10/devicetree").write_text("dtb")
    (tree / "usr/lib/ostree-boot").mkdir()
    (tree / "usr/lib/ostree-boot/uEnv.txt").write_text("board=x\n\nconsole=ttyS0\n")
    pair.init_stateroot("os")
    for boot in pair.both("boot"):
        (boot / "loader.0").mkdir()
        (boot / "loader").symlink_to("loader.0")
        (boot / "loader.0/uEnv.txt").write_text("")
    first = pair.commit(tree, version="1", time=1)

    outcome = deploy(pair, first, arguments=["--karg-append=root=/dev/mmcblk0p2"])
    (tree / "usr/data").write_text("2")
    second = pair.commit(tree, version="2", time=2)
    deploy(pair, second)
    undeploy(pair, 1)

    assert outcome.lines[-1].startswith("Transaction complete")


def test_device_tree_directory_and_no_initramfs(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    modules = tree / "usr/lib/modules/5.10"
    (modules / "initramfs.img").unlink()
    (modules / "dtb/vendor").mkdir(parents=True)
    (modules / "dtb/one.dtb").write_text("1")
    (modules / "dtb/vendor/two.dtb").write_text("2")
    (modules / ".vmlinuz.hmac").write_text("hmac")
    pair.init_stateroot("os")
    first = pair.commit(tree, version="1", time=1)

    deploy(pair, first)
    deploy(pair, first, arguments=["--karg-append=x"])


def test_legacy_kernel(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    shutil.rmtree(tree / "usr/lib/modules")
    boot = tree / "usr/lib/ostree-boot"
    boot.mkdir()
    checksum = "ab" * 32
    (boot / f"vmlinuz-3.6.0-{checksum}").write_text("kernel")
    (boot / f"initramfs-3.6.0-{checksum}").write_text("initramfs")
    pair.init_stateroot("os")

    deploy(pair, pair.commit(tree, version="1", time=1))


def test_no_kernel(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    shutil.rmtree(tree / "usr/lib/modules")
    pair.init_stateroot("os")
    first = pair.commit(tree, version="1", time=1)

    assert deploy(pair, first).error is not None
    # We find out before anything is made.
    (pair.ours / "ostree/deploy/os/deploy").mkdir()
    pair.run(["cleanup"], lambda sysroot: sysroot.cleanup())


def test_extra_keys_of_boot_entries(pair: Pair, tmp_path: Path) -> None:
    pair.init_stateroot("os")
    first = pair.commit(make_tree(tmp_path / "tree"), version="1", time=1)
    for repo in pair.both("ostree/repo"):
        reference(
            "config",
            f"--repo={repo}",
            "set",
            "sysroot.bls-append-except-default",
            "key1=value1;grub_users=root;x-third=3;zz=top",
        )

    deploy(pair, first)
    deploy(pair, first)
    deploy(pair, first, arguments=["--retain"])
    undeploy(pair, 0)
    deploy(pair, first, arguments=["--karg-append=y"])


def test_titles(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    pair.init_stateroot("os")
    release = tree / "usr/lib/os-release"
    for number, (text, version) in enumerate(
        [
            ("PRETTY_NAME='Single \"quoted\"'\n", None),
            ('PRETTY_NAME="with 42 inside"\n', "42"),
            ('PRETTY_NAME="broken\nID=fallback\n', "7"),
            ("# comment\nID=first\nID=second\\ x\n", ""),
        ]
    ):
        release.write_text(text)
        deploy(pair, pair.commit(tree, version=version, time=number))


#: Shell commands in ``etc``.
ETC_EDITS = {
    "modify": "echo local > a",
    "modify deep": "echo local > sub/deep/d",
    "chmod": "chmod 600 b",
    "chown": "chown 5:6 sub/c",
    "setuid": "chmod 4755 b",
    "delete": "rm b",
    "delete directory": "rm -r sub/deep",
    "add": "echo local > added",
    "add directory": "mkdir -p mine/below; echo local > mine/below/f; ln -s below/f mine/l; "
    "chmod 710 mine/below; chown 7:8 mine",
    "link to file": "rm link; echo x > link",
    "file to link": "rm a; ln -s b a",
    "retarget link": "ln -sfn b link",
    "file to directory": "rm a; mkdir a; echo x > a/inside",
    "directory to link": "rm -r sub; ln -s a sub",
    "chmod directory": "chmod 700 sub",
    "chmod directory and file": "chmod 711 sub; echo local > sub/c",
    "time": f"echo local > a; touch -d @{OLD_TIME} a",
    "updated": "touch .updated",
    "nothing": ":",
}

#: Shell commands in ``usr/etc``.
DEFAULT_CHANGES = {
    "nothing": ":",
    "change all": "for f in a b sub/c sub/deep/d; do echo default > $f; done",
    "add": "echo default > added; mkdir mine; echo default > mine/default; "
    "echo default > sub/deep/more",
    "remove": "rm -r a sub",
    "files become directories": "rm a b; mkdir a b; echo default > b/x",
    "directory becomes file": "rm -r sub; echo default > sub",
    "directory becomes link": "mv sub elsewhere; ln -s elsewhere sub",
}

#: Where the reference gives up and we go on: there is nothing left to be removed.
OURS_GOES_ON = {("delete directory", "directory becomes file")}


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one branch for each change of the defaults, and ``base``."""
    directory = tmp_path_factory.mktemp("defaults")
    repo = directory / "repo"
    repo.mkdir()
    reference("init", f"--repo={repo}", "--mode=archive")
    base = make_tree(directory / "base")
    for number, (name, change) in enumerate([("base", ":"), *DEFAULT_CHANGES.items()]):
        tree = directory / str(number)
        shutil.copytree(base, tree, symlinks=True)
        shell(change, tree / "usr/etc")
        branch = name.replace(" ", "-")
        reference("commit", f"--repo={repo}", f"--branch={branch}", f"--tree=dir={tree}", "-s", "x")
    return repo


@pytest.mark.parametrize("edit", ETC_EDITS)
def test_etc_merge(pair: Pair, defaults: Path, edit: str) -> None:
    """Every local edit against every change of the defaults."""
    pair.init_stateroot("os")
    for repo in pair.both("ostree/repo"):
        reference("pull-local", f"--repo={repo}", defaults)

    for change in DEFAULT_CHANGES:
        if (edit, change) in OURS_GOES_ON:
            continue
        deploy(pair, "base", arguments=["--no-merge", "--no-prune"])
        edit_etc(pair, lambda etc: shell(ETC_EDITS[edit], etc))
        deploy(pair, change.replace(" ", "-"), arguments=["--no-prune"])


def shell(command: str, directory: Path) -> None:
    subprocess.run(["/bin/sh", "-ec", command], check=True, cwd=directory)


def test_attributes_go_with_changed_files_only(pair: Pair, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    pair.init_stateroot("os")
    deploy(pair, pair.commit(tree, version=None, time=1))

    def edit(etc: Path) -> None:
        (etc / "sub/c").write_text("local")
        for name in ("a", "sub", "sub/c"):
            os.setxattr(etc / name, "user.note", name.encode())

    edit_etc(pair, edit)
    (tree / "usr/data").write_text("2")
    deploy(pair, pair.commit(tree, version=None, time=2))

    with Sysroot.open(pair.ours) as sysroot:
        etc = Path(sysroot.deployment_path(sysroot.deployments[0])) / "etc"
    noted = [n for n in ("a", "sub", "sub/c") if "user.note" in os.listxattr(etc / n)]
    assert noted == ["sub", "sub/c"]


@pytest.mark.parametrize("seed", range(3))
def test_random_sequences(pair: Pair, tmp_path: Path, seed: int) -> None:
    """Deploy, edit, upgrade and undeploy in any order."""
    chance = random.Random(seed)
    tree = make_tree(tmp_path / "tree")
    for name in ("os", "other"):
        pair.init_stateroot(name)
    pair.commit(tree, version=None, time=0)
    deploy(pair, "test/os")
    count = 1

    for step in range(8):
        stateroot = chance.choice(["os", "os", "other"])
        if chance.random() < 0.6:
            change_tree(tree, chance)
            version = chance.choice([None, "1", str(step)])
            pair.commit(tree, version=version, time=1 + step)
        if chance.random() < 0.5:
            seed_of_edits = chance.random()
            edit_etc(
                pair,
                lambda etc, again=seed_of_edits: random_edits(etc, random.Random(again)),  # type: ignore[misc]
                chance.randrange(count),
            )
        action = chance.random()
        if action < 0.35 and stateroot == "os":
            upgrade(pair)
        elif action < 0.5 and count > 1:
            undeploy(pair, chance.randrange(count))
        else:
            options = chance.sample(
                ["--karg-append=x", "--karg=k=1", "--retain", "--not-as-default", "--no-merge"], 2
            )
            deploy(pair, "test/os", stateroot=stateroot, arguments=options)
        with Sysroot.open(pair.ours) as sysroot:
            count = len(sysroot.deployments)
            if not any(d.stateroot == "os" for d in sysroot.deployments):
                break


def change_tree(tree: Path, chance: random.Random) -> None:
    (tree / "usr/data").write_text(str(chance.random()))
    if chance.random() < 0.3:
        (tree / "usr/lib/modules/5.10/vmlinuz").write_text(str(chance.random()))
    for name in ("a", "sub/c", "fresh", "sub/fresh"):
        if chance.random() < 0.4:
            (tree / "usr/etc" / name).write_text(str(chance.random()))


def random_edits(etc: Path, chance: random.Random) -> None:
    for name in ("a", "b", "sub/c", "sub/deep/d", "mine"):
        path = etc / name
        action = chance.random()
        if action < 0.3 and path.parent.is_dir():
            path.write_text(str(chance.random()))
            path.chmod(chance.choice([0o600, 0o644, 0o755]))
        elif action < 0.4 and path.is_file():
            path.unlink()


def test_our_sysroot_is_readable_by_the_reference(pair: Pair, tmp_path: Path) -> None:
    """The reference lists, upgrades and removes what we deployed."""
    tree = make_tree(tmp_path / "tree")
    pair.init_stateroot("os")
    pair.commit(tree, version="1", time=1)
    with Sysroot.open(pair.ours) as sysroot:
        first = sysroot.deploy("test/os", stateroot="os")
    (tree / "usr/data").write_text("2")
    pair.commit(tree, version="2", time=2)

    listed = reference("admin", "status", f"--sysroot={pair.ours}").lines
    reference("admin", "upgrade", f"--sysroot={pair.ours}", "--os=os", "--deploy-only")
    with Sysroot.open(pair.ours) as sysroot:
        deployments = sysroot.deployments
    reference("admin", "undeploy", f"--sysroot={pair.ours}", "1")
    reference("fsck", f"--repo={pair.ours}/ostree/repo")

    assert listed[0].strip() == f"os {first.name}"
    assert [d.checksum for d in deployments][1:] == [first.checksum]
