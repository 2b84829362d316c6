"""What a commit will be like as a deployment, found out before anything is written."""

from __future__ import annotations

import stat
from functools import cached_property

from ostree.errors import FormatError, SysrootError
from ostree.formats.dirtree import decode_references
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.kernel import boot_checksum, installed_sizes
from ostree.sysroot.lint import read_tree_facts
from ostree.sysroot.room import Room, in_blocks
from ostree.sysroot.tree_files import CommitFiles
from ostree.sysroot.writing import read_os_release
from ostree.types import Checksum, ObjectType, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.repo.tree_view import Tree
    from ostree.sysroot.kernel import KernelLayout
    from ostree.sysroot.lint import TreeFacts

#: Bytes of an entry of a dirtree besides the name, at least.
_FILE_BYTES, _DIRECTORY_BYTES = 32, 64


class Foresight:
    """A commit that is to be deployed; what is asked for is read, and kept.

    Args:
        repo: Where the commit is; has to stay open.
        checksum: The commit.
        device_trees: Whether device trees belong to the kernel.

    Raises:
        OSTreeError: from everything here, an object is missing or damaged.
    """

    def __init__(self, repo: Repo, checksum: Checksum, *, device_trees: bool) -> None:
        self._repo = repo
        self._checksum = checksum
        self._device_trees = device_trees
        self._root = repo.tree(checksum)
        self.files = CommitFiles(self._root)

    @cached_property
    def facts(self) -> TreeFacts:
        """What :func:`~ostree.sysroot.lint.lint` judges."""
        return read_tree_facts(self.files, self._os_release(), device_trees=self._device_trees)

    def _os_release(self) -> dict[str, str] | None:
        try:
            return read_os_release(self.files)
        except SysrootError:
            return None

    @property
    def kernel(self) -> KernelLayout:
        """What belongs below ``/boot``.

        Raises:
            SysrootError: there is no kernel.
        """
        if self.facts.kernel is None:
            raise SysrootError(self.facts.kernel_error)
        return self.facts.kernel

    @cached_property
    def bootcsum(self) -> str:
        """The boot checksum; kernel and initramfs are read for it."""
        return boot_checksum(self.files, self.kernel)

    @cached_property
    def kernel_sizes(self) -> list[int]:
        """Bytes of the files that are put below ``/boot``."""
        return installed_sizes(self.files, self.kernel)

    @property
    def default_etc(self) -> Tree | None:
        """The default configuration, if there is one."""
        path = self.files.find("usr/etc", stat.S_IFDIR)
        return None if path is None else self._root[path]

    def as_deployment(self, stateroot: str, serial: int = 0) -> Deployment:
        """The deployment that will be made of it."""
        return Deployment(
            stateroot=stateroot, checksum=self._checksum, serial=serial, bootcsum=self.bootcsum
        )

    def checkout_need(self, block: int) -> Room:
        """What the checkout takes: directories, and files that cannot be hard links.

        Args:
            block: The block size of the file system, in bytes.
        """
        copies = self._repo.mode is not RepoMode.BARE
        need = self._tree_need(self._root, block, copies=copies)
        if self.default_etc is None:
            return need
        return need.plus(self._tree_need(self.default_etc, block, copies=True))

    def _tree_need(self, directory: Tree, block: int, *, copies: bool) -> Room:
        """What a directory takes; each dirtree is read once, however often it occurs."""
        if directory.tree_id is None:
            raise FormatError(f"{directory.path} is no directory")
        top = directory.tree_id.dirtree.digest
        own: dict[bytes, tuple[Room, list[bytes]]] = {}
        whole: dict[bytes, Room] = {}
        stack = [top]
        while stack:
            digest = stack[-1]
            if digest not in own:
                own[digest] = self._directory_need(digest, block, copies=copies)
                stack += [below for below in own[digest][1] if below not in own]
                continue
            stack.pop()
            if digest not in whole:
                need, below = own[digest]
                # One that contains itself, as no honest one can, takes nothing there.
                for each in below:
                    need = need.plus(whole.get(each, Room(0, 0)))
                whole[digest] = need
        return whole[top]

    def _directory_need(
        self, digest: bytes, block: int, *, copies: bool
    ) -> tuple[Room, list[bytes]]:
        """What a directory takes without those below it; and these."""
        data = self._repo.load_metadata(digest.hex(), ObjectType.DIRTREE)
        files, directories = decode_references(data)
        # The names are what of the object is no checksum.
        names = len(data) - _FILE_BYTES * len(files) - _DIRECTORY_BYTES * len(directories)
        sizes = [max(1, names)]
        if copies:
            sizes += [self._repo.load_file_header(Checksum(each.hex()))[1] for each in files]
        return Room(in_blocks(sizes, block), len(sizes)), [dirtree for dirtree, _ in directories]
