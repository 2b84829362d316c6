"""Root file systems written down as text, for tests of their preparation."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostree.tree.facts import Entry, Kind, TreeFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: What a tree has: text for a file, ``-> target`` for a link, None for an empty directory.
Contents = dict[str, str | None]

#: The least that makes a tree one with systemd.
SYSTEMD: Contents = {"usr/bin/systemd-tmpfiles": "program"}

#: A tree with little left to do, as the documentation shows it.
NEARLY_PREPARED: Contents = {
    "bin/sh": "shell",
    "boot": None,
    "dev": None,
    "etc/hostname": "device\n",
    "home": "-> var/home",
    "media": "-> run/media",
    "mnt": "-> var/mnt",
    "opt": "-> var/opt",
    "proc": None,
    "root": "-> var/roothome",
    "run": None,
    "srv": "-> var/srv",
    "sys": None,
    "sysroot": None,
    "tmp": None,
    "usr/lib/modules/6.1/vmlinuz": "kernel",
    "lib": "-> usr/lib",
    "var/home": None,
    "var/mnt": None,
    "var/opt": None,
    "var/roothome": None,
    "var/srv": None,
}

#: The least that can be deployed.
BOOTABLE: Contents = {
    "usr/lib/modules/6.1/vmlinuz": "kernel",
    "usr/lib/modules/6.1/initramfs.img": "ramdisk",
    "usr/lib/os-release": "ID=os\nPRETTY_NAME=Os\n",
}


def facts_of(
    contents: Contents,
    *,
    changed: Mapping[str, Entry] | None = None,
    same: Callable[[str, str], bool] | None = None,
) -> TreeFacts:
    """The facts of a tree; directories above what is named come by themselves."""
    entries: dict[str, Entry] = {}
    for path, content in contents.items():
        parts = path.split("/")
        for depth in range(1, len(parts)):
            entries.setdefault("/".join(parts[:depth]), Entry(Kind.DIRECTORY))
        if content is None:
            entries[path] = Entry(Kind.DIRECTORY)
        elif content.startswith("-> "):
            entries[path] = Entry(Kind.LINK, 0o777, target=content[3:])
        else:
            entries[path] = Entry(Kind.FILE, 0o644, size=len(content))
    texts = {path: text.encode() for path, text in contents.items() if text is not None}
    return TreeFacts(
        {**entries, **(changed or {})},
        texts=texts,
        same=same or (lambda one, other: contents.get(one) == contents.get(other)),
    )


def write_tree(root: Path, contents: Contents) -> Path:
    """The same on the disk."""
    for path, content in contents.items():
        here = root / path
        here.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            here.mkdir(exist_ok=True)
        elif content.startswith("-> "):
            here.symlink_to(content[3:])
        else:
            here.write_text(content)
    return root


def snapshot(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Mode, owner and content, or target, of everything in a tree."""
    found = {}
    for directory, names, files in os.walk(root):
        for name in (*names, *files):
            path = os.path.join(directory, name)
            info = os.lstat(path)
            content = ""
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = file.read().decode("latin-1")
            place = os.path.relpath(path, root)
            found[place] = (info.st_mode, info.st_uid, info.st_gid, content)
    return found
