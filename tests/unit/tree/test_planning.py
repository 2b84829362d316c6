"""What is planned for trees of all kinds; nothing here touches a disk."""

from __future__ import annotations

import pytest

from ostree.tree.facts import Entry, Kind, TreeFacts
from ostree.tree.planning import PrepareOptions, VarFiles, VarPolicy, plan_preparation
from ostree.tree.state import SNIPPET
from ostree.tree.units import ShippedFile
from support.draft_trees import SYSTEMD, Contents, facts_of

USUAL = PrepareOptions()


def steps(contents: Contents, options: PrepareOptions = USUAL) -> list[str]:
    """What is planned, in words; it must be possible."""
    plan = plan_preparation(facts_of(contents), options)
    assert plan.problems == []
    return [step.describe() for step in plan.steps]


def problems(facts: TreeFacts, options: PrepareOptions = USUAL) -> list[str]:
    return list(plan_preparation(facts, options).problems)


def snippet(contents: Contents, options: PrepareOptions = USUAL) -> list[str]:
    """The lines of tmpfiles.d that are written, without those that every tree gets."""
    plan = plan_preparation(facts_of({**SYSTEMD, **contents}), options)
    assert plan.problems == []
    (text,) = (step.content.decode() for step in plan.steps if step.path == SNIPPET)
    always = ("#", "d /var/home", "d /var/roothome", "d /var/srv", "d /var/mnt", "d /run/media")
    return [line for line in text.splitlines() if not line.startswith((*always, "d /var/opt "))]


def test_a_tree_of_the_old_shape() -> None:
    contents: Contents = {"bin/sh": "s", "lib/libc.so": "c", "etc/passwd": "p", "usr/bin/env": "e"}

    planned = steps(contents)

    assert planned[:6] == [
        "Move /bin/sh to /usr/bin/sh",
        "Remove /bin",
        "Link /bin to usr/bin",
        "Move /lib to /usr/lib",
        "Link /lib to usr/lib",
        "Move /etc to /usr/etc",
    ]
    assert "Link /ostree to sysroot/ostree" in planned
    assert "Make the directory /tmp, mode 1777" in planned


@pytest.mark.parametrize(
    ("contents", "planned"),
    [
        ({"bin/x": "-> ../usr/bin/x", "usr/bin/x": "1"}, "Remove /bin/x"),
        ({"bin/x": "1", "usr/bin/x": "-> ../../bin/x"}, "Move /bin/x to /usr/bin/x"),
        ({"bin/x": "1", "usr/bin/x": "-> /bin/x"}, "Move /bin/x to /usr/bin/x"),
        ({"bin/x": "1", "usr/bin/x": "1"}, "Remove /bin/x"),
        ({"bin/x": "-> nowhere", "usr/bin/x": "-> nowhere"}, "Remove /bin/x"),
        ({"lib/x": "-> ../etc/x", "etc/x": "1"}, "Link /lib/x to ../../etc/x"),
        ({"lib/a/x": "-> ../../etc/x", "usr/lib/y": ""}, "Link /lib/a/x to ../../../etc/x"),
        ({"lib/d/x": "1", "usr/lib/d": "-> ../../lib/d"}, "Remove /usr/lib/d"),
        ({"usr/bin/x": "1"}, "Link /bin to usr/bin"),
        ({"bin": "-> /usr/bin", "usr/bin/x": "1"}, "Link /bin to usr/bin"),
    ],
)
def test_what_is_there_twice_is_settled(contents: Contents, planned: str) -> None:
    assert planned in steps(contents)


def test_links_inside_of_what_moves_stay() -> None:
    contents: Contents = {
        "lib/a": "-> b",
        "lib/d/c": "-> ../b",
        "lib/b": "",
        "lib/e": "-> /etc",
        "etc/mtab": "-> ../proc/self/mounts",
        "lib64": "-> lib",
        "sbin": "-> bin",
        "bin/x": "",
    }

    planned = steps(contents)

    assert [step for step in planned if step.startswith("Link /lib/")] == []
    assert [step for step in planned if "mtab" in step or "lib64" in step or "sbin" in step] == []


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"bin/x": "1", "usr/bin/x": "2"}, ["/bin/x and /usr/bin/x differ"]),
        (
            {"bin/x": "1", "usr/bin/x": "2", "etc/y": "1", "usr/etc/y": "2"},
            ["/bin/x and /usr/bin/x differ", "/etc/y and /usr/etc/y differ"],
        ),
        ({"bin": "file"}, ["/bin is neither a directory nor a link"]),
        ({"usr": "-> /elsewhere"}, ["/usr is no directory"]),
        ({"ostree/repo/config": ""}, ["this is the root of a system with deployments"]),
        ({}, ["There is nothing in it"]),
        ({"app/program": "1"}, ["/app/program is outside of /usr, /etc and /var"]),
        ({"file": "1"}, ["/file is a file in the root"]),
        ({"media/disk/file": "1"}, ["/media/disk/file would be lost"]),
        ({"boot/uEnv.txt": "a=b"}, ["/boot/uEnv.txt would be taken for a part"]),
        ({"home": "file"}, ["/home is neither a directory nor a link"]),
        ({"proc": "-> x"}, ["/proc is no directory"]),
    ],
)
def test_what_cannot_be_done_is_refused_and_named(contents: Contents, words: list[str]) -> None:
    found = problems(facts_of(contents))

    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))


def test_directories_have_to_agree() -> None:
    other = {"usr/lib/d": Entry(Kind.DIRECTORY, 0o700, 5, 6)}
    facts = facts_of({"lib/d/x": "1", "usr/lib/d/y": "1"}, changed=other)

    assert problems(facts) == [
        "/lib/d (0755 0:0) and /usr/lib/d (0700 5:6) differ in mode or owner"
    ]


def test_nothing_is_touched_where_something_is_mounted() -> None:
    facts = facts_of({"usr/bin/x": ""})._replace(mounts=("proc", "dev/pts"))

    assert problems(facts) == [
        "Something is mounted at /proc; unmount it first",
        "Something is mounted at /dev/pts; unmount it first",
    ]


def test_the_user_may_keep_something_in_the_root() -> None:
    contents: Contents = {"app/program": "1", "data": None}

    planned = steps(contents, PrepareOptions(keep={"app"}))

    assert not [step for step in planned if "/app" in step or "/data" in step]


# state ----------------------------------------------------------------------------------------


def test_state_becomes_lines() -> None:
    contents: Contents = {
        "var/lib/app": None,
        "var/empty": "",
        "var/run": "-> /run",
        "var/lib/app/conf": "content",
        "root/.profile": "content",
        "opt/vendor/bin/tool": "program",
    }

    assert snippet(contents) == [
        "f /var/empty 0644 0 0 -",
        "d /var/lib 0755 0 0 -",
        "d /var/lib/app 0755 0 0 -",
        "C /var/lib/app/conf 0644 0 0 -",
        "L /var/opt/vendor - - - - ../../usr/lib/opt/vendor",
        "C /var/roothome/.profile 0644 0 0 -",
        "L /var/run - - - - /run",
    ]


def test_lines_come_before_anything_is_taken_away() -> None:
    planned = steps({**SYSTEMD, "var/a/b": "content"})

    written = next(i for i, step in enumerate(planned) if "ostree-tree.conf" in step)
    assert planned[written + 1 : written + 7][-1] == "Remove /var/a"
    assert "Move /var/a/b to /usr/share/factory/var/a/b" in planned[written:]


def test_what_other_snippets_make_is_left_to_them() -> None:
    conf = "d /var/log 0755\nL /var/run - - - - ../run\nf /var/log/wtmp 0664 0 43 -\n"
    contents: Contents = {
        "usr/lib/tmpfiles.d/var.conf": conf,
        "var/log/wtmp": "",
        "var/run": "-> ../run",
        "var/log/other": "",
    }

    assert snippet(contents) == ["f /var/log/other 0644 0 0 -"]


def test_lines_of_an_earlier_run_are_kept() -> None:
    """Else an interrupted run would lose what it has moved already."""
    old = "# header\nd /var/moved 0711 7 8 -\nd /var/home 0700 3 3 -\n"

    assert "d /var/moved 0711 7 8 -" in snippet({SNIPPET: old, "var/left": None})


def test_owners_may_be_given() -> None:
    """For a tree that an ordinary user has unpacked, and commits with --owner-uid."""
    contents: Contents = {**SYSTEMD, "var/a": None}
    facts = facts_of(contents, changed={"var/a": Entry(Kind.DIRECTORY, 0o755, 1000, 1000)})

    plan = plan_preparation(facts, PrepareOptions(owner=(0, None)))

    (text,) = (step.content.decode() for step in plan.steps if step.path == SNIPPET)
    assert "d /var/a 0755 0 1000 -" in text


def test_databases_of_packages_belong_to_the_tree() -> None:
    contents: Contents = {**SYSTEMD, "var/lib/dpkg/status": "installed"}

    assert "Move /var/lib/dpkg to /usr/share/dpkg/database" in steps(contents)
    assert snippet(contents) == [
        "d /var/lib 0755 0 0 -",
        "L /var/lib/dpkg - - - - ../../usr/share/dpkg/database",
    ]


def test_content_may_be_refused() -> None:
    facts = facts_of({**SYSTEMD, "var/a": "content", "var/b": ""})

    assert problems(facts, PrepareOptions(var_files=VarFiles.REFUSE)) == [
        "/var/a has content, which a tree cannot have in /var"
    ]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry(Kind.SOCKET), "/var/x is a socket or a device"),
        (Entry(Kind.DIRECTORY, xattrs=("user.a", "security.selinux")), "the attribute user.a"),
        (Entry(Kind.LINK, target="a\nb"), "cannot be written"),
    ],
)
def test_state_that_no_line_describes_is_refused(entry: Entry, words: str) -> None:
    facts = facts_of({**SYSTEMD, "var/y": ""}, changed={"var/x": entry})

    (problem,) = problems(facts)

    assert words in problem


def test_without_systemd_var_stays() -> None:
    contents: Contents = {"usr/bin/sh": "", "var/a": "content", "home/user/file": "content"}
    plan = plan_preparation(facts_of(contents), USUAL)

    planned = [step.describe() for step in plan.steps]

    assert "Move /home to /var/home" in planned
    assert not [step for step in planned if "/var/a" in step or "tmpfiles" in step]
    assert any("no systemd-tmpfiles" in note for note in plan.notes)
    assert steps(contents, PrepareOptions(var=VarPolicy.TMPFILES))[-1] != planned[-1] or any(
        "tmpfiles" in step for step in steps(contents, PrepareOptions(var=VarPolicy.TMPFILES))
    )


def test_usr_local_may_become_state() -> None:
    contents: Contents = {**SYSTEMD, "usr/local/bin/x": "-> ../../lib/x"}

    planned = steps(contents, PrepareOptions(local_state=True))

    assert "Move /usr/local to /var/usrlocal" in planned
    assert "Link /usr/local to ../var/usrlocal" in planned
    assert not [step for step in steps(contents) if "usr/local" in step]


@pytest.mark.parametrize(
    ("identity", "emptied"),
    [("0123456789abcdef0123456789abcdef\n", True), ("", False), ("uninitialized\n", False)],
)
def test_machines_do_not_share_an_identity(identity: str, emptied: bool) -> None:
    planned = steps({"etc/machine-id": identity, "usr/bin/x": ""})

    assert ("Write /usr/etc/machine-id, 0 bytes" in planned) is emptied


UNIT = b"[Unit]\nWantedBy=no\n[Install]\nRequiredBy=a.target\nWantedBy=b.target c.target\n"
UNITS = [
    ShippedFile("usr/lib/systemd/system-generators/ostree-system-generator", b"generator", 0o755),
    ShippedFile("usr/lib/systemd/system/ostree-x.service", UNIT, 0o644),
]
WITH_UNITS = PrepareOptions(units=UNITS)
BOOTED: Contents = {**SYSTEMD, "usr/lib/systemd/systemd": "s", "usr/bin/ostree": "o"}


def test_units_are_added_and_the_generator_comes_last() -> None:
    """It tells whether they are all there.  None is enabled: one of them may restart the machine."""
    planned = [step for step in steps(BOOTED, WITH_UNITS) if "/systemd/" in step]

    assert planned == [
        "Make the directory /usr/lib/systemd/system, mode 0755",
        f"Write /usr/lib/systemd/system/ostree-x.service, {len(UNIT)} bytes",
        "Make the directory /usr/lib/systemd/system-generators, mode 0755",
        "Write /usr/lib/systemd/system-generators/ostree-system-generator, 9 bytes",
    ]


def test_units_of_the_distribution_stay() -> None:
    own: Contents = {UNITS[0].path: "theirs"}

    assert not [step for step in steps({**BOOTED, **own}, WITH_UNITS) if "/systemd/" in step]


def test_units_need_the_command() -> None:
    tree = {path: content for path, content in BOOTED.items() if path != "usr/bin/ostree"}
    plan = plan_preparation(facts_of(tree), WITH_UNITS)

    assert not [step for step in plan.steps if "/systemd/" in step.path]
    assert any("The tree has no /usr/bin/ostree" in note for note in plan.notes)


# kernel ---------------------------------------------------------------------------------------

V = "6.1.0-1-arm"
M = f"usr/lib/modules/{V}"


@pytest.mark.parametrize(
    ("contents", "planned"),
    [
        # Debian
        (
            {f"boot/vmlinuz-{V}": "k", f"boot/initrd.img-{V}": "i", f"lib/modules/{V}/x.ko": "m"},
            [
                f"Move /boot/initrd.img-{V} to /{M}/initramfs.img",
                f"Move /boot/vmlinuz-{V} to /{M}/vmlinuz",
            ],
        ),
        # Fedora
        (
            {f"{M}/vmlinuz": "k", f"boot/initramfs-{V}.img": "i"},
            [f"initramfs-{V}.img to /{M}/init"],
        ),
        # Alpine
        (
            {"boot/vmlinuz-lts": "k", "boot/initramfs-lts": "i", f"{M}/x.ko": "m"},
            [f"/initramfs-lts to /{M}/initramfs.img", f"/boot/vmlinuz-lts to /{M}/vmlinuz"],
        ),
        # Yocto
        (
            {"boot/zImage": f"-> zImage-{V}", f"boot/zImage-{V}": "k", f"{M}/x.ko": "m"},
            [f"Move /boot/zImage-{V} to /{M}/vmlinuz", "Remove /boot/zImage"],
        ),
        # Buildroot
        ({"boot/bzImage": "k", f"{M}/x.ko": "m"}, [f"Move /boot/bzImage to /{M}/vmlinuz"]),
        # a kernel without modules
        ({f"boot/Image-{V}": "k"}, [f"Move /boot/Image-{V} to /{M}/vmlinuz"]),
        # device trees
        ({f"{M}/vmlinuz": "k", "boot/board.dtb": "d"}, [f"board.dtb to /{M}/devicetree"]),
        (
            {f"{M}/vmlinuz": "k", "boot/a.dtb": "d", "boot/b.dtb": "d"},
            [f"/boot/a.dtb to /{M}/dtb/a.dtb", f"/boot/b.dtb to /{M}/dtb/b.dtb"],
        ),
        ({f"{M}/vmlinuz": "k", "boot/dtbs/ti/a.dtb": "d"}, [f"Move /boot/dtbs to /{M}/dtb"]),
        ({f"{M}/vmlinuz": "k", f"usr/lib/linux-image-{V}/a.dtb": "d"}, [f"-{V} to /{M}/dtb"]),
        # the rest
        ({f"{M}/vmlinuz": "k", "boot/splash": "s"}, ["Move /boot to /usr/lib/ostree-boot"]),
        # of two the one that the user names
        (
            {f"boot/vmlinuz-{V}": "k", "boot/vmlinuz-5": "k", "usr/lib/modules/5/x": ""},
            ["Move /boot/vmlinuz-5 to /usr/lib/modules/5/vmlinuz"],
        ),
    ],
)
def test_kernels_are_found(contents: Contents, planned: list[str]) -> None:
    wanted = "5" if "boot/vmlinuz-5" in contents else None

    found = steps(contents, PrepareOptions(kernel_version=wanted))

    assert [step for step in found if any(words in step for words in planned)].__len__() == len(
        planned
    ), found


@pytest.mark.parametrize(
    ("contents", "wanted", "words"),
    [
        ({"boot/vmlinuz-1": "", "boot/vmlinuz-2": ""}, None, "several kernels (1, 2); name"),
        ({"boot/vmlinuz": ""}, None, "Which release /boot/vmlinuz is cannot be told; name"),
        (
            {"boot/vmlinuz": "", "lib/modules/1/x": "", "lib/modules/2/x": ""},
            None,
            "cannot be told (1, 2 have modules)",
        ),
        ({"boot/vmlinuz-1": ""}, "7", "/boot has no kernel 7"),
        (
            {"lib/modules/1/vmlinuz": "", "lib/modules/2/vmlinuz": ""},
            None,
            "/usr/lib/modules has several kernels (1, 2)",
        ),
        ({"lib/modules/1/vmlinuz": ""}, "2", "The kernel in /usr/lib/modules is 1, not 2"),
    ],
)
def test_which_kernel_has_to_be_clear(contents: Contents, wanted: str | None, words: str) -> None:
    found = problems(facts_of(contents), PrepareOptions(kernel_version=wanted))

    assert len(found) == 1
    assert words in found[0]


def test_a_tree_without_a_kernel_is_told_of() -> None:
    plan = plan_preparation(facts_of({"usr/bin/x": ""}), USUAL)

    assert "There is no kernel: the tree can be committed, but not deployed." in plan.notes
