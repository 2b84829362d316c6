"""Random trees, archives and rule files for both programs to read."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from pathlib import Path

_NAMES = (
    "a",
    "b",
    "bin",
    "lib",
    "etc",
    "x.txt",
    "name with blank",
    "ünïcode",
    ".hidden",
    "z9",
    "s",
)
_MODES = (0o644, 0o755, 0o600, 0o444, 0o4755, 0o2755, 0o666, 0o777, 0o1644, 0o640)
_DIRECTORY_MODES = (0o755, 0o755, 0o700, 0o775, 0o1777, 0o2775)


class Tree:
    """A directory on the disk.

    Attributes:
        path: Where it is.
        files: Paths of its files and links, absolute within the tree.
        regular: Those of its files alone.
        directories: Those of its directories, without the root.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[str] = []
        self.regular: list[str] = []
        self.directories: list[str] = []

    @property
    def paths(self) -> list[str]:
        """Every path in it but the root."""
        return self.files + self.directories


def make_tree(chance: random.Random, path: Path, *, canonical: bool) -> Tree:
    """A tree of a few entries; canonical ones suit repositories of mode bare-user-only."""
    tree = Tree(path)
    path.mkdir(parents=True)
    _fill(chance, tree, "", 3, canonical=canonical)
    if chance.random() < 0.3:
        modules = path / "usr/lib/modules/6.1.0"
        if not any((path / part).is_file() or (path / part).is_symlink() for part in ("usr",)):
            modules.mkdir(parents=True)
            (modules / "vmlinuz").write_bytes(b"kernel")
    return tree


def _fill(chance: random.Random, tree: Tree, below: str, depth: int, *, canonical: bool) -> None:
    here = tree.path / below.lstrip("/")
    for name in chance.sample(_NAMES, chance.randint(0 if below else 1, 5)):
        path = here / name
        shown = f"{below}/{name}"
        kind = chance.random()
        if kind < 0.3 and depth:
            path.mkdir()
            tree.directories.append(shown)
            _fill(chance, tree, shown, depth - 1, canonical=canonical)
        elif kind < 0.45:
            os.symlink(chance.choice(["a", "../b", "/usr/bin", "nowhere"]), path)
            tree.files.append(shown)
        else:
            path.write_bytes(_content(chance))
            tree.files.append(shown)
            tree.regular.append(shown)
        _decorate(chance, path, canonical=canonical)


def _content(chance: random.Random) -> bytes:
    return chance.choice([b"", b"a\n", b"hello\n", b"A" * 5000, chance.randbytes(40)])


def _decorate(chance: random.Random, path: Path, *, canonical: bool) -> None:
    if chance.random() < 0.3 and not canonical:
        os.lchown(path, chance.randint(0, 3), chance.randint(0, 3))
    if path.is_symlink():
        return
    if path.is_dir():
        path.chmod(chance.choice(_DIRECTORY_MODES))
    else:
        path.chmod(chance.choice((0o644, 0o755) if canonical else _MODES))
    if chance.random() < 0.15 and not canonical:
        os.setxattr(path, "user.k", chance.choice([b"1", b"two", b"three\0"]))


def make_tar(chance: random.Random, path: Path) -> list[str]:
    """A tar archive; the paths of its files."""
    paths: list[str] = []
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, "./", tarfile.DIRTYPE, 0o755)
        directories = [""]
        for name in chance.sample(_NAMES, chance.randint(1, 5)):
            base = chance.choice(directories)
            member = f"{base}{name}"
            kind = chance.random()
            if kind < 0.3:
                _add(archive, member, tarfile.DIRTYPE, chance.choice(_DIRECTORY_MODES))
                directories.append(f"{member}/")
                continue
            if kind < 0.45:
                _add(archive, member, tarfile.SYMTYPE, 0o777, target="a")
            elif kind < 0.55 and paths:
                _add(archive, member, tarfile.LNKTYPE, 0o644, target=chance.choice(paths)[1:])
                continue
            else:
                mode = chance.choice(_MODES)
                _add(archive, member, tarfile.REGTYPE, mode, content=_content(chance))
            paths.append(f"/{member}")
    return paths


def _add(
    archive: tarfile.TarFile,
    name: str,
    kind: bytes,
    mode: int,
    *,
    target: str = "",
    content: bytes = b"",
) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, target, len(content)
    info.uid, info.gid = 1, 2
    archive.addfile(info, io.BytesIO(content))
