"""The engine ``spki`` (signatures §3.3): X.509 public keys, each with its own scheme.

Ed25519 and Ed448 sign the data itself, RSA is PKCS #1 v1.5 and ECDSA and DSA their DER form, all of
SHA-256: what OpenSSL does for a key if it is not told otherwise.
"""

from __future__ import annotations

from ostree.errors import FormatError, SignatureError
from ostree.formats import base64_text, pem
from ostree.formats.edwards import is_of_small_order
from ostree.sign.engine import KeyPairEngine, missing_library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    _PublicKey: TypeAlias = (
        dsa.DSAPublicKey
        | ec.EllipticCurvePublicKey
        | ed448.Ed448PublicKey
        | ed25519.Ed25519PublicKey
        | rsa.RSAPublicKey
    )
    _PrivateKey: TypeAlias = (
        dsa.DSAPrivateKey
        | ec.EllipticCurvePrivateKey
        | ed448.Ed448PrivateKey
        | ed25519.Ed25519PrivateKey
        | rsa.RSAPrivateKey
    )

#: Largest key and signature, in bytes.
_LIMIT = 128 << 20


class SpkiEngine(KeyPairEngine):
    """Signatures of whatever kind the key is of."""

    name = "spki"

    def secret_key(self, text: str) -> bytes:
        """See :meth:`SignEngine.secret_key`: base64 of an unencrypted PKCS #8 key."""
        secret = _of_size(base64_text.decode(text), "secret key")
        self._load_secret(secret)
        return secret

    def public_key(self, text: str) -> bytes:
        """See :meth:`SignEngine.public_key`: base64 of a SubjectPublicKeyInfo."""
        public = _of_size(base64_text.decode(text), "public key")
        self._load_public(public)
        return public

    def secret_keys(self, data: bytes) -> list[bytes]:
        """See :meth:`SignEngine.secret_keys`: PEM blocks ``PRIVATE KEY``."""
        secrets = _blocks(data, "PRIVATE KEY")
        for secret in secrets:
            self._load_secret(secret)
        return secrets

    def public_keys(self, data: bytes) -> list[bytes]:
        """See :meth:`SignEngine.public_keys`: PEM blocks ``PUBLIC KEY``."""
        return [key for key in _blocks(data, "PUBLIC KEY") if self._is_public(key)]

    def sign(self, secret: bytes, data: bytes) -> bytes:
        """See :meth:`SignEngine.sign`."""
        from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, rsa
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        key = self._load_secret(secret)
        if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)):
            return key.sign(data)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, PKCS1v15(), SHA256())
        from cryptography.hazmat.primitives.asymmetric import ec

        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(SHA256()))
        return key.sign(data, SHA256())

    def check_form(self, signature: bytes) -> None:
        """See :meth:`KeyPairEngine.check_form`."""
        _of_size(signature, "signature")

    def checker(self, key: bytes) -> Callable[[bytes, bytes], bool]:
        """See :meth:`KeyPairEngine.checker`."""
        public = self._load_public(key)
        from cryptography.exceptions import InvalidSignature

        def is_good(signature: bytes, data: bytes) -> bool:
            try:
                _verify(public, signature, data)
            except InvalidSignature:
                return False
            return True

        return is_good

    def _is_public(self, key: bytes) -> bool:
        try:
            self._load_public(key)
        except SignatureError:
            return False
        return True

    def _load_public(self, der: bytes) -> _PublicKey:
        try:
            from cryptography.exceptions import UnsupportedAlgorithm
            from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
            from cryptography.hazmat.primitives.serialization import load_der_public_key
        except ImportError as error:
            raise missing_library(self.name, error) from error
        try:
            key = load_der_public_key(der)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _unusable() from error
        kinds = (
            dsa.DSAPublicKey,
            ec.EllipticCurvePublicKey,
            ed448.Ed448PublicKey,
            ed25519.Ed25519PublicKey,
            rsa.RSAPublicKey,
        )
        if not isinstance(key, kinds):
            raise _unusable()
        edwards = isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey))
        if edwards and is_of_small_order(_raw(key)):
            raise _unusable()
        return key

    def _load_secret(self, der: bytes) -> _PrivateKey:
        try:
            from cryptography.exceptions import UnsupportedAlgorithm
            from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
            from cryptography.hazmat.primitives.serialization import load_der_private_key
        except ImportError as error:
            raise missing_library(self.name, error) from error
        try:
            key = load_der_private_key(der, None)
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            # An encrypted key without its password is a TypeError.
            raise _unusable() from error
        kinds = (
            dsa.DSAPrivateKey,
            ec.EllipticCurvePrivateKey,
            ed448.Ed448PrivateKey,
            ed25519.Ed25519PrivateKey,
            rsa.RSAPrivateKey,
        )
        if not isinstance(key, kinds):
            raise _unusable()
        return key


def _raw(key: _PublicKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _verify(key: _PublicKey, signature: bytes, data: bytes) -> None:
    """Raises the library's InvalidSignature unless the signature is good."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        key.verify(signature, data)
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, PKCS1v15(), SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(SHA256()))
    else:
        key.verify(signature, data, SHA256())


def _unusable() -> SignatureError:
    return SignatureError("openssl: Failed to initialize spki key")


def _of_size(blob: bytes, what: str) -> bytes:
    if len(blob) > _LIMIT:
        raise SignatureError(f"Invalid {what} of {len(blob)} bytes, expected <= {_LIMIT}")
    return blob


def _blocks(data: bytes, label: str) -> list[bytes]:
    """The contents of the PEM blocks of a file, which must all have that label."""
    found = []
    try:
        for name, content in pem.blocks(data.decode("utf-8", "replace")):
            if name != label:
                raise SignatureError(f'Unexpected label "{name}"')
            found.append(content)
    except FormatError as error:
        raise SignatureError(error.message) from error
    return found
