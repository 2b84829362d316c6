"""The interface of signatures: data in, a signature out; data and signatures in, a verdict out.

A :class:`Signer` holds a secret key, a :class:`Verifier` the keys that are trusted.  Both know
under which key of a dictionary their signatures are kept; everything else about a scheme is its
engine's business.  The only error is :class:`~ostree.errors.SignatureError`.
"""

from __future__ import annotations

from ostree.formats import signature_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.signature_dict import Dictionary


class Signer:
    """Makes signatures with one secret key.

    Attributes:
        metadata_key: Where dictionaries keep signatures of this kind.
    """

    metadata_key = ""

    def sign(self, data: bytes) -> bytes:
        """The signature of data; twice the same data may give two different ones.

        Raises:
            SignatureError: if the key cannot be used.
        """
        raise NotImplementedError


class Verdict:
    """Why signatures were found good."""

    __slots__ = ()

    def descriptions(self, prefix: str = "") -> list[str]:
        """For people, about each signature: lines, each with its end and a prefix."""
        raise NotImplementedError

    def describe(self) -> str:
        """All of it."""
        return "".join(self.descriptions())


class Verifier:
    """Checks signatures against the keys that it trusts.

    One good signature is enough, whatever the others are, except as an engine says otherwise.

    Attributes:
        metadata_key: Where dictionaries keep signatures of this kind.
    """

    metadata_key = ""

    def verify(self, data: bytes, signatures: Sequence[bytes] | None) -> Verdict:
        """Make sure that one of the signatures is good.

        Args:
            data: What is signed, byte for byte.
            signatures: As stored, oldest first; None if there is no place for any.

        Raises:
            SignatureError: in the engine's words, if none is.
        """
        raise NotImplementedError

    def signatures(self, dictionary: Dictionary) -> list[bytes] | None:
        """The signatures of this kind in a dictionary, None if it has none."""
        return signature_dict.signatures(dictionary, self.metadata_key)
