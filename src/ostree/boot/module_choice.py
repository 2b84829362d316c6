"""Which kernel modules a ramdisk holds, and which of them it loads at once; no disk is touched."""

from __future__ import annotations

from ostree.errors import NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    from ostree.formats.kernel_module import ModuleInfo

    class Catalog(Protocol):
        """The modules of one kernel."""

        def info(self, name: str) -> ModuleInfo | None:
            """The facts of a module; None if there is none of that name."""

        def is_builtin(self, name: str) -> bool:
            """Whether the kernel itself has what the name or alias stands for."""

        def with_alias(self, alias: str) -> Iterable[str]:
            """The modules that are found under an alias, exactly as it is written."""


class ModuleChoice:
    """A set of modules that is complete in itself.

    Attributes:
        dependencies: The name of each, with those that have to be loaded before it, in that order.
        at_start: Those to load whatever the machine has, in order.
    """

    __slots__ = ("at_start", "dependencies")

    def __init__(
        self, dependencies: Mapping[str, tuple[str, ...]], at_start: Iterable[str]
    ) -> None:
        self.dependencies = dict(dependencies)
        self.at_start = tuple(at_start)


def choose_modules(
    catalog: Catalog,
    *,
    required: Iterable[str],
    at_start: Iterable[str],
    drivers: Iterable[str],
) -> ModuleChoice:
    """The modules that are asked for and all that those need.

    What is built into the kernel is left out.  A soft dependency is taken if it exists, by its name
    or as an alias, and loaded at the start: a kernel asks for it in the middle of loading the other
    one, and where it is not found then, as ``crc32c`` for ext4 on armmp, the mount fails.

    Args:
        catalog: The kernel's modules.
        required: Asked for by name: an error if there is none; loaded at the start.
        at_start: Taken if they exist, and loaded at the start.
        drivers: Taken if they exist, and loaded where the hardware is found.

    Raises:
        NotFoundError: a module is neither there nor in the kernel.
    """
    chooser = _Chooser(catalog)
    for name in at_start:
        if catalog.info(name) is not None:
            chooser.add(name, start=True)
    for name in required:
        if not catalog.is_builtin(name):
            chooser.add(name, start=True)
    for name in drivers:
        if catalog.info(name) is not None:
            chooser.add(name, start=False)
    return ModuleChoice(chooser.dependencies, chooser.at_start)


class _Chooser:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.dependencies: dict[str, tuple[str, ...]] = {}
        self.at_start: list[str] = []
        self._visited: set[tuple[str, bool]] = set()

    def add(self, name: str, *, start: bool) -> None:
        """Take a module with what it needs; once is enough, and soft circles end here."""
        if (name, start) in self._visited:
            return
        self._visited.add((name, start))
        needed = self._needed(name, ())
        self.dependencies[name] = needed
        for each in (*needed, name):
            info = self._info(each)
            self._add_soft(info.before)
            if each != name:
                self.add(each, start=False)
            if start and each == name and name not in self.at_start:
                self.at_start.append(name)
            self._add_soft(info.after)

    def _add_soft(self, names: Iterable[str]) -> None:
        for name in names:
            if self._catalog.is_builtin(name):
                continue
            found = [name] if self._catalog.info(name) else sorted(self._catalog.with_alias(name))
            for each in found:
                self.add(each, start=True)

    def _needed(self, name: str, above: tuple[str, ...]) -> tuple[str, ...]:
        """Everything that has to be loaded before a module, first ones first."""
        order: list[str] = []
        for need in self._info(name).needs:
            if self._catalog.is_builtin(need) or need in above:
                continue
            for each in (*self._needed(need, (*above, name)), need):
                if each not in order:
                    order.append(each)
        return tuple(order)

    def _info(self, name: str) -> ModuleInfo:
        info = self._catalog.info(name)
        if info is None:
            raise NotFoundError(f"No kernel module {name}")
        return info
