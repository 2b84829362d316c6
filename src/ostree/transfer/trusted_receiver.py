"""File objects from a server that is believed: stored as they come (``--http-trusted``, §4.8)."""

from __future__ import annotations

from ostree.errors import OSTreeError
from ostree.transfer.content_receiver import Receiver, ReceivingStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.store.archive import ArchiveStore
    from ostree.types import Checksum


class TrustedReceiver(Receiver):
    """Stores what comes in an archive repository, whatever it is.

    Args:
        store: Where it goes.
        charge: Is told the size of each object before it is written; may refuse.
    """

    __slots__ = ("charge", "store")

    def __init__(self, store: ArchiveStore, charge: Callable[[int], None]) -> None:
        self.store = store
        self.charge = charge

    def store_body(self, checksum: Checksum, body: bytes) -> tuple[bool, int]:
        """Store one complete object; whether it is new, and no size, as nothing is unpacked."""
        from ostree.repo.object_errors import write_error

        try:
            self.charge(len(body))
            return self.store.put_archived(checksum, body), 0
        except OSError as error:
            raise write_error("Writing content object", error) from error
        except OSTreeError as error:
            error.add_prefix("Writing content object")
            raise

    def stream(self, checksum: Checksum) -> TrustedStream:
        """Begin to store a large object."""
        return TrustedStream(self, checksum)


class TrustedStream(ReceivingStream):
    """A large object, stored while it arrives."""

    __slots__ = ("_checksum", "_receiver", "_writer")

    def __init__(self, receiver: TrustedReceiver, checksum: Checksum) -> None:
        self._receiver = receiver
        self._checksum = checksum
        self._writer = receiver.store.begin_archived()

    def feed(self, chunks: Sequence[bytes]) -> None:
        """Take the next bytes."""
        from ostree.repo.object_errors import write_error

        try:
            for chunk in chunks:
                self._receiver.charge(len(chunk))
                self._writer.write(chunk)
        except OSError as error:
            raise write_error("Writing content object", error) from error

    def finish(self) -> tuple[bool, int]:
        """Store it; whether it is new, and no size, as nothing is unpacked."""
        from ostree.repo.object_errors import write_error

        try:
            return self._writer.finish(self._checksum), 0
        except OSError as error:
            raise write_error("Writing content object", error) from error

    def close(self) -> None:
        """Give back what it holds."""
        self._writer.close()
