"""What every boot loader can do."""

from __future__ import annotations

import os

from ostree.errors import FormatError, SysrootError
from ostree.sysroot.loading import read_text
from ostree.sysroot.tree_files import DirectoryFiles
from ostree.system.files import describe, open_subdirectory, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.boot_entry import BootEntry
    from ostree.formats.sysroot_config import SysrootConfig
    from ostree.sysroot.deployment import Deployment
    from ostree.sysroot.settings import SysrootSettings
    from ostree.sysroot.tree_files import TreeFiles


class ConfigFile:
    """A file of a boot loader's configuration.

    Attributes:
        path: Relative to the sysroot.
        data: What is to be written, or None if another program decides on it.
    """

    __slots__ = ("data", "path")

    def __init__(self, path: str, data: bytes | None) -> None:
        self.path = path
        self.data = data

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfigFile):
            return NotImplemented
        return (self.path, self.data) == (other.path, other.data)

    def __hash__(self) -> int:
        return hash((self.path, self.data))

    def __repr__(self) -> str:
        return f"ConfigFile({self.path!r}, {self.data!r})"


class ConfigFacts:
    """What a boot loader's configuration depends on besides the boot entries.

    Attributes:
        current: The text of the configuration that is replaced.
        system: What the default deployment adds, or None if it adds nothing.
        prefix: Goes in front of paths of boot entries, where that has to be found out.
        generator: The program that makes the configuration, or None if we do.
    """

    __slots__ = ("current", "generator", "prefix", "system")

    def __init__(
        self,
        *,
        current: str = "",
        system: str | None = None,
        prefix: str = "",
        generator: str | None = None,
    ) -> None:
        self.current = current
        self.system = system
        self.prefix = prefix
        self.generator = generator


class Bootloader:
    """The configuration of one boot loader in one sysroot.

    Deciding and acting are apart: :meth:`read_facts` reads, :meth:`config_files` says what is to
    be written and touches nothing, :meth:`write_config` is both and the writing.

    Args:
        config: The repository's ``[sysroot]`` group.
        settings: How some steps are done.
        root_fd: The sysroot.

    Attributes:
        name: What upstream calls it in its messages.
        counts_by_entry: Whether boot entries are copied to where the boot loader counts tries by
            them, so that a deployment with the entry of another one would not be counted.
    """

    name = ""
    counts_by_entry = False

    def __init__(self, config: SysrootConfig, settings: SysrootSettings, root_fd: int) -> None:
        self._config = config
        self._settings = settings
        self._root_fd = root_fd

    @property
    def atomic(self) -> bool:
        """Whether the configuration takes effect with the rename of ``boot/loader``."""
        return True

    def is_active(self) -> bool:
        """Whether the sysroot is set up for this boot loader."""
        raise NotImplementedError

    def read_facts(self, tree: TreeFiles | None) -> ConfigFacts:
        """Read what :meth:`config_files` needs.

        Args:
            tree: That of the first deployment of the new list, which for a plan may be a commit
                still; None if the list is empty.

        Raises:
            SysrootError: what has to be there is not.
            FormatError: a file is not text, or longer than it can be.
            OSError: reading failed.
        """
        del tree
        return ConfigFacts()

    def config_files(
        self, facts: ConfigFacts, bootversion: int, entries: Sequence[BootEntry]
    ) -> list[ConfigFile]:
        """The configuration of ``bootversion``; nothing is read or written.

        Args:
            facts: From :meth:`read_facts`.
            bootversion: The one that becomes active next.
            entries: The boot entries of the new list, in its order.

        Raises:
            SysrootError: an entry cannot be expressed, or the present configuration is malformed.
        """
        raise NotImplementedError

    def write_config(self, bootversion: int, deployments: Sequence[Deployment]) -> None:
        """Write the configuration of ``bootversion``.

        Nothing of it takes effect before ``boot/loader`` is renamed; until then it can be
        repeated.

        Args:
            bootversion: The one that becomes active next; its directory is there.
            deployments: The new list, with its boot entries.

        Raises:
            SysrootError: an entry cannot be expressed.
            OSError: writing failed.
        """
        facts = self.read_facts_of(deployments)
        for file in self.config_files(facts, bootversion, [d.entry for d in deployments]):
            if file.data is not None:
                replace_file(file.path, file.data, self._root_fd)

    def read_facts_of(self, deployments: Sequence[Deployment]) -> ConfigFacts:
        """As :meth:`read_facts`, for a list whose trees are checked out."""
        if not deployments:
            return self.read_facts(None)
        tree_fd = open_subdirectory(self._root_fd, deployments[0].path)
        try:
            return self.read_facts(DirectoryFiles(tree_fd))
        finally:
            os.close(tree_fd)

    def after_swap(self, bootversion: int, deployments: Sequence[Deployment]) -> None:
        """What is left to do when ``boot/loader`` has been renamed and is on disk.

        To be called before anything is removed that the former configuration refers to, and
        again, by whoever finds the sysroot next, if the program was interrupted before it was
        done; nothing happens where nothing is left to do.

        Args:
            bootversion: The active one.
            deployments: The list that is active now.

        Raises:
            SysrootError: it failed; the new list is active nevertheless.
            OSError: reading or writing failed.
        """


def read_current(path: str, root_fd: int) -> str:
    """The configuration that is replaced; upstream insists on it, even where it is not used.

    Raises:
        SysrootError: it cannot be read.
        FormatError: it is not UTF-8, or longer than such a file can be.
    """
    try:
        return read_text(path, root_fd)
    except FormatError as error:
        error.add_prefix(path)
        raise
    except OSError as error:
        raise SysrootError(describe(f"openat({path})", error)) from error
