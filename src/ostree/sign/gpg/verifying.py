"""Checking OpenPGP signatures: one run of ``gpg`` for all signatures of one thing."""

from __future__ import annotations

import time

from ostree.errors import FormatError, SignatureError
from ostree.formats.openpgp import dearmored, signature_packets
from ostree.sign.engine import check_count
from ostree.sign.gpg.keyring import list_keys
from ostree.sign.gpg.process import gpg_home
from ostree.sign.gpg.signature import Teller, parse_statuses
from ostree.sign.interface import Verdict, Verifier
from ostree.system.machine_zone import MachineZone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.sign.gpg.listing import GpgKey
    from ostree.sign.gpg.signature import GpgSignature

#: Where dictionaries keep OpenPGP signatures.
METADATA_KEY = "ostree.gpgsigs"


class GpgVerdict(Verdict):
    """What is known of signatures, good or not.

    Attributes:
        signatures: In the order in which they were checked; bad ones end that.
    """

    __slots__ = ("_keys", "_ring", "signatures")

    def __init__(self, signatures: list[GpgSignature], ring: bytes) -> None:
        self.signatures = signatures
        self._ring = ring
        self._keys: list[GpgKey] | None = None

    @property
    def is_valid(self) -> bool:
        """Whether one of them proves something."""
        return any(signature.is_valid for signature in self.signatures)

    def key_of(self, signature: GpgSignature) -> GpgKey | None:
        """The key that made a signature, if it is in the keyring."""
        if self._keys is None:
            wanted = list(dict.fromkeys(known.fingerprint for known in self.signatures))
            self._keys = list_keys(self._ring, wanted)
        return next((key for key in self._keys if key.has(signature.fingerprint)), None)

    def descriptions(self, prefix: str = "") -> list[str]:
        """See :meth:`Verdict.descriptions` and :class:`Teller`."""
        teller = Teller(MachineZone(), time.time(), prefix)
        return [teller.describe(known, self.key_of(known)) for known in self.signatures]


class GpgVerifier(Verifier):
    """A verifier with a keyring; being in it is all that a key needs.

    Args:
        ring: Tells its content, when that is needed for the first time; may raise.
    """

    metadata_key = METADATA_KEY

    def __init__(self, ring: bytes | Callable[[], bytes]) -> None:
        self._ring = ring

    @property
    def ring(self) -> bytes:
        """The keyring."""
        if not isinstance(self._ring, bytes):
            self._ring = self._ring()
        return self._ring

    def verify(self, data: bytes, signatures: Sequence[bytes] | None) -> GpgVerdict:
        """See :meth:`Verifier.verify`; nothing behind the first bad signature counts."""
        if signatures is None:
            raise SignatureError("No GPG signatures found")
        verdict = self.check(data, signatures)
        if not verdict.is_valid:
            raise SignatureError("".join(reversed(verdict.descriptions())).removesuffix("\n"))
        return verdict

    def check(self, data: bytes, signatures: Sequence[bytes]) -> GpgVerdict:
        """What each signature is worth.

        Raises:
            SignatureError: ``GPG: Unable to complete signature verification: …`` if these are no
                signatures.
        """
        ring = self.ring
        check_count(signatures)
        blob = b"".join(map(dearmored, signatures))
        try:
            # A whole signed message here would prove nothing about the data.
            check_count(signature_packets(blob))
        except FormatError as error:
            raise _no_data() from error
        if not blob:
            raise _no_data()
        with gpg_home(ring) as home:
            path = home.write("signatures", blob)
            found = parse_statuses(home.run("--verify", "--", path, "-", data=data).statuses)
        if found is None:
            raise _no_data()
        return GpgVerdict(found, ring)


def _no_data() -> SignatureError:
    return SignatureError("GPG: Unable to complete signature verification: GPGME: No data")
