"""The engine ``ed25519`` (signatures §3.2): keys in base64, signatures of 64 bytes (RFC 8032)."""

from __future__ import annotations

from ostree.errors import SignatureError
from ostree.formats import base64_text
from ostree.formats.edwards import is_of_small_order
from ostree.sign.engine import KeyPairEngine, missing_library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PUBLIC = 32
#: The seed, and the public key behind it.
_SECRET = 64
_SEED = 32
_SIGNATURE = 64


class Ed25519Engine(KeyPairEngine):
    """Edwards-curve signatures."""

    name = "ed25519"

    def secret_key(self, text: str) -> bytes:
        """See :meth:`SignEngine.secret_key`: base64 of seed and public key."""
        return _of_length(base64_text.decode(text), _SECRET, "ed25519 secret key")

    def public_key(self, text: str) -> bytes:
        """See :meth:`SignEngine.public_key`: base64 of 32 bytes."""
        key = _of_length(base64_text.decode(text), _PUBLIC, "ed25519 public key")
        if is_of_small_order(key):
            raise SignatureError("Invalid ed25519 public key: point of small order")
        return key

    def secret_keys(self, data: bytes) -> list[bytes]:
        """See :meth:`SignEngine.secret_keys`: one in a line."""
        return [_of_length(blob, _SECRET, "ed25519 secret key") for blob in _blobs(data)]

    def public_keys(self, data: bytes) -> list[bytes]:
        """See :meth:`SignEngine.public_keys`: one in a line."""
        blobs = _blobs(data)
        return [blob for blob in blobs if len(blob) == _PUBLIC and not is_of_small_order(blob)]

    def sign(self, secret: bytes, data: bytes) -> bytes:
        """See :meth:`SignEngine.sign`."""
        try:
            from cryptography.hazmat.primitives.asymmetric import ed25519
        except ImportError as error:
            raise missing_library(self.name, error) from error
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret[:_SEED]).sign(data)

    def check_form(self, signature: bytes) -> None:
        """See :meth:`KeyPairEngine.check_form`."""
        _of_length(signature, _SIGNATURE, "signature")

    def checker(self, key: bytes) -> Callable[[bytes, bytes], bool]:
        """See :meth:`KeyPairEngine.checker`."""
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric import ed25519
        except ImportError as error:
            raise missing_library(self.name, error) from error
        public = ed25519.Ed25519PublicKey.from_public_bytes(key)

        def is_good(signature: bytes, data: bytes) -> bool:
            try:
                public.verify(signature, data)
            except InvalidSignature:
                return False
            return True

        return is_good


def _of_length(blob: bytes, length: int, what: str) -> bytes:
    if len(blob) != length:
        raise SignatureError(
            f"Invalid {what}: Ill-formed input: expected {length} bytes, got {len(blob)} bytes"
        )
    return blob


def _blobs(data: bytes) -> list[bytes]:
    """What the lines of a file stand for; an empty line stands for nothing."""
    blobs = []
    for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n") if data else ():
        blob = base64_text.decode(line)
        if not blob:
            raise SignatureError("Invalid base64 blob format")
        blobs.append(blob)
    return blobs
