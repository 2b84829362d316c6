"""What the engines with plain keys have in common (signatures §3): ed25519, spki, dummy.

An engine has no keys of its own.  Keys are bytes in raw form; users write them as text, files hold
several of them.
"""

from __future__ import annotations

from ostree.errors import OSTreeError, SignatureError
from ostree.sign.interface import Signer, Verdict, Verifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The engine of commands that are not told another one.
DEFAULT_ENGINE = "ed25519"
#: More signatures on one thing than anybody makes; each may cost a millisecond.
MAX_SIGNATURES = 1024
#: Failed attempts that are listed one by one.
_LISTED = 3


class PublicKeys:
    """Keys that are trusted, less those that are revoked.

    Attributes:
        trusted: In the order in which they were added, each once.
        revoked: These count for nothing even if they are trusted.
    """

    __slots__ = ("revoked", "trusted")

    def __init__(self, trusted: Sequence[bytes] = (), revoked: Sequence[bytes] = ()) -> None:
        self.trusted = list(dict.fromkeys(trusted))
        self.revoked = frozenset(revoked)

    def latest_first(self) -> list[bytes]:
        """Those that count, in the order in which they are tried."""
        return [key for key in reversed(self.trusted) if key not in self.revoked]


class SignEngine:
    """One scheme of signing.

    Attributes:
        name: As in configuration and on command lines.
        has_key_files: Whether there can be files of public keys.
    """

    name = ""
    has_key_files = True

    @property
    def metadata_key(self) -> str:
        """Where dictionaries keep its signatures."""
        return f"ostree.sign.{self.name}"

    def secret_key(self, text: str) -> bytes:
        """A secret key as users write it.

        Raises:
            SignatureError: if it is none.
        """
        raise NotImplementedError

    def public_key(self, text: str) -> bytes:
        """A public key as users write it.

        Raises:
            SignatureError: if it is none.
        """
        raise NotImplementedError

    def secret_keys(self, data: bytes) -> list[bytes]:
        """The secret keys that a file of that content holds.

        Raises:
            SignatureError: if one of them is none.
        """
        raise NotImplementedError

    def public_keys(self, data: bytes) -> list[bytes]:
        """The public keys that a file of that content holds, those left out that are none.

        Raises:
            SignatureError: if this is not how such a file looks.
        """
        raise NotImplementedError

    def sign(self, secret: bytes, data: bytes) -> bytes:
        """The signature of data.

        Raises:
            SignatureError: if the key cannot be used.
        """
        raise NotImplementedError

    def verify(self, data: bytes, signatures: Sequence[bytes] | None, keys: PublicKeys) -> str:
        """What to tell the user about the first signature that is good.

        Raises:
            SignatureError: if none is, None meaning that there is no place for any.
        """
        raise NotImplementedError


class KeyPairEngine(SignEngine):
    """An engine with public keys that are tried one after the other."""

    def verify(self, data: bytes, signatures: Sequence[bytes] | None, keys: PublicKeys) -> str:
        """See :meth:`SignEngine.verify`; the newest key is tried first."""
        if signatures is None:
            raise SignatureError(f"{self.name}: commit have no signatures of my type")
        check_count(signatures)
        attempts: list[bytes] = []
        candidates = [(key, self.checker(key)) for key in keys.latest_first()]
        for signature in signatures:
            self.check_form(signature)
            for key, is_good in candidates:
                if is_good(signature, data):
                    name = key.hex()
                    return f"{self.name}: Signature verified successfully with key '{name}'"
                attempts.append(key)
        raise SignatureError(f"{self.name}: {_failure(attempts)}")

    def check_form(self, signature: bytes) -> None:
        """Refuse what cannot be a signature, and with it all others beside it.

        Raises:
            SignatureError: naming what is wrong.
        """
        raise NotImplementedError

    def checker(self, key: bytes) -> Callable[[bytes, bytes], bool]:
        """A function that tells whether a signature of data was made with a key.

        Raises:
            SignatureError: if the key cannot be used.
        """
        raise NotImplementedError


def check_count(signatures: Sequence[bytes]) -> None:
    """Refuse to begin what would take for ever.

    Raises:
        SignatureError: naming the number.
    """
    if len(signatures) > MAX_SIGNATURES:
        raise SignatureError(f"{len(signatures)} signatures are more than {MAX_SIGNATURES}")


def _failure(attempts: Sequence[bytes]) -> str:
    if not attempts:
        return "no signatures found"
    if len(attempts) > _LISTED:
        return f"Signature couldn't be verified; tried {len(attempts)} keys"
    keys = "; ".join(f"key '{key.hex()}'" for key in attempts)
    return f"Signature couldn't be verified with: {keys}"


class EngineSigner(Signer):
    """A signer with a key of one of the engines."""

    def __init__(self, engine: SignEngine, secret: bytes) -> None:
        self._engine = engine
        self._secret = secret
        self.metadata_key = engine.metadata_key

    def sign(self, data: bytes) -> bytes:
        """See :meth:`Signer.sign`."""
        return self._engine.sign(self._secret, data)


class EngineVerdict(Verdict):
    """What an engine says about a good signature."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def descriptions(self, prefix: str = "") -> list[str]:
        """See :meth:`Verdict.descriptions`."""
        return [f"{prefix}{self.text}\n"]


class EngineVerifier(Verifier):
    """A verifier with public keys of one of the engines.

    Args:
        engine: Whose.
        keys: Tells the keys, when they are needed for the first time; may raise.
    """

    def __init__(self, engine: SignEngine, keys: PublicKeys | Callable[[], PublicKeys]) -> None:
        self.engine = engine
        self._keys = keys
        self.metadata_key = engine.metadata_key

    def verify(self, data: bytes, signatures: Sequence[bytes] | None) -> EngineVerdict:
        """See :meth:`Verifier.verify`."""
        if signatures is not None and not isinstance(self._keys, PublicKeys):
            self._keys = self._keys()
        # Where there is no place for signatures, keys are not even looked for.
        keys = self._keys if isinstance(self._keys, PublicKeys) else PublicKeys()
        return EngineVerdict(self.engine.verify(data, signatures, keys))


def missing_library(engine: str, error: ImportError) -> OSTreeError:
    """The error of an engine without the library that does its work."""
    reason = f" ({error.name})" if error.name else ""
    return SignatureError(
        f"{engine}: engine is not supported{reason}",
        hint="install the Python package cryptography (Debian: python3-cryptography)",
    )
