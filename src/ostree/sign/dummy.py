"""The engine ``dummy`` (signatures §3.4): signatures are the key itself; for tests, proves nothing."""

from __future__ import annotations

from ostree.errors import SignatureError
from ostree.sign.engine import SignEngine, check_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.sign.engine import PublicKeys


class DummyEngine(SignEngine):
    """What upstream tests everything around engines with.

    Args:
        enabled: Whether it may be used: who trusts it trusts everyone.
    """

    name = "dummy"
    has_key_files = False

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled

    def _require_enabled(self) -> None:
        if not self._enabled:
            raise SignatureError("dummy signature type is only for ostree testing")

    def secret_key(self, text: str) -> bytes:
        """See :meth:`SignEngine.secret_key`: any text."""
        self._require_enabled()
        return text.encode()

    def public_key(self, text: str) -> bytes:
        """See :meth:`SignEngine.public_key`: any text."""
        return text.encode()

    def secret_keys(self, data: bytes) -> list[bytes]:
        """See :meth:`SignEngine.secret_keys`: one in a line."""
        self._require_enabled()
        return data.removesuffix(b"\n").split(b"\n") if data else []

    def sign(self, secret: bytes, data: bytes) -> bytes:  # noqa: ARG002 - the interface
        """See :meth:`SignEngine.sign`: the key."""
        self._require_enabled()
        return secret

    def verify(
        self,
        data: bytes,  # noqa: ARG002 - the interface
        signatures: Sequence[bytes] | None,
        keys: PublicKeys,
    ) -> str:
        """See :meth:`SignEngine.verify`; only the key added last counts."""
        self._require_enabled()
        if signatures is None:
            raise SignatureError("signature: dummy: commit have no signatures of my type")
        if not signatures:
            raise SignatureError("signature: dummy: no signatures")
        check_count(signatures)
        if any(key in signatures for key in keys.latest_first()[:1]):
            return "dummy: Signature verified"
        raise SignatureError(f"signature: dummy: incorrect signatures found: {len(signatures)}")
