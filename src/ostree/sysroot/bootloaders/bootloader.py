"""What every boot loader can do."""

from __future__ import annotations

from ostree.errors import SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sysroot.deployment import Deployment


class Bootloader:
    """Writes the configuration of one boot loader.

    Attributes:
        name: What upstream calls it in its messages.
        atomic: Whether the configuration takes effect with the rename of ``boot/loader``.
    """

    name = ""
    atomic = True

    def is_active(self, root_fd: int) -> bool:
        """Whether the sysroot is set up for this boot loader."""
        raise NotImplementedError

    def check(self) -> None:
        """Find out early whether :meth:`write_config` can work at all.

        Raises:
            SysrootError: it cannot.
        """

    def write_config(
        self, root_fd: int, bootversion: int, deployments: Sequence[Deployment]
    ) -> None:
        """Write the configuration for ``bootversion`` into ``boot/loader.BOOTVERSION``.

        Nothing of it takes effect before ``boot/loader`` is renamed, if :attr:`atomic`; until
        then it can be repeated.

        Args:
            root_fd: The sysroot.
            bootversion: The one that becomes active next.
            deployments: The new list, with its boot entries.

        Raises:
            SysrootError: an entry cannot be expressed.
            OSError: writing failed.
        """
        raise NotImplementedError


class UnsupportedBootloader(Bootloader):
    """A boot loader that we recognise and cannot write for."""

    def check(self) -> None:
        """Tell which it is."""
        raise SysrootError(f"The boot loader {self.name} is not supported yet")

    def write_config(
        self, root_fd: int, bootversion: int, deployments: Sequence[Deployment]
    ) -> None:
        """Tell which it is."""
        del root_fd, bootversion, deployments
        self.check()
