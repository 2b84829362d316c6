"""Labels as libselinux looks them up: for random rules, and for the policy of a distribution."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import stat
from pathlib import Path

import pytest

from ostree.errors import OSTreeError
from ostree.system.selinux import Policy
from support.policies import make_policy

LIBRARY = "libselinux.so.1"
#: Where distributions have their policies: Debian, Fedora.
POLICIES = ("/etc/selinux/default", "/etc/selinux/targeted")
KINDS = (
    stat.S_IFREG,
    stat.S_IFDIR,
    stat.S_IFLNK,
    stat.S_IFCHR,
    stat.S_IFBLK,
    stat.S_IFIFO,
    stat.S_IFSOCK,
)
_SELABEL_CTX_FILE = 0
_SELABEL_OPT_PATH = 3


class _Option(ctypes.Structure):
    """``struct selinux_opt``."""

    _fields_ = (("type", ctypes.c_int), ("value", ctypes.c_char_p))


class Library:
    """The rules in a file, read by libselinux."""

    def __init__(self, file_contexts: Path) -> None:
        try:
            library = ctypes.CDLL(LIBRARY, use_errno=True)
        except OSError:
            pytest.skip(f"{LIBRARY} is not installed (Debian: libselinux1)")
        library.selabel_open.restype = ctypes.c_void_p
        library.selabel_open.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_uint]
        library.selabel_lookup_raw.argtypes = [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_char_p),
            ctypes.c_char_p,
            ctypes.c_int,
        ]
        library.selabel_close.argtypes = [ctypes.c_void_p]
        option = _Option(_SELABEL_OPT_PATH, os.fsencode(file_contexts))
        self._library = library
        self._handle = library.selabel_open(_SELABEL_CTX_FILE, ctypes.byref(option), 1)

    @property
    def is_open(self) -> bool:
        """Whether it accepts the file."""
        return bool(self._handle)

    def label(self, path: str, mode: int) -> bytes | None:
        found = ctypes.c_char_p()
        ctypes.set_errno(0)
        result = self._library.selabel_lookup_raw(
            self._handle, ctypes.byref(found), os.fsencode(path), mode
        )
        if result == 0:
            return (found.value or b"") + b"\0"
        if ctypes.get_errno() != errno.ENOENT:
            raise OSTreeError("an expression is none")
        return None

    def close(self) -> None:
        if self._handle:
            self._library.selabel_close(self._handle)


NAMES = ("a", "b", "usr", "etc", "x.y", "log", "1", "lib64", "a b", "ü")
PARTS = (
    "a",
    "b",
    "usr",
    "etc",
    r"x\.y",
    "x.y",
    "log",
    "[^/]*",
    "[^/]+",
    ".*",
    "[0-9]+",
    "lib(64)?",
    "(a|b)",
    "[[:alpha:]]+",
    r"\d",
    "a?",
    "us{1}r",
    "(?:x|1)",
    "a{,2}",
    "lo(g)?",
)
ENDS = ("", "", "", "(/.*)?", "/.*", "/", "|/etc/b", ".*", "+")


def random_rules(chance: random.Random) -> str:
    lines = ["/.*\tother"]
    for number in range(chance.randint(1, 25)):
        depth = chance.randint(1, 3)
        # The library takes a first component with a backslash for a name, so it never matches.
        parts = [chance.choice([part for part in PARTS if "\\" not in part])]
        parts += [chance.choice(PARTS) for _ in range(depth - 1)]
        path = "".join(f"/{part}" for part in parts) + chance.choice(ENDS)
        kind = chance.choice(["", "", "--", "-d", "-l", "-c", "-b", "-p", "-s"])
        label = f"label{number}"
        if depth > 1 and chance.random() < 0.1:
            label = "<<none>>"
        lines.append(f"{path}\t{kind}\t{label}")
    return "\n".join(lines) + "\n"


def random_path(chance: random.Random) -> str:
    path = "".join(f"/{chance.choice(NAMES)}" for _ in range(chance.randint(1, 4)))
    return path + chance.choice(["", "", "", "/", "x"])


@pytest.mark.parametrize("seed", range(40))
def test_random_rules(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    root = make_policy(tmp_path, contexts=random_rules(chance))
    files = root / "contexts/files"
    for name in ("homedirs", "local"):
        if chance.random() < 0.3:
            (files / f"file_contexts.{name}").write_text(random_rules(chance))
    for name in ("subs", "subs_dist"):
        if chance.random() < 0.5:
            pairs = [(random_path(chance), random_path(chance)) for _ in range(4)]
            text = "".join(f"{a.rstrip('/')} {b.rstrip('/')}\n" for a, b in pairs if " " not in a)
            (files / f"file_contexts.{name}").write_text(text)
    theirs = Library(files / "file_contexts")
    ours = Policy.open(tmp_path)

    assert ours is not None
    assert theirs.is_open
    for _ in range(300):
        path, mode = random_path(chance), chance.choice([0, *KINDS])
        assert (path, mode, ours.label(path, mode)) == (path, mode, theirs.label(path, mode))
    theirs.close()


@pytest.mark.parametrize("policy", POLICIES)
def test_policy_of_a_distribution(policy: str) -> None:
    """For all paths of this machine's ``/etc``, and some of the rest, of every type."""
    contexts = Path(policy, "contexts/files/file_contexts")
    if not contexts.exists():
        pytest.skip(f"{policy} is not there (Debian: selinux-policy-default)")
    ours = Policy.of_files(policy)
    theirs = Library(contexts)
    chance = random.Random(1)
    paths = [os.path.join(top, name) for top, _, names in os.walk("/etc") for name in names]
    for top in ("/usr", "/var", "/boot", "/root", "/run"):
        for directory, _, names in os.walk(top):
            if chance.random() < 0.05:
                paths += [directory, *(os.path.join(directory, name) for name in names[:20])]
    paths += [
        path
        for known in (
            "home/somebody/.ssh/key",
            "lib64/security/pam.so",
            "dev/sda1",
            "srv/www/x",
            "opt/google/chrome",
            "tmp/.X11-unix/X0",
        )
        for path in (f"/{known}",)
    ]

    for path in paths[:20000]:
        for mode in chance.sample(KINDS, 2):
            assert (path, mode, ours.label(path, mode)) == (path, mode, theirs.label(path, mode))
    theirs.close()
