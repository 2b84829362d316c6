"""``prepare-root.conf``: how the root of a system is put together (boot §4.3)."""

from __future__ import annotations

from enum import Enum

from ostree.errors import FormatError
from ostree.formats.kernel_arguments import KernelArguments
from ostree.formats.keyfile import KeyFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ARGUMENT = "ostree.prepare-root.composefs"
_WORDS = {"yes": "yes", "true": "yes", "1": "yes", "no": "no", "false": "no", "0": "no"}


class Composefs(Enum):
    """Whether ``/`` is a composefs image."""

    NO = "no"
    #: If the deployment has one.
    MAYBE = "maybe"
    YES = "yes"
    #: And every file has to have its fs-verity digest.
    VERITY = "verity"
    #: And the image has to be the one that is signed.
    SIGNED = "signed"


class PrepareRootConfig:
    """What the configuration says.

    Attributes:
        composefs: Whether ``/`` is a composefs image.
        verity: Whether every file of it has to have its fs-verity digest.
        etc_transient: Whether ``/etc`` forgets what is written.
        root_transient: Whether ``/`` is writable and forgets what is written.
        root_transient_ro: Whether it is such a one, mounted read-only.
    """

    __slots__ = ("composefs", "etc_transient", "root_transient", "root_transient_ro", "verity")

    def __init__(self, texts: Iterable[bytes], command_line: str) -> None:
        """Read it.

        Args:
            texts: The configuration files; a later one overrides keys of an earlier one.
            command_line: The kernel's.

        Raises:
            FormatError: a value is none of its key.
        """
        files = [KeyFile.parse(text) for text in texts]
        enabled = _last(files, "composefs", "enabled")
        self.composefs = _parse("composefs.enabled", enabled or "no")
        self.verity = self.composefs in {Composefs.VERITY, Composefs.SIGNED}
        argument = KernelArguments.parse(command_line).get(_ARGUMENT)
        if argument is not None:
            self.composefs = _parse(_ARGUMENT, argument)
        self.etc_transient = _boolean(files, "etc", "transient")
        self.root_transient = _boolean(files, "root", "transient")
        self.root_transient_ro = _boolean(files, "root", "transient-ro")
        if self.root_transient and self.root_transient_ro:
            raise FormatError("Cannot set both root.transient and root.transient-ro")


def _parse(key: str, text: str) -> Composefs:
    word = _WORDS.get(text, text)
    try:
        return Composefs(word)
    except ValueError:
        raise FormatError(f"Invalid value '{text}' of {key}") from None


def _last(files: list[KeyFile], group: str, key: str) -> str | None:
    found = None
    for file in files:
        if file.has_key(group, key):
            found = file.get_string(group, key)
    return found


def _boolean(files: list[KeyFile], group: str, key: str) -> bool:
    found = False
    for file in files:
        if file.has_key(group, key):
            found = file.get_boolean(group, key)
    return found
