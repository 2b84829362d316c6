"""OpenPGP keys of people who do not exist, made by ``gpg`` in a home of its own."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    import os
    from pathlib import Path

#: The key of the format document's vector, and its signature of the vector's commit.
VECTOR_FINGERPRINT = "2075CB4E4B59D0B14D9637FB8DD95310C45F70ED"
VECTOR_KEY = """
mDMEZZdGgBYJKwYBBAHaRw8BAQdANiq+eWIcjnqv8VckKLH27A6BKdhJ20sw5xdFWKybB5W0G1ZlY3RvciA8dmVjdG9yQGV4YW1w
bGUub3JnPoiQBBMWCAA4FiEEIHXLTktZ0LFNljf7jdlTEMRfcO0FAmWXRoACGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQ
jdlTEMRfcO12NQD9FvggnVqWwRuiAJhMQMULfGQGn39b/nT8eP64OnizmkYA/1vz8mqIu378TtAeRO5rlzGSHnjEHKXt9pH2YIqr
spgM
"""
VECTOR_COMMIT = bytes.fromhex(
    "766563746f72000000000000659200804d45b8f10ca8c485c985cef2053db7b22dec9c05f401a7937113237b5c924aa9"
    "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488300807000000"
)
VECTOR_SIGNATURE = bytes.fromhex(
    "887504001608001d1621042075cb4e4b59d0b14d9637fb8dd95310c45f70ed05"
    "0265974680000a09108dd95310c45f70ed156200fc0a58dccd5f23efe6fc1453"
    "b6035777b832ba9fca613f87d408d610a986eec50600ff5f2bc297c30a229696"
    "bee35a4e71ef2c46a06f98ad2fa23d486ff0f600e85c0d"
)


class KeyMaker:
    """A GnuPG home, and what is done there; ends its agent when the block ends."""

    def __init__(self, home: Path) -> None:
        if not shutil.which("gpg"):
            pytest.skip("gpg is not installed (Debian: gnupg)")
        home.mkdir(mode=0o700)
        self.home = home

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        subprocess.run(
            ["gpgconf", "--homedir", self.home, "--kill", "all"], check=False, capture_output=True
        )

    def run(self, *arguments: str | os.PathLike[str], data: bytes = b"") -> bytes:
        """Run ``gpg`` there; returns what it prints."""
        done = subprocess.run(
            ["gpg", "--homedir", self.home, "--batch", "--quiet", *arguments],
            input=data,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(
        self, user: str, *, algorithm: str = "ed25519", expires: str = "never", subkey: str = ""
    ) -> str:
        """Make a key that signs; returns its fingerprint."""
        quiet = ("--passphrase", "", "--allow-freeform-uid")
        self.run(*quiet, "--quick-generate-key", user, algorithm, "sign", expires)
        fingerprint = self.fingerprints(user)[0]
        if subkey:
            self.run(*quiet, "--quick-add-key", fingerprint, algorithm, "sign", subkey)
        return fingerprint

    def make_odd(self, user: str) -> str:
        """Make a key whose user ID ``gpg`` would not find again; returns its fingerprint."""
        quiet = ("--passphrase", "", "--allow-freeform-uid", "--status-fd", "1")
        told = self.run(*quiet, "--quick-generate-key", user, "ed25519", "sign", "never")
        line = next(line for line in told.splitlines() if b" KEY_CREATED " in line)
        return line.split()[3].decode()

    def fingerprints(self, user: str) -> list[str]:
        """Those of a user's key and its subkeys."""
        listed = self.run("--with-colons", "--list-keys", "--", f"={user}").decode()
        return [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr")]

    def export(self, *names: str, armor: bool = False) -> bytes:
        """The public keys of these names, or all."""
        return self.run(*(("--armor",) if armor else ()), "--export", *names)

    def sign(self, data: bytes, name: str, *options: str) -> bytes:
        """The signature of data."""
        return self.run(*options, "--detach-sign", "--local-user", name, data=data)

    def revoke(self, fingerprint: str) -> None:
        """Take a key back."""
        path = self.home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        certificate = path.read_text().replace(":-----BEGIN", "-----BEGIN")
        self.run("--import", data=certificate.encode())

    def expire(self, fingerprint: str, when: str) -> None:
        """Change when a key ends."""
        self.run("--quick-set-expire", fingerprint, when)
