"""What long operations tell their caller while they run.

An operation takes ``on_event``, a callable that is given one of these.  Numbers only grow within
one operation; a total that is not known yet is ``None``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ostree.types import Checksum


class Event:
    """Base of all events."""

    __slots__ = ()


class PullProgress(Event):
    """How far a pull has come; all counts are objects, sizes in bytes.

    ``requested`` counts what is known to be needed so far, so it may grow while metadata is
    scanned; ``scanning`` says whether it still can.  Parts of static deltas are counted apart, and
    their bytes are those of parts that are complete.
    """

    __slots__ = (
        "bytes_transferred",
        "delta_bytes",
        "fetched_content",
        "fetched_delta_parts",
        "fetched_metadata",
        "requested_content",
        "requested_delta_bytes",
        "requested_delta_parts",
        "requested_metadata",
        "scanning",
    )

    def __init__(
        self,
        *,
        fetched_metadata: int,
        fetched_content: int,
        requested_metadata: int,
        requested_content: int,
        bytes_transferred: int,
        scanning: bool,
        fetched_delta_parts: int = 0,
        requested_delta_parts: int = 0,
        delta_bytes: int = 0,
        requested_delta_bytes: int = 0,
    ) -> None:
        self.fetched_metadata = fetched_metadata
        self.fetched_content = fetched_content
        self.requested_metadata = requested_metadata
        self.requested_content = requested_content
        self.bytes_transferred = bytes_transferred
        self.scanning = scanning
        self.fetched_delta_parts = fetched_delta_parts
        self.requested_delta_parts = requested_delta_parts
        self.delta_bytes = delta_bytes
        self.requested_delta_bytes = requested_delta_bytes


class StepProgress(Event):
    """How far an operation has come that counts its steps.

    Work is reported by the batch: a listener costs more than most steps.

    Attributes:
        operation: Which one: ``commit``, ``checkout``, ``fsck``, ``prune`` …; when another name
            comes, that is a new phase with numbers of its own.
        done: Steps done: files or objects.
        total: Of how many; None where nobody knows.
        bytes: Bytes of content handled so far; 0 where they are not counted.
    """

    __slots__ = ("bytes", "done", "operation", "total")

    def __init__(self, operation: str, done: int, total: int | None, bytes: int = 0) -> None:
        self.operation = operation
        self.done = done
        self.total = total
        self.bytes = bytes


class CommitSigned(Event):
    """A commit whose OpenPGP signatures had to be looked at, and were found sufficient.

    ``descriptions`` tells what there is to say about each signature, with a prefix before each
    line; that takes a moment, so it is only done if somebody asks.
    """

    __slots__ = ("commit", "descriptions")

    def __init__(self, commit: Checksum, descriptions: Callable[[str], list[str]]) -> None:
        self.commit = commit
        self.descriptions = descriptions


class Message(Event):
    """A line of text that the command prints as it is.

    ``warning`` lines go to standard error.
    """

    __slots__ = ("text", "warning")

    def __init__(self, text: str, *, warning: bool = False) -> None:
        self.text = text
        self.warning = warning


class LogEntry(Event):
    """Something for the system's log, besides what users are shown.

    Attributes:
        text: What happened, in a line.
        message_id: The identity of this kind of entry, 32 hexadecimal digits; None if it has none.
        fields: What else there is to say, for programs.
    """

    __slots__ = ("fields", "message_id", "text")

    def __init__(self, text: str, message_id: str | None, fields: Mapping[str, str]) -> None:
        self.text = text
        self.message_id = message_id
        self.fields = fields


class Doubt(Event):
    """Something that is done as asked, and may not come out as wished; for people to read."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


if TYPE_CHECKING:
    Listener = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """The listener of callers who do not listen."""
