"""Random defaults of ``/etc``, and what users and new releases do to them."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_NAMES = (b"a", b"b", b"conf.d", b"name with blank", "ünïcode".encode(), b".hidden", b"z")
#: No commit can have this one, but a user can.
_LOCAL_NAMES = (*_NAMES, b"\xff\xfe not text", b"l" * 200)
_TARGETS = (
    b"a",
    b"b",
    b"conf.d",
    b"../a",
    b"conf.d/a",
    b"nowhere",
    b".",
    b"/no/such/place",
    b"../../x",
)
_MODES = (0o644, 0o644, 0o644, 0o600, 0o755, 0o4755, 0o2755, 0o444, 0o000)
_DIRECTORY_MODES = (0o755, 0o755, 0o755, 0o700, 0o1777, 0o2775)
#: Nanoseconds; what was changed has older times, so that they can be told from those of copies.
LONG_AGO = 10**18
_CONTENTS = (b"", b"default\n", b"local\n", b"x" * 70000)


def make_default(chance: random.Random, top: bytes) -> None:
    """A tree of some files, directories and links; only what a commit can hold."""
    os.mkdir(top)
    _fill(chance, top, 3, _NAMES)


def change(chance: random.Random, top: bytes, *, local: bool) -> None:
    """Change some of it; ``local`` ones also in ways that no new release could."""
    names = _LOCAL_NAMES if local else _NAMES
    for _ in range(chance.randint(0, 7)):
        directories, others = _paths(top)
        everything = directories[1:] + others
        acts: list[Callable[[], object]] = [
            lambda d=directories: _make(  # type: ignore[misc]
                chance, os.path.join(chance.choice(d), chance.choice(names)), 2, names, local=local
            )
        ]
        if everything:
            path = chance.choice(everything)
            acts += [
                lambda p=path: _remove(p),  # type: ignore[misc]
                lambda p=path: _make(chance, p, 2, names, local=local),  # type: ignore[misc]
                lambda p=path: _decorate(chance, p),  # type: ignore[misc]
            ]
        if others:
            path = chance.choice(others)
            acts += [lambda p=path: _rewrite(chance, p)] * 3  # type: ignore[misc]
        if local and others:
            path = chance.choice(others)
            place = os.path.join(chance.choice(directories), chance.choice(names))
            acts.append(lambda p=path, q=place: _link(p, q))  # type: ignore[misc]
        chance.choice(acts)()
    for path in _paths(top)[1]:
        when = chance.randrange(LONG_AGO)
        os.utime(path, ns=(when, when), follow_symlinks=False)


def _paths(top: bytes) -> tuple[list[bytes], list[bytes]]:
    directories = [top]
    others: list[bytes] = []
    for path, below, names in os.walk(top):
        below.sort()
        for name in [*below, *sorted(names)]:
            full = os.path.join(path, name)
            is_directory = stat.S_ISDIR(os.lstat(full).st_mode)
            (directories if is_directory else others).append(full)
    return directories, others


def _fill(chance: random.Random, path: bytes, depth: int, names: tuple[bytes, ...]) -> None:
    for name in chance.sample(names, chance.randint(0, min(5, len(names)))):
        _make(chance, os.path.join(path, name), depth, names, local=False)


def _make(
    chance: random.Random, path: bytes, depth: int, names: tuple[bytes, ...], *, local: bool
) -> None:
    _remove(path)
    kind = chance.random()
    if kind < 0.35 and depth:
        os.mkdir(path)
        _fill(chance, path, depth - 1, names)
    elif kind < 0.55:
        os.symlink(chance.choice(_TARGETS), path)
    elif kind < 0.62 and local:
        _make_special(chance, path)
    else:
        with open(path, "wb") as file:
            file.write(chance.choice(_CONTENTS))
    _decorate(chance, path)


def _make_special(chance: random.Random, path: bytes) -> None:
    kind = chance.choice(["fifo", "socket", "device"])
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket" and len(path) < 100:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
    else:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


def _decorate(chance: random.Random, path: bytes) -> None:
    if chance.random() < 0.25:
        os.lchown(path, chance.randint(0, 3), chance.randint(0, 3))
    if os.path.islink(path):
        return
    if chance.random() < 0.4:
        modes = _DIRECTORY_MODES if os.path.isdir(path) else _MODES
        os.chmod(path, chance.choice(modes))
    if chance.random() < 0.2 and (os.path.isdir(path) or os.path.isfile(path)):
        name = chance.choice(["user.note", "trusted.note", "security.note"])
        os.setxattr(path, name, chance.choice([b"1", b"two\0", b"3" * 50]))


def _rewrite(chance: random.Random, path: bytes) -> None:
    if stat.S_ISREG(os.lstat(path).st_mode):
        with open(path, "wb") as file:
            file.write(chance.choice(_CONTENTS))


def _link(path: bytes, place: bytes) -> None:
    if not os.path.lexists(place):
        os.link(path, place, follow_symlinks=False)


def _remove(path: bytes) -> None:
    if not os.path.lexists(path):
        return
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def describe(top: bytes) -> dict[bytes, tuple[object, ...]]:
    """All that can be seen of a tree but the times of what was made just now."""
    found = {b".": _describe(top)}
    for directory, below, names in os.walk(top):
        for name in [*below, *names]:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, top)] = _describe(path)
    return found


def _describe(path: bytes) -> tuple[object, ...]:
    info = os.lstat(path)
    attributes = {
        name: os.getxattr(path, name, follow_symlinks=False)
        for name in os.listxattr(path, follow_symlinks=False)
    }
    facts: tuple[object, ...] = (oct(info.st_mode), info.st_uid, info.st_gid, attributes)
    if stat.S_ISLNK(info.st_mode):
        return (*facts, os.readlink(path))
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            content = file.read()
        when = info.st_mtime_ns if info.st_mtime_ns < LONG_AGO else None
        return (*facts, info.st_nlink, when, content)
    return facts
