"""What a commit will be like as a deployment, found out before anything is written."""

from __future__ import annotations

from functools import cached_property

from ostree.errors import FormatError, SysrootError
from ostree.repo import tree
from ostree.sysroot.deployment import Deployment
from ostree.sysroot.kernel import boot_checksum, installed_sizes
from ostree.sysroot.lint import read_tree_facts
from ostree.sysroot.room import Room, in_blocks
from ostree.sysroot.tree_files import CommitFiles
from ostree.sysroot.writing import read_os_release
from ostree.types import RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.repo.repository import Repo
    from ostree.sysroot.kernel import KernelLayout
    from ostree.sysroot.lint import TreeFacts
    from ostree.types import Checksum

#: Bytes of a directory's entry besides the name.
_ENTRY_BYTES = 8


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
        root = tree.Entry("/", tree=self._root.tree_id)
        copies = self._repo.mode is not RepoMode.BARE
        need = self._tree_need(root, block, copies=copies)
        default_etc = self.files.find("usr/etc", 0o040000)
        if default_etc is None:
            return need
        etc = tree.Entry(f"/{default_etc}", tree=self._root[default_etc].tree_id)
        return need.plus(self._tree_need(etc, block, copies=True))

    def _tree_need(self, root: tree.Entry, block: int, *, copies: bool) -> Room:
        size, files = in_blocks([_directory_bytes(root, self._repo)], block), 1
        for entry in tree.walk(self._repo, root):
            if entry.tree is not None:
                size += in_blocks([_directory_bytes(entry, self._repo)], block)
                files += 1
            elif copies:
                size += in_blocks([self._file_bytes(entry)], block)
                files += 1
        return Room(size, files)

    def _file_bytes(self, entry: tree.Entry) -> int:
        if entry.checksum is None:
            raise FormatError(f"{entry.path} is a directory")
        return self._repo.load_file_header(entry.checksum)[1]


def _directory_bytes(entry: tree.Entry, repo: Repo) -> int:
    """About what a directory's names take."""
    return sum(_names(entry, repo), 2 * _ENTRY_BYTES)


def _names(entry: tree.Entry, repo: Repo) -> Iterator[int]:
    for child in tree.children(repo, entry):
        yield _ENTRY_BYTES + len(child.name)
