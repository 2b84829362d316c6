"""Making OpenPGP signatures with a secret key of the user."""

from __future__ import annotations

import os

from ostree.errors import SignatureError
from ostree.sign.gpg.keyring import LEAST_NAME
from ostree.sign.gpg.listing import LIST, parse_keys
from ostree.sign.gpg.process import GpgOutput, run_gpg
from ostree.sign.gpg.verifying import METADATA_KEY
from ostree.sign.interface import Signer

#: Codes of errors that users cause, in the words of GnuPG.
_REASONS = {
    11: "Bad passphrase",
    17: "No secret key",
    54: "Unusable secret key",
    85: "No pinentry",
    86: "No pinentry",
    99: "Operation cancelled",
}
_UNUSABLE = _REASONS[54]


class GpgSigner(Signer):
    """A signer with a secret key that ``gpg`` knows.

    Args:
        name: Anything that means exactly one secret key.
        home: The GnuPG home that has it; None for the user's own.

    Raises:
        SignatureError: if there is no such key, or more than one.
    """

    metadata_key = METADATA_KEY

    def __init__(self, name: str, home: str | None = None) -> None:
        self._home = home
        self.fingerprint = _find(name, home)

    def sign(self, data: bytes) -> bytes:
        """See :meth:`Signer.sign`; whoever holds the passphrase may be asked for it."""
        import tempfile

        with tempfile.TemporaryDirectory(prefix="ostree-gpg-") as directory:
            path = os.path.join(directory, "signature")
            output = run_gpg(
                ("--output", path, "--local-user", self.fingerprint, "--detach-sign"),
                home=self._home,
                data=data,
            )
            try:
                with open(path, "rb") as file:
                    signature = file.read()
            except FileNotFoundError:
                signature = b""
        if output.code != 0 or not signature:
            raise SignatureError(f"Failure signing commit file: {_reason(output)}")
        return signature


def _find(name: str, home: str | None) -> str:
    """The fingerprint of the secret key of a name."""
    if len(name.encode("utf-8", "surrogateescape")) < LEAST_NAME:
        raise SignatureError(f"Unable to lookup key ID {name}: GPGME: Invalid value")
    listed = run_gpg((*LIST, "--list-secret-keys", "--", name), home=home)
    found = {key.primary.fingerprint for key in parse_keys(listed.text)}
    place = "<default>" if home is None else home
    if not found:
        raise SignatureError(f"No gpg key found with ID {name} (homedir: {place})")
    if len(found) > 1:
        raise SignatureError(
            f"gpg key id {name} ambiguous (homedir: {place}). Try the fingerprint instead"
        )
    return found.pop()


def _reason(output: GpgOutput) -> str:
    if output.find("INV_SGNR") is not None:
        return f"GPGME: {_UNUSABLE}"
    failure = output.find("FAILURE")
    code = failure[2] if failure is not None and len(failure) > 2 else ""
    number = int(code) & 0xFFFF if code.isascii() and code.isdigit() else 0
    return f"GPGME: {_REASONS[number]}" if number in _REASONS else output.last_line()
