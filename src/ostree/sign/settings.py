"""What the surroundings say about signatures: where keys are, which engines may be used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Keyrings that every repository trusts (signatures §2.4).
GLOBAL_KEYRINGS = "/usr/share/ostree/trusted.gpg.d"
#: Where files of trusted and revoked keys are (signatures §3.5), the first ones first.
KEY_DIRECTORIES = ("/etc/ostree", "/usr/share/ostree")


class SignSettings:
    """How signatures are made and verified here.

    Attributes:
        global_keyrings: Directory of OpenPGP keyrings that are trusted by everyone who has not
            got a keyring of his own.
        key_directories: Where files with keys of the other engines are.
        dummy: Whether the engine ``dummy``, which proves nothing, may be used (for tests).
    """

    __slots__ = ("dummy", "global_keyrings", "key_directories")

    def __init__(
        self,
        *,
        global_keyrings: str = GLOBAL_KEYRINGS,
        key_directories: Sequence[str] = KEY_DIRECTORIES,
        dummy: bool = False,
    ) -> None:
        self.global_keyrings = global_keyrings
        self.key_directories = key_directories
        self.dummy = dummy
